"""Having objects, and looking at them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box
from stroma.errors import LabelError, ParameterError, ShapeError
from stroma.io import read_image
from stroma.objects.boxes import checked
from stroma.objects.correct import slices
from stroma.session.core.core import Core
from stroma.session.core.screen import Screen
from stroma.session.core.status import State
from stroma.session.core.tasks import Task
from stroma.session.events import Position
from stroma.session.objects import operations as ops
from stroma.session.objects.bench import ObjectBench
from stroma.session.objects.book import Book, Held, Labels, closed, finding_of, finding_to_json
from stroma.session.objects.found import Found, Ints
from stroma.session.objects.learning import NONE_YET, ObjectModel, found_in
from stroma.session.strokes.blocks import BYTE
from stroma.session.strokes.looking import Looking


@dataclass(frozen=True, eq=False)
class Seen:
    """The objects of the frame that a plane belongs to, as they are known now.

    Parameters
    ----------
    state, reason
        How that stands, as in `OnScreen`; older objects are there until newer ones are known.
    found : Found or None
        The objects; None where there are none yet.
    given : (n,) int64
        The class that each was given by hand; 0 for none.
    lacking : str
        What must be labelled before classes are told.
    """

    state: State
    reason: str
    found: Found | None
    given: Ints
    lacking: str = ""


class ObjectWork:
    """Objects of images; where they come from is a step that can be undone.

    Parameters
    ----------
    core : Core
        Of which session.
    model : ObjectModel
        What finds and classes objects.
    looking : Looking
        What segments whole images.
    """

    def __init__(self, core: Core, model: ObjectModel, looking: Looking) -> None:
        self.core, self.model, self.looking = core, model, looking
        self._screen = Screen(core)

    def book(self, image: str) -> Book:
        """Return what is held of the objects of an image."""
        with self.core.lock:
            self.core.document.sheet(image)  # which says if there is no such image
            return self.core.bench(ObjectBench).books[image]

    # ------------------------------------------------------------------ having objects

    def object_source(self, image: str) -> Held:
        """Return where the objects of an image come from."""
        return self.book(image).held

    def follow_objects(self, /, image: str, *, label: int | None = None, **how: Any) -> None:
        """Find the objects of an image in its segmentation, whatever it is at any time.

        Parameters
        ----------
        image : str
            Key of the image.
        label : int, optional
            The class whose connected parts are the objects; all classes unless given.
        **how
            Other fields of `stroma.objects.finding.how.Finding`: split, boundary (the class between
            objects, which parts them where it is probable), min_size, max_size, size_in, border,
            connectivity.
        """
        self._require_room(image)
        finding = finding_of({"label": label, **how})
        self.core.do(ops.FollowObjects(image, finding_to_json(finding)))

    def no_objects(self, image: str) -> None:
        """Have no objects any more."""
        self.book(image)
        self.core.do(ops.FollowObjects(image, None))

    def set_objects(self, image: str, labels: Any, *, source: str = "") -> None:
        """Take over the objects of a label image: of other programs, or of a network.

        Parameters
        ----------
        image : str
            Key of the image.
        labels : path or array
            A number for each object, 0 where there is none; as large as the image.
        source : str
            Where they come from, for people.

        Raises
        ------
        ShapeError
            If they are not as large as the image.
        LabelError
            If they are no integers, or negative.
        """
        book = self._require_room(image)
        if isinstance(labels, str | Path):
            source, labels = source or Path(labels).name, read_image(labels).read()
        self._set(image, book, _framed(np.asarray(labels), book), source or "label image")

    def _set(self, image: str, book: Book, frames: NDArray[np.int32], source: str) -> None:
        packed = tuple((n, closed(frame)) for n, frame in enumerate(frames) if frame.any())
        self.core.do(ops.SetObjects(image, source, packed))

    def find_objects(self, /, image: str, *, label: int | None = None, **how: Any) -> Task[int]:
        """Segment all of an image, hold the objects in it, and return how many there are.

        Parameters
        ----------
        image, label, **how
            As for ``follow_objects``.
        """
        book, finding = self._require_room(image), finding_of({"label": label, **how})
        pixels = self.core.pixels(image)

        def find(progress: Any, cancelled: Any) -> int:
            classes, chance = self.looking.segment_with(
                image, finding.boundary, progress=progress, cancelled=cancelled
            )
            size = book.frames, *book.size
            likely = [None] * book.frames if chance is None else _shares(chance.reshape(size))
            framed = zip(classes.reshape(size), likely, strict=True)
            frames = np.stack([found_in(one, finding, pixels, beside) for one, beside in framed])
            self._set(image, self.book(image), frames, "segmentation")
            return int(sum(len(np.unique(one[one > 0])) for one in frames))

        return self.core.tasks.start("finding objects", find)

    def _require_room(self, image: str) -> Book:
        book = self.book(image)
        book.require_room()
        return book

    # ------------------------------------------------------------------ looking at them

    def objects(self, image: str, *, plane: Position | None = None) -> Seen:
        """Return the objects of the frame that a plane belongs to, as they are known now."""
        book = self.book(image)
        with self.core.lock:
            sheet = self.core.document.sheet(image)
            number, clicks = sheet.plane_number(plane), tuple(book.clicks.items())
        if not book.held.used:
            return Seen("absent", NONE_YET, None, np.zeros(0, np.int64))
        stands = self._screen.standing(image, plane=plane, bench=ObjectBench.name)
        blocks = self.model.results.blocks((image, number))
        found = blocks[-1].found if blocks else None
        given = np.zeros(0, np.int64) if found is None else found.given(clicks)
        return Seen(stands.state, stands.reason, found, given, self.model.learnt_now.lacking)

    def shown(self, image: str, plane: Position | None) -> Found:
        """Return the objects of the frame that a plane belongs to.

        Raises
        ------
        ParameterError
            If they are not known yet; it says what must be done.
        """
        seen = self.objects(image, plane=plane)
        if seen.found is None:
            raise ParameterError(seen.reason or "The objects are not known yet. Wait a moment.")
        return seen.found

    def object_labels(
        self, image: str, box: Box | None = None, *, plane: Position | None = None, step: int = 1
    ) -> Labels:
        """Return the numbers of the objects in a rectangle of a plane, as they are known now.

        Parameters
        ----------
        image, plane
            Which plane.
        box : Box, optional
            Pixels; the whole plane unless given.
        step : int
            Pixels per value along each axis; the value is that of the middle pixel.
        """
        sheet = self.core.document.sheet(image)
        number = sheet.plane_number(plane)
        rows, columns = (box or Box.of(sheet.cuts.shape(number))).slices
        found = self.objects(image, plane=plane).found
        if found is None:
            shape = rows.stop - rows.start, columns.stop - columns.start
            return np.zeros(shape, np.int32)[step // 2 :: step, step // 2 :: step]
        flat = _plane_of(found.labels, sheet.position(number))
        middle = [
            slice(min(s.start + step // 2, s.stop - 1), s.stop, step) for s in (rows, columns)
        ]
        return flat[middle[0], middle[1]].copy()

    def labels_held(self, image: str, number: int, box: Box) -> Labels:
        """Return the numbers of the objects in a rectangle of a plane that new ones stay off.

        Objects that are held are known at once, before they are measured.
        """
        with self.core.lock:
            book, sheet = self.book(image), self.core.document.sheet(image)
            position = sheet.position(number)
            if book.held.kept:
                voxels = sheet.cuts.voxels(number, box)
                inside = slices((*voxels.start, *voxels.stop))
                return book.frame(position.get("t", 0))[inside].reshape(box.shape).copy()
        return self.object_labels(image, box, plane=position)

    def known(self, image: str) -> dict[int, Labels]:
        """Return the objects of an image frame by frame, as far as they are known or held."""
        book = self.book(image)
        return dict(book.labels) if book.held.kept else self.model.latest(image)

    def frame_held(self, image: str, plane: Position) -> Labels:
        """Return the objects of a frame; those that are held, also before they are measured."""
        book = self.book(image)
        return book.frame(plane.get("t", 0)) if book.held.kept else self.shown(image, plane).labels

    def object_at(
        self, image: str, at: tuple[float, float], *, plane: Position | None = None
    ) -> int:
        """Return the number of the object at a place (y, x) of a plane; 0 where there is none."""
        y, x = int(np.floor(at[0])), int(np.floor(at[1]))
        sheet = self.core.document.sheet(image)
        whole = Box.of(sheet.cuts.shape(sheet.plane_number(plane)))
        pixel = Box(y, x, y + 1, x + 1).clipped(whole)
        return int(self.object_labels(image, pixel, plane=plane).sum()) if pixel.area else 0


def _shares(chance: NDArray[np.uint8]) -> Iterator[NDArray[np.float32]]:
    """Yield the probabilities of each frame, as they are shown in 255ths."""
    for frame in chance:
        yield frame.astype(np.float32) / BYTE


def _framed(labels: NDArray[Any], book: Book) -> NDArray[np.int32]:
    """Return a label image frame by frame."""
    checked(labels)
    wanted = tuple(n for n in (book.frames, *book.size) if n > 1)
    if tuple(n for n in labels.shape if n > 1) != wanted:
        raise ShapeError(
            f"The image has {' x '.join(map(str, wanted))} pixels, its objects "
            f"{' x '.join(map(str, labels.shape))}. Give a label image of this image."
        )
    if labels.max(initial=0) > ops.MOST_NUMBER:
        raise LabelError(f"Numbers of objects are at most {ops.MOST_NUMBER}, got {labels.max()}.")
    return labels.astype(np.int32).reshape(book.frames, *book.size)


def _plane_of(labels: Labels, position: Position) -> Labels:
    """Return the plane of a frame, across z, y or x."""
    axis = next((a for a in "yx" if a in position), "z")
    at: Labels = np.moveaxis(labels, "zyx".index(axis), 0)[position.get(axis, 0)]
    return at
