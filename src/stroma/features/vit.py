"""What vision transformers, trained without labels, see in an image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from stroma.backbones import device
from stroma.backbones.dino import FEATURES, patch_tokens
from stroma.backbones.loading import RGB, identity, pretrained
from stroma.features.contract import FeatureMap, Wants
from stroma.features.deep import batches, network_input, one_at_a_time


@dataclass(frozen=True)
class PatchFeatures:
    """Tokens of the patches of a window, after the last norm of the transformer.

    Every token sees the whole window. On CUDA devices the network runs in half precision.

    Parameters
    ----------
    device : {"auto", "cpu", "cuda", "mps"}
        Where the network runs.
    weights : str, optional
        File or folder to take the weights from.
    """

    device: device.Device = "auto"
    weights: str | None = None

    backbone: ClassVar[str]
    patch: ClassVar[int]
    default_scalings: ClassVar[tuple[int, ...]] = (1,)

    def __post_init__(self) -> None:
        """Check the device."""
        device.check(self.device)

    @property
    def halo(self) -> None:
        """Attention sees the whole window."""
        return

    @property
    def stride(self) -> int:
        """Side of a patch."""
        return self.patch

    @property
    def wants(self) -> Wants:
        """Colours, as ImageNet's were given to the network."""
        return Wants("imagenet", RGB)

    def names(self, channels: Sequence[str]) -> list[str]:
        """Return names like ``dinov2_vits14_reg.12``."""
        return [f"{self.backbone}.{i}" for i in range(FEATURES)]

    def __call__(self, block: NDArray[np.float32]) -> list[FeatureMap]:
        """Return the map of the patches of one window."""
        return self.batch([block])[0]

    def batch(self, blocks: Sequence[NDArray[np.float32]]) -> list[list[FeatureMap]]:
        """Return the maps of several windows of the same shape, computed together."""
        images = [network_input(block) for block in blocks]
        place = device.resolve(self.device)
        network = pretrained(
            self.backbone,
            path=self.weights,
            device=place,
            dtype=_precision(place),
            channels=len(images[0]),
        )
        height, width = (side // self.patch for side in images[0].shape[1:])
        found = []
        with one_at_a_time, torch.inference_mode():
            for part in batches(images, place):
                tokens = patch_tokens(network, part.to(_precision(place)))
                values = tokens.float().cpu().numpy().transpose(0, 2, 1)
                grids = values.reshape(len(values), FEATURES, height, width)
                found += [[FeatureMap(grid, step=self.patch)] for grid in grids]
        return found

    def provenance(self) -> dict[str, str]:
        """Return what identifies the weights in use: name, repository, revision, file, digest."""
        return identity(self.backbone, None, self.weights)


@dataclass(frozen=True)
class DINOv2(PatchFeatures):
    """DINOv2 ViT-S/14 with registers.

    Oquab et al., TMLR 2024, arXiv:2304.07193; Darcet et al., ICLR 2024, arXiv:2309.16588.
    """

    backbone: ClassVar[str] = "dinov2_vits14_reg"
    patch: ClassVar[int] = 14


@dataclass(frozen=True)
class DINOv3(PatchFeatures):
    """DINOv3 ViT-S+/16; its licence has to be accepted on the page of the weights.

    Siméoni et al., 2025, arXiv:2508.10104.
    """

    backbone: ClassVar[str] = "dinov3_vits16plus"
    patch: ClassVar[int] = 16


def _precision(place: torch.device) -> torch.dtype:
    return torch.float16 if place.type == "cuda" else torch.float32
