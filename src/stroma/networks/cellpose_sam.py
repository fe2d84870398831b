"""The network of Cellpose-SAM: a transformer that sees a whole tile, and one layer that draws.

Pachitariu et al., Cellpose-SAM: superhuman generalization for cellular segmentation, 2025,
doi 10.1101/2025.04.28.651001.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from stroma.backbones.cellpose_sam import FEATURES, NARROW, PATCH, WIDE, Encoder, Size
from stroma.backbones.sam import embed
from stroma.errors import ParameterError
from stroma.networks.contract import cropped, padded

Tensor = torch.Tensor


class CellposeSAM(nn.Module):
    """The encoder of Segment Anything on patches of 8 pixels, each of which draws its own pixels.

    Unless told otherwise it is much smaller than that of Cellpose-SAM, which has 1024 features, 24
    layers, 16 heads and 4096 within.

    Parameters
    ----------
    channels, outputs : int
        Channels of images, and of what is predicted.
    ndim : {2}
        Planes only.
    features, inner : int
        Of a token, between layers and inside them.
    layers, heads : int
        How many.
    reach : sequence of int
        Distances known along an axis in each layer; those of a tile of 256 pixels are 63.
    """

    step = 0.8
    """Tiles overlap by a fifth: they take long."""

    ndim = 2
    halo = None
    stride = (PATCH, PATCH)

    def __init__(
        self,
        channels: int,
        outputs: int,
        *,
        ndim: int = 2,
        features: int = 32,
        layers: int = 2,
        heads: int = 2,
        inner: int = 64,
        reach: Sequence[int] = (NARROW, WIDE),
    ) -> None:
        super().__init__()
        _check(ndim, features, layers, heads, reach)
        self.encoder = Encoder(Size(features, layers, heads, inner, tuple(reach)), channels)
        self.out = nn.Conv2d(FEATURES, outputs * PATCH**2, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Return (B, K, y, x)."""
        known = embed(self.encoder, padded(images, self.stride))
        drawn = nn.functional.pixel_shuffle(self.out(known), PATCH)
        return cropped(drawn, images.shape[2:])


def _check(ndim: int, features: int, layers: int, heads: int, reach: Sequence[int]) -> None:
    if ndim != 2:
        raise ParameterError("The network of Cellpose-SAM is one of planes: ndim is 2.")
    if heads < 1 or features % heads:
        raise ParameterError(f"features are a multiple of heads, got {features} and {heads}.")
    if len(reach) != layers:
        raise ParameterError(
            f"reach has a number for every layer, got {len(reach)} for {layers} layers."
        )
