"""Connected parts of a segmentation, and how much of it each class covers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from stroma.data.classes import Class
from stroma.data.image import Image
from stroma.io.units import convert

BAND_PIXELS = 2**22
"""Pixels of a plane that are looked at together."""


@dataclass(frozen=True)
class Component:
    """A connected part of one class; pixels that share a side or a corner are connected.

    Parameters
    ----------
    label : int
        Its class.
    area : int
        Number of pixels.
    y, x : float
        Centroid; whole numbers are centres of pixels.
    top, left, bottom, right : int
        Bounding box; bottom and right lie outside.
    """

    label: int
    area: int
    y: float
    x: float
    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True)
class Solid:
    """A connected part of one class of a volume; voxels that share a corner are connected.

    Parameters
    ----------
    label : int
        Its class.
    area : int
        Number of voxels.
    z, y, x : float
        Centroid; whole numbers are centres of voxels.
    front, top, left, back, bottom, right : int
        Bounding box; back, bottom and right lie outside.
    """

    label: int
    area: int
    z: float
    y: float
    x: float
    front: int
    top: int
    left: int
    back: int
    bottom: int
    right: int


@dataclass(frozen=True)
class Coverage:
    """How much of a plane, or volume, a class covers.

    Parameters
    ----------
    label : int
        The class.
    components : int
        Number of its components that are large enough.
    area : int
        Number of its pixels or voxels, in components of any size.
    share : float
        Part of all segmented pixels, 0 to 1.
    """

    label: int
    components: int
    area: int
    share: float


@dataclass(frozen=True)
class Measured:
    """What was found on one plane.

    Parameters
    ----------
    classes : tuple of Class
        What its labels stand for.
    components : tuple of Component
        Those that are large enough, in the order of their topmost, then leftmost pixel.
    coverage : tuple of Coverage
        One per class.
    pixel_area : float or None
        In µm²; None if the image does not know it.
    """

    classes: tuple[Class, ...]
    components: tuple[Component, ...]
    coverage: tuple[Coverage, ...]
    pixel_area: float | None

    @classmethod
    def of(
        cls,
        found: Sequence[Component],
        classes: Sequence[Class],
        *,
        pixel_area: float | None = None,
        min_size: int = 0,
    ) -> Measured:
        """Sum up all components of a plane; those of fewer pixels are left out of the list."""
        large = tuple(c for c in found if c.area >= min_size)
        summed = coverage(found, classes, min_size=min_size)
        return cls(tuple(classes), large, tuple(summed), pixel_area)


@dataclass(frozen=True)
class Volumes:
    """What was found in one volume.

    Parameters
    ----------
    solids : tuple of Solid
        Those that are large enough, in the order of their foremost, then topmost voxel.
    coverage : tuple of Coverage
        One per class.
    voxel_volume : float or None
        In µm³; None if the image does not know it.
    """

    solids: tuple[Solid, ...]
    coverage: tuple[Coverage, ...]
    voxel_volume: float | None


def components(bands: Iterable[NDArray[np.integer]]) -> list[Component]:
    """Return the components of one plane, given as bands of rows from top to bottom.

    Parameters
    ----------
    bands : iterable of (h, x) int arrays
        The labels; 0 belongs to no component. The result does not depend on how it is cut.

    Returns
    -------
    list of Component
        In the order of their topmost, then leftmost pixel.
    """
    return [_component(row) for row in _joined(bands)]


def solids(slabs: Iterable[NDArray[np.integer]]) -> list[Solid]:
    """Return the components of one volume, given as slabs of planes from front to back.

    Parameters
    ----------
    slabs : iterable of (d, y, x) int arrays
        The labels; 0 belongs to no component. The result does not depend on how it is cut.

    Returns
    -------
    list of Solid
        In the order of their foremost, then topmost, then leftmost voxel.
    """
    return [_solid(row) for row in _joined(slabs)]


def _joined(bands: Iterable[NDArray[np.integer]]) -> Iterable[NDArray[np.float64]]:
    """Return one row for each component of bands that follow each other along their first axis."""
    parts: list[NDArray[np.float64]] = []
    seams: list[NDArray[np.intp]] = [np.zeros((0, 2), np.intp)]
    above: tuple[NDArray[np.integer], NDArray[np.intp]] | None = None
    count = row = 0
    for band in bands:
        ids, measured = _measure(band, row)
        ids = np.where(ids > 0, ids + count, 0)
        if above is not None:
            seams.append(_touching(*above, band[0], ids[0]))
        above = band[-1], ids[-1]
        parts.append(measured)
        count += len(measured)
        row += len(band)
    if not count:
        return []
    return _merge(np.concatenate(parts), np.concatenate(seams))


def coverage(
    found: Sequence[Component | Solid], classes: Sequence[Class], *, min_size: int = 0
) -> list[Coverage]:
    """Return the area of every class, from all components of a plane."""
    total = sum(c.area for c in found)
    result = []
    for label in (c.label for c in classes):
        own = [c for c in found if c.label == label]
        area = sum(c.area for c in own)
        large = sum(c.area >= min_size for c in own)
        result.append(Coverage(label, large, area, area / total if total else 0.0))
    return result


def bands(plane: Image) -> Iterator[NDArray[np.integer]]:
    """Iterate over a plane of labels in bands of rows that fit in memory."""
    height, width = plane.shape
    rows = max(1, BAND_PIXELS // width)
    for y in range(0, height, rows):
        yield plane.read({"y": slice(y, min(y + rows, height))})


def slabs(volume: Image) -> Iterator[NDArray[np.integer]]:
    """Iterate over a volume of labels in slabs of planes that fit in memory."""
    depth, height, width = volume.shape
    planes = max(1, BAND_PIXELS // (height * width))
    for z in range(0, depth, planes):
        yield volume.read({"z": slice(z, min(z + planes, depth))})


def voxel_volume(image: Image) -> float | None:
    """Return the volume of a voxel in µm³, if the image knows it."""
    if not image.unit or not {"z", "y", "x"} <= set(image.spacing):
        return None
    z, y, x = (convert(image.spacing[a], image.unit, "µm") for a in "zyx")
    return z * y * x


def pixel_area(image: Image) -> float | None:
    """Return the area of a pixel in µm², if the image knows it."""
    if not image.unit or not {"y", "x"} <= set(image.spacing):
        return None
    y, x = (convert(image.spacing[a], image.unit, "µm") for a in "yx")
    return y * x


def _measure(band: NDArray[np.integer], row: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return numbers of components, from 1, and what is known of each.

    That is its label, its size, the sums of its coordinates, and the first and last corner of its
    box; coordinates along the first axis count from ``row``.
    """
    from scipy import ndimage
    from skimage import measure

    ids = np.asarray(measure.label(band, background=0, connectivity=band.ndim), dtype=np.intp)
    n = int(ids.max(initial=0))
    flat = ids.ravel()
    label = np.zeros(n + 1)
    label[flat] = band.ravel()
    size = np.bincount(flat, minlength=n + 1)
    start = [row, *[0] * (band.ndim - 1)]
    sums = [
        np.bincount(flat, np.broadcast_to(at + first, band.shape).ravel(), n + 1)
        for at, first in zip(np.ogrid[tuple(map(slice, band.shape))], start, strict=True)
    ]
    found = ndimage.find_objects(ids)
    low, high = (
        [[getattr(part, end) + s for part, s in zip(box, start, strict=True)] for box in found]
        for end in ("start", "stop")
    )
    boxes = np.hstack([np.array(e, np.float64).reshape(-1, band.ndim) for e in (low, high)])
    columns = [label[1:], size[1:], *(total[1:] for total in sums), boxes]
    return ids, np.column_stack(columns)


def _touching(
    labels_above: NDArray[np.integer],
    ids_above: NDArray[np.intp],
    labels: NDArray[np.integer],
    ids: NDArray[np.intp],
) -> NDArray[np.intp]:
    """Return pairs of numbers of components that touch across the seam between two bands."""
    pairs = []
    for shift in product((-1, 0, 1), repeat=labels.ndim):
        moves = list(zip(shift, labels.shape, strict=True))
        own = tuple(slice(max(0, -s), n - max(0, s)) for s, n in moves)
        other = tuple(slice(max(0, s), n + min(0, s)) for s, n in moves)
        same = (labels[own] == labels_above[other]) & (labels[own] != 0)
        pairs.append(np.stack([ids[own][same], ids_above[other][same]], axis=1))
    return np.unique(np.concatenate(pairs), axis=0)


def _merge(parts: NDArray[np.float64], seams: NDArray[np.intp]) -> NDArray[np.float64]:
    """Add up the parts of every component."""
    from scipy import sparse

    n, axes = len(parts), (parts.shape[1] - 2) // 3
    links = sparse.coo_matrix((np.ones(len(seams), bool), (seams - 1).T), shape=(n, n))
    count, whole = sparse.csgraph.connected_components(links, directed=False)
    low, high = slice(2 + axes, 2 + 2 * axes), slice(2 + 2 * axes, 2 + 3 * axes)
    merged = np.zeros((count, parts.shape[1]))
    merged[whole, 0] = parts[:, 0]
    np.add.at(merged[:, 1 : 2 + axes], whole, parts[:, 1 : 2 + axes])
    merged[:, low] = np.inf
    np.minimum.at(merged[:, low], whole, parts[:, low])
    np.maximum.at(merged[:, high], whole, parts[:, high])
    first = np.full(count, n)
    np.minimum.at(first, whole, np.arange(n))
    return merged[np.argsort(first)]


def _component(row: NDArray[np.float64]) -> Component:
    label, area, sum_y, sum_x, *box = row.tolist()
    top, left, bottom, right = map(int, box)
    return Component(int(label), int(area), sum_y / area, sum_x / area, top, left, bottom, right)


def _solid(row: NDArray[np.float64]) -> Solid:
    label, size, *numbers = row.tolist()
    z, y, x = (total / size for total in numbers[:3])
    front, top, left, back, bottom, right = map(int, numbers[3:])
    return Solid(int(label), int(size), z, y, x, front, top, left, back, bottom, right)
