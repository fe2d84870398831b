"""A plain vision transformer that sees all of a window, and convolutions that draw what it says.

Dosovitskiy et al. 2021, arXiv:2010.11929; the decoder follows the idea of UNETR (Hatamizadeh et
al. 2022, arXiv:2103.10504), with one bridge: the image itself at full resolution.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from stroma.backbones.dino import FEATURES, dinov2, patch_tokens
from stroma.backbones.loading import pretrained
from stroma.errors import ParameterError
from stroma.networks.contract import cropped, padded

Tensor = torch.Tensor
PATCH = 14
SMALL = {"features": FEATURES, "layers": 12, "heads": 6}
BACKBONE = "dinov2_vits14_reg"


class ViT(nn.Module):
    """A transformer as DINOv2's, with a convolutional decoder; for planes.

    Results depend on the whole window, so tiles are blended in use.

    Parameters
    ----------
    channels, outputs : int
        Channels of images, and of what is predicted.
    ndim : {2}
        Spatial axes.
    features, layers, heads : int
        Of the transformer.
    decoder : sequence of int
        Width of every stage of the decoder, each of twice the resolution; the last is that of the
        image.
    start : {"random", "dinov2"}
        Weights that training begins with; with "dinov2" the transformer is ViT-S, whose weights
        are fetched then unless they are here, and images have 1 or 3 channels.
    """

    def __init__(
        self,
        channels: int,
        outputs: int,
        *,
        ndim: int = 2,
        features: int = 192,
        layers: int = 6,
        heads: int = 3,
        decoder: Sequence[int] = (64, 32, 16),
        start: str = "random",
    ) -> None:
        super().__init__()
        _check(ndim, channels, start, decoder)
        size = {"features": features, "layers": layers, "heads": heads}
        size = SMALL if start == "dinov2" else size
        self.ndim, self._channels, self._start = ndim, channels, start
        self.encoder = dinov2(channels, **size)
        # A token that stands for hidden patches, in another way to train.
        self.encoder.get_parameter("embeddings.mask_token").requires_grad_(False)
        width = size["features"]
        self.image = _stage(channels, decoder[-1])
        self.decoder = nn.ModuleList()
        for i, n in enumerate(decoder):
            bridge = decoder[-1] if i == len(decoder) - 1 else 0
            self.decoder.append(_stage(width + bridge, n))
            width = n
        self.head = nn.Conv2d(width, outputs, 1)

    @property
    def stride(self) -> tuple[int, ...]:
        """The side of a patch."""
        return (PATCH,) * self.ndim

    @property
    def halo(self) -> None:
        """Attention sees the whole window."""
        return

    def begin(self) -> None:
        """Load the weights that training begins with.

        Raises
        ------
        WeightsError
            If they are neither here nor to be had.
        """
        if self._start == "dinov2":
            cpu = torch.device("cpu")
            known = pretrained(BACKBONE, device=cpu, channels=self._channels)
            self.encoder.load_state_dict(known.state_dict())

    def forward(self, images: Tensor) -> Tensor:
        """Return (B, K, y, x)."""
        space = images.shape[2:]
        whole = padded(images, self.stride)
        rows, columns = (n // PATCH for n in whole.shape[2:])
        tokens = patch_tokens(self.encoder, whole)
        x = tokens.transpose(1, 2).reshape(len(tokens), -1, rows, columns)
        for i, stage in enumerate(self.decoder):
            below = 2 ** (len(self.decoder) - 1 - i)
            sides = [n // below for n in whole.shape[2:]]
            x = functional.interpolate(x, size=sides, mode="bilinear", align_corners=False)
            x = stage(torch.cat([x, self.image(whole)], 1) if below == 1 else x)
        return cropped(self.head(x), space)


def _check(ndim: int, channels: int, start: str, decoder: Sequence[int]) -> None:
    if ndim != 2:
        raise ParameterError(f"The network vit looks at planes (ndim=2), got ndim={ndim}.")
    if start not in ("random", "dinov2"):
        raise ParameterError(f"start is 'random' or 'dinov2', got {start!r}.")
    if start == "dinov2" and channels not in (1, 3):
        raise ParameterError(
            f"DINOv2 knows images of 1 or 3 channels, and these have {channels}. "
            "Give start='random'."
        )
    if not decoder:
        raise ParameterError("decoder has one width for every stage, got none.")


def _stage(inputs: int, width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, width, 3, padding=1),
        nn.BatchNorm2d(width),
        nn.LeakyReLU(0.01, inplace=True),
        nn.Conv2d(width, width, 3, padding=1),
        nn.BatchNorm2d(width),
        nn.LeakyReLU(0.01, inplace=True),
    )
