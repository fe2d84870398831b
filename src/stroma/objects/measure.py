"""Measurements of all objects of a label image, as one table."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.data.image import Image
from stroma.data.objects import LABEL, ObjectTable, stacked
from stroma.errors import ParameterError
from stroma.objects.boxes import Located, located
from stroma.objects.entry import Entry, entry
from stroma.objects.intensity import brightness, likelihood, neighbourhood
from stroma.objects.shape import Columns, hull, place, shape

GROUPS = ("shape", "hull", "intensity", "ring", "neighbours")
"""What can be measured, beside where objects are and how large."""

LARGE = 2**26
"""Pixels of a frame above which labels and values are not read as a whole, but box by box."""


def measure(
    labels: Any,
    image: Any = None,
    *,
    axes: str | None = None,
    spacing: Sequence[float] = (),
    channels: Sequence[str] = (),
    probabilities: Any = None,
    classes: Sequence[str] = (),
    ring: float = 3.0,
    groups: Sequence[str] = GROUPS,
) -> ObjectTable:
    """Measure all objects of a label image.

    Parameters
    ----------
    labels : array or Image
        Integers, 0 where there is no object: (y, x), (z, y, x), or with ``axes`` over time.
    image : array or Image, optional
        Values to measure, shaped like the labels, or with channels before z, y and x.
    axes : str, optional
        Axes of an array of labels, such as "tyx"; "yx" or "zyx" where left out.
    spacing : sequence of float
        Size of a pixel along (z,) y and x, in µm, where no Image says it.
    channels : sequence of str
        Names of channels, where no Image says them; else "0", "1", ...
    probabilities : array or Image, optional
        Probabilities of classes, shaped like an image whose channels are the classes.
    classes : sequence of str
        Names of these classes.
    ring : float
        How far around objects is looked for the ring and for neighbours, in pixels (of the axis
        with the smallest).
    groups : sequence of str
        What to measure: "shape", "hull", "intensity", "ring", "neighbours".

    Returns
    -------
    ObjectTable
        One row for each object. Names end in the unit: ``_px``, ``_um``, ``_um2`` (areas),
        ``_vx`` and ``_um3`` (volumes), ``_rad``; names without have none, or that of the image.
        Those in µm are there if the size of a pixel is known.

    Raises
    ------
    ShapeError
        If image, probabilities and labels do not fit.
    LabelError
        If labels are no integers, or negative.
    """
    unknown = sorted(set(groups) - set(GROUPS))
    if unknown:
        raise ParameterError(f"No group of measures {unknown}. Known: {', '.join(GROUPS)}.")
    if not 0 <= ring <= 100:
        raise ParameterError(f"A ring is 0 to 100 pixels wide, got {ring}.")
    given = entry(labels, image, axes, spacing, channels, probabilities, classes)
    frames = range(given.labels.sizes["t"]) if "t" in given.labels.sizes else (None,)
    return stacked([_frame(given.at(t), t, ring, frozenset(groups)) for t in frames])


def _frame(given: Entry, t: int | None, ring: float, groups: frozenset[str]) -> ObjectTable:
    """Measure the objects of one plane or volume."""
    if np.prod(given.labels.shape, dtype=np.int64) > LARGE:
        from stroma.objects.blockwise.measuring import located_in_blocks, measured_in_blocks

        found = located_in_blocks(given.labels)
        columns = measured_in_blocks(found, given, partial(inner, ring=ring, groups=groups), ring)
    else:
        found = located(given.labels.read())
        columns = inner(found, given, ring, groups)
    outer: Columns = {LABEL: found.names}
    if t is not None:
        outer["t"] = np.full(len(found), t, np.int64)
    return ObjectTable(outer | place(found, given.size, volume=given.volume) | columns)


def inner(found: Located, given: Entry, ring: float, groups: frozenset[str]) -> Columns:
    """Return all that is measured in the boxes of objects, and the ring around them."""
    columns: Columns = {}
    size = given.size
    if "shape" in groups:
        columns |= shape(found, size, volume=given.volume)
    if "hull" in groups:
        columns |= hull(found, size, volume=given.volume)
    if "neighbours" in groups:
        columns |= neighbourhood(found, size, ring)
    for name, plane in given.values():
        values = _ready(plane, found)
        columns |= brightness(
            found, values, size, ring, name, within="intensity" in groups, outside="ring" in groups
        )
    for name, plane in given.likelihoods():
        columns |= likelihood(found, _ready(plane, found), name)
    return columns


def _ready(plane: Image, found: Located) -> NDArray[Any]:
    """Return values as (z, y, x) of a type that kernels are compiled for."""
    values = plane.read()
    if values.dtype not in (np.uint8, np.uint16, np.float32):
        values = values.astype(np.float64)
    return np.ascontiguousarray(values).reshape(found.labels.shape)
