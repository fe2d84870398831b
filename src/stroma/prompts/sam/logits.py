"""Prompts as Segment Anything takes them, and masks of the logits that it answers with."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from stroma.prompts.contract import OBJECT, REST, Prompts, pixels
from stroma.prompts.everything import Found
from stroma.prompts.sam.questions import Question
from stroma.prompts.sam.windows import Window

Bools = NDArray[np.bool_]
Logits = NDArray[np.float32]

SURE = 6.9
"""Logit of an earlier mask's pixels: one in a thousand is wrong."""

STEP = 1.0
"""How far logits are moved to see how stable a mask is."""

COARSE = 4
"""Pixels of the network for one of the masks it returns and is given."""


def tensors_of(
    window: Window, question: Question, before: Bools | None, side: int
) -> dict[str, torch.Tensor]:
    """Return the prompts as the network takes them: x before y, in its own pixels."""
    found: dict[str, torch.Tensor] = {}
    seen = window.holds(question.points)
    if seen.any():
        places = window.place(question.points[seen])[:, ::-1]
        found["input_points"] = torch.tensor(places.copy(), dtype=torch.float32)[None, None]
        found["input_labels"] = torch.tensor(question.labels[seen], dtype=torch.int64)[None, None]
    if question.box is not None:
        corners = window.place(question.box)[:, ::-1].reshape(4)
        found["input_boxes"] = torch.tensor(corners, dtype=torch.float32)[None, None]
    if before is not None:
        found["input_masks"] = coarse(before[window.slices], window, side)
    return found


def coarse(mask: Bools, window: Window, side: int) -> torch.Tensor:
    """Return an earlier mask as the logits (1, 1, y, x) that the network would have given."""
    rows, columns = window.inner
    values = torch.from_numpy(mask.astype(np.float32))[None, None]
    resized = F.interpolate(values, (rows, columns), mode="bilinear", antialias=True)
    padded = F.pad(resized, (0, side - columns, 0, side - rows))
    share = F.avg_pool2d(padded, COARSE)
    return (share * 2 - 1) * SURE


def at_pixels(logits: torch.Tensor, window: Window, side: int) -> torch.Tensor:
    """Return coarse logits (1, n, y, x) at the pixels of a window."""
    rows, columns = window.inner
    fine = F.interpolate(logits, (side, side), mode="bilinear", align_corners=False)
    return F.interpolate(
        fine[..., :rows, :columns], window.shape, mode="bilinear", align_corners=False
    )


def inside(logits: Logits, window: Window, question: Question) -> Bools:
    """Return the pixels of a window above 0; in a box where there are none, the highest."""
    allowed = np.ones(logits.shape, bool)
    if question.box is not None:
        low, high = np.rint(question.box - np.array(window.low)).astype(int)
        allowed[:] = False
        allowed[tuple(slice(max(0, a), b + 1) for a, b in zip(low, high, strict=True))] = True
    mask: Bools = (logits > 0) & allowed
    if not mask.any():
        mask.flat[int(np.where(allowed, logits, -np.inf).argmax())] = True
    return mask


def found_in(logits: Logits, window: Window, score: float) -> Found | None:
    """Return a mask of a window in the image; stable where the threshold hardly matters."""
    inside, outside = logits > STEP, logits > -STEP
    one = Found.of(logits > 0, score, float(inside.sum() / max(1, outside.sum())))
    if one is None:
        return None
    low = window.low[0] + one.low[0], window.low[1] + one.low[1]
    return Found(low, one.mask, score, one.stability)


def held(mask: Bools, given: Prompts) -> Bools:
    """Return a mask with what was said of single pixels."""
    places = pixels(given.points, mask.shape)
    if given.strokes is not None:
        mask[given.strokes == OBJECT], mask[given.strokes == REST] = True, False
    for label in (False, True):
        mask[tuple(axis[given.labels == label] for axis in places)] = label
    return mask
