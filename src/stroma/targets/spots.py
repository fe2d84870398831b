"""Points: where a heat map is largest, moved by the offset that is predicted there.

After Spotiflow (Dominguez Mantes et al. 2025, doi 10.1038/s41592-025-02662-x): a heat map, and
vectors to the nearest point for positions between pixels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from skimage.feature import peak_local_max
from torch.nn import functional

from stroma.metrics.detection import detection_scores
from stroma.metrics.shared import mean_scores
from stroma.targets.contract import Encoded, Facts, Losses, Result, Truth
from stroma.targets.turns import Turn

SHARE = 0.25
"""Width of the heat, as a share of the distance between neighbours."""

WIDTHS = (1.0, 4.0)
"""Least and largest width of the heat, in pixels."""

REACH = 3.0
"""Offsets are predicted up to so many widths from a point."""


@dataclass(frozen=True)
class Spots:
    """Heat, and per axis the offset to the nearest point in units of three widths.

    Networks that predict at several resolutions are taught at all of them (see ``coarser``).

    Parameters
    ----------
    ndim : {2, 3}
        Spatial axes.
    width : float
        Standard deviation of the heat around a point, in pixels.
    hot : float
        Weight of hot pixels, which are few, beside cold ones.
    offsets : float
        Weight of the loss of the offsets.
    """

    truth: ClassVar[Truth] = "points"
    result: ClassVar[Result] = "points"

    ndim: int = 2
    width: float = 1.5
    hot: float = 10.0
    offsets: float = 1.0

    @classmethod
    def made_for(cls, facts: Facts, /, **options: Any) -> Self:
        """Return the target for points that are so far apart."""
        apart = float(np.median(facts.diameters)) if facts.diameters else 10.0
        width = round(float(np.clip(SHARE * apart, *WIDTHS)), 2)
        return cls(**{"ndim": facts.ndim, "width": width, **options})

    @property
    def tunable(self) -> Mapping[str, tuple[Any, ...]]:
        """Least heat of a point, and how near points may be, in pixels."""
        near = ceil(self.width)
        return {"threshold": (0.5, 0.4, 0.3, 0.6, 0.2, 0.7), "apart": (near, 2 * near, 3 * near)}

    @property
    def context(self) -> int:
        """Where a point on the border of a block may have its peak."""
        return ceil(3 * REACH * self.width)

    @property
    def cutoff(self) -> float:
        """How far a point may be from a true one to count as found, in pixels."""
        return REACH * self.width

    def channels(self) -> tuple[str, ...]:
        """Return their names."""
        return ("heat", *(f"offset {axis}" for axis in "zyx"[-self.ndim :]))

    def encode(self, truth: Any, /, *, shape: tuple[int, ...]) -> Encoded:
        """Return the channels of (n, ndim) points."""
        points = np.asarray(truth, float)
        values = np.zeros((1 + self.ndim, *shape), np.float32)
        known = np.ones_like(values)
        known[1:] = 0
        if not len(points):
            return Encoded(values, known)
        grid = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), -1).astype(float)
        far, nearest = cKDTree(points).query(grid.reshape(-1, self.ndim))
        heat = np.exp(-((far / self.width) ** 2) / 2).reshape(shape)
        values[0] = np.where(heat > 1e-4, heat, 0)
        near = (far <= self.cutoff).reshape(shape)
        vectors = (points[nearest].reshape(grid.shape) - grid) / self.cutoff
        values[1:] = np.moveaxis(vectors, -1, 0) * near
        known[1:] = near
        return Encoded(values, known)

    def loss(self, output: torch.Tensor, truth: torch.Tensor, known: torch.Tensor, /) -> Losses:
        """Return the cross-entropy of the heat, and the mean error of offsets near points."""
        heat, there = truth[:, :1], known[:, :1]
        each = functional.binary_cross_entropy_with_logits(output[:, :1], heat, reduction="none")
        weight = there * (1 + (self.hot - 1) * (heat > 0.01))
        hot = (each * weight).sum() / there.sum().clamp_min(1)
        wrong = (output[:, 1:] - truth[:, 1:]).abs() * known[:, 1:]
        moved = wrong.sum() / known[:, 1:].sum().clamp_min(1)
        return hot + self.offsets * moved, {"heat": hot.detach(), "offsets": moved.detach()}

    def coarser(
        self, truth: torch.Tensor, known: torch.Tensor, space: Sequence[int], /
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return what a coarser resolution is taught: the most heat of the pixels that become one.

        The nearest pixels would miss points, which are a few pixels wide. Offsets, and what is
        known, are those of the nearest pixels.
        """
        pool = functional.adaptive_max_pool2d if self.ndim == 2 else functional.adaptive_max_pool3d
        near, seen = (
            functional.interpolate(values, size=tuple(space), mode="nearest-exact")
            for values in (truth, known)
        )
        return torch.cat([pool(truth[:, :1], tuple(space)), near[:, 1:]], 1), seen

    def activate(self, output: torch.Tensor, /) -> torch.Tensor:
        """Return heat from 0 to 1, and the offsets."""
        return torch.cat([output[:, :1].sigmoid(), output[:, 1:]], 1)

    def decode(
        self,
        prediction: NDArray[np.float32],
        /,
        *,
        threshold: float = 0.5,
        apart: int | None = None,
    ) -> NDArray[np.float64]:
        """Return (n, ndim + 1) positions in pixels, with the heat, the hottest first.

        Parameters
        ----------
        prediction : (1 + ndim, *space) float32 array
            Heat and offsets.
        threshold : float
            Least heat of a point.
        apart : int, optional
            How near peaks may be, in pixels.
        """
        distance = ceil(self.width) if apart is None else apart
        heat = prediction[0]
        peaks = peak_local_max(
            heat, min_distance=distance, threshold_abs=threshold, exclude_border=False
        )
        at = tuple(peaks.T)
        offsets = np.clip(prediction[(slice(1, None), *at)].T, -1, 1) * self.cutoff
        found: NDArray[np.float64] = np.column_stack([peaks + offsets, heat[at]]).astype(float)
        return found

    def turned_back(self, prediction: NDArray[np.float32], turn: Turn, /) -> NDArray[np.float32]:
        """Return it turned back; offsets point elsewhere then."""
        heat, offsets = turn.undo(prediction[:1]), turn.undo_vectors(prediction[1:])
        return np.concatenate([heat, offsets])

    def score(self, results: Sequence[Any], truths: Sequence[Any], /) -> dict[str, float]:
        """Return F1, precision, recall within the cutoff and the count error, means over images."""
        each = [
            detection_scores(found[:, : self.ndim], true, cutoff=self.cutoff)
            for found, true in zip(results, truths, strict=True)
        ]
        mean = mean_scores(each)
        return {name: mean[name] for name in ("f1", "precision", "recall", "count error")}
