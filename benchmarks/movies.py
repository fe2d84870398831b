"""Simulated movies of cells whose true tracks are known, each with one thing that is hard."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from stroma.data.tracks import Tracks
from stroma.tracking.detect import detect


@dataclass(frozen=True)
class Scene:
    """What a movie is like.

    Parameters
    ----------
    frames, cells : int
        How many, cells at the beginning.
    side : int
        Of the square view, in pixels.
    radius : float
        Typical radius of a cell, in pixels.
    step : float
        Deviation of the displacement from frame to frame along each axis, in pixels.
    steady : float
        Correlation of a displacement with the one before.
    drift : tuple of float
        Displacement of the whole view in every frame, in pixels.
    jump : float
        Displacement of the view in a single frame, half-way.
    divide : float
        Chance of a division per cell and frame.
    missing, split, merged : float
        Chance that a cell is not found, that it is found as two, and that two that touch are one.
    marker : float
        Radius of the disks that stand for cells of any size; 0 for their outlines.
    die : float
        Chance that a cell dies, per cell and frame.
    """

    frames: int = 30
    cells: int = 40
    side: int = 400
    radius: float = 11.0
    step: float = 2.0
    steady: float = 0.0
    drift: tuple[float, float] = (0.0, 0.0)
    jump: float = 0.0
    divide: float = 0.0
    missing: float = 0.0
    split: float = 0.0
    merged: float = 0.0
    marker: float = 0.0
    die: float = 0.0


SCENES = {
    "quiet": Scene(),
    "dividing": Scene(cells=25, divide=0.03),
    "dense": Scene(cells=240, side=360, step=4.0, divide=0.005),
    "fast": Scene(cells=60, step=9.0, divide=0.005),
    "steady": Scene(cells=60, step=10.0, steady=0.95),
    "drifting": Scene(cells=80, drift=(9.0, 14.0), divide=0.005),
    "jumping": Scene(cells=80, jump=40.0, divide=0.005),
    "missing": Scene(cells=60, step=3.0, missing=0.05, divide=0.01),
    "split": Scene(cells=60, step=3.0, split=0.03, divide=0.01),
    "merged": Scene(cells=160, step=3.0, merged=0.03, divide=0.005),
    "markers": Scene(cells=90, radius=8, step=3.0, marker=4.0, divide=0.02),
    "small": Scene(cells=300, side=400, radius=5, step=2.5, divide=0.01),
    "all": Scene(
        cells=120, step=4.0, drift=(3, 2), divide=0.01, missing=0.02, split=0.01, merged=0.01
    ),
}
"""Movies by name."""


@dataclass(frozen=True, eq=False)
class Simulated:
    """A movie: (t, y, x) labels as found, those of the truth, and the true tracks."""

    found: np.ndarray
    true: np.ndarray
    tracks: Tracks


@dataclass
class _Cells:
    place: np.ndarray
    pace: np.ndarray
    size: np.ndarray
    angle: np.ndarray
    age: np.ndarray
    name: np.ndarray

    def joined(self, other: _Cells) -> _Cells:
        return _Cells(
            *(np.concatenate(p) for p in zip(_columns(self), _columns(other), strict=True))
        )

    def only(self, kept: np.ndarray) -> _Cells:
        return _Cells(*(c[kept] for c in _columns(self)))


def _columns(cells: _Cells) -> list[np.ndarray]:
    return [cells.place, cells.pace, cells.size, cells.angle, cells.age, cells.name]


def simulate(scene: Scene, rng: int = 0) -> Simulated:
    """Return a movie of a scene."""
    mothers: dict[int, int] = {}
    frames, given = zip(*filmed(scene, mothers, rng), strict=True)
    true = np.stack(frames)
    return Simulated(np.stack(given), true, _tracks(true, mothers))


def filmed(
    scene: Scene, mothers: dict[int, int], rng: int = 0
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield every frame, its true labels and those that are found, and note who divides."""
    random = np.random.default_rng(rng)
    cells = _begin(scene, random)
    for t in range(scene.frames):
        if t:
            cells = _stepped(scene, cells, mothers, t, random)
        true = _drawn(scene, cells)
        yield true, _spoilt(scene, true, random)


def _begin(scene: Scene, random: np.random.Generator) -> _Cells:
    """Return cells in view and around it, so that some come in."""
    wide = 1.6
    n = round(scene.cells * wide**2)
    low, high = -(wide - 1) / 2 * scene.side, (wide + 1) / 2 * scene.side
    place = random.uniform(low, high, (n, 2))
    size = scene.radius * random.lognormal(0, 0.12, n)
    cells = _Cells(
        place,
        scene.step * random.normal(size=(n, 2)),
        size,
        random.uniform(0, np.pi, n),
        random.integers(10, 40, n),
        np.arange(1, n + 1),
    )
    for _ in range(30):
        _apart(cells)
    return cells


def _stepped(
    scene: Scene, cells: _Cells, mothers: dict[int, int], t: int, random: np.random.Generator
) -> _Cells:
    n, keep = len(cells.name), scene.steady
    fresh = np.sqrt(1 - keep**2) * scene.step * random.normal(size=(n, 2))
    cells.pace = keep * cells.pace + fresh
    cells.place = cells.place + cells.pace + np.array(scene.drift)
    cells.place = cells.place + (scene.jump if t == scene.frames // 2 else 0) * np.array([0.6, 0.8])
    cells.angle = cells.angle + random.normal(0, 0.1, n)
    cells.age = cells.age + 1
    young = cells.age < 10
    cells.size = np.where(young, cells.size * 2 ** (0.5 / 10), cells.size)
    ready = (random.random(n) < scene.divide) & (cells.age > 8)
    if ready.any():
        cells = _divided(cells, ready, mothers, random)
    if scene.die:
        cells = cells.only(random.random(len(cells.name)) >= scene.die)
    for _ in range(4):
        _apart(cells)
    return cells


def _divided(
    cells: _Cells, ready: np.ndarray, mothers: dict[int, int], random: np.random.Generator
) -> _Cells:
    mother, stay = cells.only(ready), cells.only(~ready)
    away = np.stack([np.cos(mother.angle), np.sin(mother.angle)], axis=1) * mother.size[:, None]
    last, parts = int(cells.name.max()), [stay]
    last = max([last, *mothers])
    for side in (-0.75, 0.75):
        names = last + 1 + np.arange(len(mother.name))
        last = int(names[-1])
        mothers.update(zip(names.tolist(), mother.name.tolist(), strict=True))
        parts.append(
            _Cells(
                mother.place + side * away * random.uniform(0.7, 2.2, (len(names), 1)),
                mother.pace.copy(),
                mother.size / np.sqrt(2),
                mother.angle + np.pi / 2,
                np.zeros(len(names), int),
                names,
            )
        )
    return parts[0].joined(parts[1]).joined(parts[2])


def _apart(cells: _Cells) -> None:
    """Push cells apart that lie upon each other."""
    tree = cKDTree(cells.place)
    near = tree.query_pairs(2.2 * cells.size.max(), output_type="ndarray")
    between = cells.place[near[:, 1]] - cells.place[near[:, 0]]
    far = np.maximum(np.linalg.norm(between, axis=1), 1e-6)
    over = np.maximum(0.95 * cells.size[near].sum(axis=1) - far, 0)
    push = 0.4 * (over / far)[:, None] * between
    np.add.at(cells.place, near[:, 1], push)
    np.add.at(cells.place, near[:, 0], -push)


def _drawn(scene: Scene, cells: _Cells) -> np.ndarray:
    """Return the labels of a frame: ellipses, the nearest where two meet; or disks."""
    side = scene.side
    labels, closest = np.zeros((side, side), np.int32), np.full((side, side), np.inf)
    for place, size, angle, name in zip(
        cells.place, cells.size, cells.angle, cells.name, strict=True
    ):
        reach = scene.marker or 1.2 * size
        top, left = np.maximum(np.ceil(place - reach).astype(int), 0)
        bottom, right = np.minimum(np.floor(place + reach).astype(int) + 1, side)
        if top >= bottom or left >= right:
            continue
        y, x = np.mgrid[top:bottom, left:right]
        along = np.cos(angle) * (y - place[0]) + np.sin(angle) * (x - place[1])
        across = np.cos(angle) * (x - place[1]) - np.sin(angle) * (y - place[0])
        far = (
            np.hypot(along, across) / scene.marker
            if scene.marker
            else np.hypot(along / (1.15 * size), across / (size / 1.15))
        )
        box = np.s_[top:bottom, left:right]
        inside = (far < 1) & (far < closest[box])
        labels[box][inside], closest[box][inside] = name, far[inside]
    return labels


def _spoilt(scene: Scene, true: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return a frame as a segmentation finds it, its objects in any order."""
    labels = true.copy()
    names = np.unique(true[true > 0])
    for name in names[random.random(len(names)) < scene.missing]:
        labels[labels == name] = 0
    for name in names[random.random(len(names)) < scene.split]:
        y, x = np.nonzero(labels == name)
        if len(y) > 20:
            half = y > np.quantile(y, random.uniform(0.3, 0.7))
            labels[y[half], x[half]] = labels.max() + 1
    for name in names[random.random(len(names)) < scene.merged]:
        for axis in (0, 1):
            beside = np.roll(labels, 1, axis)[labels == name]
            other = beside[(beside != 0) & (beside != name)]
            if len(other) > 3:
                labels[labels == np.bincount(other).argmax()] = name
                break
    found = np.unique(labels[labels > 0])
    new = np.zeros(labels.max() + 1, np.uint16)
    new[found] = 1 + random.permutation(len(found))
    return new[labels]


def _tracks(true: np.ndarray, mothers: dict[int, int]) -> Tracks:
    seen = detect((frame, None) for frame in true)
    found = seen.detections
    rows: dict[int, list[int]] = {}
    for i, name in enumerate(found.label.tolist()):
        rows.setdefault(name, []).append(i)
    links = [(a, b) for own in rows.values() for a, b in itertools.pairwise(own)]
    for name, mother in mothers.items():
        if name in rows and mother in rows:
            before, after = rows[mother][-1], rows[name][0]
            if found.frame[after] == found.frame[before] + 1:
                links.append((before, after))
    return Tracks(found, np.array(links, np.int64).reshape(-1, 2))
