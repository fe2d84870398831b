"""Batches of patches; each is a function of the seed and its number, so a training can go on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from stroma.targets.contract import Encoded, Target
from stroma.training.contract import Batch
from stroma.training.feeding.augment import Augmentation
from stroma.training.feeding.cases import UNKNOWN, Case
from stroma.training.feeding.data import is_bare
from stroma.training.feeding.geometry import Geometry, is_inside, turned_shape
from stroma.training.feeding.normalise import Normalisation
from stroma.training.predicting.guide import Guide

PLACES = 4000
"""Pixels per class of a case that are remembered as centres of patches."""


@dataclass(frozen=True, eq=False)
class Patches:
    """Patches of cases, drawn at random.

    Parameters
    ----------
    cases : sequence of Case
        Drawn from equally often.
    target : Target
        Encodes what is known.
    scale : Normalisation
        Of intensities.
    size : tuple of int
        Sides of a patch.
    count : int
        Patches per batch, of all processes together.
    augmentation : Augmentation
        What happens to them.
    foreground : float
        Share of the patches with a pixel of a class drawn first in their middle, so that rare
        classes are seen.
    seed : int
        Of everything random.
    numbered : bool
        Whether batches have the numbers of objects.
    """

    cases: Sequence[Case]
    target: Target
    scale: Normalisation
    size: tuple[int, ...]
    count: int
    augmentation: Augmentation
    foreground: float = 1 / 3
    seed: int = 0
    numbered: bool = False

    def batch(self, step: int, *, rank: int = 0, ranks: int = 1) -> Batch:
        """Return a batch, or the share of one process in it."""
        numbers = range(step * self.count + rank, (step + 1) * self.count, ranks)
        found = [self.patch(number) for number in numbers]
        return Batch(
            _stacked([image for image, _, _ in found]),
            _stacked([encoded.values for _, encoded, _ in found]),
            _stacked([encoded.known for _, encoded, _ in found]),
            seed=self.seed * 1_000_003 + step * ranks + rank,
            numbers=_stacked([truth for _, _, truth in found]).long() if self.numbered else None,
        )

    def patch(self, number: int) -> tuple[NDArray[np.float32], Encoded, Any]:
        """Return the patch of that number: its pixels, what is to be predicted, and its labels."""
        rng = np.random.default_rng([self.seed, number])
        group = self._groups[number % len(self._groups)]
        index = group[int(rng.integers(len(group)))]
        case = self.cases[index]
        # The last patches of every batch, so that all batches have the same share.
        chosen = (number % self.count) >= round(self.count * (1 - self.foreground))
        if self.count == 1:
            chosen = bool(rng.random() < self.foreground)
        centre = self._centre(index, rng, foreground=chosen)
        geometry = self.augmentation.geometry(centre, self.size, rng)
        image = geometry.cut(lambda box: case.pixels(box, self.scale), nearest=False)
        image = self.augmentation.intensities(image.astype(np.float32), rng)
        if case.guide is not None:
            image = np.concatenate([image, self._guide(case.guide, geometry, rng)])
        shape = turned_shape(geometry)
        truth = self._unknown(shape) if index in self._bare else self._truth(case, geometry)
        encoded = self.target.encode(truth, shape=shape)
        if index in self._bare:
            encoded = Encoded(encoded.values, np.zeros_like(encoded.known))
        elif self.target.truth in ("points", "image"):
            # Labels are unknown outside of what may be learned from; points and images do not say.
            there = geometry.cut(case.allows, nearest=True)
            encoded = Encoded(encoded.values, encoded.known * there)
        return image, encoded, truth

    def _guide(
        self, numbers: NDArray[np.uint8], geometry: Geometry, rng: np.random.Generator
    ) -> NDArray[np.float32]:
        """Return the channels with what a coarser network said."""
        guide = Guide(numbers, len(self.target.channels()), (False,) * numbers.ndim)
        found = geometry.cut(lambda box: guide.numbers(box, numbers.shape), nearest=True)
        return guide.varied(found, rng) if self.augmentation.worsen else guide.encoded(found)

    def _unknown(self, shape: tuple[int, ...]) -> Any:
        """Return labels that say nothing."""
        if self.target.truth == "points":
            return np.zeros((0, len(shape)))
        return np.full(shape, UNKNOWN, np.int32)

    def _truth(self, case: Case, geometry: Geometry) -> Any:
        """Return the labels of the patch: augmented first, then encoded."""
        if self.target.truth == "points":
            assert case.points is not None, "targets of points are given cases with points"
            places = geometry.points(case.points)
            return places[is_inside(places, turned_shape(geometry))]
        if case.shares is not None:
            labels: Sequence[int] = getattr(self.target, "labels")  # noqa: B009
            return geometry.cut(lambda box: case.shared(box, labels), nearest=False)
        truth = geometry.cut(case.truth, nearest=self.target.truth != "image")
        return case.in_units(truth, self.target) if self.target.truth == "image" else truth

    def _centre(self, index: int, rng: np.random.Generator, *, foreground: bool) -> Sequence[float]:
        """Draw the middle of a patch, which lies within the case if it fits in."""
        case, places = self.cases[index], self._places[index]
        if places and (foreground or self._sparse[index]):
            rarer = places[1:] if foreground and len(places) > 1 else places
            group = rarer[int(rng.integers(len(rarer)))]
            middle = group[int(rng.integers(len(group)))].astype(float)
        else:
            middle = np.array([rng.uniform(s.start, s.stop - 1) for s in case.area])
        half = (np.array(self.size) - 1) / 2
        low = np.array([s.start for s in case.area]) + half
        high = np.array([s.stop for s in case.area]) - 1 - half
        fits = np.clip(middle, np.minimum(low, high), np.maximum(low, high))
        centre: list[float] = np.where(low <= high, fits, (low + high) / 2).tolist()
        return centre

    @cached_property
    def _groups(self) -> list[list[int]]:
        """Cases with labels and those without, which every batch has halves of."""
        known = [i for i in range(len(self.cases)) if i not in self._bare]
        return [group for group in (known, sorted(self._bare)) if group]

    @cached_property
    def _bare(self) -> frozenset[int]:
        """Cases of which nothing is known."""
        return frozenset(i for i, case in enumerate(self.cases) if is_bare(case))

    @cached_property
    def _places(self) -> list[list[NDArray[np.intp]]]:
        """Pixels by class, the largest first, or of objects or points: the middles of patches."""
        return [self._places_of(i, case) for i, case in enumerate(self.cases)]

    def _places_of(self, index: int, case: Case) -> list[NDArray[np.intp]]:
        if case.points is not None:
            return [np.rint(case.points).astype(np.intp)] if len(case.points) else []
        if case.labels is None:
            return []
        part = case.labels[case.area]
        start = np.array([s.start for s in case.area])
        if self.target.truth == "classes":
            groups = [part == value for value in np.unique(part) if value != UNKNOWN]
        else:
            groups = [part > 0]
        groups.sort(key=lambda group: -int(group.sum()))
        rng = np.random.default_rng([self.seed, 0, index])
        found = [_some(group, rng) + start for group in groups if group.any()]
        return found

    @cached_property
    def _sparse(self) -> list[bool]:
        """Whether most of a case is unknown, so that patches are centred on what is known."""
        return [
            case.labels is not None and bool((case.labels[case.area] == UNKNOWN).mean() > 0.5)
            for case in self.cases
        ]


def _some(mask: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.intp]:
    places = np.argwhere(mask)
    if len(places) <= PLACES:
        return places
    return places[rng.choice(len(places), PLACES, replace=False)]


def _stacked(arrays: Sequence[NDArray[np.float32]]) -> torch.Tensor:
    return torch.from_numpy(np.stack([np.ascontiguousarray(a) for a in arrays]))
