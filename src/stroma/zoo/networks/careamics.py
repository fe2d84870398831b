"""Networks of CAREamics (Noise2Void, Noise2Void 2, CARE, Noise2Noise), as Lightning saves them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from stroma.errors import FormatError, short
from stroma.weights.checkpoint import state_of
from stroma.zoo.networks.taken import Reader, TakenNetwork

ALGORITHMS = {"n2v": "Noise2Void", "care": "CARE", "n2n": "Noise2Noise"}
STATE, SETTINGS, DATA = "state_dict", "hyper_parameters", "datamodule_hyper_parameters"
START = "model."
STEP = 2
LEAST = 1e-6
"""Is added to deviations, as there."""

RANGES = {
    "min_max": ("mins", "maxes"),
    "quantile": ("lower_quantile_values", "upper_quantile_values"),
}
"""Names of the values that become 0 and 1, by the name of the normalisation."""

BLOCK = r"(conv|batch_norm)([12])\.(.*)$"

Said = Mapping[str, Any]
Scale = tuple[list[float], list[float]]


def fits(found: Any) -> bool:
    """Tell whether a file is a checkpoint of CAREamics."""
    settings = found.get(SETTINGS) if isinstance(found, Mapping) else None
    return isinstance(settings, Mapping) and "algorithm_config" in settings


def take(path: Path, found: Any) -> TakenNetwork:
    """Return the network, with the intensities that it was trained on.

    Raises
    ------
    FormatError
        If it is of another kind, or the file does not say how intensities are scaled.
    """
    algorithm = found[SETTINGS]["algorithm_config"]
    kind = str(algorithm["algorithm"])
    if kind not in ALGORITHMS:
        raise FormatError(
            f"{path} is a network of CAREamics for {short(kind, 30)}; read are "
            f"{', '.join(ALGORITHMS.values())}."
        )
    model = algorithm["model"]
    params = _params(model, path)
    ndim, channels = int(model["conv_dims"]), int(model["in_channels"])
    outputs = int(model["num_classes"])
    data = _data(found, path)
    enters, leaves, scaled = _scales(data, channels, outputs, path)
    about = {
        "network": "careamics",
        "params": params,
        "target": "denoise" if kind == "n2v" else "restore",
        "target_params": {
            "count": outputs,
            "squared": algorithm.get("loss") != "mae",
            "gain": leaves[1],
            "offset": leaves[0],
        },
        "ndim": ndim,
        "channels": channels,
        "normalisation": {"schemes": ["given"] * channels, "mean": enters[0], "std": enters[1]},
        "patch": _patch(data, ndim),
    }
    named = state_of(found.get(STATE), path)
    tensors = _tensors(named, norm=params["norm"])
    took = (
        f"the network: {ALGORITHMS[kind]}{' 2' * params['blur']} in {ndim}-D, "
        f"{params['depth']} steps of {params['features']} features",
        f"channels: {channels} in, {outputs} out{', each by itself' * params['apart']}",
        f"intensities: {scaled}",
    )
    return TakenNetwork(path, "CAREamics", about, tensors, took)


def _params(model: Said, path: Path) -> dict[str, Any]:
    """Return what our network is built with."""
    if model.get("architecture", "UNet") != "UNet":
        raise FormatError(
            f"{path}: its network is {short(model['architecture'], 30)}; read is UNet."
        )
    if model.get("pool_kernel", STEP) != STEP:
        raise FormatError(
            f"{path}: pool_kernel is {short(model['pool_kernel'], 30)}; read is {STEP}."
        )
    return {
        "features": int(model["num_channels_init"]),
        "depth": int(model["depth"]),
        "norm": bool(model.get("use_batch_norm", True)),
        "blur": bool(model.get("n2v2", False)),
        "residual": bool(model.get("residual", False)),
        "end": str(model.get("final_activation") or "none").lower(),
        "apart": bool(model.get("independent_channels", True)),
    }


def _data(found: Said, path: Path) -> Said:
    """Return what is said of the images that it was trained on."""
    told = found.get(DATA)
    data = told.get("data_config") if isinstance(told, Mapping) else None
    if not isinstance(data, Mapping):
        raise FormatError(
            f"{path} does not say how intensities were scaled in its training: it has no "
            f"{DATA}. Save the checkpoint with CAREamics 0.3 or later, which says it."
        )
    return data


def _scales(data: Said, channels: int, outputs: int, path: Path) -> tuple[Scale, Scale, str]:
    """Return what is subtracted and divided by on the way in, and what undoes it, in words too."""
    said = data.get("normalization")
    if said is None:  # versions before 0.2
        said = {"name": "mean_std"} | {
            f"{ours}_{what}": data.get(f"{theirs}_{what}")
            for ours, theirs in (("input", "image"), ("target", "target"))
            for what in ("means", "stds")
        }
    name = str(said["name"])
    if name == "none":
        return _plain(channels), _plain(outputs), "as they are"
    if name != "mean_std" and name not in RANGES:
        raise FormatError(
            f"{path}: intensities are scaled by {short(name, 30)}; read are mean_std, "
            f"{', '.join(RANGES)} and none."
        )
    first = _scale(said, name, "input", channels)
    if first is None:
        raise FormatError(
            f"{path} does not hold the statistics of its images ({name}), so what it gives means "
            "nothing. Save the checkpoint after the training began."
        )
    words = f"{name}, with the statistics of its training images"
    if said.get("skip_target"):
        return first, _plain(outputs), f"{words}; results as they are"
    back = _scale(said, name, "target", outputs) or _scale(said, name, "input", outputs)
    assert back is not None, "those of the images are there"
    return first, back, words


def _plain(count: int) -> Scale:
    return [0.0] * count, [1.0] * count


def _scale(said: Said, name: str, whose: str, count: int) -> Scale | None:
    """Return what is subtracted and divided by, per channel; None where the file does not say."""
    low, high = RANGES.get(name, ("means", "stds"))
    found = [said.get(f"{whose}_{key}") for key in (low, high)]
    if not all(found):
        return None
    first, second = (_numbers(values, count) for values in found)
    pairs = zip(first, second, strict=True)
    second = [b - a for a, b in pairs] if name in RANGES else [b + LEAST for _, b in pairs]
    if not all(math.isfinite(n) for n in (*first, *second)) or min(second) < 0:
        raise ValueError(f"{whose} statistics {short((first, second), 60)}")
    return first, second


def _numbers(values: Any, count: int) -> list[float]:
    """Return one number per channel; a single one serves all."""
    every = [float(n) for n in (values if isinstance(values, list | tuple) else [values])]
    if len(every) not in (1, count):
        raise ValueError(f"{len(every)} statistics for {count} channels")
    return every if len(every) == count else every * count


def _patch(data: Said, ndim: int) -> tuple[int, ...]:
    """Return the sides of its patches."""
    patching = data.get("patching")
    said = patching.get("patch_size") if isinstance(patching, Mapping) else data.get("patch_size")
    sides = tuple(int(n) for n in said or ())
    return sides if len(sides) == ndim else (64,) * ndim


def _tensors(named: Mapping[str, torch.Tensor], *, norm: bool) -> dict[str, torch.Tensor]:
    """Return tensors by our names; those of normalisations that are not used are left out."""
    depth, each = _depth(named), 3 if norm else 2
    return {
        _ours(name.removeprefix(START), depth, each): tensor
        for name, tensor in named.items()
        if name.startswith(START) and (norm or ".batch_norm" not in name)
    }


def _depth(named: Mapping[str, torch.Tensor]) -> int:
    return sum(
        name.startswith(f"{START}encoder.") and name.endswith("conv1.weight") for name in named
    )


def _ours(name: str, depth: int, each: int) -> str:
    """Return our name of a tensor: their blocks lie between pools, and the finest comes last."""
    name = re.sub(r"^final_conv\.", "head.", name)
    if not (found := re.match(rf"^(?:encoder|decoder)\.(\w+?)\.(?:(\d+)\.)?{BLOCK}", name)):
        return name
    kind, number, layer, which, rest = found.groups()
    if kind == "encoder_blocks":
        block = f"down.{int(number) // 2}"
    elif kind == "decoder_blocks":
        block = f"up.{depth - 1 - int(number) // 2}"
    else:
        block = "deepest"
    return f"{block}.{each * (int(which) - 1) + (layer == 'batch_norm')}.{rest}"


READER = Reader("CAREamics (checkpoints of Noise2Void, CARE and Noise2Noise)", take, fits)
