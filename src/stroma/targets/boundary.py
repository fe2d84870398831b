"""Agreement of borders, as a loss: soft surface Dice."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional

from stroma.errors import ParameterError
from stroma.targets.losses import Activation, CrossEntropy, Dice, Sum, activated, sums

Tensor = torch.Tensor
POOL = {2: functional.max_pool2d, 3: functional.max_pool3d}


@dataclass(frozen=True)
class Boundary:
    """One minus the mean F1 of borders, those within a tolerance of one another agreeing.

    Bokhovkin and Burnaev 2019, arXiv:1905.07852: the border of a soft set is what a largest value
    of 3 pixels adds to its complement; precision and recall are of it and the other's widened.

    Parameters
    ----------
    activation : {"softmax", "sigmoid"}
        How outputs become probabilities.
    tolerance : int
        How far borders may be apart, in pixels.
    background : bool
        Count the first class too.
    batch : bool
        Pool the pixels of the whole batch.
    smooth : float
        Added to numerators and denominators: no border at all agrees with none.
    """

    activation: Activation = "softmax"
    tolerance: int = 2
    background: bool = False
    batch: bool = True
    smooth: float = 1e-5

    def __post_init__(self) -> None:
        """Check."""
        if self.tolerance < 0:
            raise ParameterError(f"tolerance is a number of pixels from 0, got {self.tolerance}.")

    def __call__(self, output: Tensor, truth: Tensor, known: Tensor, /) -> Tensor:
        """Return the loss."""
        p, t = activated(output, self.activation), truth
        first = 0 if self.background or p.shape[1] == 1 else 1
        weight = known.expand_as(p)[:, first:]
        # What is unknown has no borders, and what is known has none towards it.
        p = torch.where(weight > 0, p[:, first:], 0)
        t = torch.where(weight > 0, t[:, first:], 0)
        inner = -_largest(-weight, 3)
        seen = (inner > 0).to(p)
        found, true = soft_border(p) * seen, soft_border(t) * seen
        wide = 2 * self.tolerance + 1
        precision = self._share(found * inner, _largest(true, wide))
        recall = self._share(true * inner, _largest(found, wide))
        return 1 - (2 * precision * recall / (precision + recall).clamp_min(1e-12)).mean()

    def _share(self, border: Tensor, other: Tensor) -> Tensor:
        both = sums(border * other, batch=self.batch) + self.smooth
        return both / (sums(border, batch=self.batch) + self.smooth)


def surface(*, tolerance: int = 1, weight: float = 0.5, batch: bool = True) -> Sum:
    """Return Dice plus cross entropy plus a share of how borders agree, for thin things.

    Parameters
    ----------
    tolerance : int
        How far borders may be apart, in pixels.
    weight : float
        Of borders.
    batch : bool
        Pool the pixels of the whole batch.
    """
    borders = Boundary(tolerance=tolerance, batch=batch)
    return Sum(((1.0, Dice(batch=batch)), (1.0, CrossEntropy()), (weight, borders)))


def soft_border(sets: Tensor) -> Tensor:
    """Return how much of a border every pixel of soft sets (B, K, *space) is: on their inside."""
    outside = 1 - sets
    return _largest(outside, 3) - outside


def _largest(values: Tensor, side: int) -> Tensor:
    if side == 1:
        return values
    pool = POOL[values.ndim - 2]
    return pool(values, side, stride=1, padding=side // 2)
