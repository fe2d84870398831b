"""A network in the place of a model of strokes: it says what is seen, and learns nothing here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box
from stroma.data.cut import ROWS_AND_COLUMNS
from stroma.data.image import AXES, Image
from stroma.errors import ParameterError
from stroma.io.blockwise.assemble import ChunkSink
from stroma.io.blockwise.assemble import Target as Whole
from stroma.io.blockwise.writer import open_writer
from stroma.pixel.predicting.predict import label_dtype
from stroma.session.core.opening import without_channels
from stroma.session.core.planes import Planes
from stroma.session.core.view import View
from stroma.session.events import Position
from stroma.session.strokes.blocks import BYTE, Block, uncertainty

if TYPE_CHECKING:
    from stroma.training.feeding.windows import Cube
    from stroma.training.model import Network
    from stroma.training.predicting.predictor import NetworkPredictor

    Opened = tuple[Image, NetworkPredictor]

Floats = NDArray[np.floating]
Ints = NDArray[np.integer]

SAID = (
    "A trained network says what is seen; strokes do not change it. Once two classes are painted, "
    "a model of strokes is trained and takes its place."
)
"""What front ends say while a network answers."""

TILE = 512
"""Side of the chunks in which results are written."""


class Applied:
    """A network whose segmentation is looked at.

    Parameters
    ----------
    network : Network
        Trained to tell classes apart.

    Raises
    ------
    ParameterError
        If it finds something else: what is painted on here has classes.
    """

    def __init__(self, network: Network) -> None:
        if network.target.result != "classes":
            raise ParameterError(
                f"This network finds {network.target.result}, and only classes are shown where "
                "strokes are painted. Write its results to files with: stroma segment MODEL IMAGES",
                told=f"This network finds {network.target.result}, and only classes are shown "
                "here. Write its results to files with the command stroma segment.",
            )
        if network.largest_:
            said = (
                "This network keeps only the largest part of classes, which takes the whole image, "
                "and here blocks are shown as they come."
            )
            raise ParameterError(f"{said} Write its results with: stroma segment MODEL IMAGES")
        self.network = network
        self._opened: dict[str, tuple[Image, Opened]] = {}

    def opened(self, key: str, image: Image) -> Opened:
        """Return an image as the network sees it, and what predicts its blocks.

        Raises
        ------
        ShapeError
            If the network was trained on other channels, or on volumes where there are none.
        """
        known = self._opened.get(key)
        if known is None or known[0] is not image:
            seen = self.network.open(image)
            known = image, (seen, self.network.predictor(seen))
            self._opened[key] = known
        return known[1]

    def forget(self, key: str) -> None:
        """Let an image go that is closed, or has other pixels now."""
        self._opened.pop(key, None)

    def cores(self, image: Image, view: View, box: Box, known: Mapping[Box, int]) -> list[Part]:
        """Return the blocks that a box of a view's plane cuts, and that are not known."""
        from stroma.training.predicting.predict import blocks_in

        if not box.area:
            return []
        seen, predictor = self.opened(view.image, image)
        shape = seen.shape[-self.network.ndim :]
        found = [
            Part(outer, core)
            for outer, region in _regions(view, box, self.network.ndim)
            for core in blocks_in(shape, predictor, region)
        ]
        return [part for part in found if part.rectangle(view.across) not in known]

    def predicted(
        self,
        image: Image,
        view: View,
        cores: list[Part],
        revision: int,
        cancel: Callable[[], bool],
    ) -> Iterator[list[tuple[Position, int, Block]]]:
        """Yield, block by block, position, number and result of every plane that it has.

        These are planes across z, and that of the view where it lies otherwise.
        """
        from stroma.training.predicting.predict import predicted

        seen, predictor = self.opened(view.image, image)
        network, numbered = self.network, Planes(without_channels(image))
        classes = tuple(network.classes_.tolist())
        for outer, parts in groupby(cores, key=lambda part: part.outer):
            together = list(parts)
            blocks = [part.core for part in together]
            found = predicted(predictor, seen.at(**outer), blocks, cancel=cancel)
            for part, values in zip(together, found, strict=True):
                labels = network.target.decode(values, **network.decoding_)
                planes = []
                for position, box, p, best in part.planes(view, values, labels):
                    block = _block(box, revision, classes, p, best)
                    planes.append((position, numbered.number(position, view.image), block))
                yield planes

    def write(
        self,
        image: Image,
        path: str | Path,
        *,
        probabilities: bool,
        progress: Callable[[int, int], None],
        cancel: Callable[[], bool],
    ) -> Path:
        """Write what the network says of a whole image, block by block."""
        network = self.network
        seen = network.open(image)
        sizes = without_channels(seen)
        sizes |= {"c": len(network.classes_)} if probabilities else {}
        sizes = {a: sizes[a] for a in AXES if a in sizes}
        dtype: Any = np.float32 if probabilities else label_dtype(network.classes_)
        writer = open_writer(
            path,
            shape=tuple(sizes.values()),
            dtype=dtype,
            axes="".join(sizes),
            chunks=tuple(TILE if axis in "yx" else 1 for axis in sizes),
            like=image,
            classes=network.classes,
            channels=network.channel_names if probabilities else (),
            labels=not probabilities,
            fingerprint=network.fingerprint(),
            resume=False,
        )
        with writer:
            whole = Whole("".join(sizes), tuple(sizes.values()))
            sink = ChunkSink(writer, whole, TILE, dtype)
            for block in network.blocks(seen, cancel=cancel):
                values = block.probabilities if probabilities else block.labels
                sink.add(block.plane, block.y, block.x, values)
                progress(block.done, block.total)
            writer.finish()
        return Path(path)


@dataclass(frozen=True)
class Part:
    """A block that a network predicts at once.

    Parameters
    ----------
    outer : dict of str to int
        Where it lies along t, and along z where it is a block of a plane.
    core : Cube
        Along y and x, or z, y and x.
    """

    outer: Position
    core: Cube

    @property
    def spans(self) -> dict[str, slice]:
        """Where it lies along z (of an image without, the first), y and x."""
        z = self.outer.get("z", 0)
        return dict(zip("zyx", (slice(z, z + 1), *self.core)[-3:], strict=True))

    def rectangle(self, across: str) -> Box:
        """Return what it is on a plane across an axis that it meets."""
        rows, columns = (self.spans[axis] for axis in ROWS_AND_COLUMNS[across])
        return Box(rows.start, columns.start, rows.stop, columns.stop)

    def planes(
        self, view: View, values: Floats, labels: Ints
    ) -> Iterator[tuple[Position, Box, Floats, Ints]]:
        """Yield position, rectangle, probabilities and labels of every plane.

        Parameters
        ----------
        view : View
            What is looked at.
        values : (C, y, x) or (C, z, y, x) float array
            Probabilities of the classes.
        labels : (y, x) or (z, y, x) int array
            The most probable ones.
        """
        if len(self.core) == 2:
            values, labels = values[:, None], labels[None]
            yield self.outer, self.rectangle("z"), values[:, 0], labels[0]
        else:
            for k, z in enumerate(range(self.core[0].start, self.core[0].stop)):
                yield {**self.outer, "z": z}, self.rectangle("z"), values[:, k], labels[k]
        if view.across != "z":
            axis = "zyx".index(view.across)
            at = view.position[view.across] - self.spans[view.across].start
            cut = values.take(at, axis=axis + 1), labels.take(at, axis=axis)
            yield view.position, self.rectangle(view.across), *cut


def _regions(view: View, box: Box, ndim: int) -> Iterator[tuple[Position, Cube]]:
    """Yield where a network of so many axes looks: outer position, and the region there."""
    rows, columns = list(ROWS_AND_COLUMNS[view.across])
    at = view.position.get(view.across, 0)
    spans = {view.across: slice(at, at + 1), rows: box.slices[0], columns: box.slices[1]}
    time = {a: i for a, i in view.position.items() if a == "t"}
    region = tuple(spans[axis] for axis in "zyx")
    if ndim == 3:
        yield time, region
    elif view.across == "z":
        yield dict(view.position), region[1:]
    else:  # a plane of its own for every row of the cut
        for z in range(region[0].start, region[0].stop):
            yield {**time, "z": z}, region[1:]


def _block(box: Box, revision: int, classes: tuple[int, ...], p: Floats, labels: Ints) -> Block:
    return Block(
        box,
        1,
        revision,
        classes,
        labels.astype(np.uint16),
        np.rint(p * BYTE).astype(np.uint8),
        np.rint(uncertainty(p) * BYTE).astype(np.uint8),
    )
