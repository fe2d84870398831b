"""A network of planes on a volume, along all three axes: three opinions on every voxel.

Predictions that have no direction are averaged and decoded as a volume; so are arrows, each
component by the two directions that see it, as Cellpose does. Objects of other targets are found
in every plane, joined from plane to plane by overlap, and kept where two directions agree, as
MitoNet does (Conrad and Narayan 2023, doi 10.1016/j.cels.2022.12.006).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from skimage.segmentation import watershed

from stroma.data.image import Image
from stroma.errors import ParameterError, ShapeError
from stroma.metrics.instances import overlaps
from stroma.targets.contract import Target
from stroma.targets.instances import without_small

Array = NDArray[np.float32]
Labels = NDArray[np.uint32]

SAME = 0.5
"""Objects of two planes are one if their intersection over union is above this."""

SHARED = 0.5
"""Two directions mean one object, if theirs share more than this part of the smaller one."""

AGREED = 2
"""So many directions, of three, decide that a voxel belongs to an object."""


class OfPlanes(Protocol):
    """What is asked of a network here; `stroma.Network` is one."""

    @property
    def ndim(self) -> int:
        """Spatial axes."""
        ...

    @property
    def target(self) -> Target:
        """What it learned."""
        ...

    @property
    def decoding_(self) -> Mapping[str, Any]:
        """Options of ``decode`` as they were tuned."""
        ...

    def predict_probas(
        self, image: Any, *, mirror: bool | None, device: str, use_dask: bool
    ) -> Any:
        """Return what is predicted for every pixel."""
        ...


def through(
    network: OfPlanes, image: Image, *, tunable: Mapping[str, Any] | None = None, **how: Any
) -> Any:
    """Return classes or objects of a volume, seen along z, y and x.

    The volume and its prediction are held in memory.

    Parameters
    ----------
    network : Network
        Of planes.
    image : Image
        Axes (c), z, y, x. Voxels are as deep as wide, more or less: planes of every direction are
        shown to the same network.
    tunable : mapping, optional
        Options of the target's ``decode``; others are as they were tuned.
    **how
        ``mirror``, ``device``, ``use_dask``, as for ``Network.segment``.

    Raises
    ------
    ShapeError
        If it is no volume.
    ParameterError
        If the network looks at volumes, or its results are neither classes nor objects.
    """
    _require_volume(network, image)
    options = {**network.decoding_, **(tunable or {})}
    way = getattr(network.target, "through", "planes")
    if way == "planes":
        found = [
            _back(joined(_plane_by_plane(network.target, seen, options)), axis)
            for axis, seen in _seen(network, image, how)
        ]
        least = getattr(network.target, "smallest", 1)
        return agreed(found, least=_for_volumes({"smallest": least, **options})["smallest"])
    merge: Callable[[list[Array]], Array] = _arrows if way == "arrows" else _mean
    values = merge([_back(seen, axis) for axis, seen in _seen(network, image, how)])
    return _in_volume(network.target).decode(values, **_for_volumes(options))


def _require_volume(network: OfPlanes, image: Image) -> None:
    if network.ndim != 2 or network.target.result not in ("classes", "instances"):
        raise ParameterError(
            "Three directions are for networks of planes that find classes or objects; this one "
            f"looks along {network.ndim} axes and finds {network.target.result}."
        )
    if "z" not in image.sizes or "t" in image.sizes:
        raise ShapeError(
            f"Three directions need a volume, axes z, y and x; got {image.kept_axes!r}."
        )


def _seen(network: OfPlanes, image: Image, how: Mapping[str, Any]) -> Iterator[tuple[int, Array]]:
    """Yield each axis, and the prediction (K, planes, rows, columns) of planes across it."""
    values = image.read()
    first = values.ndim - 3
    for axis in range(3):
        turned = np.ascontiguousarray(np.moveaxis(values, first + axis, first))
        axes = "czyx" if first else "zyx"
        yield axis, network.predict_probas(Image(turned, axes, channels=image.channels), **how)


def _back(values: NDArray[Any], axis: int) -> NDArray[Any]:
    """Return (..., planes, rows, columns) with planes across an axis as (..., z, y, x)."""
    return np.moveaxis(values, values.ndim - 3, values.ndim - 3 + axis)


def _mean(predictions: list[Array]) -> Array:
    return np.asarray(np.mean(predictions, axis=0), np.float32)


def _arrows(predictions: list[Array]) -> Array:
    """Return the mean foreground, and each component from the two directions that see it."""
    parts: list[list[Array]] = [[], [], []]
    for axis, prediction in enumerate(predictions):
        for component, along in enumerate(a for a in range(3) if a != axis):
            parts[along].append(prediction[1 + component])
    front = np.mean([p[0] for p in predictions], axis=0)
    return np.asarray([front, *(np.mean(part, axis=0) for part in parts)], np.float32)


def _in_volume(target: Any) -> Target:
    found: Target = replace(target, ndim=3) if hasattr(target, "ndim") else target
    return found


def _for_volumes(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options of decoding in which the area of small objects is their volume."""
    found = dict(options)
    if found.get("smallest") is not None:
        radius = (found["smallest"] / np.pi) ** 0.5
        found["smallest"] = max(1, round(4 / 3 * np.pi * radius**3))
    return found


def _plane_by_plane(
    target: Target, prediction: Array, options: Mapping[str, Any]
) -> Iterator[Labels]:
    for plane in range(prediction.shape[1]):
        yield target.decode(np.ascontiguousarray(prediction[:, plane]), **options)


def joined(planes: Iterator[Labels]) -> Labels:
    """Return objects of a stack from those of its planes.

    An object goes on as the one of the next plane that it overlaps most, one as one, if their
    intersection over union is large enough.
    """
    stack: list[Labels] = []
    count = 0
    for plane in planes:
        numbers = np.zeros(int(plane.max(initial=0)) + 1, np.uint32)
        if stack:
            numbers = _continued(stack[-1], plane, numbers)
        new = np.flatnonzero(numbers == 0)[1:]
        numbers[new] = count + np.arange(1, len(new) + 1)
        count += len(new)
        stack.append(numbers[plane])
    return np.stack(stack)


def _continued(before: Labels, plane: Labels, numbers: Labels) -> Labels:
    """Return the numbers of a plane's objects that go on from the plane before, 0 for others."""
    pairs = overlaps(plane, before)
    old, own = np.unique(before[before > 0]), np.unique(plane[plane > 0])
    taken: set[int] = set()
    for pair in np.argsort(-pairs.iou, kind="stable"):
        here, there = own[pairs.columns[pair]], old[pairs.rows[pair]]
        if pairs.iou[pair] <= SAME:
            break
        if numbers[here] == 0 and int(there) not in taken:
            numbers[here] = there
            taken.add(int(there))
    return numbers


def agreed(found: Sequence[Labels], *, least: int = 1) -> Labels:
    """Return objects on which two of three directions agree.

    Voxels belong to an object if two directions say so, and to the same one if two directions say
    the same of them, whose objects share a good part. What is smaller than an object goes to those
    that it touches.

    Parameters
    ----------
    found : sequence of (z, y, x) uint32 arrays
        Objects as each direction has them; numbers of different ones have nothing in common.
    least : int
        Objects of fewer voxels are none.
    """
    front = np.sum([labels > 0 for labels in found], axis=0) >= AGREED
    said = np.stack([labels[front] for labels in found], 1)
    parts, place, sizes = np.unique(said, axis=0, return_inverse=True, return_counts=True)
    together = _together(parts, sizes)
    labels = np.zeros(front.shape, np.int64)
    labels[front] = together[place.ravel()] + 1
    seeds = without_small(labels, least).astype(np.int32)
    return np.asarray(watershed(np.zeros(front.shape, np.uint8), seeds, mask=front), np.uint32)


def _together(parts: NDArray[np.uint32], sizes: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return the group of every row: of rows that are equal in two columns, if enough voxels are.

    Parameters
    ----------
    parts : (n, 3) uint32 array
        The object of each direction, 0 for none; every row once.
    sizes : (n,) int64 array
        How many voxels each row is of.
    """
    wholes = [np.bincount(column, weights=sizes) for column in parts.T]
    ones, others = [np.zeros(0, np.intp)], [np.zeros(0, np.intp)]
    for a, b in combinations(range(parts.shape[1]), AGREED):
        rows = np.flatnonzero((parts[:, a] > 0) & (parts[:, b] > 0))
        pairs, first, same = np.unique(
            parts[rows][:, (a, b)], axis=0, return_index=True, return_inverse=True
        )
        shared = np.bincount(same.ravel(), weights=sizes[rows])
        smaller = np.minimum(wholes[a][pairs[:, 0]], wholes[b][pairs[:, 1]])
        enough = (shared > SHARED * smaller)[same.ravel()]
        ones.append(rows[enough])
        others.append(rows[first[same.ravel()]][enough])
    edges = np.concatenate(ones), np.concatenate(others)
    table = csr_array((np.ones(len(edges[0]), bool), edges), shape=(len(parts),) * 2)
    groups: NDArray[np.int32] = connected_components(table, directed=False)[1]
    return groups
