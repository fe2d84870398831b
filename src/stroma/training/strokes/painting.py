"""Strokes as people paint them: few, thin, clustered, unequal, sloppy at borders."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from stroma.training.strokes.noise import Rng, some

UNLABELLED = -1

LEAST_PIXELS = 20
MOST_SHARE = 0.03
"""Painted pixels of an image, of all classes together."""

LEAST_PER_CLASS = 6

MOST_STROKES = 40


def strokes(rng: Rng, labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return strokes on a label map: a class in every painted pixel, -1 elsewhere.

    Every class of the map gets some.
    """
    painted = np.full(labels.shape, UNLABELLED, np.int32)
    classes = int(labels.max()) + 1
    most = max(LEAST_PIXELS + 1.0, MOST_SHARE * labels.size)
    budget = some(rng, LEAST_PIXELS, most)
    shares = rng.dirichlet(np.full(classes, rng.choice([3.0, 30.0])))
    width = int(rng.choice([1, 2, 3, 3, 4]))
    clustered, sloppy = rng.random() < 0.3, rng.random() < 0.2
    for k in range(classes):
        wanted = max(LEAST_PER_CLASS, int(budget * shares[k]))
        _paint_class(rng, painted, labels == k, k, wanted, width, clustered, sloppy)
    return painted


def _paint_class(
    rng: Rng,
    painted: NDArray[np.int32],
    region: NDArray[np.bool_],
    value: int,
    wanted: int,
    width: int,
    clustered: bool,
    sloppy: bool,
) -> None:
    """Paint one class until as many pixels as wanted are painted, or about half of it."""
    wanted = max(1, min(wanted, int(region.sum()) // 2))
    core = _inner(region, width)
    ys, xs = np.nonzero(core)
    line = np.zeros(region.shape, np.uint8)
    have, home = 0, int(rng.integers(len(ys)))
    for _ in range(MOST_STROKES):
        start = home if clustered else int(rng.integers(len(ys)))
        near = (float(ys[start]), float(xs[start]))
        _draw(line, _walk(rng, core, near, max(3, (wanted - have) // width)), width)
        allowed = painted == UNLABELLED
        if not sloppy:
            allowed &= region
        new = np.flatnonzero((line > 0) & allowed)
        new = new[: wanted - have] if len(new) > wanted - have else new
        painted.flat[new] = value
        have += len(new)
        line[:] = 0
        if have >= wanted:
            return
        if clustered:
            home = _neighbour(rng, ys, xs, start)
    if have == 0:
        free = np.flatnonzero(region)
        painted.flat[free[rng.integers(len(free))]] = value


def _inner(region: NDArray[np.bool_], width: int) -> NDArray[np.bool_]:
    """Return where a brush fits; the whole region where it fits nowhere."""
    brush = np.ones((width, width), np.uint8)
    core = cv2.erode(region.astype(np.uint8), brush) > 0
    return core if np.count_nonzero(core) >= 5 else region


def _neighbour(rng: Rng, ys: NDArray[np.intp], xs: NDArray[np.intp], start: int) -> int:
    """Return a pixel not far from another of the same class."""
    tried = rng.integers(0, len(ys), 16)
    distance = np.hypot(ys[tried] - ys[start], xs[tried] - xs[start])
    return int(tried[distance.argmin()])


def _walk(
    rng: Rng, core: NDArray[np.bool_], start: tuple[float, float], longest: int
) -> NDArray[np.int32]:
    """Return the pixels (x, y) of a path that ends where it leaves its class."""
    steps = min(longest, int(rng.integers(5, 60)))
    angles = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, 0.3, steps))
    path = np.cumsum(np.stack([np.sin(angles), np.cos(angles)], 1), 0) + start
    y, x = np.vstack([[start], path]).astype(np.int32).T
    inside = (y >= 0) & (x >= 0) & (y < core.shape[0]) & (x < core.shape[1])
    inside[inside] = core[y[inside], x[inside]]
    end = int(np.argmin(inside)) if not inside.all() else len(y)
    return np.stack([x, y], 1)[: max(1, end)].astype(np.int32)


def _draw(line: NDArray[np.uint8], path: NDArray[np.int32], width: int) -> None:
    cv2.polylines(line, [path[:, None]], False, 1, width)
