"""What a training came to: its curve, and its scores on every kind of scene beside filters'."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from stroma.training.strokes.batches import (
    VALIDATION_SEED,
    Episodes,
    packed,
    painted_pixels,
    unpacked,
)
from stroma.training.strokes.episodes import episode
from stroma.training.strokes.export import checkpoint, log, trained
from stroma.training.strokes.head import RidgeHead, mean_iou
from stroma.training.strokes.objective import Learner, picked
from stroma.training.strokes.scenes import SCENES

SCORES = ("loss", "alone", "beside")
"""Columns of the curve; not every step has them all."""

PENALTIES = (-5.0, -3.0, -1.0)
"""Logarithms of the penalties that are tried for filters alone; the best one counts."""


def curve(folder: Path) -> str:
    """Return the log of a training as a table: every fiftieth step, and the validations."""
    rows = [f"{'':12}{'step':>8}{'minutes':>9}{'loss':>8}{'alone':>8}{'beside':>8}"]
    for entry in log(folder):
        scores = "".join(f"{entry.get(name, np.nan):8.3f}" for name in SCORES)
        rows.append(f"{entry['kind']:12}{entry['step']:8}{entry['seconds'] / 60:9.1f}{scores}")
    return "\n".join(rows)


def kinds(folder: Path, *, count: int = 24) -> str:
    """Return a table of mean intersections over union on episodes that were not trained on.

    Parameters
    ----------
    count : int
        Grey episodes of every kind of scene.
    """
    model = trained(checkpoint(folder))
    model.eval()
    found = {kind: _scores(model, _episodes(kind, count)) for kind in SCENES}
    rows = ["| scene | filters | network | both |", "|---|---|---|---|"]
    rows += [_row(kind, scores) for kind, scores in found.items()]
    means = np.mean(list(found.values()), axis=0)
    return "\n".join([*rows, _row("mean", tuple(means))])


def _row(name: str, scores: tuple[float, ...]) -> str:
    return f"| {name} | " + " | ".join(f"{score:.3f}" for score in scores) + " |"


def _episodes(kind: str, count: int) -> Episodes:
    made = [episode(VALIDATION_SEED + 1, i, kind=kind, channels=1) for i in range(count)]
    return unpacked(packed(made, count), 0)


@torch.no_grad()
def _scores(model: Learner, batch: Episodes) -> tuple[float, float, float]:
    """Return the scores of filters, of the network, and of both."""
    learned, filters = model.network(batch.images), batch.filters.float()
    heads = [RidgeHead() for _ in PENALTIES]
    for head, penalty in zip(heads, PENALTIES, strict=True):
        head.log_penalty.fill_(penalty)
    by_hand = max(_score(head, filters, batch) for head in heads)
    both = torch.cat([learned, filters], 1)
    return by_hand, _score(model.alone, learned, batch), _score(model.beside, both, batch)


def _score(head: RidgeHead, features: Tensor, batch: Episodes) -> float:
    positions, classes = painted_pixels(batch.strokes)
    most = int(batch.labels.max()) + 1
    scores = head(picked(features, positions), classes, features.flatten(2), most=most)
    return float(mean_iou(scores, batch.labels.flatten(1), batch.strokes.flatten(1)))
