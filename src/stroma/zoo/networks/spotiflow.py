"""Networks of Spotiflow: a folder with ``config.yaml``, ``thresholds.yaml`` and ``best.pt``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from stroma.errors import FormatError, short
from stroma.weights.checkpoint import read_checkpoint, state_of
from stroma.weights.settings import yaml_of
from stroma.zoo.networks.taken import Reader, TakenNetwork

CONFIG, THRESHOLDS = "config.yaml", "thresholds.yaml"
WEIGHTS = ("best", "last")
THRESHOLD = 0.5
WIDEST = 3.0
"""Ways to spots are told up to so many widths of a spot, by our target."""

RENAMED = (
    (r"^_backbone\.down_blocks\.(\d+)\.(\d+)\.block\.", r"down.\1.\2."),
    (r"^_backbone\.up_blocks\.(\d+)\.(\d+)\.block\.", r"up.\1.\2."),
    (r"^_backbone\.middle\.(\d+)\.block\.", r"middle.\1."),
    (r"^_post\.heads\.0\.(\d+)\.block\.", r"head.\1."),
    (r"^_post\.last_convs\.0\.block\.0\.", "heat."),
    (r"^_flow\.", "flow."),
    (r"^_downsampler\.", "first."),
)
COARSER = re.compile(r"^_post\.(heads|last_convs)\.[1-9]")
"""Heads at coarser resolutions, which only its training needs."""

Said = Mapping[str, Any]


def take(path: Path, _: Any) -> TakenNetwork:
    """Return the network in a folder.

    Raises
    ------
    FormatError
        If it is of another kind than the U-Nets that Spotiflow has by default.
    """
    config = yaml_of(path / CONFIG)
    _require_known(config, path / CONFIG)
    which, weights = _weights(path)
    ndim = 3 if config["is_3d"] else 2
    params = _params(config, ndim, path)
    width = max(params["sigma"], 1.0) * params["grid"]
    params["unit"] = WIDEST * width
    threshold = _threshold(path / THRESHOLDS, which)
    channels = int(config["in_channels"])
    about = {
        "network": "spotiflow",
        "params": params,
        "target": "spots",
        "target_params": {"ndim": ndim, "width": width},
        "ndim": ndim,
        "channels": channels,
        "normalisation": {"schemes": ["percentile"] * channels, "percentiles": [1, 99.8]},
        "patch": (256, 256) if ndim == 2 else (32, 128, 128),
        "training": {"decode": {"threshold": threshold, "apart": params["grid"]}},
    }
    tensors = _tensors(read_checkpoint(weights), weights)
    took = (
        f"the network in {ndim}-D, from {weights.name}"
        + (f"; spots on a grid of {params['grid']} pixels" if params["grid"] > 1 else ""),
        f"spots: heat above {threshold:.3g}, a pixel apart at least"
        + (", moved between pixels" if params["flow"] else ""),
        "intensities: 1st and 99.8th percentile become 0 and 1",
    )
    return TakenNetwork(path, "Spotiflow", about, tensors, took)


def _require_known(config: Said, path: Path) -> None:
    """Refuse what our network of Spotiflow is not."""
    wanted: dict[str, tuple[Any, ...]] = {
        "backbone": ("unet", "unet_res"),
        "mode": ("slim", "direct"),
        "out_channels": (1,),
        "background_remover": (False,),
    }
    for key, known in wanted.items():
        found = config.get(key, known[0])
        if found not in known:
            raise FormatError(
                f"{path} has {key} {short(found, 30)}; read are networks with "
                f"{' or '.join(map(str, known))}."
            )


def _params(config: Said, ndim: int, path: Path) -> dict[str, Any]:
    """Return what our network is built with."""
    grid = {int(n) for n in config.get("grid") or (1,)} if ndim == 3 else {1}
    kernels = [[int(n) for n in one] for one in config["kernel_sizes"]]
    if len(grid) > 1:
        raise FormatError(f"{path / CONFIG} has a grid of {sorted(grid)}; read are equal sides.")
    if int(config["padding"]) != kernels[0][0] // 2 or len({n for k in kernels for n in k}) > 1:
        raise FormatError(
            f"{path / CONFIG} has kernels of {short(kernels, 40)} with a padding of "
            f"{short(config['padding'], 20)}; read are networks that keep the sides of images."
        )
    return {
        "features": int(config["initial_fmaps"]),
        "growth": float(config["fmap_inc_factor"]),
        "steps": [[int(n) for n in one] for one in config["downsample_factors"]],
        "kernels": kernels,
        "norm": bool(config["batch_norm"]),
        "add": config["backbone"] == "unet_res",
        "flow": bool(config["compute_flow"]),
        "sigma": float(config["sigma"]),
        "grid": grid.pop(),
    }


def _weights(path: Path) -> tuple[str, Path]:
    """Return the weights: the best of the training, where they are there."""
    for which in WEIGHTS:
        if (path / f"{which}.pt").is_file():
            return which, path / f"{which}.pt"
    raise FormatError(f"{path} holds no weights: neither best.pt nor last.pt is there.")


def _threshold(path: Path, which: str) -> float:
    """Return the least heat of a spot."""
    said = yaml_of(path) if path.is_file() else {}
    found = said.get(f"prob_thresh_{which}", said.get("prob_thresh", THRESHOLD))
    value = float(found[0] if isinstance(found, list) else found)
    if not 0 <= value <= 1:
        raise FormatError(f"{path} has a threshold of {value:.3g}; allowed is 0 to 1.")
    return value


def _tensors(found: Any, path: Path) -> dict[str, torch.Tensor]:
    """Return tensors by our names."""
    held = found.get("state_dict") if isinstance(found, Mapping) else None
    named = {name.replace("model.", ""): t for name, t in state_of(held, path).items()}
    return {_ours(name): t for name, t in named.items() if not COARSER.match(name)}


def _ours(name: str) -> str:
    for pattern, replacement in RENAMED:
        name = re.sub(pattern, replacement, name)
    return name


READER = Reader("Spotiflow (a folder with config.yaml and best.pt)", take=take)
