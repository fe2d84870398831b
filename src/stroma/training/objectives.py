"""Ways to learn from labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from stroma.targets.contract import Target
from stroma.training.contract import Batch, Step


@dataclass(frozen=True)
class Supervised:
    """The loss of a target, at every resolution that the network predicts.

    Parameters
    ----------
    target : Target
        What is learned.
    """

    target: Target

    def step(self, model: nn.Module, batch: Batch, /) -> Step:
        """Return the loss, coarser resolutions weighing half of the next finer one."""
        assert batch.truth is not None, "supervised learning is given labelled batches"
        assert batch.known is not None
        outputs: Any = model(batch.images)
        if isinstance(outputs, torch.Tensor):
            loss, logs = self.target.loss(outputs, batch.truth, batch.known)
            return Step(loss, {"loss": loss.detach(), **logs})
        weights = [0.5**i for i in range(len(outputs))]
        found = [self._at(output, batch.truth, batch.known) for output in outputs]
        losses = [w / sum(weights) * loss for w, (loss, _) in zip(weights, found, strict=True)]
        loss = torch.stack(losses).sum()
        return Step(loss, {"loss": loss.detach(), **found[0][1]})

    def _at(self, output: torch.Tensor, truth: torch.Tensor, known: torch.Tensor) -> Any:
        space = output.shape[2:]
        return self.target.loss(output, sampled(truth, space), sampled(known, space))


def sampled(values: torch.Tensor, space: Sequence[int]) -> torch.Tensor:
    """Return values at a coarser resolution, those of the nearest pixels."""
    if tuple(values.shape[2:]) == tuple(space):
        return values
    return functional.interpolate(values, size=tuple(space), mode="nearest-exact")
