"""SegNet: what was largest goes back to where it was.

Badrinarayanan, Kendall and Cipolla 2017, doi 10.1109/TPAMI.2016.2644615: an encoder as VGG16's,
and a decoder that puts values back to the places from which pooling took them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from stroma.errors import ParameterError
from stroma.networks.contract import BATCH, CONVOLUTIONS, cropped, padded

Tensor = torch.Tensor
POOL: dict[int, Any] = {2: functional.max_pool2d, 3: functional.max_pool3d}
UNPOOL: dict[int, Any] = {2: functional.max_unpool2d, 3: functional.max_unpool3d}


class SegNet(nn.Module):
    """An encoder and a decoder without bridges, joined by the places of the largest values.

    Parameters
    ----------
    channels, outputs : int
        Channels of images, and of what is predicted.
    ndim : {2, 3}
        Spatial axes.
    features, convolutions : sequence of int
        Width and number of convolutions of every stage; the defaults are the paper's.
    kernel : int
        Side of the kernels.
    indices : bool
        Put values back to where pooling took them; otherwise repeat them.
    """

    def __init__(
        self,
        channels: int,
        outputs: int,
        *,
        ndim: int = 2,
        features: Sequence[int] = (64, 128, 256, 512, 512),
        convolutions: Sequence[int] = (2, 2, 3, 3, 3),
        kernel: int = 3,
        indices: bool = True,
    ) -> None:
        super().__init__()
        if len(features) != len(convolutions):
            raise ParameterError(
                f"features and convolutions have one number per stage, got {list(features)} and "
                f"{list(convolutions)}."
            )
        self.ndim, self.indices = ndim, indices
        self._counts, self._kernel = list(convolutions), kernel
        self.encoder, self.decoder = nn.ModuleList(), nn.ModuleList()
        before = [channels, *features[:-1]]
        for inputs, width, count in zip(before, features, convolutions, strict=True):
            self.encoder.append(_stage([inputs, *[width] * count], kernel, ndim))
            back = inputs if inputs != channels else width
            self.decoder.append(_stage([*[width] * count, back], kernel, ndim))
        self.head = CONVOLUTIONS[ndim](features[0], outputs, 1)

    @property
    def stride(self) -> tuple[int, ...]:
        """Per axis, two for every stage."""
        return (2 ** len(self._counts),) * self.ndim

    @property
    def halo(self) -> tuple[int, ...] | None:
        """Per axis, what results depend on."""
        reach = self._kernel // 2
        margin = 0
        for i, count in enumerate(self._counts):
            margin += count * reach * 2**i
            margin = -(-margin // 2 ** (i + 1)) * 2 ** (i + 1)
        for i, count in enumerate(self._counts):
            margin += count * reach * 2**i
        return (margin,) * self.ndim

    def forward(self, images: Tensor) -> Tensor:
        """Return (B, K, *space)."""
        space = images.shape[2:]
        x = padded(images, self.stride)
        places = []
        for stage in self.encoder:
            x = stage(x)
            x, place = POOL[self.ndim](x, 2, return_indices=True)
            places.append(place)
        for stage, place in zip(reversed(self.decoder), reversed(places), strict=True):
            x = stage(self._back(x, place))
        return cropped(self.head(x), space)

    def _back(self, x: Tensor, place: Tensor) -> Tensor:
        if self.indices:
            found: Tensor = UNPOOL[self.ndim](x, place, 2)
            return found
        return functional.interpolate(x, scale_factor=2.0, mode="nearest")


def _stage(widths: Sequence[int], kernel: int, ndim: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for inputs, width in pairwise(widths):
        layers += [
            CONVOLUTIONS[ndim](inputs, width, kernel, padding=kernel // 2),
            BATCH[ndim](width),
            nn.ReLU(inplace=True),
        ]
    return nn.Sequential(*layers)
