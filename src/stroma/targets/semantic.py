"""A class for every pixel.

Losses and their defaults are those of nnU-Net (Isensee et al. 2021, doi
10.1038/s41592-020-01008-z).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray

from stroma.errors import LabelError
from stroma.metrics.semantic import confusion, iou_of
from stroma.targets import LOSSES
from stroma.targets.contract import Facts, Losses, Result, Truth
from stroma.targets.labels import Labels
from stroma.targets.losses import Loss

MOST_CLASSES = 64
"""More values than this in a label image are taken to be objects, not classes."""


@dataclass(frozen=True)
class Semantic(Labels):
    """One channel per class; the most probable class wins.

    Parameters
    ----------
    labels : tuple of int
        Values of the classes in label images, ascending; channel k is that of ``labels[k]``.
    loss_name : str
        One of ``LOSSES``.
    loss_options : mapping
        Its parameters.
    """

    truth: ClassVar[Truth] = "classes"
    result: ClassVar[Result] = "classes"

    through: ClassVar[str] = "mean"
    """Predictions of planes along three axes are averaged."""

    loss_name: str = "dice_ce"
    loss_options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def made_for(cls, facts: Facts, /, **options: Any) -> Self:
        """Return the target for the classes that occur."""
        if "labels" not in options:
            found = sorted(facts.counts)
            _require_classes(found)
            options["labels"] = tuple(found)
        return cls(**options)

    def loss(self, output: torch.Tensor, truth: torch.Tensor, known: torch.Tensor, /) -> Losses:
        """Return the chosen loss."""
        found = self._loss(output, truth, known)
        return found, {self.loss_name: found.detach()}

    @cached_property
    def _loss(self) -> Loss:
        made: Loss = LOSSES[self.loss_name](**self.loss_options)
        return made

    def activate(self, output: torch.Tensor, /) -> torch.Tensor:
        """Return the probability of every class."""
        return output.softmax(1)

    def decode(self, prediction: NDArray[np.float32], /, **tunable: Any) -> NDArray[np.uint16]:
        """Return the label of the most probable class."""
        found: NDArray[np.uint16] = np.array(self.labels, np.uint16)[prediction.argmax(0)]
        return found

    def score(self, results: Sequence[Any], truths: Sequence[Any], /) -> dict[str, float]:
        """Return the mean IoU of the classes that occur, and that of each, over all pixels."""
        pairs = zip(results, truths, strict=True)
        tables = [confusion(found, true, labels=self.labels) for found, true in pairs]
        each = iou_of(np.sum(tables, axis=0))
        seen = each[~np.isnan(each)]
        named = {f"iou {n}": float(v) for n, v in zip(self.labels, each, strict=True)}
        return {"mean iou": float(seen.mean()) if len(seen) else 0.0, **named}


def _require_classes(found: list[int]) -> None:
    if len(found) < 2:
        raise LabelError(
            f"The labels have {'no class' if not found else f'one value only ({found[0]})'}, and "
            "telling pixels apart takes two classes. Label what is not of the class too (as 0, or "
            "as a class of its own), or ignore fewer labels."
        )
    if len(found) > MOST_CLASSES:
        raise LabelError(
            f"The labels have {len(found)} values, from {found[0]} to {found[-1]}: these look like "
            "objects, numbered one by one, not like classes. Make them classes, for instance with "
            "labels > 0, or choose a target that learns objects."
        )
