"""What convolutional networks, trained to recognise photographs, see in an image."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from stroma.backbones import BACKBONES, device
from stroma.backbones.loading import RGB, fetch, identity, is_here, pretrained
from stroma.backbones.taps import Taps
from stroma.backbones.trace import Convolution, Trace, trace
from stroma.errors import ParameterError
from stroma.features.contract import FeatureMap, Wants
from stroma.features.networks.deep import batches, inference
from stroma.weights import Progress

BATCH_PIXELS = {"cuda": 1 << 23, "mps": 1 << 21}
"""Pixels computed together, by kind of device."""


@dataclass(frozen=True)
class ConvolutionFeatures:
    """Outputs of chosen convolutions of a pretrained network, before their activation.

    Each layer keeps its own resolution. A layer's features do not depend on which others are
    chosen; the network runs no further than the deepest of them.

    Parameters
    ----------
    layers : sequence of str or int
        Convolutions, by key or by position in :meth:`layer_keys`; their order is that of the
        features. Of a key, the part before the space is enough.
    device : {"auto", "cpu", "cuda", "mps"}
        Where the network runs.
    weights : str, optional
        File or folder to take the weights from.

    Raises
    ------
    ParameterError
        If a layer or the device is not known, or a layer is given twice.
    """

    layers: tuple[str | int, ...] = (0,)
    device: device.Device = "auto"
    weights: str | None = None

    backbone: ClassVar[str]
    default_layers: ClassVar[tuple[str, ...]]
    default_scalings: ClassVar[tuple[int, ...]]

    def __post_init__(self) -> None:
        """Check the parameters."""
        device.check(self.device)
        object.__setattr__(self, "layers", tuple(self.layers))
        if not self.layers or len(set(self.chosen)) < len(self.layers):
            raise ParameterError(f"layers are one or more, each given once, got {self.layers!r}.")

    @classmethod
    def layer_keys(cls) -> list[str]:
        """Return the keys of all convolutions, in the order in which they are registered."""
        return [convolution.key for convolution in _traced(cls.backbone).convolutions]

    @property
    def chosen(self) -> tuple[Convolution, ...]:
        """The convolutions that ``layers`` names."""
        return tuple(_find(self.backbone, layer) for layer in self.layers)

    @property
    def halo(self) -> int | None:
        """Half the receptive field, in whole cells; None where global pooling comes before."""
        if any(c.reach.everywhere for c in self.chosen):
            return None
        margin = max(c.reach.margin for c in self.chosen)
        return math.ceil(margin / self.stride) * self.stride

    @property
    def stride(self) -> int:
        """Pixels per cell of the coarsest layer."""
        return math.lcm(*(c.reach.step for c in self.chosen))

    @property
    def wants(self) -> Wants:
        """Colours, as ImageNet's were given to the network."""
        return Wants("imagenet", RGB)

    @property
    def features_per_layer(self) -> tuple[int, ...]:
        """Number of features of every layer."""
        return tuple(c.features for c in self.chosen)

    def names(self, channels: Sequence[str]) -> list[str]:
        """Return names like ``vgg16.features.0.12``: network, layer, feature."""
        return [f"{self.backbone}.{c.name}.{i}" for c in self.chosen for i in range(c.features)]

    def __call__(self, block: NDArray[np.float32]) -> list[FeatureMap]:
        """Return one map per layer."""
        return self.batch([block])[0]

    @property
    def batch_pixels(self) -> int:
        """Pixels computed together; on the CPU several blocks at once take longer, not less."""
        return BATCH_PIXELS.get(device.resolve(self.device).type, 0)

    def batch(self, blocks: Sequence[NDArray[np.float32]]) -> list[list[FeatureMap]]:
        """Return the maps of several blocks, those of the same shape computed together."""
        found: dict[int, list[FeatureMap]] = {}
        for members, images in batches(blocks, self.batch_pixels):
            layers = self._outputs(images)
            for member, *own in zip(members, *layers, strict=True):
                found[member] = self._maps(own, images.shape[2:])
        return [found[i] for i in range(len(blocks))]

    def _outputs(self, images: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Return the outputs of the layers for (N, C, y, x) images."""
        place = device.resolve(self.device)
        network = pretrained(
            self.backbone, self._needed, path=self.weights, device=place, channels=images.shape[1]
        )
        taps = _taps(network, self.chosen)
        with inference(place):
            return [output.cpu().numpy() for output in taps(torch.from_numpy(images).to(place))]

    def provenance(self) -> dict[str, str]:
        """Return what identifies the weights in use: name, repository, revision, file, digest."""
        return identity(self.backbone, self._needed, self.weights)

    @property
    def is_here(self) -> bool:
        """Whether all that the layers need of the pretrained weights is on this machine."""
        return is_here(self.backbone, self._needed, self.weights)

    def fetch(self, progress: Progress | None = None) -> None:
        """Get what the layers need of the pretrained weights.

        Parameters
        ----------
        progress : callable, optional
            Called with the bytes fetched so far and the bytes to fetch.

        Raises
        ------
        WeightsError
            If they are neither here nor to be had.
        """
        fetch(self.backbone, self._needed, self.weights, progress)

    @property
    def _needed(self) -> tuple[str, ...]:
        """The names of the tensors in use."""
        return _tensors(self.backbone, max(c.position for c in self.chosen))

    def _maps(
        self, layers: Sequence[NDArray[np.float32]], sides: tuple[int, ...]
    ) -> list[FeatureMap]:
        """Return the maps of a block, without its halo."""
        halo = self.halo or 0
        core = [side - 2 * halo for side in sides]
        maps = []
        for convolution, values in zip(self.chosen, layers, strict=True):
            step = self.stride if convolution.pooled else convolution.reach.step
            cells = [side // step for side in core]
            if convolution.pooled:
                values = np.broadcast_to(values, (len(values), *cells))
            y, x = (slice(halo // step, halo // step + n) for n in cells)
            inner = values if convolution.pooled else values[:, y, x]
            maps.append(FeatureMap(inner, step=step))
        return maps


@dataclass(frozen=True)
class VGG16(ConvolutionFeatures):
    """VGG16; its first convolutions are small edges, spots and colours.

    Simonyan and Zisserman, ICLR 2015, arXiv:1409.1556.
    """

    backbone: ClassVar[str] = "vgg16"
    default_layers: ClassVar[tuple[str, ...]] = (
        "features.0 Conv2d(3, 64, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))",
    )
    default_scalings: ClassVar[tuple[int, ...]] = (1, 2, 4)

    layers: tuple[str | int, ...] = default_layers


@dataclass(frozen=True)
class EfficientNetB0(ConvolutionFeatures):
    """EfficientNet-B0; all but its first two convolutions see averages of the whole window.

    Tan and Le, ICML 2019, arXiv:1905.11946.
    """

    backbone: ClassVar[str] = "efficient_netb0"
    default_layers: ClassVar[tuple[str, ...]] = (
        "embeddings.convolution Conv2d(3, 32, kernel_size=(3, 3), stride=(2, 2), padding=valid, "
        "bias=False)",
    )
    default_scalings: ClassVar[tuple[int, ...]] = (1, 2)

    layers: tuple[str | int, ...] = default_layers


@dataclass(frozen=True)
class ConvNeXt(ConvolutionFeatures):
    """ConvNeXt-base; cells of 4 x 4 pixels, kernels of 7 x 7 cells.

    Liu et al., CVPR 2022, arXiv:2201.03545.
    """

    backbone: ClassVar[str] = "convnext"
    default_layers: ClassVar[tuple[str, ...]] = (
        "embeddings.patch_embeddings Conv2d(3, 128, kernel_size=(4, 4), stride=(4, 4))",
        "encoder.stages.0.layers.0.dwconv Conv2d(128, 128, kernel_size=(7, 7), stride=(1, 1), "
        "padding=(3, 3), groups=128)",
        "encoder.stages.0.layers.1.dwconv Conv2d(128, 128, kernel_size=(7, 7), stride=(1, 1), "
        "padding=(3, 3), groups=128)",
    )
    default_scalings: ClassVar[tuple[int, ...]] = (1, 2)

    layers: tuple[str | int, ...] = default_layers


@lru_cache
def _traced(backbone: str) -> Trace:
    return trace(BACKBONES[backbone]())


@lru_cache
def _tensors(backbone: str, last: int) -> tuple[str, ...]:
    return tuple(_traced(backbone).tensors(BACKBONES[backbone](), last))


@lru_cache(maxsize=32)
def _taps(network: nn.Module, chosen: tuple[Convolution, ...]) -> Taps:
    last = max(chosen, key=lambda c: c.position)
    return Taps(network, [c.name for c in chosen], last.name)


@lru_cache
def _find(backbone: str, layer: str | int) -> Convolution:
    convolutions = _traced(backbone).convolutions
    if isinstance(layer, str):
        name = layer.partition(" ")[0]
        found = next((c for c in convolutions if c.name == name), None)
    else:
        found = dict(enumerate(convolutions)).get(layer)
    if found is None:
        known = ", ".join(f"{i}: {c.name}" for i, c in enumerate(convolutions))
        raise ParameterError(f"{backbone} has no layer {layer!r}. It has {known}.")
    return found
