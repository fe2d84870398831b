"""Probabilities for a box of pixels straight from feature maps, without a row per pixel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from stroma.classify import kernels
from stroma.classify.contract import Classifier
from stroma.classify.decision import DecisionTrees, ShallowTables
from stroma.classify.decision import Tables as LargeTables
from stroma.classify.ensemble import Members
from stroma.classify.families import Families, mixed
from stroma.classify.logistic import Linear
from stroma.classify.oblivious import ObliviousTrees
from stroma.classify.oblivious import Tables as ObliviousTables
from stroma.classify.questions import half_keys
from stroma.errors import ShapeError

PIXELS_AT_ONCE = 1 << 16

Trees = ObliviousTrees | DecisionTrees
RankTables = ObliviousTables | ShallowTables


class Grid(Protocol):
    """Features on cells, as :class:`stroma.features.contract.FeatureMap`."""

    @property
    def values(self) -> NDArray[np.floating]:
        """(F, h, w) or (F, d, h, w) values of the cells."""
        ...

    @property
    def step(self) -> int | tuple[int, int, int]:
        """Side of a cell, in pixels; or its sides along every axis."""
        ...

    @property
    def origin(self) -> tuple[int, ...]:
        """First pixel of the first cell."""
        ...


@dataclass(frozen=True, eq=False)
class Window:
    """The cells of a map that lie under a box, and which pixel lies in which.

    Parameters
    ----------
    cells : (F, h, w) or (F, d, h, w) float array
        View of the cells.
    rows, columns : (H,) and (W,) int64
        Row and column of cells for every row and column of pixels. Rows of a volume are those of
        all its planes, one plane after the other.
    """

    cells: NDArray[np.floating]
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]

    def of_pixels(self, cells: NDArray[Any]) -> NDArray[Any]:
        """Return (..., d, h, w) values of cells as (..., H, W) values of pixels."""
        rows = cells.reshape(*cells.shape[: cells.ndim - self.axes], -1, cells.shape[-1])
        count = len(self.rows)
        same = rows.shape[-2:] == (count, len(self.columns)) and self.rows[-1] == count - 1
        if same and self.rows[0] == 0:
            return rows
        return rows[..., self.rows[:, None], self.columns]

    @property
    def axes(self) -> int:
        """Number of axes of the cells."""
        return self.cells.ndim - 1


def predict_maps(
    classifier: Classifier, maps: Sequence[Grid], box: tuple[slice, ...]
) -> NDArray[np.float32]:
    """Return the (K, h, w) or (K, d, h, w) probabilities of a box of pixels.

    Every pixel has the features of the cell it lies in. Trees read only the features they use;
    linear classifiers are applied to cells; others get rows of features, in pieces. One thread
    does it all, and releases the GIL for most of the time.

    Parameters
    ----------
    classifier : Classifier
        Fitted.
    maps : sequence of FeatureMap
        Together the features in the order of training, of any float type, each with cells of its
        own size. Values that are to be interpolated must be so before.
    box : (slice, slice) or (slice, slice, slice)
        Rows and columns of pixels, or planes, rows and columns, counted like the origins of the
        maps.

    Raises
    ------
    ShapeError
        If the maps do not cover the box, or have another number of features than was learnt.
    """
    windows = [_window(grid, box) for grid in maps]
    shape = tuple(part.stop - part.start for part in box)
    count = sum(len(window.cells) for window in windows)
    if count != classifier.n_features_in_:
        raise ShapeError(
            f"The classifier was trained on {classifier.n_features_in_} features, the maps have "
            f"{count}. Predict with the features it was trained with, or train again."
        )
    learned = getattr(classifier, "learned_", None)
    return _by_kind(learned, classifier, windows).reshape(-1, *shape)


def _by_kind(learned: Any, classifier: Classifier, windows: list[Window]) -> NDArray[np.float32]:
    """Return the (K, H, W) probabilities of the pixels of windows."""
    if isinstance(learned, ObliviousTrees | DecisionTrees):
        return _by_trees(learned, windows)
    if isinstance(learned, Linear):
        return _linearly(learned, windows)
    if isinstance(learned, Members):
        return learned.mixed(_by_trees(learned.trees, windows), _linearly(learned.linear, windows))
    if isinstance(learned, Families):
        each = [_of(windows, columns) for columns in learned.columns]
        if all(each):
            pairs = zip(learned.members, each, strict=True)
            return mixed([_by_kind(own, classifier, maps) for own, maps in pairs], learned.said)
    return _by_rows(classifier, windows)


def _of(windows: list[Window], columns: Sequence[slice]) -> list[Window]:
    """Return the windows that hold such columns and no others; none if columns part a map."""
    ends = np.cumsum([0, *(len(window.cells) for window in windows)]).tolist()
    if not all(own.start in ends and own.stop in ends for own in columns):
        return []
    return [one for own in columns for one in windows[ends.index(own.start) : ends.index(own.stop)]]


def _window(grid: Grid, box: tuple[slice, ...]) -> Window:
    """Cut the cells under a box out of a map."""
    cuts, positions = [], []
    steps = (grid.step,) * len(box) if isinstance(grid.step, int) else grid.step
    for part, start, step, cells in zip(
        box, grid.origin, steps, grid.values.shape[1:], strict=True
    ):
        cell = (np.arange(part.start, part.stop) - start) // step
        if not len(cell) or cell[0] < 0 or cell[-1] >= cells:
            raise ShapeError(
                f"A map of {cells} cells of {step} px from pixel {start} on does not cover "
                f"pixels {part.start} to {part.stop}."
            )
        cuts.append(slice(cell[0], cell[-1] + 1))
        positions.append(cell - cell[0])
    inner = grid.values[(slice(None), *cuts)]
    *planes, rows, columns = positions
    for plane in planes:
        rows = (plane[:, None] * inner.shape[-2] + rows).ravel()
    return Window(inner, rows, columns)


def _by_trees(trees: Trees, windows: list[Window]) -> NDArray[np.float32]:
    shape = (len(windows[0].rows), len(windows[0].columns))
    tables = trees.tables if isinstance(trees, ObliviousTrees) else trees.shallow or trees.tables
    used = tables.used
    starts = np.cumsum([0, *(len(window.cells) for window in windows)])
    of_map = np.searchsorted(starts, used, side="right") - 1
    sizes = [windows[m].cells[0].size for m in of_map]
    where = _where(windows, np.cumsum([0, *sizes])[:-1].astype(np.int64), of_map)
    planes = [windows[m].cells[f - starts[m]] for m, f in zip(of_map, used, strict=True)]
    scores = np.empty((trees.columns, shape[0] * shape[1]), np.float32)
    if isinstance(tables, LargeTables):
        values = np.concatenate([np.zeros(0, np.float32), *map(_flat, planes)])
        kernels.forest_maps(values, where, shape, tables, scores)
    else:
        kernel = (
            kernels.shallow_maps if isinstance(tables, ShallowTables) else kernels.oblivious_maps
        )
        kernel(_ranks(tables, planes, sum(sizes)), where, shape, tables, scores)
    return trees.activate(scores).reshape(-1, *shape)


def _where(windows: list[Window], plane: NDArray[np.int64], of_map: NDArray[np.int64]) -> Any:
    """Return where the kernel finds the cell of a pixel, as :func:`kernels._gather` reads it."""
    row_of = np.stack([window.rows * window.cells.shape[-1] for window in windows])
    column_of = np.stack([window.columns for window in windows])
    whole = np.array([window.cells.shape[-1] == len(window.columns) for window in windows])
    return plane, of_map, row_of, column_of, whole


def _ranks(tables: RankTables, planes: list[Any], size: int) -> NDArray[np.unsignedinteger[Any]]:
    """Return, cell by cell, how many borders of a used feature lie below its value."""
    ranks = np.empty(size, tables.asked.dtype)
    keys = half_keys(tables.borders)
    end = 0
    for u, plane in enumerate(planes):
        begin, end = end, end + plane.size
        asked = slice(tables.start[u], tables.start[u + 1])
        if plane.dtype == np.float16:
            kernels.rank_half(_bits(plane), keys[asked], ranks[begin:end])
        else:
            kernels.rank(_flat(plane), tables.borders[asked], ranks[begin:end])
    return ranks


def _bits(plane: NDArray[np.floating]) -> NDArray[np.int16]:
    """Return the contiguous bits of a float16 plane."""
    return np.ascontiguousarray(plane).ravel().view(np.int16)


def _flat(plane: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return a plane as contiguous float32 values."""
    if plane.dtype != np.float16:
        return np.ascontiguousarray(plane, np.float32).ravel()
    out = np.empty(plane.size, np.float32)
    kernels.widen(_bits(plane), out.view(np.int32), out)
    return out


def _linearly(linear: Linear, windows: list[Window]) -> NDArray[np.float32]:
    weights, mean, intercept = linear.weights()
    scores, begin = intercept[:, None, None], 0
    for window in windows:
        part = slice(begin, begin + len(window.cells))
        total = np.zeros((len(weights), window.cells[0].size), np.float32)
        for plane, centre, weight in zip(window.cells, mean[part], weights.T[part], strict=True):
            if plane.dtype == np.float16:
                kernels.weigh_half(_bits(plane), centre, np.ascontiguousarray(weight), total)
            else:
                kernels.weigh(_flat(plane), centre, np.ascontiguousarray(weight), total)
        cells = total.reshape(len(weights), *window.cells.shape[1:])
        scores = scores + window.of_pixels(cells)
        begin = part.stop
    return linear.activate(scores)


def _by_rows(classifier: Classifier, windows: list[Window]) -> NDArray[np.float32]:
    parts = [classifier.predict_proba(rows) for rows in _rows(windows)]
    shape = (len(windows[0].rows), len(windows[0].columns))
    return np.ascontiguousarray(np.concatenate(parts).T).reshape(-1, *shape)


def _rows(windows: list[Window]) -> Iterator[NDArray[np.float32]]:
    """Yield (n, F) features, some rows of pixels at a time."""
    height, width = len(windows[0].rows), len(windows[0].columns)
    lines = max(1, PIXELS_AT_ONCE // width)
    for y in range(0, height, lines):
        strips = [Window(w.cells, w.rows[y : y + lines], w.columns) for w in windows]
        features = np.concatenate([s.of_pixels(s.cells).astype(np.float32) for s in strips])
        yield np.ascontiguousarray(features.reshape(len(features), -1).T)
