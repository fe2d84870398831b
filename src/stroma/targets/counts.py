"""Counts of objects of many sizes: a stamp on each, as wide as the box around it.

After STACC (Jeremias and Pape 2025, doi 10.1515/mim-2024-0021): the stamps are learned as an
image, their peaks are what is counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from skimage.feature import peak_local_max

from stroma.metrics.detection import detection_scores
from stroma.metrics.shared import mean_scores
from stroma.targets.contract import Encoded, Facts, Losses, Result, Truth
from stroma.targets.instances import boxes, cut_off
from stroma.targets.turns import Turn

LEAST_WIDTH = 0.7
"""Of a stamp, in pixels: narrower ones fall between them."""

REACH = 4.0
"""Stamps end so many widths from their middle."""


@dataclass(frozen=True)
class Counts:
    """One channel: 1 in the middle of the box around every object, less around it.

    Parameters
    ----------
    ndim : {2, 3}
        Spatial axes.
    radius : float
        Of objects in the middle of all sizes, in pixels: how near a point is to count as found.
    share : float
        Width (standard deviation) of a stamp along an axis, by the side of the box.
    hot : float
        Weight of pixels of stamps, which are few, beside others.
    """

    truth: ClassVar[Truth] = "instances"
    result: ClassVar[Result] = "points"

    ndim: int = 2
    radius: float = 5.0
    share: float = 0.2
    hot: float = 10.0

    @classmethod
    def made_for(cls, facts: Facts, /, **options: Any) -> Self:
        """Return the target for objects of some sizes."""
        known: dict[str, Any] = {"ndim": facts.ndim}
        if facts.diameters:
            known["radius"] = round(max(1.0, float(np.median(facts.diameters)) / 2), 1)
        return cls(**{**known, **options})

    @property
    def tunable(self) -> Mapping[str, tuple[Any, ...]]:
        """Least height of a peak, and how near peaks may be, in pixels."""
        near = max(1, round(self.radius / 2))
        return {"threshold": (0.5, 0.4, 0.3, 0.6, 0.2, 0.7), "apart": (near, 2 * near, 1)}

    @property
    def context(self) -> int:
        """Where a stamp on the border of a block may have its peak."""
        return ceil(REACH * self.radius)

    def channels(self) -> tuple[str, ...]:
        """Return its name."""
        return ("stamp",)

    def encode(self, truth: Any, /, *, shape: tuple[int, ...]) -> Encoded:
        """Return the stamps of objects by number; where several overlap, the highest counts.

        Stamps of objects that touch what nobody knows have no weight, as their boxes may be larger.
        """
        labels = np.asarray(truth)
        values = np.zeros((1, *labels.shape), np.float32)
        cut, stamped = cut_off(labels), np.zeros(labels.shape, bool)
        for label, box in boxes(labels):
            middle, widths = _middle(box), self._widths(box)
            around = tuple(
                slice(max(0, int(m - REACH * w)), min(n, ceil(m + REACH * w) + 1))
                for m, w, n in zip(middle, widths, labels.shape, strict=True)
            )
            part = values[0][around]
            np.maximum(part, _stamp(around, middle, widths), out=part)
            if cut[box][labels[box] == label].any():
                stamped[around] = True
        known = (labels >= 0) & ~stamped
        return Encoded(values, known[None].astype(np.float32))

    def _widths(self, box: tuple[slice, ...]) -> list[float]:
        return [max(LEAST_WIDTH, self.share * (s.stop - s.start)) for s in box]

    def loss(self, output: torch.Tensor, truth: torch.Tensor, known: torch.Tensor, /) -> Losses:
        """Return the squared error, in which stamps weigh more."""
        weight = known * (1 + (self.hot - 1) * (truth > 0.01))
        error = ((output - truth) ** 2 * weight).sum() / weight.sum().clamp_min(1)
        return error, {"error": error.detach()}

    def activate(self, output: torch.Tensor, /) -> torch.Tensor:
        """Return it as it is."""
        return output

    def decode(
        self,
        prediction: NDArray[np.float32],
        /,
        *,
        threshold: float = 0.5,
        apart: int | None = None,
    ) -> NDArray[np.float64]:
        """Return (n, ndim + 1) positions in pixels, with the height of the peak, the best first.

        Parameters
        ----------
        prediction : (1, *space) float32 array
            Stamps.
        threshold : float
            Least height of a peak.
        apart : int, optional
            How near peaks may be, in pixels.
        """
        near = max(1, round(self.radius / 2)) if apart is None else apart
        peaks = peak_local_max(
            prediction[0], min_distance=near, threshold_abs=threshold, exclude_border=False
        )
        height = prediction[0][tuple(peaks.T)]
        found: NDArray[np.float64] = np.column_stack([peaks, height]).astype(float)
        return found

    def turned_back(self, prediction: NDArray[np.float32], turn: Turn, /) -> NDArray[np.float32]:
        """Return it turned back; stamps have no direction."""
        return turn.undo(prediction)

    def score(self, results: Sequence[Any], truths: Sequence[Any], /) -> dict[str, float]:
        """Return F1, precision, recall within a radius and the count error, means over images."""
        each = []
        for found, true in zip(results, truths, strict=True):
            labels = np.asarray(true)
            pixels = np.floor(found[:, : self.ndim] + 0.5).astype(int)
            known = labels[tuple(pixels.T)] >= 0
            middles = middles_of(labels)
            each.append(
                detection_scores(found[known, : self.ndim], middles, cutoff=max(2.0, self.radius))
            )
        mean = mean_scores(each)
        return {name: mean[name] for name in ("f1", "precision", "recall", "count error")}


def middles_of(labels: NDArray[Any]) -> NDArray[np.float64]:
    """Return the (n, ndim) middles of the boxes around objects."""
    found = [_middle(box) for _, box in boxes(labels)]
    return np.array(found, float).reshape(len(found), labels.ndim)


def _middle(box: tuple[slice, ...]) -> list[float]:
    return [(s.start + s.stop - 1) / 2 for s in box]


def _stamp(
    box: tuple[slice, ...], middle: Sequence[float], widths: Sequence[float]
) -> NDArray[np.float64]:
    """Return a Gaussian of height 1 within a box."""
    total: Any = 0.0
    for axis, (s, m, w) in enumerate(zip(box, middle, widths, strict=True)):
        sides = [1] * len(box)
        sides[axis] = -1
        total = total + (((np.arange(s.start, s.stop) - m) / w) ** 2).reshape(sides)
    return np.asarray(np.exp(-total / 2))
