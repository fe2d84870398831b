"""Dense conditional random field: probabilities that follow what looks alike and lies near.

Krähenbühl and Koltun, Efficient inference in fully connected CRFs with Gaussian edge potentials,
NeurIPS 2011, arXiv:1210.5644.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from stroma.data.statistics import Statistics
from stroma.features.normalise import normalise
from stroma.pixel.predicting.lattice import Lattice

LEAST = 1e-6
"""Probabilities are taken to be no smaller."""

SMALL_CLASS = 20
"""A class of more pixels may not vanish."""

KEPT = 0.5
"""Share of its pixels that a class has to keep."""

WEAKER = (1.0, 0.5, 0.25, 0.125, 0.0625)
"""Strengths that are tried in turn, until all classes are kept."""

SIDE = 896
"""Side of the blocks that are refined at once, in working pixels: a field sees all it is given."""

REACH = 64
"""Working pixels around a block that its result depends on."""

NOISE_SHARE = 3.0
"""What differs by fewer deviations of the noise is alike."""

COLOURS = 3
"""Of more channels, the mean is looked at."""

Filter = Callable[[NDArray[np.float32]], NDArray[np.float32]]


@dataclass(frozen=True)
class DenseCRF:
    """How much pixels that are near each other, and alike, are to have the same class.

    Parameters
    ----------
    near : float
        Standard deviation, in pixels, of the term that sees positions alone.
    reach, likeness : float
        Standard deviations of the term that also sees the image: in pixels, and on the scale of
        an image of 0 to 255.
    near_weight, like_weight : float
        Weights of the two terms.
    iterations : int
        Steps of mean field.
    """

    near: float = 3.0
    reach: float = 40.0
    likeness: float = 13.0
    near_weight: float = 3.0
    like_weight: float = 5.0
    iterations: int = 5

    def refine(
        self, probabilities: NDArray[np.float32], image: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Return refined probabilities; no class of more than twenty pixels vanishes.

        Where one would lose more than half of its pixels, the weights are halved until none does.

        Parameters
        ----------
        probabilities : (K, y, x) float32
            Of K classes, adding up to 1.
        image : (C, y, x) float32
            On a scale of 0 to 255.

        Returns
        -------
        (K, y, x) float32
            Adding up to 1.
        """
        filters = self._filters(image)
        before = _sizes(probabilities)
        for strength in WEAKER:
            weaker = replace(
                self,
                near_weight=self.near_weight * strength,
                like_weight=self.like_weight * strength,
            )
            refined = weaker.mean_field(probabilities, filters)
            kept = _sizes(refined) >= KEPT * before
            if kept[before > SMALL_CLASS].all():
                return refined
        return probabilities

    def mean_field(
        self, probabilities: NDArray[np.float32], filters: tuple[Filter, Filter]
    ) -> NDArray[np.float32]:
        """Return the marginals after some steps: unaries and messages of both terms, in turn."""
        unary = np.log(np.maximum(probabilities, LEAST))
        now = probabilities
        for _ in range(self.iterations):
            near, like = (filtered(now) for filtered in filters)
            now = _softmax(unary + self.near_weight * near + self.like_weight * like)
        return now

    def _filters(self, image: NDArray[np.float32]) -> tuple[Filter, Filter]:
        """Return what sums, over all other pixels, values times their symmetric weights."""
        shape = image.shape[1:]

        def blur(values: NDArray[np.float32]) -> NDArray[np.float32]:
            planes = [
                cv2.GaussianBlur(v, (0, 0), self.near, borderType=cv2.BORDER_CONSTANT)
                for v in values
            ]
            # The kernel of OpenCV adds up to 1; here the weight of distance 0 is 1.
            return np.stack(planes) * np.float32(2 * np.pi * self.near**2)

        lattice = Lattice.of(self._points(image))

        def alike(values: NDArray[np.float32]) -> NDArray[np.float32]:
            flat = lattice.filter(values.reshape(len(values), -1))
            return flat.reshape(len(values), *shape)

        return _symmetric(blur, shape), _symmetric(alike, shape)

    def _points(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        rows, columns = np.indices(image.shape[1:], np.float32) / np.float32(self.reach)
        values = (channel.ravel() / np.float32(self.likeness) for channel in image)
        return np.stack([rows.ravel(), columns.ravel(), *values], axis=1)


@dataclass(frozen=True)
class Field:
    """A field that was told how an image looks.

    Parameters
    ----------
    statistics : Statistics
        Of the whole image.
    crf : DenseCRF
        What refines, its likeness in keeping with the noise.
    """

    statistics: Statistics
    crf: DenseCRF

    def refine(self, probabilities: NDArray[np.float32], raw: NDArray[Any]) -> NDArray[np.float32]:
        """Return refined (K, h, w) probabilities, given the (C, h, w) pixels."""
        image = normalise(raw, self.statistics, "percentile", rgb=False) * np.float32(255)
        seen = image if len(image) <= COLOURS else image.mean(axis=0, keepdims=True)
        return self.crf.refine(probabilities, seen)


def field_of(statistics: Statistics, strength: float) -> Field:
    """Return the field of a strength, for images with these statistics."""
    spans = np.maximum(np.subtract(statistics.high, statistics.low), 1e-6)
    noise = 255 * float(np.max(np.divide(statistics.noise, spans)))
    usual = DenseCRF()
    made = replace(
        usual,
        likeness=max(usual.likeness, NOISE_SHARE * noise),
        near_weight=usual.near_weight * strength,
        like_weight=usual.like_weight * strength,
    )
    return Field(statistics, made)


def _symmetric(filtered: Filter, shape: tuple[int, ...]) -> Filter:
    """Return a filter whose weights are divided by the roots of both their sums, less itself."""
    total = filtered(np.ones((1, *shape), np.float32))
    norm = (1 / np.sqrt(np.maximum(total, 1))).astype(np.float32)

    def applied(values: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(norm * filtered(norm * values) - norm**2 * values, np.float32)

    return applied


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    odds = np.exp(logits - logits.max(axis=0))
    return np.asarray(odds / odds.sum(axis=0))


def _sizes(probabilities: NDArray[np.float32]) -> NDArray[np.intp]:
    return np.bincount(probabilities.argmax(axis=0).ravel(), minlength=len(probabilities))
