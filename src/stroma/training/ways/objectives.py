"""Ways to learn from labels."""

from __future__ import annotations

from collections.abc import Sequence as Several
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import nn
from torch.nn import functional

from stroma.errors import ParameterError
from stroma.networks.contract import resolutions
from stroma.networks.ladder import Ladder
from stroma.targets.contract import Target
from stroma.training.contract import Batch, Step


@dataclass(frozen=True)
class Supervised:
    """The loss of a target, at every resolution that the network predicts.

    Parameters
    ----------
    target : Target
        What is learned. With a method ``coarser(truth, known, space)`` it says itself what a
        coarser resolution is taught; otherwise that is the nearest pixels.
    """

    target: Target

    def step(self, model: nn.Module, batch: Batch, /) -> Step:
        """Return the loss, coarser resolutions weighing half of the next finer one."""
        assert batch.truth is not None, "supervised learning is given labelled batches"
        assert batch.known is not None
        outputs = resolutions(model(batch.images))
        weights = [0.5**i for i in range(len(outputs))]
        found = [self._at(output, batch.truth, batch.known) for output in outputs]
        losses = [w / sum(weights) * loss for w, (loss, _) in zip(weights, found, strict=True)]
        loss = torch.stack(losses).sum()
        return Step(loss, {"loss": loss.detach(), **found[0][1]})

    def _at(self, output: torch.Tensor, truth: torch.Tensor, known: torch.Tensor) -> Any:
        space = output.shape[2:]
        coarser = getattr(self.target, "coarser", None)
        if coarser is not None and tuple(space) != tuple(truth.shape[2:]):
            return self.target.loss(output, *coarser(truth, known, space))
        return self.target.loss(output, sampled(truth, space), sampled(known, space))


@dataclass(frozen=True)
class LadderObjective:
    """The costs of a ladder network, which learns from images without labels too.

    Parameters
    ----------
    target : Target
        Classes for every pixel.
    denoising : float
        Factor of the denoising cost.
    """

    target: Target
    denoising: float = 1.0
    unlabelled: ClassVar[bool] = True

    def step(self, model: nn.Module, batch: Batch, /) -> Step:
        """Return cross entropy of the corrupted path where labels are, and denoising of all."""
        assert batch.truth is not None, "a ladder is given truth, of weight 0 where there is none"
        assert batch.known is not None
        inner = getattr(model, "module", model)  # as several processes wrap it
        if not isinstance(inner, Ladder):
            raise ParameterError(
                f"The objective 'ladder' trains ladder networks, got {type(inner).__name__}. Give "
                "network='ladder'."
            )
        supervised, denoising = inner.costs(batch.images, batch.truth, batch.known)
        loss = supervised + self.denoising * denoising
        parts = {"supervised": supervised.detach(), "denoising": denoising.detach()}
        return Step(loss, {"loss": loss.detach(), **parts})


@dataclass(frozen=True)
class Sequence:
    """The loss of a target at every frame; images are (B, T, C, y, x), truth (B, T, K, y, x).

    Parameters
    ----------
    target : Target
        What is learned of every frame.
    """

    target: Target

    def step(self, model: nn.Module, batch: Batch, /) -> Step:
        """Return the loss over all frames, back through time."""
        assert batch.truth is not None, "sequences are given labelled batches"
        assert batch.known is not None
        outputs, _ = model(batch.images)
        flat = [x.flatten(0, 1) for x in (outputs, batch.truth, batch.known)]
        loss, logs = self.target.loss(*flat)
        return Step(loss, {"loss": loss.detach(), **logs})


@dataclass(frozen=True)
class NextFrames:
    """How far predicted frames are from those that come; images are (B, T, C, y, x).

    Parameters
    ----------
    ahead : int
        Frames at the end that are predicted from predictions, as in a roll-out.
    """

    ahead: int = 1

    def step(self, model: nn.Module, batch: Batch, /) -> Step:
        """Return the mean absolute difference, plus the mean square."""
        frames = batch.images
        known = frames.shape[1] - self.ahead
        found, state = model(frames[:, :known])
        every = [found]
        for _ in range(self.ahead - 1):
            found, state = model(found[:, -1:], state)
            every.append(found)
        away = torch.cat(every, 1) - frames[:, 1 : known + self.ahead]
        loss = away.abs().mean() + away.square().mean()
        return Step(loss, {"loss": loss.detach()})


def sampled(values: torch.Tensor, space: Several[int]) -> torch.Tensor:
    """Return values at a coarser resolution, those of the nearest pixels."""
    if tuple(values.shape[2:]) == tuple(space):
        return values
    return functional.interpolate(values, size=tuple(space), mode="nearest-exact")
