"""What vision transformers, trained without labels, see in an image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from stroma.backbones import device
from stroma.backbones.dino import FEATURES, HEADS, class_attention, patch_tokens
from stroma.backbones.loading import RGB, identity, pretrained
from stroma.features.contract import FeatureMap, Wants
from stroma.features.networks.deep import batches, inference
from stroma.features.wrapper import OfWindows

Read = Callable[[nn.Module, torch.Tensor], torch.Tensor]
"""What is read of a network that is shown (N, C, y, x) images: (N, patches, values)."""

BATCH_PIXELS = {"cpu": 1 << 16, "cuda": 1 << 23, "mps": 1 << 21}
"""Pixels computed together, by kind of device; on the CPU this pays for small windows only."""


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
    features: ClassVar[int] = FEATURES
    heads: ClassVar[int] = HEADS
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
        return [f"{self.backbone}.{i}" for i in range(self.features)]

    def __call__(self, block: NDArray[np.float32]) -> list[FeatureMap]:
        """Return the map of the patches of one window."""
        return self.batch([block])[0]

    @property
    def batch_pixels(self) -> int:
        """Pixels computed together."""
        kind = device.resolve(self.device).type
        return BATCH_PIXELS.get(kind, BATCH_PIXELS["cpu"])

    def batch(self, blocks: Sequence[NDArray[np.float32]]) -> list[list[FeatureMap]]:
        """Return the maps of several windows, those of the same shape computed together."""
        return self.read(blocks, patch_tokens)

    def read(self, blocks: Sequence[NDArray[np.float32]], what: Read) -> list[list[FeatureMap]]:
        """Return what is read of the network of several windows, as maps of patches."""
        found: dict[int, list[FeatureMap]] = {}
        for members, images in batches(blocks, self.batch_pixels):
            height, width = (side // self.patch for side in images.shape[2:])
            values = self._outputs(images, what).transpose(0, 2, 1)
            grids = values.reshape(*values.shape[:2], height, width)
            for member, grid in zip(members, grids, strict=True):
                found[member] = [FeatureMap(grid, step=self.patch)]
        return [found[i] for i in range(len(blocks))]

    def _outputs(self, images: NDArray[np.float32], what: Read) -> NDArray[np.float32]:
        """Return the (N, patches, values) that are read of (N, C, y, x) images."""
        place = device.resolve(self.device)
        network, precision = self.network(place, images.shape[1])
        with inference(place):
            found = what(network, torch.from_numpy(images).to(place, precision))
            return found.float().cpu().numpy()

    def network(self, place: torch.device, channels: int) -> tuple[nn.Module, torch.dtype]:
        """Return the network with its weights, and the precision it runs in."""
        precision = _precision(place)
        made = pretrained(
            self.backbone,
            self.needed(),
            path=self.weights,
            device=place,
            dtype=precision,
            channels=channels,
        )
        return made, precision

    def provenance(self) -> dict[str, str]:
        """Return what identifies the weights in use: name, repository, revision, file, digest."""
        return identity(self.backbone, self.needed(), self.weights)

    def needed(self) -> frozenset[str] | None:
        """Return the names of the tensors that are used; None for all."""
        return None


@dataclass(frozen=True)
class DINOv2(PatchFeatures):
    """DINOv2 ViT-S/14 with registers.

    Oquab et al., TMLR 2024, arXiv:2304.07193; Darcet et al., ICLR 2024, arXiv:2309.16588.
    """

    backbone: ClassVar[str] = "dinov2_vits14_reg"
    patch: ClassVar[int] = 14


@dataclass(frozen=True)
class BaseDINOv2(PatchFeatures):
    """DINOv2 ViT-B/14 with registers: twice as wide as ViT-S/14, and four times the work.

    Oquab et al., TMLR 2024, arXiv:2304.07193; Darcet et al., ICLR 2024, arXiv:2309.16588.
    """

    backbone: ClassVar[str] = "dinov2_vitb14_reg"
    patch: ClassVar[int] = 14
    features: ClassVar[int] = 2 * FEATURES
    heads: ClassVar[int] = 2 * HEADS


@dataclass(frozen=True)
class PlainDINOv2(PatchFeatures):
    """DINOv2 ViT-S/14 without registers, for which FeatUp's network was trained.

    Oquab et al., TMLR 2024, arXiv:2304.07193.
    """

    backbone: ClassVar[str] = "dinov2_vits14"
    patch: ClassVar[int] = 14


@dataclass(frozen=True)
class DINOv3(PatchFeatures):
    """DINOv3 ViT-S+/16; its licence has to be accepted on the page of the weights.

    Siméoni et al., 2025, arXiv:2508.10104.
    """

    backbone: ClassVar[str] = "dinov3_vits16plus"
    patch: ClassVar[int] = 16


@dataclass(frozen=True)
class SmallDINOv3(PatchFeatures):
    """DINOv3 ViT-S/16; its licence has to be accepted on the page of the weights.

    Siméoni et al., 2025, arXiv:2508.10104.
    """

    backbone: ClassVar[str] = "dinov3_vits16"
    patch: ClassVar[int] = 16


@dataclass(frozen=True)
class DINO(PatchFeatures):
    """DINO ViT-S/8: the finest patches, and no registers.

    Caron et al., ICCV 2021, arXiv:2104.14294.
    """

    backbone: ClassVar[str] = "dino_vits8"
    patch: ClassVar[int] = 8


@dataclass(frozen=True)
class ClassAttention(OfWindows):
    """What the class token of a vision transformer looks at: one map for every head.

    See `stroma.backbones.dino.class_attention`.

    Parameters
    ----------
    extractor : PatchFeatures
        The transformer.
    """

    @property
    def device(self) -> str:
        """Where the network runs."""
        return str(self._transformer.device)

    def names(self, channels: Sequence[str]) -> list[str]:
        """Return names like ``attention:dinov2_vits14_reg.3``."""
        shown = self._transformer
        return [f"attention:{shown.backbone}.{i}" for i in range(shown.heads)]

    def batch(self, blocks: Sequence[NDArray[np.float32]]) -> list[list[FeatureMap]]:
        """Return the maps of several windows, those of the same shape computed together."""
        return self._transformer.read(blocks, class_attention)

    @property
    def _transformer(self) -> PatchFeatures:
        assert isinstance(self.extractor, PatchFeatures)
        return self.extractor


def _precision(place: torch.device) -> torch.dtype:
    return torch.float16 if place.type == "cuda" else torch.float32
