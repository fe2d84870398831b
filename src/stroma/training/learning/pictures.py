"""What a training looks like: its history as a table, its curves, and validation images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture
from PIL import ImageDraw

from stroma.data.classes import color_of
from stroma.io.atomic import replaced
from stroma.io.cells import write_table
from stroma.targets.contract import Target
from stroma.training.feeding.cases import Case
from stroma.training.learning.state import scores_in

SHOWN = 4
"""Validation images in the picture."""

SIDE = 256
"""Longest side of each, in pixels."""

WIDTH, HEIGHT, EDGE = 640, 360, 40
BLUE, ORANGE, GREY = (0, 114, 178), (213, 94, 0), (150, 150, 150)


class Pictures:
    """Files in a folder that grow while a network learns.

    Parameters
    ----------
    folder : Path
        Gets ``history.csv``, ``curves.png`` and ``validation.png``.
    target : Target
        What is learned.
    cases : sequence of Case
        Those that are not learned from.
    """

    def __init__(self, folder: Path, target: Target, cases: Sequence[Case]) -> None:
        self.folder, self.target, self.cases = folder, target, cases[:SHOWN]

    def draw(self, history: Sequence[Mapping[str, float]], results: Sequence[Any]) -> None:
        """Write all again; results are those of the cases, in their order."""
        write_history(self.folder / "history.csv", history)
        _save(curves(history), self.folder / "curves.png")
        if self.target.result in ("classes", "instances"):
            rows = [self._row(c, r) for c, r in zip(self.cases, results, strict=False)]
            _save(_stacked(rows), self.folder / "validation.png")
        else:  # that of a training before is none of this one
            (self.folder / "validation.png").unlink(missing_ok=True)

    def _row(self, case: Case, result: Any) -> NDArray[np.uint8]:
        """Return image, truth and prediction side by side; the middle plane of a volume."""
        image = case.read(case.area)
        truth, found = case.truth(case.area), np.asarray(result)
        if case.ndim == 3:
            middle = truth.shape[0] // 2
            image, truth, found = image[:, middle], truth[middle], found[middle]
        parts = [_grey(image), _coloured(truth), _coloured(found)]
        return np.concatenate([_reduced(part) for part in parts], axis=1)


def write_history(path: Path, history: Sequence[Mapping[str, float]]) -> None:
    """Write one row per round as CSV."""
    heads = list(dict.fromkeys(key for row in history for key in row))
    write_table(path, heads, history)


def curves(history: Sequence[Mapping[str, float]]) -> Picture.Image:
    """Return loss and score over the steps, each on a scale of its own."""
    picture = Picture.new("RGB", (WIDTH, HEIGHT), "white")
    pen = ImageDraw.Draw(picture)
    box = (EDGE, EDGE, WIDTH - EDGE, HEIGHT - EDGE)
    pen.rectangle(box, outline=GREY)
    steps = [row["step"] for row in history]
    score = next(iter(scores_in(history[-1])), "")
    for name, colour, x in (("loss", BLUE, EDGE), (score, ORANGE, WIDTH // 2)):
        values = [row[name] for row in history if name in row]
        if not values:
            continue
        low, high = min(values), max(values)
        pen.line(_path(steps, values, box), fill=colour, width=2)
        pen.text((x, 12), f"{name}: {values[-1]:.4g} ({low:.4g} to {high:.4g})", fill=colour)
    pen.text((EDGE, HEIGHT - EDGE + 8), f"{steps[-1]} steps", fill=GREY)
    return picture


def _path(
    steps: Sequence[float], values: Sequence[float], box: tuple[int, int, int, int]
) -> list[tuple[float, float]]:
    left, top, right, bottom = box
    low, span = min(values), max(max(values) - min(values), 1e-12)
    return [
        (left + (right - left) * s / max(steps[-1], 1), bottom - (bottom - top) * (v - low) / span)
        for s, v in zip(steps, values, strict=True)
    ]


def _grey(image: NDArray[Any]) -> NDArray[np.uint8]:
    """Return (C, y, x) as colours: three channels as they are stretched, others as their mean."""
    values = image.astype(np.float32)
    if len(values) != 3:
        values = np.repeat(values.mean(0, keepdims=True), 3, axis=0)
    low, high = np.percentile(values, (0.5, 99.5))
    scaled = np.clip((values - low) / max(float(high - low), 1e-12), 0, 1) * 255
    return np.asarray(scaled.transpose(1, 2, 0), np.uint8)


def _coloured(labels: NDArray[Any]) -> NDArray[np.uint8]:
    """Return labels in their colours; unknown is grey, 0 black."""
    values, place = np.unique(labels, return_inverse=True)
    table = [_colour(int(value)) for value in values]
    return np.array(table, np.uint8)[place.reshape(labels.shape)]


def _colour(label: int) -> tuple[int, int, int]:
    if label <= 0:
        return (90, 90, 90) if label < 0 else (0, 0, 0)
    code = int(color_of((label - 1) % 40 + 1)[1:], 16)
    return code >> 16, code >> 8 & 255, code & 255


def _reduced(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    every = -(-max(picture.shape[:2]) // SIDE)
    small = picture[::every, ::every]
    return np.pad(small, ((0, 4), (0, 4), (0, 0)), constant_values=255)


def _stacked(rows: Sequence[NDArray[np.uint8]]) -> Picture.Image:
    width = max(row.shape[1] for row in rows)
    wide = [np.pad(r, ((0, 0), (0, width - r.shape[1]), (0, 0)), constant_values=255) for r in rows]
    return Picture.fromarray(np.concatenate(wide))


def _save(picture: Picture.Image, path: Path) -> None:
    with replaced(path) as new:
        picture.save(new, format="PNG")
