"""What the trainer knows of a way to learn: the contract of an objective."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, runtime_checkable

import torch
from torch import nn


@dataclass(frozen=True, eq=False)
class Batch:
    """Some patches.

    Parameters
    ----------
    images : (B, C, *space) float32 tensor
        Normalised.
    truth : (B, K, *space) float32 tensor or None
        What a perfect network would predict; None where nothing is labelled.
    known : (B, 1 or K, *space) float32 tensor or None
        Weight of every pixel; all 0 for an image without labels.
    seed : int
        For whatever is drawn at random in this step; the same when training is resumed.
    numbers : (B, *space) int64 tensor, optional
        Objects by number, for objectives that say ``numbered``.
    """

    images: torch.Tensor
    truth: torch.Tensor | None
    known: torch.Tensor | None
    seed: int
    numbers: torch.Tensor | None = field(default=None, kw_only=True)

    def to(self, device: torch.device) -> Batch:
        """Return it on a device."""
        truth = None if self.truth is None else self.truth.to(device)
        known = None if self.known is None else self.known.to(device)
        numbers = None if self.numbers is None else self.numbers.to(device)
        return Batch(self.images.to(device), truth, known, self.seed, numbers=numbers)


class Step(NamedTuple):
    """What came of a batch.

    Attributes
    ----------
    loss : tensor
        One number, to be made smaller.
    logs : dict of str to tensor
        Numbers for the history, by name.
    """

    loss: torch.Tensor
    logs: dict[str, torch.Tensor]


class Seen(NamedTuple):
    """What came of looking at a network.

    Attributes
    ----------
    scores : mapping of str to float
        By name; the first decides, more is better.
    results : sequence
        What the network made of the images that it was looked at with.
    """

    scores: Mapping[str, float]
    results: Sequence[Any]


@runtime_checkable
class Objective(Protocol):
    """A way to learn: the trainer calls ``step`` and knows nothing else.

    An objective that has parameters or tensors of its own (a decoder, a teacher) is an
    ``nn.Module``: its parameters are trained, and its state is kept in checkpoints. One that has
    something to do after every step defines ``after_step(model)``; one that needs the numbers of
    objects has ``numbered = True``, and one whose success no validation shows ``latest = True``:
    then the last network is kept, not the one with the best score.
    """

    def step(self, model: nn.Module, batch: Batch, /) -> Step:
        """Return the loss of a model on a batch, with gradients."""
        ...
