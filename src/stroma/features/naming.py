"""How features are named: ``gaussian_s3.0``, with more than one channel ``DAPI:gaussian_s3.0``."""

from __future__ import annotations

import re
from collections.abc import Sequence

_FILTER = re.compile(r"([a-z]+)_s(\d{1,6}(?:\.\d{1,6})?)(um|µm)?(_2d)?")


def per_channel(channels: Sequence[str], features: Sequence[str]) -> list[str]:
    """Return the names of features computed from every channel alone, channel by channel.

    A single channel is left out of the names.
    """
    if len(channels) == 1:
        return list(features)
    return [f"{channel}:{feature}" for channel in channels for feature in features]


def scale_suffix(sigma: float) -> str:
    """Return how a scale is written in a name: ``_s1.6``."""
    return f"_s{float(sigma)}"


def filter_of(key: str) -> tuple[str, float, str, int] | None:
    """Return filter, sigma, its unit ("px" or "µm") and axes of a key like ``hessian_s0.5um_2d``.

    None is returned for what is no such key.
    """
    found = _FILTER.fullmatch(key)
    if found is None:
        return None
    name, sigma, unit, flat = found.groups()
    return name, float(sigma), "µm" if unit else "px", 2 if flat else 3


def original_layers(name: str) -> list[str]:
    """Return what Convpaint calls the layers of a network, in their order; none where as here.

    Its names are those of torchvision's modules, of which the part before the space tells a layer.
    """
    if name == "convnext":
        return _convnext_layers()
    return _efficientnet_layers() if name == "efficient_netb0" else []


def _convnext_layers() -> list[str]:
    layers = ["features.0.0"]
    for stage, blocks in enumerate((3, 3, 27, 3)):
        if stage:
            layers.append(f"features.{2 * stage}.1")
        layers += [f"features.{2 * stage + 1}.{block}.block.0" for block in range(blocks)]
    return layers


def _efficientnet_layers() -> list[str]:
    layers = ["features.0.0"]
    for stage, blocks in enumerate((1, 2, 2, 3, 3, 4, 1), 1):
        for block in range(blocks):
            parts = ["0.0", "1.fc1", "1.fc2", "2.0"] if stage == 1 else []
            parts = parts or ["0.0", "1.0", "2.fc1", "2.fc2", "3.0"]
            layers += [f"features.{stage}.{block}.block.{part}" for part in parts]
    return [*layers, "features.8.0"]
