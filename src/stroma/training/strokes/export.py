"""From a training to the weights that are shipped, and the record of what made them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from stroma.errors import FormatError, MissingFileError, ParameterError
from stroma.features.strokenet.learned_layout import LAYOUT
from stroma.features.strokenet.learned_weights import write_weights
from stroma.training.strokes.loop import CHECKPOINT, LOG, Settings
from stroma.training.strokes.network import StrokeNetwork
from stroma.training.strokes.objective import Learner


@torch.no_grad()
def folded(network: StrokeNetwork) -> dict[str, NDArray[np.float32]]:
    """Return weights and biases by layer, batch normalisation folded into the convolutions."""
    layers = dict(network.named_modules())
    weights = {}
    for name, layer in layers.items():
        if isinstance(layer, nn.Conv2d):
            owner, norm = _normalised(layers, name)
            weight, bias = _folded(layer, norm)
            weights[f"{owner}.weight"], weights[f"{owner}.bias"] = weight, bias
    return weights


def _normalised(layers: dict[str, nn.Module], name: str) -> tuple[str, nn.BatchNorm2d | None]:
    """Return the name of a convolution with the normalisation that follows it, if one does."""
    owner, _, position = name.rpartition(".")
    after = layers.get(f"{owner}.{int(position) + 1}") if position.isdigit() else None
    return (owner, after) if isinstance(after, nn.BatchNorm2d) else (name, None)


def _folded(
    layer: nn.Conv2d, norm: nn.BatchNorm2d | None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    weight, bias = layer.weight, layer.bias
    if norm is not None:
        assert norm.running_mean is not None
        assert norm.running_var is not None
        gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        weight, bias = weight * gain[:, None, None, None], norm.bias - norm.running_mean * gain
    assert bias is not None
    arrays = [np.ascontiguousarray(t.detach().cpu().numpy(), np.float32) for t in (weight, bias)]
    return arrays[0], arrays[1]


def export(folder: Path, target: Path) -> None:
    """Write the averaged weights of a training, and beside them what made them as JSON.

    Parameters
    ----------
    folder : Path
        Of the training.
    target : Path
        A ``.npz`` file; the record has the same name and ends in ``.json``.

    Raises
    ------
    MissingFileError
        If nothing was trained there.
    ParameterError
        If the network has another width than the one that `StrokeNet` computes.
    """
    state = checkpoint(folder)
    model = trained(state)
    if model.network.layout != LAYOUT:
        raise ParameterError(
            f"The network in {folder} was trained with a width of {state['settings']['width']} to "
            "see what width is worth. Only one of width 1 can be exported."
        )
    write_weights(target, folded(model.network))
    record = made_by(state, log(folder))
    target.with_suffix(".json").write_text(json.dumps(record, indent=2) + "\n")


def trained(state: dict[str, Any]) -> Learner:
    """Return the averaged network of a checkpoint."""
    model = Settings(**state["settings"]).learner()
    model.load_state_dict(state["average"])
    return model


def checkpoint(folder: Path) -> dict[str, Any]:
    """Return the last checkpoint of a training."""
    path = folder / CHECKPOINT
    if not path.exists():
        raise MissingFileError(
            f"No training in {folder}: {CHECKPOINT} is missing. Train there first: "
            f"python -m stroma.training.strokes {folder} --minutes 60"
        )
    state: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu")
    return state


def log(folder: Path) -> list[dict[str, Any]]:
    """Return the lines of a training's log; none before the first was written."""
    path = folder / LOG
    lines = path.read_text().splitlines() if path.exists() else []
    try:
        return [json.loads(line) for line in lines]
    except ValueError as error:
        raise FormatError(f"{path} has a line that is not JSON: {error}") from error


def made_by(state: dict[str, Any], entries: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what made the weights: command, steps, time and scores."""
    settings = state["settings"]
    given = {k: v for k, v in settings.items() if v != getattr(Settings(), k)}
    options = [f"--{name} {value}" for name, value in given.items()]
    checks = [entry for entry in entries if entry["kind"] == "validation"]
    return {
        "command": " ".join(["python -m stroma.training.strokes FOLDER", *options]),
        "steps": state["number"],
        "episodes": state["number"] * settings["batch"],
        "hours": round(state["seconds"] / 3600, 3),
        "device": settings["device"],
        "torch": torch.__version__,
        "validation": checks[-1] if checks else None,
    }
