"""What a network finds in an image, decoded block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box
from stroma.blocks.result import BlockResult
from stroma.blocks.room import FileLabels
from stroma.data.image import Image
from stroma.training.feeding.cases import statistics_of, units, units_of
from stroma.training.feeding.windows import Cube, around, relative
from stroma.training.predicting.predict import reader
from stroma.training.predicting.stitch import Stitching
from stroma.training.predicting.sweep import Position, Trained, outer_axes, swept
from stroma.training.ways import mixture

Tell = Callable[[int, int], None]


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
    options = {**network.decoding_, **(tunable or {})}
    dtype = smallest(labels)
    cube = _cube(region, image.shape[-network.ndim :])
    for part in swept(network, image, region=cube, **how):
        found = network.target.decode(part.values, **options).astype(dtype)
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


def find_objects(
    network: Trained,
    image: Image,
    *,
    into: FileLabels | None = None,
    tunable: Mapping[str, Any] | None = None,
    tell: Tell | None = None,
    **how: Any,
) -> Any:
    """Return the objects of an image, numbered from 1 over all its planes or times.

    Where the target tells classes apart, numbers are class times its divisor plus the number.

    Parameters
    ----------
    network : Network
        Of a target whose results are instances.
    image : Image
        As ``network.open`` returns it.
    into : FileLabels, optional
        Of uint32, is filled in and returned; in memory, unless given.
    tunable : mapping, optional
        Options of the target's ``decode``; others are as they were tuned.
    tell : callable, optional
        Is told how many blocks are ready, and of how many.
    **how
        ``wanted``, ``mirror``, ``device``, ``use_dask``, ``cancel``, as for
        `stroma.training.predicting.sweep.swept`.

    Returns
    -------
    (t, z, y, x), as far as the image has these axes, array of uint16 or uint32
        uint16 if the numbers fit, unless ``into`` is given.
    """
    labels: Any = np.zeros(without_channels(image), np.uint32) if into is None else into
    count = 0
    stitching: Stitching | None = None
    place: Position | None = None
    for position, core, window, objects in decoded(network, image, tunable or {}, tell, **how):
        if stitching is None or position != place:
            count = count if stitching is None else stitching.finish(after=count)
            place = position
            divisor = getattr(network.target, "divisor", 0)
            at = tuple(position.values())
            stitching = Stitching(labels[at] if into is None else into.frame(*at), divisor=divisor)
        stitching.add(core, window, objects)
    if stitching is not None:
        stitching.finish(after=count)
    if into is None and labels.max(initial=0) <= np.iinfo(np.uint16).max:
        return labels.astype(np.uint16)
    return labels


def decoded(
    network: Trained, image: Image, tunable: Mapping[str, Any], tell: Tell | None = None, **how: Any
) -> Iterator[tuple[Position, Cube, Cube, Any]]:
    """Yield position along outer axes, block, its window, and the decoded result of the window.

    Windows are blocks with what decoding needs to see around them.
    """
    options = {**network.decoding_, **tunable}
    for part in swept(network, image, context=network.target.context, **how):
        result = network.target.decode(part.values, **options)
        yield part.position, part.core, part.window, result
        if tell is not None:
            tell(part.done, part.total)


def find_points(network: Trained, image: Image, **options: Any) -> list[NDArray[np.float64]]:
    """Return the points of every position along outer axes; see `find_objects`.

    Returns
    -------
    list of (n, ndim or more) float arrays
        In pixels, sorted; what follows the coordinates belongs to the points.
    """
    tunable, tell = options.pop("tunable", None) or {}, options.pop("tell", None)
    outer = [n for a, n in image.sizes.items() if a in outer_axes(network.ndim)]
    groups: dict[tuple[int, ...], list[NDArray[np.float64]]] = {p: [] for p in np.ndindex(*outer)}
    for position, core, window, points in decoded(network, image, tunable, tell, **options):
        start = np.array([s.start for s in window])
        moved = np.array(points, float)
        moved[:, : network.ndim] += start
        groups[tuple(position.values())].append(_inside(moved, core))
    columns = max(part.shape[1] for parts in groups.values() for part in parts)
    found = [np.concatenate([np.zeros((0, columns)), *parts]) for parts in groups.values()]
    return [points[np.lexsort(points[:, : network.ndim].T[::-1])] for points in found]


def _inside(points: NDArray[np.float64], core: Cube) -> NDArray[np.float64]:
    """Return the points whose pixel belongs to a block."""
    pixels = np.floor(points[:, : len(core)] + 0.5)
    low, high = np.array([s.start for s in core]), np.array([s.stop for s in core])
    kept: NDArray[np.float64] = points[((pixels >= low) & (pixels < high)).all(1)]
    return kept


def find_image(network: Trained, image: Image, **options: Any) -> NDArray[np.float32]:
    """Return the image that a network makes of another; see `find_objects`.

    Returns
    -------
    (C, t, z, y, x), as far as the image has these axes, float32 array
        In intensities of the image, or of all images where the target says so; of channels as they
        are.
    """
    tunable, tell = options.pop("tunable", None) or {}, options.pop("tell", None)
    sizes = {a: n for a, n in image.sizes.items() if a != "c"}
    statistics = statistics_of(image)
    noisy = Noisy(image, network.ndim) if network.blind else None
    result: NDArray[np.float32] | None = None
    for position, core, window, values in decoded(network, image, tunable, tell, **options):
        if result is None:
            result = np.zeros((len(values), *sizes.values()), np.float32)
        part = values[(slice(None), *relative(core, window))]
        place: tuple[Any, ...] = (slice(None), *position.values(), *core)
        result[place] = part
        if noisy is not None:
            noisy.add(position, core, part)
    assert result is not None, "an image has at least one block"
    if noisy is not None:
        noisy.mix(result)
    given = units_of(network.target, result.ndim)
    mean, deviation = given or units(statistics, len(result), result.ndim)
    if network.target.result == "image":
        result *= deviation
        result += mean
    return result


def find_category(network: Trained, image: Image, **options: Any) -> NDArray[np.float64]:
    """Return the probabilities of the classes of an image as a whole; see `find_objects`.

    Returns
    -------
    (t, z, K), as far as a network of planes (of volumes: t) looks at these one by one, float array
        In the order of the channels.
    """
    tunable, tell = options.pop("tunable", None) or {}, options.pop("tell", None)
    sums: dict[tuple[int, ...], NDArray[np.float64]] = {}
    for part in swept(network, image, **options):
        place = tuple(part.position.values())
        found = part.values.reshape(len(part.values), -1).sum(1, dtype=np.float64)
        sums[place] = sums[place] + found if place in sums else found
        if tell is not None:
            tell(part.done, part.total)
    pixels = prod(image.shape[-network.ndim :])
    means = [(total / pixels).astype(np.float32) for total in sums.values()]
    every = [network.target.decode(mean, **tunable) for mean in means]
    outer = [image.sizes[a] for a in outer_axes(network.ndim) if a in image.sizes]
    return np.array(every).reshape(*outer, -1)


class Noisy:
    """A noisy image, to which what was predicted of its pixels is fitted; see `mixture`.

    Parameters
    ----------
    image : Image
        As ``network.open`` returns it.
    ndim : int
        Axes that the network looks along.
    """

    def __init__(self, image: Image, ndim: int) -> None:
        self.image, self.ndim = image, ndim
        self.shape = image.shape[-ndim:]
        self.blocks: list[tuple[Position, Cube]] = []
        self.sums: dict[tuple[int, ...], mixture.Sums] = {}

    def add(self, position: Position, core: Cube, predicted: NDArray[np.float32]) -> None:
        """Take note of the prediction of a block."""
        values, inside = self._around(position, core)
        counts = mixture.counting(core, self.shape)
        found = mixture.sums(values, predicted, inside, counts)
        key = tuple(position.values())
        self.sums[key] = self.sums[key] + found if key in self.sums else found
        self.blocks.append((position, core))

    def mix(self, result: NDArray[np.float32]) -> None:
        """Replace predictions by the mixture that foretells the image best, plane by plane."""
        weights = {key: found.solved() for key, found in self.sums.items()}
        for position, core in self.blocks:
            values, inside = self._around(position, core)
            key = tuple(position.values())
            place: tuple[Any, ...] = (slice(None), *key, *core)
            result[place] = mixture.mixed(values, result[place], inside, weights[key])

    def _around(self, position: Position, core: Cube) -> tuple[NDArray[np.float32], Cube]:
        """Return a block with what is around it, in units of the image, and its place in that."""
        window = around(core, mixture.CONTEXT, self.shape)
        values = reader(self.image.at(**position), self.ndim)(window)
        mean, deviation = units(statistics_of(self.image), len(values), values.ndim)
        return np.asarray((values - mean) / deviation, np.float32), relative(core, window)
