"""The objective ``few-stroke``: from the strokes of an episode to the labels of all its pixels."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from stroma.training.strokes.batches import Batch, painted_pixels
from stroma.training.strokes.head import RidgeHead, mean_iou, stroke_loss
from stroma.training.strokes.network import StrokeNetwork

STEP = 2
"""The loss looks at every second pixel of every second row; which, changes."""


class FewStroke(nn.Module):
    """A network and the two heads it is trained through: alone, and beside filters made by hand."""

    def __init__(self, network: StrokeNetwork | None = None) -> None:
        super().__init__()
        self.network = network or StrokeNetwork()
        self.alone, self.beside = RidgeHead(), RidgeHead()


@dataclass(frozen=True)
class Outcome:
    """What one batch gave: the loss, and mean intersections over union."""

    loss: Tensor
    alone: float
    beside: float

    def numbers(self) -> dict[str, float]:
        """Return them all as numbers."""
        return {"loss": float(self.loss.detach()), "alone": self.alone, "beside": self.beside}


def step(model: FewStroke, batch: Batch, number: int, *, mixed: bool = True) -> Outcome:
    """Return the loss of a batch.

    Parameters
    ----------
    number : int
        Of the step; says which pixels the loss looks at.
    mixed : bool
        Convolutions in bfloat16.
    """
    with torch.autocast(batch.images.device.type, torch.bfloat16, enabled=mixed):
        features = model.network(batch.images)
    offset = (number % STEP, number // STEP % STEP)
    asked = (..., slice(offset[0], None, STEP), slice(offset[1], None, STEP))
    most = int(batch.labels.max()) + 1
    positions, classes = painted_pixels(batch.strokes)
    labels, strokes = batch.labels[asked].flatten(1), batch.strokes[asked].flatten(1)
    near, far = picked(features, positions), features[asked].flatten(2).float()
    alone = model.alone(near, classes, far, most=most)
    b = len(batch.filters)
    filters = batch.filters
    near = torch.cat([near[:b], picked(filters, positions[:b])], 1)
    far = torch.cat([far[:b], filters[asked].flatten(2).float()], 1)
    beside = model.beside(near, classes[:b], far, most=most)
    loss = stroke_loss(alone, labels, strokes) + stroke_loss(beside, labels[:b], strokes[:b])
    return Outcome(
        loss, mean_iou(alone, labels, strokes), mean_iou(beside, labels[:b], strokes[:b])
    )


def picked(features: Tensor, positions: Tensor) -> Tensor:
    """Return the features (B, F, m) of painted pixels."""
    flat = features.flatten(2)
    return flat.gather(2, positions[:, None].expand(-1, flat.shape[1], -1)).float()
