"""Learning to answer prompts: a click or a box, and then a click wherever the answer is wrong.

Kirillov et al., Segment anything, ICCV 2023, arXiv:2304.02643; for microscopy Archit et al., Nature
Methods 2025, doi 10.1038/s41592-024-02580-4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import nn
from torch.nn import functional as F

from stroma.errors import ParameterError
from stroma.networks.sam import SIDE, PromptedSAM
from stroma.targets.contract import Target
from stroma.training.contract import Batch, Step

Tensor = torch.Tensor

LEAST = 16
"""Pixels of an object that is asked for, at least."""

LOOSE = 0.1
"""By how much of its sides a box is too large or small, at most."""

UNSAID = -10
"""Label of a point that the network does not look at."""

SURE = 6.9
"""Logits of a mask of before are shown up to this: one pixel in a thousand is wrong."""


@dataclass(frozen=True)
class Prompting:
    """The loss of a target, and how wrong answers to prompts are.

    For some objects of every image a click or a box is asked, and then again, with a click in what
    the answer lacks and one in what it has too much. Each answer costs its Dice loss, the cross
    entropy on the object and beside it, and the square of how far the score is from the true
    overlap; of three masks for one click, the best counts, and the scores of all.

    Parameters
    ----------
    target : Target
        What is drawn from the same maps.
    objects : int
        Of each image, at most.
    rounds : int
        Answers for each.
    again : float
        How often the answer of before is shown.
    drawing : float
        Weight of the target's loss.
    """

    target: Target
    objects: int = 25
    rounds: int = 8
    again: float = 0.5
    drawing: float = 1.0
    numbered: ClassVar[bool] = True
    latest: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check."""
        if self.target.truth != "instances":
            raise ParameterError(
                "Prompts are answered with objects. Give target='distances' and labels that number "
                "objects."
            )
        if self.objects < 1 or self.rounds < 1:
            raise ParameterError(
                f"objects and rounds are numbers from 1, got {self.objects} and {self.rounds}."
            )

    def step(self, model: nn.Module, batch: Batch, /) -> Step:
        """Return the loss of what is drawn, plus the mean loss of all answers."""
        inner = getattr(model, "module", model)  # as several processes wrap it
        if not isinstance(inner, PromptedSAM):
            raise ParameterError(
                f"The objective 'prompting' trains networks that answer prompts, got "
                f"{type(inner).__name__}. Give network='sam'."
            )
        if tuple(batch.images.shape[2:]) != (SIDE, SIDE):
            raise ParameterError(
                f"Prompts are learned on patches of {SIDE} pixels a side, got "
                f"{list(batch.images.shape[2:])}. Leave patch out."
            )
        assert batch.truth is not None, "prompting is given labelled batches"
        assert batch.known is not None
        assert batch.numbers is not None
        maps = inner.embedded(batch.images)
        drawn, logs = self.target.loss(
            inner.drawn(maps, batch.images.shape[2:]), batch.truth, batch.known
        )
        loss = self.drawing * drawn
        where, masks = chosen(batch.numbers, self.objects)
        if len(where):
            wrong, overlap = self._answers(inner, maps[where], masks)
            loss = loss + wrong
            logs = {**logs, "prompting": wrong.detach(), "overlap": overlap}
        return Step(loss, {"loss": loss.detach(), **logs})

    def _answers(self, model: PromptedSAM, maps: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mean loss of all rounds, and the mean overlap after the last."""
        by_box = bool(torch.rand(()) < 0.5)
        asked = Asked(boxes=loose(masks)) if by_box else Asked().with_clicks(masks, on=True)
        losses: list[Tensor] = []
        overlap = torch.zeros(())
        for number in range(self.rounds):
            logits, scores = model.answered(
                maps,
                points=asked.points,
                labels=asked.labels,
                boxes=asked.boxes,
                masks=asked.masks,
                several=number == 0 and not by_box,
            )
            fine = F.interpolate(logits, masks.shape[1:], mode="bilinear", align_corners=False)
            true = overlaps(fine.detach() > 0, masks)
            costs = dice(fine, masks) + balanced(fine, masks)
            best = costs.argmin(1)
            rows = torch.arange(len(best), device=best.device)
            losses.append(costs[rows, best].mean() + (scores - true).square().mean())
            overlap = true[rows, best].mean()
            found = fine.detach()[rows, best] > 0
            asked = asked.with_clicks(masks & ~found, masks, on=True)
            asked = asked.with_clicks(found & ~masks, ~masks, on=False)
            shown = logits.detach()[rows, best][:, None].clamp(-SURE, SURE)
            asked = asked.with_masks(shown if bool(torch.rand(()) < self.again) else None)
        return torch.stack(losses).mean(), overlap


@dataclass(frozen=True, eq=False)
class Asked:
    """Prompts of N objects, as the network takes them."""

    points: Tensor | None = None
    labels: Tensor | None = None
    boxes: Tensor | None = None
    masks: Tensor | None = None

    def with_clicks(self, where: Tensor, other: Tensor | None = None, *, on: bool) -> Asked:
        """Return the prompts with a click for each object.

        Parameters
        ----------
        where : (N, y, x) bool tensor
            Where it may lie.
        other : (N, y, x) bool tensor, optional
            Where it lies for objects that have no such pixel.
        on : bool
            Whether it is on the object.
        """
        if other is not None:
            none = ~where.flatten(1).any(1)
            where = torch.where(none[:, None, None], other, where)
        place, nowhere = drawn(where)  # nowhere beside an object that fills the image
        width = where.shape[-1]
        points = torch.stack([place % width, place // width], -1).float()
        labels = torch.where(nowhere, UNSAID, int(on))
        if self.points is not None and self.labels is not None:
            points = torch.cat([self.points, points], 1)
            labels = torch.cat([self.labels, labels], 1)
        return Asked(points, labels, self.boxes, self.masks)

    def with_masks(self, masks: Tensor | None) -> Asked:
        """Return the prompts with the answers of before, or without."""
        return Asked(self.points, self.labels, self.boxes, masks)


def drawn(where: Tensor) -> tuple[Tensor, Tensor]:
    """Return a pixel of each mask (N, y, x) by its number (N, 1), and which masks have none."""
    upto = where.flatten(1).cumsum(1, dtype=torch.int32)
    count = upto[:, -1:]
    rank = (torch.rand(count.shape).to(count.device) * count).to(torch.int32) + 1
    place = torch.searchsorted(upto, torch.minimum(rank, count.clamp(min=1)))
    return place.clamp(max=upto.shape[1] - 1), count == 0


def chosen(numbers: Tensor, most: int) -> tuple[Tensor, Tensor]:
    """Return some objects of every image: the number of its image (N,), and masks (N, y, x)."""
    images: list[int] = []
    masks: list[Tensor] = []
    for index, labels in enumerate(numbers):
        known, counts = labels[labels > 0].unique(return_counts=True)
        large = known[counts >= LEAST]
        some: Any = large[torch.randperm(len(large))[:most].to(large.device)]
        masks += [labels == number for number in some]
        images += [index] * len(some)
    where = torch.tensor(images, dtype=torch.long, device=numbers.device)
    empty = numbers.new_zeros((0, *numbers.shape[1:]), dtype=torch.bool)
    return where, torch.stack(masks) if masks else empty


def loose(masks: Tensor) -> Tensor:
    """Return boxes (N, 4) around objects, x before y, each side a little off."""
    found = []
    for axis in (2, 1):
        inside = masks.any(3 - axis).float()
        low = inside.argmax(1)
        high = inside.shape[1] - 1 - inside.flip(1).argmax(1)
        found.append((low.float(), high.float()))
    (x0, x1), (y0, y1) = found
    boxes = torch.stack([x0, y0, x1, y1], 1)
    sides = torch.stack([x1 - x0, y1 - y0] * 2, 1) + 1
    away = (torch.rand(boxes.shape) * 2 - 1).to(boxes.device) * LOOSE
    return boxes + away * sides


def overlaps(found: Tensor, masks: Tensor) -> Tensor:
    """Return the intersection over union (N, m) of masks (N, m, y, x) with objects (N, y, x)."""
    true = masks[:, None]
    both = (found & true).flatten(2).sum(2)
    return both / (found | true).flatten(2).sum(2).clamp(min=1)


def dice(logits: Tensor, masks: Tensor) -> Tensor:
    """Return the Dice loss (N, m) of logits (N, m, y, x)."""
    found, true = logits.sigmoid().flatten(2), masks[:, None].flatten(2).float()
    both = (found * true).sum(2)
    return 1 - (2 * both + 1) / (found.sum(2) + true.sum(2) + 1)


def balanced(logits: Tensor, masks: Tensor) -> Tensor:
    """Return the cross entropy (N, m) of logits (N, m, y, x), half of it that of the object.

    Dice alone says little to a network that finds nothing yet.
    """
    true = masks[:, None].flatten(2).float()
    wrong = F.softplus(torch.where(masks[:, None], -logits, logits)).flatten(2)
    sizes = true.sum(2)
    inside, all_of_it = (wrong * true).sum(2), wrong.sum(2)
    beside = (all_of_it - inside) / (true.shape[2] - sizes).clamp(min=1)
    return (inside / sizes.clamp(min=1) + beside) / 2
