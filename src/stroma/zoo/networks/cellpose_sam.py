"""The network of Cellpose-SAM (Cellpose 4), as Cellpose saves it: tensors by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from stroma.backbones.cellpose_sam import FEATURES, PATCH, TILE, Size, size_of
from stroma.errors import FormatError
from stroma.weights import CATALOGUE
from stroma.weights.checkpoint import state_of
from stroma.weights.keymaps import KEYMAPS
from stroma.zoo.networks.taken import Reader, TakenNetwork

READOUT, PIXELS = "out.weight", "W2"
PLACES = "encoder.pos_embed"
ANOTHER = "encoder.cls_token"
"""A tensor of the networks of Cellpose 4 that have another encoder, DINOv3."""

OUTPUTS = 3
"""Arrows down and along, and the foreground."""

ORDER = (2, 0, 1)
"""Of the channels: ours start with the foreground."""

DIAMETER = 30.0
"""What objects are brought to, in pixels, where somebody gives their diameter."""

LARGEST = 120.0
"""Diameter of the largest objects, in pixels, where nobody does."""

SMALLEST = 15


def fits(found: Any) -> bool:
    """Tell whether tensors are those of a network of Cellpose 4."""
    if not isinstance(found, Mapping):
        return False
    names = {str(name).removeprefix("module.") for name in found}
    return {READOUT, PIXELS} <= names and any(name.startswith("encoder.") for name in names)


def take(path: Path, found: Any) -> TakenNetwork:
    """Return the network.

    Raises
    ------
    FormatError
        If it has another encoder, or gives something else than flows.
    """
    named = {name.removeprefix("module."): t for name, t in state_of(found, path).items()}
    if ANOTHER in named:
        raise FormatError(
            f"{path} is one of Cellpose's networks with DINOv3 (cpdino), which are not read here. "
            "Those with Segment Anything are: cpsam and cpsam_v2."
        )
    tensors = _encoder(named)
    size = _size(tensors, path)
    whole = {f"encoder.{name}": t for name, t in tensors.items()} | _readout(named, path)
    _require_tile(named, path)
    about = {
        "network": "cellpose_sam",
        "params": {**asdict(size), "reach": list(size.reach)},
        "target": "flows",
        "target_params": {"diameter": LARGEST, "smallest": SMALLEST, "ndim": 2},
        "ndim": 2,
        "channels": 3,
        "normalisation": {"schemes": ["percentile"] * 3, "percentiles": [1, 99]},
        "patch": (TILE, TILE),
        "training": {"decode": {"foreground": 0.5, "flow_error": 0.4, "smallest": SMALLEST}},
        "diameter": DIAMETER,
        "feed": "three",
    }
    took = (
        f"the network: {size.layers} layers of {size.features} features, up to 3 channels in, "
        "foreground and arrows out",
        "objects of any size, on the pixels as they are; with a diameter, brought to 30",
        "decoding: foreground above 0.5 (cellprob_threshold 0), flow_threshold 0.4, min_size 15",
    )
    licence = CATALOGUE["cellpose_sam"].licence
    return TakenNetwork(path, "Cellpose-SAM", about, whole, took, licence=licence)


def _encoder(named: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return the tensors of the encoder, by our names."""
    inner = {name: t for name, t in named.items() if name.startswith("encoder.")}
    rules = KEYMAPS["cellpose_sam"].of(inner)
    return {piece.name: t for name, t in inner.items() for piece in rules.pieces(name)}


def _size(tensors: Mapping[str, torch.Tensor], path: Path) -> Size:
    try:
        return size_of({name: tuple(t.shape) for name, t in tensors.items()})
    except FormatError as error:
        raise FormatError(f"{path}: {error}") from error


def _readout(named: Mapping[str, torch.Tensor], path: Path) -> dict[str, torch.Tensor]:
    """Return the layer that draws every patch, its channels in our order.

    How its values lie in a patch, the file says by a tensor of its own, which is taken in.
    """
    weight, bias, pixels = (named[name].float() for name in (READOUT, "out.bias", PIXELS))
    count = len(bias)
    sides = (PATCH, PATCH)
    if count % PATCH**2 or count // PATCH**2 != OUTPUTS:
        raise FormatError(
            f"{path} gives {count} values for every patch of {PATCH} x {PATCH} pixels; read are "
            f"networks that find objects, which give {OUTPUTS} for every pixel."
        )
    if tuple(weight.shape) != (count, FEATURES, 1, 1) or pixels.shape != (count, OUTPUTS, *sides):
        raise FormatError(
            f"{path} has {READOUT} of shape {tuple(weight.shape)} and {PIXELS} of shape "
            f"{tuple(pixels.shape)}; those of Cellpose-SAM are {(count, FEATURES, 1, 1)} and "
            f"{(count, OUTPUTS, *sides)}."
        )
    lie = pixels.flatten(1).T
    weights, biases = (
        (lie @ values.flatten(1)).reshape(OUTPUTS, PATCH**2, -1)[list(ORDER)].flatten(0, 1)
        for values in (weight, bias[:, None])
    )
    return {READOUT: weights[:, :, None, None], "out.bias": biases[:, 0]}


def _require_tile(named: Mapping[str, torch.Tensor], path: Path) -> None:
    """Refuse networks of other tiles, or other patches."""
    rows, columns = named[PLACES].shape[1:3]
    high, wide = named["encoder.patch_embed.proj.weight"].shape[2:]
    if (rows, columns, high, wide) != (*(TILE // PATCH,) * 2, *(PATCH,) * 2):
        raise FormatError(
            f"{path} sees tiles of {rows} x {columns} patches of {high} x {wide} pixels; those of "
            f"Cellpose-SAM are {TILE // PATCH} x {TILE // PATCH} patches of {PATCH} x {PATCH}."
        )


READER = Reader("Cellpose-SAM (Cellpose 4: cpsam, cpsam_v2, own ones)", take, fits)
