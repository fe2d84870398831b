"""What the image encoders of SAM 2 see in an image, on three scales."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from stroma.backbones import device
from stroma.backbones.loading import tensor_names
from stroma.backbones.sam2 import ENCODER, FEATURES, STEPS, STRIDE, embed
from stroma.features.contract import FeatureMap
from stroma.features.networks.deep import batches, inference
from stroma.features.networks.vit import PatchFeatures


@dataclass(frozen=True)
class Sam2Features(PatchFeatures):
    """What leaves the image encoder of SAM 2: 256 features each of cells of 4, 8 and 16 pixels.

    Ravi et al., SAM 2: segment anything in images and videos, ICLR 2025, arXiv:2408.00714.
    """

    patch: ClassVar[int] = STRIDE
    features: ClassVar[int] = FEATURES * len(STEPS)

    def names(self, channels: Sequence[str]) -> list[str]:
        """Return names like ``sam2_hiera_tiny.4px.12``."""
        return [f"{self.backbone}.{step}px.{i}" for step in STEPS for i in range(FEATURES)]

    def batch(self, blocks: Sequence[NDArray[np.float32]]) -> list[list[FeatureMap]]:
        """Return the maps of several windows, those of the same shape computed together."""
        found: dict[int, list[FeatureMap]] = {}
        for members, images in batches(blocks, self.batch_pixels):
            levels = self._levels(images)
            for i, member in enumerate(members):
                found[member] = [
                    FeatureMap(level[i], step=step)
                    for level, step in zip(levels, STEPS, strict=True)
                ]
        return [found[i] for i in range(len(blocks))]

    def _levels(self, images: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Return the maps of (N, C, y, x) images."""
        place = device.resolve(self.device)
        network, precision = self.network(place, images.shape[1])
        with inference(place):
            found = embed(network, torch.from_numpy(images).to(place, precision))
            return [level.float().cpu().numpy() for level in found]

    def needed(self) -> frozenset[str]:
        """Return the names of the encoder's tensors."""
        return tensor_names(self.backbone, self.weights, start=ENCODER)


class Sam2Tiny(Sam2Features):
    """The tiny encoder of SAM 2.1."""

    backbone = "sam2_hiera_tiny"


class Sam2Small(Sam2Features):
    """The small encoder of SAM 2.1."""

    backbone = "sam2_hiera_small"


class Sam2BasePlus(Sam2Features):
    """The base-plus encoder of SAM 2.1."""

    backbone = "sam2_hiera_base_plus"


class Sam2Large(Sam2Features):
    """The large encoder of SAM 2.1."""

    backbone = "sam2_hiera_large"
