"""Cutting images into regions, which strokes to carve by are answered with."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box
from stroma.data.image import Image
from stroma.errors import Cancelled, NotTrainedError, ParameterError
from stroma.features.cache import free_memory
from stroma.objects.carving import Carving
from stroma.objects.supervoxels import Supervoxels
from stroma.session.core.core import Core
from stroma.session.core.screen import Screen
from stroma.session.core.tasks import Task
from stroma.session.events import Position
from stroma.session.objects.book import Book
from stroma.session.objects.carving.kept import OF_CLASS, How
from stroma.session.objects.working import ObjectWork
from stroma.session.strokes.blocks import show
from stroma.session.strokes.model import StrokeModel

BYTES = 32
"""Of a pixel, while its image is cut into regions; what is kept of it is a quarter."""

KEPT = 2
"""Images that stay cut into regions."""


@dataclass(frozen=True, eq=False)
class Cut:
    """A frame that is to be cut, and how, all as it was at one moment.

    Parameters
    ----------
    image, frame
        Which.
    how : How
        What bounds objects.
    pixels : Image
        Of the image.
    channels : tuple of int or None
        Which of them are looked at.
    revision : int
        Of the strokes.
    about : tuple
        All that regions depend on.
    """

    image: str
    frame: int
    how: How
    pixels: Image
    channels: tuple[int, ...] | None
    revision: int
    about: tuple[Hashable, ...]


class Cutting:
    """Cuts frames into regions, and keeps those of the last ones.

    Parameters
    ----------
    core : Core
        On which images.
    objects : ObjectWork
        Which says what bounds objects.
    strokes : StrokeModel
        Whose classes may be boundaries, and which channels are looked at.
    """

    def __init__(self, core: Core, objects: ObjectWork, strokes: StrokeModel) -> None:
        self.core, self._objects, self._strokes = core, objects, strokes
        self._screen, self._cutting = Screen(core), threading.Lock()
        self._regions: OrderedDict[Hashable, Supervoxels] = OrderedDict()

    def prepare_carving(self, image: str, *, plane: Position | None = None) -> Task[int]:
        """Cut the frame that a plane belongs to into regions, once; returns how many there are.

        Raises
        ------
        ParameterError
            If the image is too large, or its pixels do not fit the memory that is free.
        """
        book = self._objects.book(image)
        book.require_room()
        sheet = self.core.document.sheet(image)
        frame = sheet.position(sheet.plane_number(plane)).get("t", 0)

        def cut(progress: Callable[[int, int], None], cancelled: Callable[[], bool]) -> int:
            with self._cutting:
                wanted = self._cut(image, frame)
                if wanted.about in self._regions:
                    return self._regions[wanted.about].count
                _require_memory(book)
                heights = self._heights(wanted)
                if cancelled():
                    raise Cancelled("Cutting the image into regions was cancelled.")
                regions = heights()
                with self.core.lock:
                    self._regions[wanted.about] = regions
                    while len(self._regions) > KEPT:
                        self._regions.popitem(last=False)
                return regions.count

        return self.core.tasks.start("cutting the image into regions", cut)

    def regions(self, image: str, frame: int) -> Supervoxels | None:
        """Return the regions of a frame; None where it is not cut yet as it is to be now."""
        with self.core.lock:
            return self._regions.get(self._cut(image, frame).about)

    def _cut(self, image: str, frame: int) -> Cut:
        with self.core.lock:
            how, pixels = self._objects.book(image).carvings.how[0], self.core.pixels(image)
            channels, revision = self._strokes.now.channels, self._strokes.bench.revision
            own: Hashable = revision if how.boundary == OF_CLASS else channels
            sized = tuple(pixels.spacing.items()), pixels.unit
            about = image, frame, how, self.core.exchanged.get(image, 0), sized, own
            return Cut(image, frame, how, pixels, channels, revision, about)

    def _heights(self, wanted: Cut) -> Callable[[], Supervoxels]:
        """Return what cuts a frame into regions."""
        how, pixels = wanted.how, _of_frame(wanted.pixels, wanted.frame)
        if how.boundary == OF_CLASS:
            map_ = self._probability(wanted)
            return lambda: Carving.of(pixels, boundary=map_).regions
        pixels = _of_channels(pixels, wanted.channels)
        return lambda: Carving.of(pixels, boundary=how.boundary, sigma=how.sigma).regions

    def _probability(self, wanted: Cut) -> NDArray[np.float32]:
        """Return how probable a class is in a frame, as the image has its axes."""
        image, label = wanted.image, wanted.how.label
        sheet, book = self.core.document.sheet(image), self._objects.book(image)
        whole, found = Box.of(book.size[1:]), np.zeros(book.size, np.float32)
        for z in range(book.size[0]):
            number = wanted.frame * book.size[0] + z
            with self.core.lock:
                same = self._strokes.bench.revision == wanted.revision
                stands = self._screen.standing(image, plane=sheet.position(number))
                blocks = self._strokes.results.blocks((image, number), whole)
            if not same or stands.state != "current":
                raise NotTrainedError(
                    "A class bounds objects as soon as all planes are segmented, and this is "
                    f"not so of plane {z + 1}. Paint classes, and press Find in all planes."
                )
            found[z] = show(blocks, whole, layer="probability", label=label).values
        return found if book.size[0] > 1 else found[0]


def _require_memory(book: Book) -> None:
    pixels = int(np.prod(book.size, dtype=np.int64))
    if pixels * BYTES > free_memory():
        raise ParameterError(
            f"Cutting {pixels:,} pixels into regions takes {pixels * BYTES / 2**30:.1f} GB, and "
            f"{free_memory() / 2**30:.1f} GB are free. Open a part of the image."
        )


def _of_frame(pixels: Image, frame: int) -> Image:
    """Return a frame; without axes of one sample, as objects have it."""
    at = {"t": frame} if "t" in pixels.kept_axes else {}
    if pixels.sizes.get("z") == 1 and "z" in pixels.kept_axes:
        at["z"] = 0
    return pixels.at(**at)


def _of_channels(pixels: Image, channels: tuple[int, ...] | None) -> Image:
    """Return some channels of an image, or all."""
    count = pixels.sizes.get("c", 1)
    if channels is None or "c" not in pixels.kept_axes or max(channels) >= count:
        return pixels
    return pixels.at(c=list(channels))
