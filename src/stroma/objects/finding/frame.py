"""The objects of planes and volumes that fit in memory."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stroma.objects.boxes import located
from stroma.objects.finding.how import Finding
from stroma.objects.finding.numbers import named, recoded
from stroma.objects.finding.parting import part_by_boundary, split
from stroma.objects.finding.pixels import Told, told
from stroma.objects.finding.sought import Sought


def find(sought: Sought) -> NDArray[np.int32]:
    """Return objects as a label image in memory."""
    sizes = sought.source.own.sizes
    if "t" not in sizes:
        return _frame(sought)
    return np.stack([_frame(sought.at(t)) for t in range(sizes["t"])])


def _frame(sought: Sought) -> NDArray[np.int32]:
    """Return the objects of one plane or volume."""
    pixels = told(sought.source, sought.finding)
    names = None
    if sought.numbered:
        names, parts = recoded(pixels.labels)
    else:
        parts = connected(pixels.labels, sought.finding.connectivity)
    least, most = sought.sizes()
    parts = reaching(parts, pixels)
    parts = parted(parts, pixels, sought.finding, sought.spacing, least=least)
    border = sought.finding.border
    left = kept(parts, min_size=least, max_size=most, border=border, renumber=names is None)
    return left if names is None else named(left, names)


def reaching(parts: NDArray[np.int32], pixels: Told) -> NDArray[np.int32]:
    """Return parts that have a pixel of the core, and one of an object rather than a boundary."""
    for must in (pixels.core, pixels.body):
        if must is not None:
            reached = np.zeros(int(parts.max(initial=0)) + 1, bool)
            reached[parts[must]] = True
            parts = np.where(reached[parts], parts, 0).astype(np.int32)
    return parts


def parted(
    parts: NDArray[np.int32],
    pixels: Told,
    finding: Finding,
    spacing: tuple[float, ...],
    *,
    around: NDArray[np.bool_] | None = None,
    least: float = 0,
) -> NDArray[np.int32]:
    """Return connected parts as objects: touching ones parted, as far as that is asked for."""
    if pixels.body is not None and pixels.chance is not None:
        reach = parts.ndim if finding.connectivity == "corner" else 1
        return part_by_boundary(
            parts,
            pixels.body,
            pixels.chance,
            reach=reach,
            rise=finding.rise,
            depth=finding.split,
            spacing=spacing,
            around=around,
            least=least,
        )
    if not finding.split:
        return parts
    return split(parts, finding.split, spacing=spacing, least=least)


def connected(labels: NDArray[np.integer], connectivity: str = "corner") -> NDArray[np.int32]:
    """Return the connected parts of equal labels, numbered from 1."""
    from skimage.measure import label

    reach = labels.ndim if connectivity == "corner" else 1
    return np.asarray(label(labels, background=0, connectivity=reach), np.int32)


def kept(
    labels: NDArray[np.integer],
    *,
    min_size: float = 0,
    max_size: float = np.inf,
    border: bool = True,
    renumber: bool = True,
) -> NDArray[np.int32]:
    """Return the objects of a plane or volume that are of some size, and not at its border.

    Parameters
    ----------
    labels : (y, x) or (z, y, x) int array
        Objects.
    min_size, max_size : float
        In pixels.
    border : bool
        Whether objects at the border of the image are kept.
    renumber : bool
        Number what is left from 1, in the order of first pixels; else labels stay.
    """
    found = located(labels)
    good = (found.count >= min_size) & (found.count <= max_size)
    if not border:
        good &= ~found.touches
    new = np.zeros(int(found.codes.max(initial=0)) + 1, np.int32)
    new[found.codes[good]] = found.names[good]
    result = new[found.labels].reshape(labels.shape)
    return _in_order(result) if renumber else result


def _in_order(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    names, first = np.unique(labels, return_index=True)
    first = first[names > 0]
    names = names[names > 0]
    new = np.zeros(int(names.max(initial=0)) + 1, np.int32)
    new[names[np.argsort(first)]] = np.arange(1, len(names) + 1)
    return new[labels]
