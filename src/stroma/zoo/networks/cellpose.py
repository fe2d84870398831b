"""Networks of Cellpose 1 to 3, as it saves them: the tensors of its network by name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from stroma.errors import FormatError
from stroma.weights.checkpoint import state_of
from stroma.zoo.networks.taken import Reader, TakenNetwork

FIRST = "downsample.down.res_down_0.conv.conv_0.2.weight"
LAST = "output.2.weight"
RENAMED = (
    (r"^downsample\.down\.res_down_(\d+)\.", r"down.\1."),
    (r"^upsample\.up\.res_up_(\d+)\.", r"up.\1."),
)
SIZES = ("diam_mean", "diam_labels")
OUTPUTS = 3
"""Arrows down and along, and the foreground."""

ORDER = (2, 0, 1)
"""Of the channels: ours start with the foreground."""

PATCH = 224
DIAMETER, NUCLEI = 30.0, 17.0
"""What objects are brought to, in pixels, where a file does not say it; in models of nuclei."""

LARGER = 2.0
"""The largest objects have so many times the diameter of most."""

SMALLEST = 15


def fits(found: Any) -> bool:
    """Tell whether tensors are those of such a network."""
    return isinstance(found, Mapping) and any(
        str(name).removeprefix("module.") == FIRST for name in found
    )


def take(path: Path, found: Any) -> TakenNetwork:
    """Return the network, with the diameters that its file says.

    Raises
    ------
    FormatError
        If it gives something else than flows.
    """
    named = {name.removeprefix("module."): t for name, t in state_of(found, path).items()}
    outputs = len(named[LAST])
    if outputs != OUTPUTS:
        raise FormatError(
            f"{path} gives {outputs} channels: it is one of Cellpose's networks that restore "
            "images. Those that find objects are read here, such as cyto3."
        )
    seen, diameter = _diameters(named, path)
    tensors = {_ours(name): t for name, t in named.items() if name not in SIZES}
    for name in (LAST, "output.2.bias"):
        tensors[name] = tensors[name][list(ORDER)]
    channels = named[FIRST].shape[1]
    about = {
        "network": "cellpose",
        "params": {"features": _widths(named)},
        "target": "flows",
        "target_params": {"diameter": LARGER * diameter, "smallest": SMALLEST, "ndim": 2},
        "ndim": 2,
        "channels": channels,
        "normalisation": {"schemes": ["percentile"] * channels, "percentiles": [1, 99]},
        "patch": (PATCH, PATCH),
        "training": {"decode": {"foreground": 0.5, "flow_error": 0.4, "smallest": SMALLEST}},
        "diameter": seen,
        "zoom": seen / diameter,
        "feed": "pair" if channels == 2 else "",
    }
    took = (
        f"the network: {channels} channels in, foreground and arrows out",
        f"diameters: objects of {diameter:.3g} pixels are brought to {seen:.3g}",
        "decoding: foreground above 0.5 (cellprob_threshold 0), flow_threshold 0.4, min_size 15",
    )
    left = ("the model of sizes (a file of its own): give the diameter of your objects instead",)
    return TakenNetwork(path, "Cellpose 1 to 3", about, tensors, took, left)


def _ours(name: str) -> str:
    for pattern, replacement in RENAMED:
        name = re.sub(pattern, replacement, name)
    return name


def _widths(named: Mapping[str, torch.Tensor]) -> list[int]:
    """Return the channels of every stage."""
    found: list[int] = []
    while (key := f"downsample.down.res_down_{len(found)}.proj.1.bias") in named:
        found.append(len(named[key]))
    return found


def _diameters(named: Mapping[str, torch.Tensor], path: Path) -> tuple[float, float]:
    """Return the diameter that objects are brought to, and that of objects in images."""
    nuclei = path.name.startswith("nuclei")
    seen = NUCLEI if nuclei else _number(named, "diam_mean", DIAMETER, path)
    return seen, _number(named, "diam_labels", seen, path)


def _number(named: Mapping[str, torch.Tensor], name: str, usual: float, path: Path) -> float:
    if name not in named:
        return usual
    if named[name].numel() != 1 or not 1 <= float(named[name]) <= 10_000:
        raise FormatError(f"{path} does not say a diameter in pixels as {name}.")
    return float(named[name])


READER = Reader("Cellpose 1 to 3 (cyto, cyto2, cyto3, nuclei, own ones)", take, fits)
