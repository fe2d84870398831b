"""What turns features and strokes into classes while training: ridge regression, solved exactly."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

LEAST_VARIANCE = 1e-4
"""Added to the variance of a feature, which may be the same everywhere."""


class RidgeHead(nn.Module):
    """Least squares on one-hot classes, every class with the same weight, penalised.

    The solution is a differentiable function of the features; strokes reach the network through
    it alone. Its penalty and the steepness of its decisions are learned; they begin near where long
    trainings took them, as a few strokes and many features with a small penalty give losses that
    teach nothing.

    Parameters
    ----------
    standard : bool
        Whether every feature is divided by its deviation in the image, so that all count the same;
        otherwise large features count more than small ones.
    """

    def __init__(self, *, standard: bool = False) -> None:
        super().__init__()
        self.standard = standard
        self.log_scale = nn.Parameter(torch.tensor(1.0))
        self.log_penalty = nn.Parameter(torch.tensor(-0.4 if standard else -2.4))

    def forward(self, painted: Tensor, classes: Tensor, asked: Tensor, *, most: int) -> Tensor:
        """Return the scores of pixels for every class.

        Parameters
        ----------
        painted : (B, F, n) float32
            Features of painted pixels.
        classes : (B, n) int64
            Their classes; -1 where an episode has fewer painted pixels than others.
        asked : (B, F, P) float32
            Features of the pixels that are asked for.
        most : int
            Largest number of classes of the batch.

        Returns
        -------
        (B, most, P) float32
        """
        wanted = F.one_hot(classes.clamp(min=0), most).float() * (classes >= 0)[..., None]
        share = (wanted / wanted.sum(1, keepdim=True).clamp(min=1)).sum(2)
        gain = _gain(asked) if self.standard else torch.ones_like(painted[:, :, :1])
        x = torch.cat([painted * gain, torch.ones_like(painted[:, :1])], 1)
        weighted = x * (share / share.sum(1, keepdim=True))[:, None]
        penalty = torch.eye(x.shape[1], device=x.device) * F.softplus(self.log_penalty)
        solution = torch.linalg.solve(weighted @ x.transpose(1, 2) + penalty, weighted @ wanted)
        solution = (self.log_scale.exp() * solution).transpose(1, 2)
        slopes = solution[:, :, :-1] * gain.transpose(1, 2)
        scores: Tensor = slopes @ asked + solution[:, :, -1:]
        return scores


def _gain(features: Tensor) -> Tensor:
    """Return one over the deviation (B, F, 1) of features (B, F, P)."""
    return torch.rsqrt(features.var(2, keepdim=True) + LEAST_VARIANCE)


def stroke_loss(scores: Tensor, labels: Tensor, strokes: Tensor) -> Tensor:
    """Return the cross-entropy of pixels without strokes; frequent classes count less each.

    Parameters
    ----------
    scores : (B, K, P) float32
    labels, strokes : (B, P) int64
    """
    counts = _counts(labels, scores.shape[1]).float()
    scores = scores.masked_fill((counts == 0)[..., None], -1e4)
    weights = counts.clamp(min=1).rsqrt().gather(1, labels) * (strokes < 0)
    losses = F.cross_entropy(scores, labels, reduction="none")
    return ((losses * weights).sum(1) / weights.sum(1)).mean()


@torch.no_grad()
def mean_iou(scores: Tensor, labels: Tensor, strokes: Tensor) -> Tensor:
    """Return the intersection over union of pixels without strokes, averaged over classes."""
    classes = scores.shape[1]
    scores = scores.masked_fill((_counts(labels, classes) == 0)[..., None], -torch.inf)
    free = (strokes < 0)[..., None]
    guessed = F.one_hot(scores.argmax(1), classes).bool() & free
    true = F.one_hot(labels, classes).bool() & free
    union = (guessed | true).sum(1).float()
    share = (guessed & true).sum(1) / union.clamp(min=1)
    return (share.sum(1) / (union > 0).sum(1).clamp(min=1)).mean()


def _counts(labels: Tensor, classes: int) -> Tensor:
    """Return how many pixels (B, classes) every class has."""
    absent = labels.new_zeros(labels.shape[0], classes)
    return absent.scatter_add(1, labels, torch.ones_like(labels))
