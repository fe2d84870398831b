"""What is where in a generated image: label maps of the kinds microscopes show."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from stroma.training.strokes.noise import Rng, borders, field, grid, nearest, some, warped

Int32 = NDArray[np.int32]

LEAST_PIXELS = 50
"""Fewest pixels of a class; smaller classes join their surroundings."""

MOST_CLASSES = 6


@dataclass(frozen=True)
class Scene:
    """Classes, and the single things they consist of.

    Parameters
    ----------
    labels : (n, n) int32
        Class of every pixel, 0 to K - 1.
    parts : (n, n) int32
        Grains, objects or fibres, from 0; they differ in brightness.
    """

    labels: Int32
    parts: Int32


def scene(rng: Rng, n: int, kind: str | None = None, without: Collection[str] = ()) -> Scene:
    """Return a scene of n x n pixels with 2 to 6 classes.

    Parameters
    ----------
    kind : str, optional
        A key of ``SCENES``; drawn by the numbers there unless given.
    without : names, optional
        Keys that are never drawn.
    """
    names = [name for name in SCENES if name not in without]
    weights = np.array([SCENES[name][0] for name in names])
    while True:
        chosen = kind or names[rng.choice(len(names), p=weights / weights.sum())]
        made = SCENES[chosen][1](rng, n)
        if rng.random() < 0.15:
            made = _with_specks(rng, made)
        made = replace(made, labels=_compact(made.labels))
        if 1 <= made.labels.max() < MOST_CLASSES:
            return made


def _compact(labels: Int32) -> Int32:
    """Return classes numbered from 0 without gaps; those with few pixels join the largest."""
    counts = np.bincount(labels.ravel())
    kept = counts >= LEAST_PIXELS
    table = np.where(kept, np.cumsum(kept) - 1, (np.cumsum(kept) - 1)[counts.argmax()])
    return table.astype(np.int32)[labels]


def _with_specks(rng: Rng, made: Scene) -> Scene:
    """Add a rare class of small things."""
    n = len(made.labels)
    specks = np.zeros((n, n), np.uint8)
    for y, x in rng.integers(0, n, (rng.integers(3, 14), 2)):
        cv2.circle(specks, (int(x), int(y)), int(rng.integers(1, 5)), 1, -1)
    parts = np.where(specks > 0, made.parts.max() + 1, made.parts)
    labels = np.where(specks > 0, made.labels.max() + 1, made.labels)
    return Scene(labels.astype(np.int32), parts.astype(np.int32))


def _grains(rng: Rng, n: int) -> Scene:
    """Grains of several phases, or of one with borders between them."""
    parts, _ = nearest(rng, n, int(rng.integers(5, 70)), even=rng.random() < 0.5)
    parts = warped(rng, parts, sigma=rng.uniform(3, 10), amount=rng.uniform(0, 3))
    classes = int(rng.integers(1, 5))
    labels = rng.integers(0, classes, parts.max() + 1, dtype=np.int32)[parts]
    if classes == 1 or rng.random() < 0.4:
        labels = np.where(borders(parts, int(rng.integers(1, 5))), classes, labels)
    return Scene(labels.astype(np.int32), parts)


def _phases(rng: Rng, n: int) -> Scene:
    """Levels of a smooth field, round or drawn out."""
    heights = field(rng, n, some(rng, 2, 16))
    if rng.random() < 0.3:
        long = cv2.resize(heights, None, fx=rng.uniform(1.5, 4), fy=1)
        heights = np.ascontiguousarray(long[:, :n])
        heights = heights if rng.random() < 0.5 else np.ascontiguousarray(heights.T)
    if rng.random() < 0.3:
        heights = heights + 0.3 * field(rng, n, rng.uniform(1, 3))
    levels = np.sort(rng.uniform(0.1, 0.9, rng.integers(1, 4)))
    labels = np.digitize(heights, np.quantile(heights, levels)).astype(np.int32)
    return Scene(labels, labels)


def _regions(rng: Rng, n: int) -> Scene:
    """Few large regions."""
    parts, _ = nearest(rng, n, int(rng.integers(2, 7)))
    parts = warped(rng, parts, sigma=rng.uniform(5, 15), amount=rng.uniform(1, 8))
    labels = rng.permutation(parts.max() + 1).astype(np.int32)[parts] % rng.integers(2, 5)
    return Scene(labels.astype(np.int32), parts)


def _layers(rng: Rng, n: int) -> Scene:
    """Bands on top of each other, as in tissue and films."""
    y, x = grid(n)
    angle = rng.uniform(0, 2 * np.pi)
    height = y * np.cos(angle) + x * np.sin(angle)
    height = height + rng.uniform(1, 8) * field(rng, n, rng.uniform(6, 20))
    cuts = np.sort(rng.uniform(height.min(), height.max(), rng.integers(2, 8)))
    parts = np.digitize(height, cuts).astype(np.int32)
    return Scene((parts % rng.integers(2, 5)).astype(np.int32), parts)


def _cells(rng: Rng, n: int) -> Scene:
    """Cells side by side: walls, insides, and often a nucleus in each; some places are empty."""
    parts, distance = nearest(rng, n, int(rng.integers(8, 60)), even=rng.random() < 0.7)
    shift = rng.uniform(3, 8), rng.uniform(0, 3)
    both = np.where(distance < rng.uniform(2, 7), parts + 1000, parts).astype(np.int32)
    both = warped(rng, both, sigma=shift[0], amount=shift[1])
    parts, inner = both % 1000, both >= 1000
    labels = np.ones((n, n), np.int32)
    if rng.random() < 0.6:
        labels[inner] = 2
    kinds = rng.random(1000) < rng.uniform(0, 0.5)
    if rng.random() < 0.4:
        labels[kinds[parts] & (labels == 1)] = 3
    labels[borders(parts, int(rng.integers(1, 6)))] = 0
    if rng.random() < 0.4:
        labels[kinds[::-1][parts]] = 0
    return Scene(labels, parts)


def _objects(rng: Rng, n: int) -> Scene:
    """Round or irregular objects on a ground: alone, touching or overlapping; rims, insides."""
    layers = np.zeros((n, n), np.int32), np.zeros((n, n), np.int32)
    radius = some(rng, 2.5, 24)
    count = int(np.clip(rng.uniform(0.1, 1.3) * (n / radius / 2.2) ** 2, 2, 150))
    rim, core = rng.random() < 0.4, rng.random() < 0.35
    second = rng.random() < 0.25
    centres = _places(rng, n, count, radius)
    for i, (y, x) in enumerate(centres):
        kind = 4 if second and rng.random() < 0.5 else 1
        _ellipse(rng, layers, (y, x), i + 1, radius=radius, rim=rim, core=core, kind=kind)
    labels, parts = layers
    if rng.random() < 0.6:
        both = warped(
            rng, parts * 8 + labels, sigma=rng.uniform(2, 8), amount=rng.uniform(0, radius / 5)
        )
        labels, parts = both % 8, both // 8
    return Scene(labels, parts)


def _places(rng: Rng, n: int, count: int, radius: float) -> NDArray[np.float64]:
    """Return centres (y, x): anywhere, in clusters, along a slope of density, or side by side."""
    how = rng.integers(4)
    if how == 1:
        middles = rng.uniform(0, n, (rng.integers(1, 5), 2))
        return middles[rng.integers(0, len(middles), count)] + rng.normal(0, n / 7, (count, 2))
    if how == 2:
        return np.column_stack(
            [n * rng.random(count) ** rng.uniform(1, 3), rng.uniform(0, n, count)]
        )
    if how == 3:
        step = radius * rng.uniform(1.7, 3)
        rows = np.mgrid[0:n:step, 0:n:step]
        rows[1, ::2] += step / 2
        return rng.permutation(rows.reshape(2, -1).T)[:150] + rng.normal(0, radius / 5, (1, 2))
    return rng.uniform(0, n, (count, 2))


def _ellipse(
    rng: Rng,
    layers: tuple[Int32, Int32],
    centre: tuple[float, float],
    part: int,
    *,
    radius: float,
    rim: bool,
    core: bool,
    kind: int,
) -> None:
    """Draw one object into labels and parts: its rim (2), itself, its inside (3)."""
    long = radius * rng.uniform(0.6, 1.4)
    short, angle = long * rng.uniform(0.5, 1), rng.uniform(0, 180)
    where = (round(centre[1] * 16), round(centre[0] * 16))

    def draw(image: Int32, share: float, value: int) -> None:
        axes = (max(16, round(long * share * 16)), max(16, round(short * share * 16)))
        cv2.ellipse(image, where, axes, angle, 0, 360, value, -1, shift=4)

    labels, parts = layers
    draw(parts, 1, part)
    draw(labels, 1, 2 if rim else kind)
    if rim:
        draw(labels, rng.uniform(0.55, 0.85), kind)
    if core:
        draw(labels, rng.uniform(0.25, 0.5), 3)


def _fibres(rng: Rng, n: int) -> Scene:
    """Curved lines of many widths on one or two grounds; crossing, or along one direction."""
    lines = np.zeros((n, n), np.int32)
    main, spread = rng.uniform(0, np.pi), rng.choice([0.15, 0.6, 3.0])
    width, bend = some(rng, 1, 6), some(rng, 0.02, 0.15)
    for i in range(int(rng.integers(2, 26) / np.sqrt(width)) + 1):
        start, angle = rng.uniform(0, n, 2), main + rng.normal(0, spread)
        for way in (0, np.pi):
            points = _walk(rng, start, angle + way, int(rng.integers(10, 70)), bend=bend)
            _stroke_line(lines, points, i + 1, width * rng.uniform(0.6, 1.4))
    return _on_ground(rng, lines)


def _vessels(rng: Rng, n: int) -> Scene:
    """Trees that branch and become thinner."""
    lines = np.zeros((n, n), np.int32)
    tips = []
    widest, bend = some(rng, 1.5, 9), some(rng, 0.02, 0.1)
    for _ in range(rng.integers(1, 6)):
        side = rng.uniform(0, n, 2)
        side[rng.integers(2)] = rng.choice([0, n - 1])
        angle = np.arctan2(n / 2 - side[0], n / 2 - side[1]) + rng.normal(0, 0.4)
        tips.append((side, angle, widest * rng.uniform(0.5, 1)))
    for part in range(1, 60):
        if not tips:
            break
        start, angle, width = tips.pop(0)
        points = _walk(rng, start, angle, int(rng.integers(8, 40)), bend=bend)
        _stroke_line(lines, points, part, width)
        if width < 1.0:
            continue
        fork, share = rng.uniform(0.3, 0.9), rng.uniform(0.45, 0.85)
        turn = float(np.arctan2(*(points[-1] - points[-2])))
        tips.append((points[-1], turn + fork * (1 - share), width * max(share, 0.75)))
        tips.append((points[-1], turn - fork * share, width * share))
        if rng.random() < 0.4:
            tips.append((points[len(points) // 2], turn + rng.choice([-1, 1]), width * 0.4))
    return _on_ground(rng, lines)


def _built(rng: Rng, n: int) -> Scene:
    """Draw polygons and bars with straight sides on top of each other: made things, crystals."""
    parts = np.zeros((n, n), np.int32)
    if rng.random() < 0.5:
        parts += grid(n)[0] > rng.uniform(0.2, 0.8) * n
    square = rng.random() < 0.5
    for part in range(2, int(rng.integers(4, 30))):
        size, angle = some(rng, 4, n / 2), 0.0 if square else rng.uniform(0, np.pi)
        sides = size * np.array([1, some(rng, 0.1, 1)])[rng.permutation(2)]
        turns = np.linspace(0, 2 * np.pi, int(rng.choice([3, 4, 4, 4, 5, 6])), endpoint=False)
        corners = np.stack([np.cos(turns + np.pi / 4), np.sin(turns + np.pi / 4)]) * sides[:, None]
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        points = (turn @ corners).T + rng.uniform(0, n, 2)
        cv2.fillPoly(parts, [np.round(points).astype(np.int32)], part)
    classes = rng.integers(0, rng.integers(2, 6), parts.max() + 1, dtype=np.int32)
    return Scene(classes[parts], parts)


def _walk(
    rng: Rng, start: NDArray[np.float64], angle: float, steps: int, *, bend: float
) -> NDArray[np.float64]:
    """Return points (y, x), 2 pixels apart, of a path whose curvature drifts."""
    curvature = np.clip(np.cumsum(rng.normal(0, bend / 4, steps)), -0.2, 0.2)
    angles = angle + np.cumsum(curvature + rng.normal(0, bend / 2, steps))
    return np.asarray(start + 2 * np.cumsum(np.stack([np.sin(angles), np.cos(angles)], 1), 0))


def _stroke_line(image: Int32, points: NDArray[np.float64], value: int, width: float) -> None:
    path = np.round(points[:, ::-1] * 16).astype(np.int32)[:, None]
    cv2.polylines(image, [path], False, value, max(1, round(width)), cv2.LINE_8, 4)


def _on_ground(rng: Rng, lines: Int32) -> Scene:
    n = len(lines)
    labels = (lines > 0).astype(np.int32)
    if rng.random() < 0.3:
        ground = field(rng, n, rng.uniform(6, 16)) > rng.normal(0, 0.4)
        labels = np.where(labels > 0, 1, 2 * ground).astype(np.int32)
    return Scene(labels, lines)


SCENES: dict[str, tuple[float, Callable[[Rng, int], Scene]]] = {
    "grains": (1.5, _grains),
    "phases": (1.5, _phases),
    "regions": (1.5, _regions),
    "layers": (1, _layers),
    "cells": (1.5, _cells),
    "objects": (3, _objects),
    "fibres": (1.2, _fibres),
    "vessels": (2, _vessels),
    "built": (1.2, _built),
}
"""How often a kind of scene is drawn, and what draws it."""
