"""Objects by the colours on both sides: OpenCV's GrabCut on a small copy of what is around them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from stroma.prompts.refine import depth

Bools = NDArray[np.bool_]
Places = NDArray[np.int64]

SIDE = 128
"""Longest side of the copy, in pixels."""

AROUND, LEAST = 4, 128
"""How many times as wide as the object the part is that is looked at; its pixels at least."""

ROUNDS = 3
"""How often colours are learned and the border is cut."""

SURE, NEAR = 3, 12
"""Radius around a click that is surely, and likely, what was clicked, in pixels of the copy."""

PART = 0.35
"""Radius that is surely so, as a part of how far the click lies from the border before."""

COARSEST = 4
"""Pixels of the plane for one of the copy, at most, where all of it is looked at."""

COLOURS = 5
"""That GrabCut tells apart on each side; it needs as many pixels."""


@dataclass(frozen=True, eq=False)
class Colours:
    """A part of a plane, small and with three channels.

    Parameters
    ----------
    box : (slice, slice)
        Where it lies.
    picture : (y, x, 3) uint8
        The copy.
    """

    box: tuple[slice, slice]
    picture: NDArray[np.uint8]

    @classmethod
    def around(
        cls,
        channels: NDArray[np.float32],
        before: Bools,
        clicks: Places,
        *,
        wide: bool = False,
    ) -> Colours:
        """Return what lies around an object and clicks.

        Parameters
        ----------
        channels : (C, y, x) float32
            The plane, normalised.
        before : (y, x) bool
            What the object was taken for.
        clicks : (n, 2) int64
            Pixels, on it or beside it.
        wide : bool
            Whether all of the plane is looked at.
        """
        whole = tuple(slice(0, n) for n in before.shape)
        box = (whole[0], whole[1]) if wide else _around(before, clicks)
        part = channels[(slice(None), *box)]
        scale = min(1.0, SIDE / max(part.shape[1:]))
        size = [max(1, round(n * scale)) for n in part.shape[:0:-1]]
        small = np.stack([cv2.resize(c, size, interpolation=cv2.INTER_AREA) for c in _three(part)])
        low, high = np.percentile(small, (1, 99))
        scaled = 255 * np.clip((small - low) / (high - low + 1e-6), 0, 1)
        return cls(box, np.ascontiguousarray(np.moveaxis(scaled, 0, -1).astype(np.uint8)))

    def on_plane(self, part: Bools, shape: tuple[int, ...]) -> Bools:
        """Return a mask of the box as one of the plane."""
        found = np.zeros(shape, bool)
        found[self.box] = part
        return found

    def afresh(self, on: Places, beside: Places) -> Bools:
        """Return the object by clicks alone, (y, x) bool of the box; the rest is likely no object.

        Source: Rother, Kolmogorov and Blake, "GrabCut", ACM Transactions on Graphics 23 (2004).
        """
        state = np.full(self.picture.shape[:2], cv2.GC_PR_BGD, np.uint8)
        for place in self._placed(on):
            cv2.circle(state, place, NEAR, int(cv2.GC_PR_FGD), -1)
        sure = [(p, SURE, True) for p in self._placed(on)]
        return self._cut(state, sure + [(p, SURE, False) for p in self._placed(beside)])

    def onwards(self, on: Places, beside: Places, before: Bools) -> Bools:
        """Return the object by clicks and what it was before (y, x), as a (y, x) bool of the box.

        How far a click that differs from before reaches depends on how far the border was.
        """
        small = cv2.resize(
            before[self.box].astype(np.float32),
            self.picture.shape[1::-1],
            interpolation=cv2.INTER_AREA,
        )
        held = small > 0.5
        away = depth(held) + depth(~held)
        most = min(NEAR, max(SURE, np.sqrt(held.sum() / np.pi)))
        state = np.where(held, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
        sure = []
        for places, value in ((on, True), (beside, False)):
            for x, y in self._placed(places):
                radius = min(most, away[y, x])
                if held[y, x] != value:
                    likely = cv2.GC_PR_FGD if value else cv2.GC_PR_BGD
                    cv2.circle(state, (x, y), max(1, int(radius)), int(likely), -1)
                sure.append(((x, y), int(min(SURE, PART * radius)), value))
        return self._cut(state, sure)

    def _placed(self, places: Places) -> list[tuple[int, int]]:
        """Return places in the plane as x and y of the copy."""
        low = [s.start for s in self.box]
        sides = np.array([s.stop - s.start for s in self.box])
        small = self.picture.shape[:2]
        rows = np.clip((places - low) * small // sides, 0, np.array(small) - 1)
        return [(int(x), int(y)) for y, x in rows]

    def _cut(
        self, state: NDArray[np.uint8], sure: list[tuple[tuple[int, int], int, bool]]
    ) -> Bools:
        for place, radius, value in sure:
            cv2.circle(state, place, radius, int(cv2.GC_FGD if value else cv2.GC_BGD), -1)
        inside = np.isin(state, (cv2.GC_FGD, cv2.GC_PR_FGD))
        if min(inside.sum(), (~inside).sum()) >= COLOURS:
            cv2.setRNGSeed(0)  # it begins with colours by chance
            models = np.zeros((1, 65)), np.zeros((1, 65))
            cv2.grabCut(self.picture, state, None, *models, ROUNDS, cv2.GC_INIT_WITH_MASK)
            inside = np.isin(state, (cv2.GC_FGD, cv2.GC_PR_FGD))
        sides = [s.stop - s.start for s in self.box[::-1]]
        return np.asarray(cv2.resize(inside.astype(np.float32), sides) > 0.5)


def by_colours(
    channels: NDArray[np.float32], on: Places, beside: Places, before: Bools | None = None
) -> list[Bools]:
    """Return masks (y, x) by colours: from clicks alone, from before, and from all of the plane.

    Parameters
    ----------
    channels : (C, y, x) float32
        The plane, normalised.
    on, beside : (n, 2) int64
        Pixels known to belong to the object, and not to.
    before : (y, x) bool, optional
        What the object was taken for; the second mask is left out without it.
    """
    shape = channels.shape[1:]
    clicks = np.concatenate([on, beside])
    held = np.zeros(shape, bool) if before is None else before
    near = Colours.around(channels, held, clicks)
    asked = [(near, partial(near.afresh, on, beside))]
    if before is not None:
        asked.append((near, partial(near.onwards, on, beside, before)))
    if max(shape) <= COARSEST * SIDE:
        whole = Colours.around(channels, held, clicks, wide=True)
        if whole.box != near.box:
            asked.append((whole, partial(whole.afresh, on, beside)))
    with ThreadPoolExecutor(len(asked)) as pool:  # OpenCV lets others work meanwhile
        parts = list(pool.map(lambda one: one[1](), asked))
    return [colours.on_plane(part, shape) for (colours, _), part in zip(asked, parts, strict=True)]


def _around(before: Bools, clicks: Places) -> tuple[slice, slice]:
    """Return the part of a plane around an object and clicks that is looked at."""
    low, high = clicks.min(0), clicks.max(0) + 1
    if before.any():
        spans = [np.flatnonzero(before.any(axis=1 - axis))[[0, -1]] for axis in range(2)]
        low = np.minimum(low, [s[0] for s in spans])
        high = np.maximum(high, [s[1] + 1 for s in spans])
    side = max(LEAST, AROUND * int((high - low).max()))
    found = []
    for a, b, n in zip(low, high, before.shape, strict=True):
        start = max(0, min(int(a + b - side) // 2, n - side))
        found.append(slice(start, min(start + side, n)))
    return found[0], found[1]


def _three(part: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return three channels: of more, the directions in which they differ most."""
    if len(part) == 3:
        return part
    if len(part) == 1:
        return np.repeat(part, 3, axis=0)
    if len(part) == 2:
        return np.concatenate([part, np.zeros_like(part[:1])])
    flat = part.reshape(len(part), -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    _, vectors = np.linalg.eigh(flat @ flat.T)
    return np.asarray((vectors[:, -3:].T @ flat).reshape(3, *part.shape[1:]), np.float32)
