"""Networks of StarDist: a folder with ``config.json``, ``thresholds.json`` and weights of Keras."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from stroma.errors import FormatError, MissingExtraError, install, short
from stroma.networks.stardist import DEEPEST
from stroma.weights.settings import json_of
from stroma.zoo.networks.taken import Reader, TakenNetwork

CONFIG, THRESHOLDS = "config.json", "thresholds.json"
WEIGHTS = ("weights_best.h5", "weights_last.h5", "weights_now.h5")
LARGEST = {2: 64, 3: 32}
"""Diameters, in pixels of the grid, that objects are taken to have at most; no file says it."""

NORMS = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean"}
NORMS |= {"moving_variance": "running_var"}

DIVISOR = 1_000_000
"""Objects with classes get numbers of class times this plus their own."""

Tensors = dict[str, torch.Tensor]


def take(path: Path, _: Any) -> TakenNetwork:
    """Return the network in a folder.

    Raises
    ------
    FormatError
        If it is of another kind than the U-Nets that StarDist has by default.
    MissingExtraError
        If what reads its weights is not installed.
    """
    weights, found = _weights(path), path / THRESHOLDS
    chosen = json_of(found) if found.is_file() else {}
    return made(path, json_of(path / CONFIG), chosen, weights)


def made(
    path: Path,
    config: Mapping[str, Any],
    chosen: Mapping[str, Any],
    weights: Path,
    data: bytes | None = None,
) -> TakenNetwork:
    """Return the network of settings and weights.

    Parameters
    ----------
    path : Path
        Where they are, for people.
    config, chosen : mapping
        Settings, and thresholds.
    weights : Path
        File of the weights.
    data : bytes, optional
        What that holds, where it lies in another file.

    Raises
    ------
    FormatError, MissingExtraError
        As `take`.
    """
    ndim = int(config["n_dim"])
    _require_known(config, ndim, path)
    params, layers = _params(config, ndim), _layers(weights, data)
    classes = _classes(config, layers, weights)
    tensors = _tensors(layers, params, weights, bool(classes))
    # Classes have a last convolution of their own, which lies beside that of depth and rays.
    params["last"] *= 2 if classes else 1
    decode = {
        "probability": float(chosen.get("prob", 0.5)),
        "overlap": float(chosen.get("nms", 0.4)),
        "smallest": 1,
    }
    about = {
        "network": "stardist",
        "params": params,
        "target": "rays",
        "target_params": _target(config, params, ndim, classes),
        "ndim": ndim,
        "channels": int(config["n_channel_in"]),
        "normalisation": {
            "schemes": ["percentile"] * int(config["n_channel_in"]),
            "percentiles": [1, 99.8],
        },
        "patch": tuple(int(n) for n in config["train_patch_size"]),
        "training": {"decode": decode},
    }
    took = [
        f"the network: {config['n_rays']} rays in {ndim}-D on a grid of {params['grid']}, "
        f"from {weights.name}",
        f"thresholds: probability {decode['probability']:.3g}, overlap {decode['overlap']:.3g}"
        + ("" if chosen else f" (there is no {THRESHOLDS})"),
        "intensities: 1st and 99.8th percentile of every channel become 0 and 1",
    ]
    if classes:
        took.append(
            f"classes of objects: 1 to {len(classes)}; results hold class times {DIVISOR} plus the "
            "number of the object"
        )
    return TakenNetwork(path, "StarDist", about, tensors, tuple(took))


def _require_known(config: Mapping[str, Any], ndim: int, path: Path) -> None:
    """Refuse what our network of StarDist is not."""
    axes = str(config.get("axes", ""))
    wanted: dict[str, tuple[Any, ...]] = {
        "n_dim": (2, 3),
        "backbone": ("unet",),
        "unet_activation": ("relu",),
        "unet_last_activation": ("relu", None),
        "unet_prefix": ("",),
        "unet_expansion": (2,),
    }
    for key, known in wanted.items():
        if config.get(key, known[0]) not in known:
            raise FormatError(
                f"{path}: {CONFIG} has {key} {short(config[key], 30)}; read are networks with "
                f"{' or '.join(map(str, known))}."
            )
    if axes not in ("YXC", "ZYXC"):
        raise FormatError(f"{path}: {CONFIG} has axes {short(axes, 30)}; read are YXC and ZYXC.")
    rays = config.get("rays_json") or {"name": "Rays_GoldenSpiral"}
    if ndim == 3 and rays.get("name") != "Rays_GoldenSpiral":
        raise FormatError(
            f"{path}: its rays are {short(rays.get('name'), 40)}; read are those along a golden "
            "spiral (Rays_GoldenSpiral)."
        )


def _params(config: Mapping[str, Any], ndim: int) -> dict[str, Any]:
    """Return what our network is built with."""
    depth, count = int(config["unet_n_depth"]), int(config["unet_n_conv_per_depth"])
    if not (1 <= depth <= DEEPEST and 1 <= count <= DEEPEST):
        raise ValueError(f"{depth} stages of {count} convolutions")
    return {
        "features": int(config["unet_n_filter_base"]),
        "depth": depth,
        "convolutions": count,
        "kernel": [int(n) for n in config["unet_kernel_size"]],
        "pool": [int(n) for n in config["unet_pool"]],
        "grid": [int(n) for n in config["grid"]],
        "last": int(config["net_conv_after_unet"]),
        "norm": bool(config["unet_batch_norm"]),
    }


def _classes(config: Mapping[str, Any], layers: Mapping[str, Any], path: Path) -> list[int]:
    """Return the classes of objects, from 1; none where the network tells none apart."""
    said = int(config.get("n_classes") or 0)
    found = layers["prob_class"]["kernel"].shape[-1] - 1 if "prob_class" in layers else 0
    if found != said:
        raise FormatError(f"{path} has {found} classes of objects, and its settings {said}.")
    return list(range(1, found + 1))


def _target(
    config: Mapping[str, Any], params: Mapping[str, Any], ndim: int, classes: list[int]
) -> dict[str, Any]:
    spacing = config.get("anisotropy") if ndim == 3 else None
    return {
        "diameter": float(LARGEST[ndim] * max(params["grid"])),
        "smallest": 1,
        "radius": 1.0,
        "rays": int(config["n_rays"]),
        "ndim": ndim,
        "spacing": [float(n) for n in spacing or ()],
        "divisor": DIVISOR if classes else 0,
        "classes": classes,
    }


def _weights(path: Path) -> Path:
    """Return the file of weights: the best of the training, where they are there."""
    named = [path / name for name in WEIGHTS]
    every = [*named, *sorted([*path.glob("*.h5"), *path.glob("*.hdf5")])]
    found = next((one for one in every if one.is_file()), None)
    if found is None:
        raise FormatError(f"{path} holds no weights: {WEIGHTS[0]} is not there.")
    return found


def _layers(path: Path, data: bytes | None) -> dict[str, dict[str, Any]]:
    """Return arrays by name, by layer, in the order of the layers."""
    try:
        import h5py
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"The weights {path} are read by {error.name}. Install it with: {install('formats')}"
        ) from error
    most = path.stat().st_size if data is None else len(data)
    try:
        with h5py.File(path if data is None else io.BytesIO(data), "r") as file:
            root = file.get("model_weights", file)
            names = [_text(name) for name in root.attrs["layer_names"]]
            return _arrays({name: root[name] for name in names if name in root}, most, path)
    except (OSError, KeyError, RuntimeError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"{path} is damaged, or holds no weights of Keras: {short(error)}") from (
            error
        )


def _arrays(groups: Mapping[str, Any], most: int, path: Path) -> dict[str, dict[str, Any]]:
    """Return the arrays of layers, which together are no larger than the file, and lie in it."""
    found: dict[str, dict[str, Any]] = {}
    for layer, group in groups.items():
        found[layer] = {}
        for name in map(_text, group.attrs.get("weight_names", ())):
            stored = group[name]
            most -= stored.size * stored.dtype.itemsize
            if most < 0 or stored.dtype.kind != "f":
                raise FormatError(f"{path}: {short(name)} says that it is larger than the file.")
            if stored.external or stored.is_virtual:
                raise FormatError(f"{path}: {short(name)} lies in another file.")
            values = np.asarray(stored[()], np.float32)
            found[layer][name.rpartition("/")[2].partition(":")[0]] = values
    return found


def _text(name: Any) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)


def _tensors(
    layers: Mapping[str, Any], params: Mapping[str, Any], path: Path, classed: bool
) -> Tensors:
    """Return tensors by our names."""
    depth, count = params["depth"], params["convolutions"]
    units = [f"{kind}.{i}" for kind, i in _places(depth, count)]
    stored = [name for name in layers if name.startswith(("down_level", "middle", "up_level"))]
    first = [name for name in layers if name.startswith(("conv2d", "conv3d"))]
    norms = [name for name in layers if name.startswith("batch_normalization")]
    if len(stored) != len(units) or len(norms) != len(units) * params["norm"]:
        raise FormatError(f"{path} has {len(stored)} convolutions, and its settings {len(units)}.")
    each = 3 if params["norm"] else 2
    made: Tensors = {}
    for place, name in zip(units, stored, strict=True):
        kind, _, i = place.rpartition(".")
        made |= _convolution(layers[name], f"{kind}.{each * int(i)}")
    for place, name in zip(units, norms, strict=False):
        kind, _, i = place.rpartition(".")
        for key, ours in NORMS.items():
            made[f"{kind}.{each * int(i) + 1}.{ours}"] = torch.from_numpy(layers[name][key])
        made[f"{kind}.{each * int(i) + 1}.num_batches_tracked"] = torch.tensor(0)
    for n, name in enumerate(first):
        made |= _convolution(layers[name], f"first.{n // count}.{2 * (n % count)}")
    seen = ("features", "features_class") if classed else ("features",)
    if params["last"]:
        made |= _joined([_convolution(layers[name], "features.0") for name in seen])
    heads = _joined([_convolution(layers[name], "heads") for name in ("prob", "dist")])
    if classed:
        kinds = _convolution(layers["prob_class"], "heads")
        if params["last"]:
            heads, kinds = _padded(heads, kinds, after=True), _padded(kinds, heads, after=False)
        heads = _joined([heads, kinds])
    return made | heads


def _joined(parts: Sequence[Tensors]) -> Tensors:
    """Return one convolution that gives the channels of several, which see the same."""
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def _padded(head: Tensors, other: Tensors, *, after: bool) -> Tensors:
    """Return a head that does not look at what another sees, which comes after or before."""
    own, theirs = head["heads.weight"], other["heads.weight"]
    blind = own.new_zeros(len(own), theirs.shape[1], *own.shape[2:])
    return {**head, "heads.weight": torch.cat([own, blind] if after else [blind, own], 1)}


def _places(depth: int, count: int) -> list[tuple[str, int]]:
    """Return block and number of every convolution of the U-Net, in the order of Keras."""
    down = [(f"down.{n}", i) for n in range(depth) for i in range(count)]
    middle = [("middle", i) for i in range(count)]
    # The finest block on the way up is our first.
    up = [(f"up.{n}", i) for n in reversed(range(depth)) for i in range(count)]
    return [*down, *middle, *up]


def _convolution(layer: Mapping[str, Any], name: str) -> Tensors:
    """Return weight and bias: Keras has channels in and out last."""
    kernel = np.moveaxis(layer["kernel"], (-1, -2), (0, 1))
    return {
        f"{name}.weight": torch.from_numpy(np.ascontiguousarray(kernel)),
        f"{name}.bias": torch.from_numpy(layer["bias"]),
    }


READER = Reader("StarDist (a folder with config.json)", take=take)
