"""Write losses.json: what MONAI's losses say of random examples.

Needs monai (1.6.1 made the file that is here); it is not needed to run the tests. Run as
``python make_losses.py``.
"""

import importlib
import json
from pathlib import Path

import numpy as np
import torch

losses = importlib.import_module("monai.losses")
SHAPES = ((2, 3, 6, 7), (1, 2, 4, 5, 6))


def example(number):
    """Return outputs and classes, as lists."""
    shape = SHAPES[number % 2]
    rng = np.random.default_rng(number)
    output = rng.normal(size=shape).round(4)
    classes = rng.integers(0, shape[1], (shape[0], *shape[2:]))
    return output.tolist(), classes.tolist()


def told(output, classes):
    """Return every loss by name."""
    y = torch.tensor(output, dtype=torch.double)
    index = torch.tensor(classes)
    t = torch.nn.functional.one_hot(index, y.shape[1]).movedim(-1, 1).double()
    small = {"smooth_nr": 1e-5, "smooth_dr": 1e-5}
    made = {
        "dice": losses.DiceLoss(softmax=True, **small),
        "dice squared": losses.DiceLoss(softmax=True, squared_pred=True, **small),
        "dice of the batch": losses.DiceLoss(softmax=True, batch=True, **small),
        "dice without background": losses.DiceLoss(softmax=True, include_background=False, **small),
        "dice sigmoid": losses.DiceLoss(sigmoid=True, **small),
        "generalised dice": losses.GeneralizedDiceLoss(softmax=True, **small),
        "tversky": losses.TverskyLoss(softmax=True, alpha=0.3, beta=0.7, **small),
        "focal": losses.FocalLoss(use_softmax=True, gamma=2.0, reduction="none"),
        "focal sigmoid": losses.FocalLoss(gamma=2.0),
        "dice and cross entropy": losses.DiceCELoss(softmax=True, **small),
    }
    found = {name: float(loss(y, t).sum() if name == "focal" else loss(y, t)) for name, loss in
             made.items()}  # fmt: skip
    found["focal"] /= index.numel()  # a mean over pixels, of sums over classes
    return found


if __name__ == "__main__":
    table = []
    for number in range(4):
        output, classes = example(number)
        table.append({"output": output, "classes": classes, "losses": told(output, classes)})
    Path(__file__).with_name("losses.json").write_text(json.dumps(table), encoding="utf-8")
