"""Networks of nnU-Net: a folder with ``plans.json``, ``dataset.json`` and a checkpoint per fold."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from stroma.data.classes import Class
from stroma.errors import FormatError, short
from stroma.weights.checkpoint import read_checkpoint, state_of
from stroma.weights.settings import json_of
from stroma.zoo.networks.taken import Reader, TakenNetwork

PLANS, DATASET = "plans.json", "dataset.json"
CHECKPOINTS = ("checkpoint_final.pth", "checkpoint_best.pth")
PLAIN, RESIDUAL = "PlainConvUNet", "ResidualEncoderUNet"
SCHEMES = {
    "CTNormalization": "clip",
    "ZScoreNormalization": "zscore",
    "RescaleTo01Normalization": "rescale",
    "RGBTo01Normalization": "rgb",
    "NoNormalization": "none",
}
PARTS = {"conv1": "first", "conv2": "second", "skip": "around"}
UNKNOWN = "ignore"

BLOCK = r"^encoder\.stages\.(\d+)\.blocks\.(\d+)\.(conv1|conv2|skip)(?:\.\d+)?\.(conv|norm)\.(.*)$"
"""Tensors of residual blocks."""

Said = Mapping[str, Any]


def take(path: Path, _: Any) -> TakenNetwork:
    """Return the network in a folder; of several folds, all, whose mean is taken.

    Raises
    ------
    FormatError
        If it is of another kind than those that nnU-Net plans by itself.
    """
    plans, dataset = json_of(path / PLANS), json_of(path / DATASET)
    folds = _folds(path)
    every = [(fold, read_checkpoint(fold)) for fold in folds]
    configuration = _configuration(plans, _named(every[0][1], path), path)
    about = _about(plans, configuration, dataset, every[0][1], path)
    kind = RESIDUAL if about["network"] == "nnunet_residual" else PLAIN
    count = len(about["params"]["features"])
    one = [_tensors(found, fold, kind, count) for fold, found in every]
    tensors = one[0]
    if len(one) > 1:
        tensors = {f"{i}.{k}": t for i, part in enumerate(one) for k, t in part.items()}
    about["members"] = len(one)
    took = (
        f"the network: {kind} in {about['ndim']}-D of {len(one)} fold{'s' * (len(one) > 1)}",
        f"{len(about['target_params']['labels'])} classes, by name",
        f"intensities: {', '.join(about['normalisation']['schemes'])}; patches "
        f"{' x '.join(map(str, about['patch']))}",
        f"pixels of {' x '.join(f'{n:.3g}' for n in about['spacing'])} mm"
        if about["spacing"]
        else "pixels as they are",
    )
    left = ("post-processing that was chosen after training",) if _chosen_after(path) else ()
    return TakenNetwork(path, "nnU-Net", about, tensors, took, left)


def _folds(path: Path) -> list[Path]:
    """Return the checkpoint of every fold."""
    folders = [path, *sorted(path.glob("fold_*"))]
    found = [
        next((f / name for name in CHECKPOINTS if (f / name).is_file()), None) for f in folders
    ]
    every = [one for one in found if one is not None]
    if not every:
        raise FormatError(
            f"{path} holds no {CHECKPOINTS[0]} in a folder fold_0. Give the folder of a trained "
            "configuration, such as nnUNetTrainer__nnUNetPlans__3d_fullres."
        )
    return every


def _named(found: Any, path: Path) -> str:
    """Return which configuration was trained."""
    said = found.get("init_args") if isinstance(found, Mapping) else None
    name = said.get("configuration") if isinstance(said, Mapping) else None
    return str(name or path.name.rpartition("__")[2])


def _configuration(plans: Said, name: str, path: Path) -> dict[str, Any]:
    """Return a configuration, with what it inherits."""
    known = plans["configurations"]
    chain: list[Said] = []
    now: str | None = name
    while now is not None and len(chain) < 8:
        if now not in known:
            raise FormatError(
                f"{path}: {PLANS} has no configuration {short(now, 40)}. It has "
                f"{short(', '.join(known))}."
            )
        chain.append(known[now])
        now = known[now].get("inherits_from")
    merged: dict[str, Any] = {}
    for one in reversed(chain):
        merged |= one
    if merged.get("previous_stage"):
        raise FormatError(
            f"{path}: {name} refines what another network found (a cascade), which is not read. "
            "Give the folder of 3d_fullres or 2d."
        )
    return merged


def _about(plans: Said, said: Said, dataset: Said, found: Said, path: Path) -> dict[str, Any]:
    network, params = _architecture(said, path)
    order = [int(n) for n in plans.get("transpose_forward", (0, 1, 2))]
    if order != sorted(order):
        raise FormatError(
            f"{path}: {PLANS} looks at volumes with axes in another order ({order}), which is not "
            "read."
        )
    patch = tuple(int(n) for n in said["patch_size"])
    spacing = tuple(float(n) for n in said["spacing"])[-len(patch) :]
    labels, classes = _classes(dataset, path)
    mirrored = found.get("inference_allowed_mirroring_axes") or ()
    real = any(n != 1 for n in spacing)
    return {
        "network": network,
        "params": params,
        "target": "semantic",
        "target_params": {"labels": labels},
        "ndim": len(patch),
        "channels": len(dataset.get("channel_names") or dataset["modality"]),
        "normalisation": _normalisation(plans, said, path),
        "patch": patch,
        "classes": classes,
        "training": {"mirror": len(mirrored) == len(patch)},
        "spacing": spacing if real else (),
        "unit": "mm" if real else "",
        "crop": True,
    }


def _architecture(said: Said, path: Path) -> tuple[str, dict[str, Any]]:
    """Return our network, and what it is built with."""
    told = said.get("architecture")
    if told is None:  # plans of versions before 2.4
        told = {"network_class_name": said["UNet_class_name"], "arch_kwargs": _older(said)}
    kind = str(told["network_class_name"]).rpartition(".")[2]
    known = told["arch_kwargs"]
    if kind not in (PLAIN, RESIDUAL):
        raise FormatError(
            f"{path}: its network is {short(kind, 40)}; read are {PLAIN} and {RESIDUAL}."
        )
    _require_usual(known, path)
    decoder = set(known["n_conv_per_stage_decoder"])
    if len(decoder) != 1:
        raise FormatError(f"{path}: its decoder has {sorted(decoder)} convolutions per stage.")
    depth = known["n_blocks_per_stage" if kind == RESIDUAL else "n_conv_per_stage"]
    params = {
        "features": [int(n) for n in known["features_per_stage"]],
        "strides": _lists(known["strides"]),
        "kernels": _lists(known["kernel_sizes"]),
        "convolutions": [int(n) for n in depth],
        "decoder_convolutions": int(decoder.pop()),
        "deep": True,
    }
    return ("nnunet_residual" if kind == RESIDUAL else "nnunet"), params


def _older(said: Said) -> dict[str, Any]:
    strides = said["pool_op_kernel_sizes"]
    most = int(said["unet_max_num_features"])
    base = int(said["UNet_base_num_features"])
    depth = said["n_conv_per_stage_encoder"]
    return {
        "features_per_stage": [min(most, base * 2 ** min(n, 20)) for n in range(len(strides))],
        "strides": strides,
        "kernel_sizes": said["conv_kernel_sizes"],
        "n_conv_per_stage": depth,
        "n_blocks_per_stage": depth,
        "n_conv_per_stage_decoder": said["n_conv_per_stage_decoder"],
    }


def _require_usual(known: Said, path: Path) -> None:
    """Refuse other layers than nnU-Net plans by itself."""
    usual = {"norm_op": "InstanceNorm", "nonlin": "LeakyReLU", "conv_op": "Conv"}
    for key, start in usual.items():
        name = str(known.get(key, start)).rpartition(".")[2]
        if not name.startswith(start):
            raise FormatError(f"{path}: {key} is {short(name, 40)}; read is {start}.")
    if known.get("dropout_op") or not known.get("conv_bias", True):
        raise FormatError(f"{path}: networks with dropout_op, or without conv_bias, are not read.")


def _lists(values: Sequence[Any]) -> list[Any]:
    return [[int(n) for n in one] if isinstance(one, list | tuple) else int(one) for one in values]


def _classes(dataset: Said, path: Path) -> tuple[list[int], list[dict[str, Any]]]:
    """Return labels from 0, and the names of those that are not background."""
    named = {name: value for name, value in dataset["labels"].items() if name != UNKNOWN}
    if any(isinstance(value, list) for value in named.values()):
        raise FormatError(
            f"{path}: its classes are regions that lie within each other, which are not read."
        )
    labels = sorted(int(value) for value in named.values())
    ours = {int(value): str(name) for name, value in named.items()}
    return labels, [asdict(Class(n, ours[n])) for n in labels if n]


def _normalisation(plans: Said, said: Said, path: Path) -> dict[str, Any]:
    """Return how every channel is scaled."""
    schemes = []
    for name in said["normalization_schemes"]:
        if name not in SCHEMES:
            raise FormatError(
                f"{path}: intensities are scaled by {short(name, 40)}; read are "
                f"{', '.join(SCHEMES)}."
            )
        schemes.append(SCHEMES[name])
    within = said.get("use_mask_for_norm") or [False] * len(schemes)
    for c, masked in enumerate(within):
        schemes[c] = "nonzero" if masked and schemes[c] == "zscore" else schemes[c]
    found: dict[str, Any] = {"schemes": schemes}
    if "clip" in schemes:
        told = plans["foreground_intensity_properties_per_channel"]
        each = [told[str(c)] for c in range(len(schemes))]
        names = {"low": "percentile_00_5", "high": "percentile_99_5", "mean": "mean", "std": "std"}
        found |= {ours: [float(one[key]) for one in each] for ours, key in names.items()}
    return found


def _tensors(found: Any, path: Path, kind: str, count: int) -> dict[str, torch.Tensor]:
    """Return tensors by our names: the finest stage of the decoder is our first."""
    named = state_of(found.get("network_weights") if isinstance(found, Mapping) else None, path)
    tensors = {}
    for name, tensor in named.items():
        plain = name.removeprefix("_orig_mod.").removeprefix("module.")
        if ".all_modules." in plain or plain.startswith("decoder.encoder."):
            continue  # the same tensors again
        tensors[_ours(plain, kind, count)] = tensor
    return tensors


def _ours(name: str, kind: str, count: int) -> str:
    """Return our name of a tensor of nnU-Net."""
    if found := re.match(r"^decoder\.transpconvs\.(\d+)\.(.*)$", name):
        return f"rise.{count - 2 - int(found[1])}.{found[2]}"
    if found := re.match(r"^decoder\.seg_layers\.(\d+)\.(.*)$", name):
        return f"heads.{count - 2 - int(found[1])}.{found[2]}"
    if found := re.match(r"^decoder\.stages\.(\d+)\.convs\.(\d+)\.(conv|norm)\.(.*)$", name):
        place = 3 * int(found[2]) + (found[3] == "norm")
        return f"decoder.{count - 2 - int(found[1])}.{place}.{found[4]}"
    return _in_encoder(name, kind)


def _in_encoder(name: str, kind: str) -> str:
    if kind == PLAIN:
        found = re.match(r"^encoder\.stages\.(\d+)\.\d+\.convs\.(\d+)\.(conv|norm)\.(.*)$", name)
        if found:
            place = 3 * int(found[2]) + (found[3] == "norm")
            return f"encoder.{found[1]}.{place}.{found[4]}"
        return name
    if found := re.match(r"^encoder\.stem\.convs\.0\.(conv|norm)\.(.*)$", name):
        return f"encoder.0.0.0.{int(found[1] == 'norm')}.{found[2]}"
    if found := re.match(BLOCK, name):
        block = int(found[2]) + (found[1] == "0")
        return f"encoder.{found[1]}.{block}.{PARTS[found[3]]}.{int(found[4] == 'norm')}.{found[5]}"
    return name


def _chosen_after(path: Path) -> bool:
    return any(path.rglob("postprocessing.*"))


READER = Reader("nnU-Net (a folder with plans.json and fold_0)", take=take)
