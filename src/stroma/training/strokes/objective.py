"""The objective ``few-stroke``: from the strokes of an episode to the labels of all its pixels."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from stroma.errors import ParameterError
from stroma.training.contract import Batch, Step
from stroma.training.strokes.batches import Episodes, painted_pixels
from stroma.training.strokes.head import RidgeHead, mean_iou, stroke_loss
from stroma.training.strokes.network import StrokeNetwork

STEP = 2
"""The loss looks at every second pixel of every second row; which, changes."""

SCORED_EVERY = 5
"""Batches of training of which one is scored, which costs a tenth of a step."""


class FewStrokes(nn.Module):
    """Features are good if ridge regression on the painted pixels gets the others right.

    It is solved with the network's features alone, and for some episodes also with filters made
    by hand beside them, all divided by their deviations.

    Parameters
    ----------
    target : None
        There is none: what is asked for are the labels of generated episodes.

    Raises
    ------
    ParameterError
        If there is a target.
    """

    def __init__(self, target: None = None) -> None:
        super().__init__()
        if target is not None:
            raise ParameterError(
                "The objective 'few-stroke' learns features from generated episodes, not from "
                "labelled images. Run: python -m stroma.training.strokes FOLDER"
            )
        self.alone, self.beside = RidgeHead(), RidgeHead(standard=True)

    def step(self, model: nn.Module, batch: Batch, /) -> Step:
        """Return the loss of a network on episodes, and often mean intersections over union.

        Parameters
        ----------
        model : nn.Module
            From images (B, C, y, x) to features (B, F, y, x).
        batch : Episodes
        """
        assert isinstance(batch, Episodes), "few-stroke learns from episodes"
        features = model(batch.images)
        offset = (batch.seed % STEP, batch.seed // STEP % STEP)
        asked = (..., slice(offset[0], None, STEP), slice(offset[1], None, STEP))
        most = int(batch.labels.max()) + 1
        positions, classes = painted_pixels(batch.strokes)
        labels, strokes = batch.labels[asked].flatten(1), batch.strokes[asked].flatten(1)
        near, far = picked(features, positions), features[asked].flatten(2).float()
        alone = self.alone(near, classes, far, most=most)
        b = len(batch.filters)
        near = torch.cat([near[:b], picked(batch.filters, positions[:b])], 1)
        far = torch.cat([far[:b], batch.filters[asked].flatten(2).float()], 1)
        beside = self.beside(near, classes[:b], far, most=most)
        loss = stroke_loss(alone, labels, strokes) + stroke_loss(beside, labels[:b], strokes[:b])
        logs = {"loss": loss.detach()}
        if not self.training or batch.seed % SCORED_EVERY == 0:
            logs["alone"] = mean_iou(alone, labels, strokes)
            logs["beside"] = mean_iou(beside, labels[:b], strokes[:b])
        return Step(loss, logs)


class Learner(FewStrokes):
    """The objective together with the network that it trains."""

    def __init__(self, network: StrokeNetwork | None = None) -> None:
        super().__init__()
        self.network = network or StrokeNetwork()

    def outcome(self, batch: Episodes, *, mixed: bool = True) -> Step:
        """Return the loss of the network on a batch; with ``mixed`` its filters in bfloat16."""
        device = batch.images.device.type
        with torch.autocast(device, torch.bfloat16, enabled=mixed):
            return self.step(self.network, batch)


def picked(features: Tensor, positions: Tensor) -> Tensor:
    """Return the features (B, F, m) of painted pixels."""
    flat = features.flatten(2)
    return flat.gather(2, positions[:, None].expand(-1, flat.shape[1], -1)).float()
