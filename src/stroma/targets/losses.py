"""Losses between the output of a network and encoded labels, for planes and volumes.

Every loss is called as ``loss(output, truth, known)`` with

- output : (B, K, *space), before softmax or sigmoid,
- truth : (B, K, *space), 0 to 1, one channel per class,
- known : (B, 1, *space) or (B, K, *space), weight of every pixel; 0 where nobody knows.

The rundown of losses for unbalanced classes is Sudre et al. 2017, arXiv:1707.03237.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from torch.nn import functional

Tensor = torch.Tensor
Activation = Literal["softmax", "sigmoid"]


class Loss(Protocol):
    """A frozen dataclass that compares outputs with encoded truth."""

    def __call__(self, output: Tensor, truth: Tensor, known: Tensor, /) -> Tensor:
        """Return one number, 0 or more."""
        ...


def activated(output: Tensor, activation: Activation) -> Tensor:
    """Return probabilities: of classes that exclude each other, or each by itself."""
    return output.softmax(1) if activation == "softmax" else output.sigmoid()


def log_probabilities(output: Tensor, activation: Activation) -> Tensor:
    """Return the logarithm of ``activated``, without its rounding."""
    if activation == "softmax":
        return functional.log_softmax(output, 1)
    return functional.logsigmoid(output)


def class_weights(counts: Sequence[float]) -> tuple[float, ...]:
    """Return a weight per class, the rarer the larger, of mean 1 over all pixels.

    Classes count equally then: weight times share is the same for every class that occurs.
    """
    total, present = float(sum(counts)), sum(n > 0 for n in counts)
    return tuple(total / (present * n) if n else 0.0 for n in counts)


def sums(values: Tensor, *, batch: bool) -> Tensor:
    """Return sums over space, (B, K), or over the batch too, (1, K)."""
    total = values.flatten(2).sum(2)
    return total.sum(0, keepdim=True) if batch else total


@dataclass(frozen=True)
class CrossEntropy:
    """Mean of -log p of what is true over the pixels that are known.

    Parameters
    ----------
    activation : {"softmax", "sigmoid"}
        Softmax for classes that exclude each other; with sigmoid every channel is a yes or no.
    weights : sequence of float, optional
        One per class (see `class_weights`); the mean is weighted by that of the true class.
    """

    activation: Activation = "softmax"
    weights: Sequence[float] | None = None

    def __call__(self, output: Tensor, truth: Tensor, known: Tensor, /) -> Tensor:
        """Return the loss."""
        if self.activation == "sigmoid":
            each = functional.binary_cross_entropy_with_logits(output, truth, reduction="none")
            weight = known.expand_as(each) * _per_class(self.weights, each)
            return (each * weight).sum() / weight.sum().clamp_min(1)
        chosen = truth * _per_class(self.weights, output)
        each = -(chosen * functional.log_softmax(output, 1)).sum(1, keepdim=True)
        weight = known[:, :1] * chosen.sum(1, keepdim=True)
        return (each * known[:, :1]).sum() / weight.sum().clamp_min(1e-12)


@dataclass(frozen=True)
class Dice:
    """One minus the mean Dice coefficient, 2 |A and B| / (|A| + |B|), of soft sets.

    Parameters
    ----------
    activation : {"softmax", "sigmoid"}
        How outputs become probabilities.
    squared : bool
        Square the terms of the denominator (Milletari et al. 2016, arXiv:1606.04797).
    background : bool
        Count the first class too.
    batch : bool
        Pool the pixels of the whole batch; otherwise the mean over its images.
    smooth : float
        Added to numerator and denominator: what is neither there nor predicted costs nothing.
    """

    activation: Activation = "softmax"
    squared: bool = False
    background: bool = True
    batch: bool = False
    smooth: float = 1e-5

    def __call__(self, output: Tensor, truth: Tensor, known: Tensor, /) -> Tensor:
        """Return the loss."""
        p, t, k = activated(output, self.activation), truth, known.expand_as(output)
        if not self.background and p.shape[1] > 1:
            p, t, k = p[:, 1:], t[:, 1:], k[:, 1:]
        power = 2 if self.squared else 1
        both = sums(p * t * k, batch=self.batch)
        sizes = sums((p**power + t**power) * k, batch=self.batch)
        return 1 - ((2 * both + self.smooth) / (sizes + self.smooth)).mean()


@dataclass(frozen=True)
class GeneralisedDice:
    """Dice over all classes at once, each weighted by 1 / (its size)² (Sudre et al. 2017).

    Parameters
    ----------
    activation : {"softmax", "sigmoid"}
        How outputs become probabilities.
    batch : bool
        Pool the pixels of the whole batch.
    smooth : float
        Added to numerator and denominator.
    """

    activation: Activation = "softmax"
    batch: bool = False
    smooth: float = 1e-5

    def __call__(self, output: Tensor, truth: Tensor, known: Tensor, /) -> Tensor:
        """Return the loss."""
        p, k = activated(output, self.activation), known.expand_as(output)
        size = sums(truth * k, batch=self.batch)
        # A class that does not occur gets the weight of the largest that does, as in MONAI:
        # an infinite one would drown all others.
        weight = torch.where(size > 0, 1 / size.clamp_min(1e-12) ** 2, torch.zeros_like(size))
        most = weight.amax(1, keepdim=True).expand_as(weight)
        weight = torch.where(size > 0, weight, most)
        both = (weight * sums(p * truth * k, batch=self.batch)).sum(1)
        sizes = (weight * (sums(p * k, batch=self.batch) + size)).sum(1)
        return (1 - (2 * both + self.smooth) / (sizes + self.smooth)).mean()


@dataclass(frozen=True)
class Tversky:
    """One minus |A and B| / (|A and B| + a |A only| + b |B only|), A predicted, B true.

    Salehi et al. 2017, arXiv:1706.05721.

    Parameters
    ----------
    activation : {"softmax", "sigmoid"}
        How outputs become probabilities.
    false_positives, false_negatives : float
        The factors a and b; both 0.5 is Dice.
    background : bool
        Count the first class too.
    batch : bool
        Pool the pixels of the whole batch.
    smooth : float
        Added to numerator and denominator.
    """

    activation: Activation = "softmax"
    false_positives: float = 0.3
    false_negatives: float = 0.7
    background: bool = True
    batch: bool = False
    smooth: float = 1e-5

    def __call__(self, output: Tensor, truth: Tensor, known: Tensor, /) -> Tensor:
        """Return the loss."""
        p, t, k = activated(output, self.activation), truth, known.expand_as(output)
        if not self.background and p.shape[1] > 1:
            p, t, k = p[:, 1:], t[:, 1:], k[:, 1:]
        both = sums(p * t * k, batch=self.batch)
        extra = sums(p * (1 - t) * k, batch=self.batch)
        missed = sums((1 - p) * t * k, batch=self.batch)
        sizes = both + self.false_positives * extra + self.false_negatives * missed
        return 1 - ((both + self.smooth) / (sizes + self.smooth)).mean()


@dataclass(frozen=True)
class Focal:
    """Cross entropy of which pixels that are right already count less, by (1 - p)^gamma.

    Lin et al. 2017, arXiv:1708.02002.

    Parameters
    ----------
    activation : {"softmax", "sigmoid"}
        Softmax for classes that exclude each other; with sigmoid every channel is a yes or no.
    gamma : float
        0 is cross entropy.
    weights : sequence of float, optional
        One factor per class.
    """

    activation: Activation = "softmax"
    gamma: float = 2.0
    weights: Sequence[float] | None = None

    def __call__(self, output: Tensor, truth: Tensor, known: Tensor, /) -> Tensor:
        """Return the loss."""
        log_p = log_probabilities(output, self.activation)
        each = -truth * (1 - log_p.exp()) ** self.gamma * log_p
        if self.activation == "sigmoid":
            log_q = functional.logsigmoid(-output)
            each = each - (1 - truth) * (1 - log_q.exp()) ** self.gamma * log_q
        each = each * _per_class(self.weights, each)
        if self.activation == "softmax":
            each, weight = each.sum(1, keepdim=True), known[:, :1]
        else:
            weight = known.expand_as(each)
        return (each * weight).sum() / weight.sum().clamp_min(1)


@dataclass(frozen=True)
class Sum:
    """The sum of losses, each with a factor.

    Parameters
    ----------
    parts : sequence of (float, Loss)
        Factors and losses.
    """

    parts: tuple[tuple[float, Loss], ...]

    def __call__(self, output: Tensor, truth: Tensor, known: Tensor, /) -> Tensor:
        """Return the loss."""
        found = [factor * part(output, truth, known) for factor, part in self.parts]
        return torch.stack(found).sum()


def dice_ce(
    *,
    activation: Activation = "softmax",
    background: bool = False,
    batch: bool = True,
    weights: Sequence[float] | None = None,
) -> Sum:
    """Return Dice plus cross entropy, nnU-Net's loss; parameters as of its parts."""
    dice = Dice(activation, background=background, batch=batch)
    return Sum(((1.0, dice), (1.0, CrossEntropy(activation, weights))))


def bce_dice(*, squared: bool = True, batch: bool = True) -> Sum:
    """Return Dice plus cross entropy for channels that are each a yes or no (or grey)."""
    dice = Dice("sigmoid", squared=squared, batch=batch)
    return Sum(((1.0, dice), (1.0, CrossEntropy("sigmoid"))))


def _per_class(weights: Sequence[float] | None, like: Tensor) -> Tensor:
    """Return weights of classes in the shape of (1, K, 1, ...)."""
    given = [1.0] * like.shape[1] if weights is None else list(weights)
    return like.new_tensor(given).reshape(1, -1, *[1] * (like.ndim - 2))
