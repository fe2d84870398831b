"""A network in the place of a model of strokes: it says what is seen, and learns nothing here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stroma.blocks.box import Box
from stroma.data.image import AXES, Image
from stroma.errors import ParameterError
from stroma.io.blockwise.assemble import ChunkSink
from stroma.io.blockwise.assemble import Target as Whole
from stroma.io.blockwise.writer import open_writer
from stroma.pixel.predicting.predict import label_dtype
from stroma.session.core.opening import without_channels
from stroma.session.core.planes import Planes
from stroma.session.core.view import View
from stroma.session.strokes.blocks import BYTE, Block, uncertainty

if TYPE_CHECKING:
    from stroma.training.model import Network
    from stroma.training.predict import NetworkPredictor
    from stroma.training.windows import Cube

    Opened = tuple[Image, NetworkPredictor]

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

    def cores(self, image: Image, view: View, box: Box, known: Mapping[Box, int]) -> list[Cube]:
        """Return the blocks in a box of a view's plane that are not known.

        Raises
        ------
        ParameterError
            If the plane does not lie across z.
        """
        if view.across != "z":
            raise ParameterError(
                f"A network is looked at on planes across z, and this one lies across "
                f"{view.across}. Give a position along z, or write its results to a file.",
                told="The results of a network are shown on planes across z only (xy).",
            )
        from stroma.training.predict import blocks_in

        if not box.area:
            return []
        seen, predictor = self.opened(view.image, image)
        ndim = self.network.ndim
        depth = [slice(view.position["z"], view.position["z"] + 1)] if ndim == 3 else []
        found = blocks_in(seen.shape[-ndim:], predictor, (*depth, *box.slices))
        return [core for core in found if _rectangle(core) not in known]

    def predicted(
        self,
        image: Image,
        view: View,
        cores: list[Cube],
        revision: int,
        cancel: Callable[[], bool],
    ) -> Iterator[list[tuple[dict[str, int], int, Block]]]:
        """Yield, block by block, position, number and result of every plane that it has."""
        from stroma.training.predict import predicted

        seen, predictor = self.opened(view.image, image)
        network, numbered = self.network, Planes(without_channels(image))
        outer = {a: i for a, i in view.position.items() if a == "t" or network.ndim == 2}
        classes = tuple(network.classes_.tolist())
        found = predicted(predictor, seen.at(**outer), cores, cancel=cancel)
        for core, values in zip(cores, found, strict=True):
            labels = network.target.decode(values, **network.decoding_)
            planes = []
            for position, p, best in _planes(outer, core, values, labels):
                number = numbered.number(position, view.image)
                block = Block(
                    _rectangle(core),
                    1,
                    revision,
                    classes,
                    best.astype(np.uint16),
                    np.rint(p * BYTE).astype(np.uint8),
                    np.rint(uncertainty(p) * BYTE).astype(np.uint8),
                )
                planes.append((position, number, block))
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


def _rectangle(core: Cube) -> Box:
    y, x = core[-2:]
    return Box(y.start, x.start, y.stop, x.stop)


def _planes(
    outer: Mapping[str, int], core: Cube, values: Any, labels: Any
) -> Iterator[tuple[dict[str, int], Any, Any]]:
    """Yield position, probabilities and labels of every plane of a block."""
    if len(core) == 2:
        yield dict(outer), values, labels
        return
    for k, z in enumerate(range(core[0].start, core[0].stop)):
        yield {**outer, "z": z}, values[:, k], labels[k]
