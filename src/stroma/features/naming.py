"""How features are named: ``gaussian_s3.0``, with more than one channel ``DAPI:gaussian_s3.0``."""

from __future__ import annotations

from collections.abc import Sequence


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
