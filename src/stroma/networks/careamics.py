"""The U-Net of CAREamics, which restores images: that of Noise2Void, Noise2Void 2 and CARE.

Krull et al. 2019, arXiv:1811.10980; Höck et al. 2022, arXiv:2211.08512; Weigert et al. 2018,
doi 10.1038/s41592-018-0216-7.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional

from stroma.errors import ParameterError
from stroma.networks.contract import BATCH, CONVOLUTIONS, MAX_POOL, cropped, padded

Tensor = torch.Tensor

MODES = {2: "bilinear", 3: "trilinear"}
BLURRED = (0.25, 0.5, 0.25)
ENDS: dict[str, Any] = {
    "none": nn.Identity,
    "relu": nn.ReLU,
    "elu": nn.ELU,
    "leakyrelu": nn.LeakyReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}
"""What may be done to the output in the end."""

DEEPEST = 10


class BlurPool(nn.Module):
    """The largest of neighbours, blurred before every second one is taken.

    Parameters
    ----------
    ndim : {2, 3}
        Spatial axes.
    """

    weights: Tensor

    def __init__(self, ndim: int) -> None:
        super().__init__()
        self.ndim = ndim
        line = torch.tensor(BLURRED)
        weights = line
        for _ in range(ndim - 1):
            weights = weights[..., None] * line
        self.register_buffer("weights", weights[None, None], persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, C, *space) of half the sides."""
        width = x.shape[1]
        pool = functional.max_pool2d if self.ndim == 2 else functional.max_pool3d
        blur = functional.conv2d if self.ndim == 2 else functional.conv3d
        weights = self.weights.to(x.dtype).expand(width, *self.weights.shape[1:])
        return blur(pool(x, 2, 1), weights, stride=2, padding=1, groups=width)


class CAREamics(nn.Module):
    """Two convolutions per stage down and up, with bridges, and straight lines on the way up.

    Parameters
    ----------
    channels, outputs : int
        Channels of images, and of what is predicted.
    ndim : {2, 3}
        Spatial axes.
    features : int
        Width of the finest stage, which doubles with every stage.
    depth : int
        Steps down.
    norm : bool
        Normalise by what was learned of batches after every convolution.
    blur : bool
        Blur on the way down, and build no bridge between the finest stages (Noise2Void 2).
    residual : bool
        Add the image to the output.
    end : str
        What is done to the output: see `ENDS`.
    apart : bool
        Every channel has a network of its own.
    """

    def __init__(
        self,
        channels: int,
        outputs: int,
        *,
        ndim: int = 2,
        features: int = 32,
        depth: int = 2,
        norm: bool = True,
        blur: bool = False,
        residual: bool = False,
        end: str = "none",
        apart: bool = False,
    ) -> None:
        super().__init__()
        _require(channels, outputs, depth, residual=residual, end=end, apart=apart)
        self.ndim, self.blur, self.residual = ndim, blur, residual
        self.groups = channels if apart else 1
        widths = [features * 2**i * self.groups for i in range(depth)]
        leaving = [widths[0], *widths[:-1]]
        made = _Maker(ndim, norm, self.groups)
        self.down = nn.ModuleList(
            made.pair(entering, width, width)
            for entering, width in zip([channels, *widths], widths, strict=False)
        )
        self.pool = BlurPool(ndim) if blur else MAX_POOL[ndim](2)
        self.deepest = made.pair(widths[-1], 2 * widths[-1], widths[-1])
        self.up = nn.ModuleList(
            made.pair(
                width if blur and i == 0 else 2 * width, leaving[i] * (2 if i else 1), leaving[i]
            )
            for i, width in enumerate(widths)
        )
        self.head = CONVOLUTIONS[ndim](widths[0], outputs, 1, groups=self.groups)
        self.end = ENDS[end]()

    @property
    def stride(self) -> tuple[int, ...]:
        """The step of the deepest stage."""
        return (2 ** len(self.down),) * self.ndim

    @property
    def halo(self) -> tuple[int, ...]:
        """Pixels that results depend on: two convolutions a stage, and lines between pixels."""
        margin, depth = 0, len(self.down)
        for i in range(depth):
            margin += 2 * 2**i
            margin = -(-margin // 2 ** (i + 1)) * 2 ** (i + 1) + 2 ** (i + 1)
        margin += 2 * 2**depth
        for i in reversed(range(depth)):
            margin += (2 + self.blur) * 2**i
        return (margin,) * self.ndim

    def forward(self, images: Tensor) -> Tensor:
        """Return (B, K, *space)."""
        whole = x = padded(images, self.stride)
        bridges = []
        for stage in self.down:
            x = stage(x)
            bridges.append(x)
            x = self.pool(x)
        x = self.deepest(x)
        for i in reversed(range(len(self.up))):
            x = functional.interpolate(
                x, scale_factor=2.0, mode=MODES[self.ndim], align_corners=False
            )
            x = self.up[i](x if self.blur and i == 0 else self._beside(x, bridges[i]))
        x = self.head(x)
        found: Tensor = self.end(x + whole if self.residual else x)
        return cropped(found, images.shape[2:])

    def _beside(self, one: Tensor, other: Tensor) -> Tensor:
        """Return the channels of both, those of every group side by side."""
        split = [x.reshape(len(x), self.groups, -1, *x.shape[2:]) for x in (one, other)]
        return torch.cat(split, 2).flatten(1, 2)


def _require(
    channels: int, outputs: int, depth: int, *, residual: bool, end: str, apart: bool
) -> None:
    if not 1 <= depth <= DEEPEST:
        raise ParameterError(f"depth is 1 to {DEEPEST} steps, got {depth}.")
    if end not in ENDS:
        raise ParameterError(f"end is one of {', '.join(ENDS)}, got {end!r}.")
    if apart and outputs % channels:
        raise ParameterError(
            f"Channels that have a network each give as many outputs each; {outputs} outputs are "
            f"no multiple of {channels} channels."
        )
    if residual and outputs != channels and channels != 1:
        raise ParameterError(
            f"The image is added to the output where both have as many channels; here are "
            f"{channels} and {outputs}."
        )


class _Maker:
    """Makes pairs of convolutions."""

    def __init__(self, ndim: int, norm: bool, groups: int) -> None:
        self.ndim, self.norm, self.groups = ndim, norm, groups

    def pair(self, entering: int, between: int, leaving: int) -> nn.Sequential:
        return nn.Sequential(*self._one(entering, between), *self._one(between, leaving))

    def _one(self, entering: int, leaving: int) -> list[nn.Module]:
        made = CONVOLUTIONS[self.ndim](entering, leaving, 3, padding=1, groups=self.groups)
        norms = [BATCH[self.ndim](leaving)] if self.norm else []
        return [made, *norms, nn.ReLU()]
