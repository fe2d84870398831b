"""What a network finds in an image: classes, objects, points, put together of its blocks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box
from stroma.blocks.result import BlockResult
from stroma.blocks.room import FileLabels
from stroma.data.image import Image
from stroma.training.feeding.windows import Cube
from stroma.training.predicting.collecting import Decoding
from stroma.training.predicting.decoded import Block, Decoded, Key, key
from stroma.training.predicting.stitch import Stitching
from stroma.training.predicting.sweep import Part, Trained, outer_axes, swept


def find_classes(
    network: Trained,
    image: Image,
    labels: NDArray[np.int64],
    *,
    region: Box | None = None,
    tunable: Mapping[str, Any] | None = None,
    **how: Any,
) -> Iterator[BlockResult]:
    """Yield labels and probabilities block by block, plane by plane of each block.

    Parameters
    ----------
    network : Network
        Of a target whose results are classes.
    image : Image
        As ``network.open`` returns it.
    labels : array of int
        Of all classes.
    region : Box, optional
        Only blocks that touch these rows and columns.
    tunable : mapping, optional
        Options of the target's ``decode``; others are as they were tuned.
    **how
        ``mirror``, ``device``, ``use_dask``, ``cancel``, as for
        `stroma.training.predicting.sweep.swept`.
    """
    cube = _cube(region, image.shape[-network.ndim :])
    for part in swept(network, image, region=cube, **how):
        yield from classes_of(network, part, labels, tunable)


def classes_of(
    network: Trained, part: Part, labels: NDArray[np.int64], tunable: Mapping[str, Any] | None
) -> Iterator[BlockResult]:
    """Yield labels and probabilities of a block, plane by plane."""
    options = {**network.decoding_, **(tunable or {})}
    found = network.target.decode(part.values, **options).astype(smallest(labels))
    for plane, k in _planes(part.position, part.core):
        y, x = part.core[-2:]
        p, best = (part.values, found) if k is None else (part.values[:, k], found[k])
        yield BlockResult(plane, y, x, p, best, 1, part.done, part.total)


def _cube(region: Box | None, shape: Sequence[int]) -> Cube | None:
    if region is None:
        return None
    whole = [slice(0, n) for n in shape[:-2]]
    return (*whole, *region.slices)


def _planes(position: dict[str, int], core: Cube) -> Iterator[tuple[dict[str, int], int | None]]:
    """Yield the position of every plane of a block, with its place in the block."""
    if len(core) == 2:
        yield position, None
        return
    for k, z in enumerate(range(core[0].start, core[0].stop)):
        yield {**position, "z": z}, k


def without_channels(image: Image) -> tuple[int, ...]:
    """Return the sides of what is found for every pixel: those of the image, (t, z, y, x)."""
    return tuple(n for a, n in image.sizes.items() if a != "c")


def smallest(labels: NDArray[np.int64]) -> type[np.unsignedinteger[Any]]:
    """Return the smallest type that holds labels of classes."""
    return np.uint8 if labels.max() <= 255 else np.uint16


class Classes(Decoding):
    """Labels of a whole image: (t, z, y, x), as far as it has these axes, array of uint8 or 16."""

    def __init__(
        self,
        network: Trained,
        image: Image,
        tunable: Mapping[str, Any] | None = None,
        *,
        labels: NDArray[np.int64],
    ) -> None:
        super().__init__(network, image, tunable)
        self.labels, self.context = labels, 0
        self.found = np.zeros(without_channels(image), smallest(labels))

    def add(self, part: Part) -> None:
        """Take the labels of a block."""
        for block in classes_of(self.network, part, self.labels, self.options):
            self.found[block.index] = block.labels

    def result(self) -> NDArray[Any]:
        """Return the labels."""
        return self.found


class Objects(Decoding):
    """Objects of an image, numbered from 1 over all its planes or times.

    Where the target tells classes apart, numbers are class times its divisor plus the number. The
    result is a (t, z, y, x) array, as far as the image has these axes, of uint16 or uint32.

    Parameters
    ----------
    into : FileLabels, optional
        Of uint32, is filled in and returned; in memory, unless given, and uint16 if numbers fit.
    decoded : Decoded, optional
        Blocks that were decoded before; those of now are kept in it, too.
    """

    def __init__(
        self,
        network: Trained,
        image: Image,
        tunable: Mapping[str, Any] | None = None,
        *,
        into: FileLabels | None = None,
        decoded: Decoded | None = None,
    ) -> None:
        super().__init__(network, image, tunable)
        self.into, self.decoded = into, decoded
        self.labels: Any = np.zeros(without_channels(image), np.uint32) if into is None else into
        self.count = 0
        self.place: tuple[int, ...] | None = None
        self.stitching: Stitching | None = None

    def add(self, part: Part) -> None:
        """Find the objects of a block, and join them to those of its neighbours."""
        self._go_on(key(part.position, part.core))
        if self.decoded is not None and self.decoded.has(part.position, part.core):
            return  # where none is missing, the first is predicted all the same
        found = self.target.decode(part.values, **self.options)
        block = Block(tuple(part.position.values()), part.core, part.window, found)
        if self.decoded is not None:
            self.decoded.keep(block)
        self._join(block)

    def _go_on(self, until: Key | None) -> None:
        """Take the blocks that were decoded before and come now."""
        for block in () if self.decoded is None else self.decoded.before(until):
            self._join(block)

    def _join(self, block: Block) -> None:
        if self.stitching is None or block.position != self.place:
            self._finish()
            at = block.position
            room = self.labels[at] if self.into is None else self.into.frame(*at)
            divisor = getattr(self.target, "divisor", 0)
            self.place, self.stitching = at, Stitching(room, divisor=divisor)
        self.stitching.add(block.core, block.window, block.labels)

    def _finish(self) -> None:
        if self.stitching is not None:
            self.count = self.stitching.finish(after=self.count)

    def result(self) -> Any:
        """Return the objects."""
        self._go_on(None)
        self._finish()
        if self.into is None and self.labels.max(initial=0) <= np.iinfo(np.uint16).max:
            return self.labels.astype(np.uint16)
        return self.labels


class Points(Decoding):
    """Points of every position along outer axes: a list of (n, ndim or more) float arrays.

    In pixels, sorted; what follows the coordinates belongs to the points.
    """

    def __init__(
        self, network: Trained, image: Image, tunable: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(network, image, tunable)
        outer = [n for a, n in image.sizes.items() if a in outer_axes(network.ndim)]
        self.groups: dict[tuple[int, ...], list[NDArray[np.float64]]]
        self.groups = {place: [] for place in np.ndindex(*outer)}

    def add(self, part: Part) -> None:
        """Take the points that lie in a block."""
        moved = np.array(self.target.decode(part.values, **self.options), float)
        moved[:, : self.network.ndim] += np.array([s.start for s in part.window])
        self.groups[tuple(part.position.values())].append(_inside(moved, part.core))

    def result(self) -> list[NDArray[np.float64]]:
        """Return the points."""
        columns = max(part.shape[1] for parts in self.groups.values() for part in parts)
        found = [np.concatenate([np.zeros((0, columns)), *p]) for p in self.groups.values()]
        return [points[np.lexsort(points[:, : self.network.ndim].T[::-1])] for points in found]


def _inside(points: NDArray[np.float64], core: Cube) -> NDArray[np.float64]:
    """Return the points whose pixel belongs to a block."""
    pixels = np.floor(points[:, : len(core)] + 0.5)
    low, high = np.array([s.start for s in core]), np.array([s.stop for s in core])
    kept: NDArray[np.float64] = points[((pixels >= low) & (pixels < high)).all(1)]
    return kept


class Category(Decoding):
    """Probabilities of the classes of an image as a whole, in the order of the channels.

    A (t, z, K) float array, as far as a network of planes (of volumes: t) looks at these one by
    one.
    """

    def __init__(
        self, network: Trained, image: Image, tunable: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(network, image, tunable)
        self.sums: dict[tuple[int, ...], NDArray[np.float64]] = {}

    def add(self, part: Part) -> None:
        """Add up what the pixels of a block say."""
        place = tuple(part.position.values())
        found = part.values.reshape(len(part.values), -1).sum(1, dtype=np.float64)
        self.sums[place] = self.sums[place] + found if place in self.sums else found

    def result(self) -> NDArray[np.float64]:
        """Return the probabilities."""
        pixels = prod(self.image.shape[-self.network.ndim :])
        means = [(total / pixels).astype(np.float32) for total in self.sums.values()]
        every = [self.target.decode(mean, **self.options) for mean in means]
        outer = [n for a, n in self.image.sizes.items() if a in outer_axes(self.network.ndim)]
        return np.array(every).reshape(*outer, -1)
