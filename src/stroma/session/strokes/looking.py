"""Looking at results: as they are known now, or of a whole image."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box
from stroma.errors import ParameterError
from stroma.pixel.predicting.predict import label_dtype
from stroma.pixel.predicting.run import blocks_of
from stroma.session.core.core import Core
from stroma.session.core.opening import without_channels
from stroma.session.events import Position
from stroma.session.strokes.blocks import BYTE, BlockInfo, Layer, Shown, show
from stroma.session.strokes.model import StrokeModel

if TYPE_CHECKING:
    from stroma.blocks.result import BlockResult
    from stroma.data.image import Image


class Looking:
    """What a model of strokes says.

    Parameters
    ----------
    core : Core
        Of which images.
    model : StrokeModel
        The model.
    """

    def __init__(self, core: Core, model: StrokeModel) -> None:
        self.core = core
        self.model = model

    def result(
        self,
        image: str,
        box: Box | None = None,
        *,
        plane: Position | None = None,
        layer: Layer = "labels",
        label: int | None = None,
        step: int = 1,
    ) -> Shown:
        """Return what is known of a rectangle, as it is now; computes nothing.

        Parameters
        ----------
        image : str
            Key of the image.
        box : Box, optional
            Pixels; the whole plane unless given.
        plane : dict of str to int, optional
            Position along t and z.
        layer : {"labels", "probability", "uncertainty"}
            What to return.
        label : int, optional
            The class, for "probability".
        step : int
            Pixels per value along each axis.
        """
        with self.core.lock:
            sheet = self.core.document.sheet(image)
            number = sheet.plane_number(plane)
            region = sheet.cuts.region(number, sheet.region)
        wanted = box or Box.of(sheet.cuts.shape(number))
        if wanted.area == 0 or step < 1:
            raise ParameterError(f"Nothing to show: box {wanted}, step {step}.")
        blocks = self.model.results.blocks((image, number), wanted)
        revision = self.model.bench.revision
        return show(
            blocks, wanted, layer=layer, label=label, step=step, revision=revision, region=region
        )

    def planes_shown(self, image: str) -> int:
        """Return of how many planes of an image there is any result in memory."""
        return self.model.results.planes(image)

    def known_planes(self, image: str) -> list[Position]:
        """Return the planes of an image of which there is any result in memory."""
        with self.core.lock:
            sheet = self.core.document.sheet(image)
        return [sheet.position(number) for number in self.model.results.numbers(image)]

    def blocks(self, image: str, *, plane: Position | None = None) -> list[BlockInfo]:
        """Return where in a plane there are results, and which are stale."""
        with self.core.lock:
            number = self.core.document.sheet(image).plane_number(plane)
        blocks, now = self.model.results.blocks((image, number)), self.model.bench.revision
        return [BlockInfo(b.box, b.step, b.revision, b.revision < now) for b in blocks]

    def segment(
        self,
        image: str,
        *,
        time: int | None = None,
        progress: Callable[[int, int], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> NDArray[np.unsignedinteger[Any]]:
        """Return the labels of all pixels of an image, by the present model; takes its time.

        Parameters
        ----------
        image : str
            Key of the image.
        time : int, optional
            The one time of a movie that is segmented; all of them unless given.
        progress : callable, optional
            Told how many blocks are done, and of how many.
        cancelled : callable, optional
            Asked before every block whether to stop.

        Raises
        ------
        NotTrainedError
            If there is no model yet.
        MissingFileError
            If the file of the image is not where it was.
        Cancelled
            If it was asked to stop.
        """
        how: dict[str, Any] = {"time": time, "progress": progress, "cancelled": cancelled}
        return self.segment_with(image, None, **how)[0]

    def segment_with(
        self,
        image: str,
        label: int | None,
        *,
        time: int | None = None,
        progress: Callable[[int, int], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> tuple[NDArray[np.unsignedinteger[Any]], NDArray[np.uint8] | None]:
        """Return the labels of all pixels, and how probable one class is in each.

        Parameters
        ----------
        image, time, progress, cancelled
            As for ``segment``.
        label : int or None
            The class whose probability is returned, in 255ths as in what is shown.
        """
        pixels = self.core.pixels(image)
        if time is not None and "t" in pixels.kept_axes:
            pixels = pixels.at(t=time)
        shape, known, blocks = self._blocks(pixels, cancelled)
        labels = np.zeros(shape, label_dtype(known))
        chance = None if label is None else np.zeros(shape, np.uint8)
        for block in blocks:
            labels[block.index] = block.labels
            if chance is not None and label in known:
                values = block.probabilities[known.tolist().index(label)]
                chance[block.index] = _per_pixel(values, block.step, block.labels.shape)
            if progress is not None:
                progress(block.done, block.total)
        return labels, chance

    def _blocks(
        self, pixels: Image, cancelled: Callable[[], bool] | None
    ) -> tuple[tuple[int, ...], NDArray[np.int64], Iterator[BlockResult]]:
        """Return the shape of the result, the labels of the classes, and the blocks."""
        network = self.model.network
        if network is not None:
            seen = network.open(pixels)
            shape = tuple(without_channels(seen).values())
            return shape, network.classes_, network.blocks(seen, cancel=cancelled)
        model = self.model.copy()
        source, trained = model.open(pixels), model.trained()
        blocks = blocks_of(source, trained, model.cache.borrowed(), cancel=cancelled)
        return source.shape, trained.classifier.classes_, blocks


def _per_pixel(values: NDArray[np.float32], step: int, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return probabilities in 255ths, one for each pixel."""
    few = np.rint(values * BYTE).astype(np.uint8)
    every = few.repeat(step, axis=0).repeat(step, axis=1) if step > 1 else few
    found: NDArray[np.uint8] = every[: shape[0], : shape[1]]
    return found
