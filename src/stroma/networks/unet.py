"""The U-Net, plain and with residual encoder, for planes and volumes, isotropic or not.

Ronneberger et al. 2015, arXiv:1505.04597; residual encoders and strides per axis after nnU-Net,
Isensee et al. 2021, doi 10.1038/s41592-020-01008-z, and 2024, arXiv:2404.09556.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import nn

from stroma.errors import ParameterError
from stroma.networks.contract import (
    AVERAGE_POOL,
    CONVOLUTIONS,
    MAX_POOL,
    TRANSPOSED,
    cropped,
    normalisation,
    padded,
)
from stroma.networks.shuffle import Shuffle

Per = int | Sequence[int]
"""One number for all axes, or one per axis."""

Tensor = torch.Tensor


class UNet(nn.Module):
    """Convolutions at falling resolution and back, with bridges between equal resolutions.

    Parameters
    ----------
    channels, outputs : int
        Channels of images, and of what is predicted.
    ndim : {2, 3}
        Spatial axes.
    features : sequence of int
        Width of every stage, finest first.
    strides : sequence, optional
        Step from the stage before to each stage, per axis; the first is 1. All 2, unless given.
    kernels : sequence, optional
        Sides of the kernels of every stage, per axis; 3 unless given.
    convolutions : int or sequence of int
        Per stage of the encoder; of residual blocks if ``block`` says so.
    decoder_convolutions : int
        Per stage of the decoder.
    block : {"plain", "residual"}
        What the encoder is made of.
    norm : {"batch", "instance", "none"}
        Normalisation after every convolution; see `stroma.networks.contract.normalisation`.
    activation : {"leaky", "relu"}
        After normalisation.
    down : {"stride", "pool"}
        How resolution falls.
    up : {"transposed", "nearest", "shuffle"}
        How it rises: by a transposed convolution, repeated pixels, or (planes, by 2) shuffled
        ones.
    deep : bool
        While training, predict at every resolution of the decoder but the coarsest.
    """

    def __init__(
        self,
        channels: int,
        outputs: int,
        *,
        ndim: int = 2,
        features: Sequence[int] = (16, 32, 64, 128),
        strides: Sequence[Per] | None = None,
        kernels: Sequence[Per] | None = None,
        convolutions: int | Sequence[int] = 2,
        decoder_convolutions: int = 2,
        block: Literal["plain", "residual"] = "plain",
        norm: str = "batch",
        activation: str = "leaky",
        down: Literal["stride", "pool"] = "stride",
        up: Literal["transposed", "nearest", "shuffle"] = "transposed",
        deep: bool = False,
    ) -> None:
        super().__init__()
        n = len(features)
        self.ndim, self.norm, self.deep, self.down = ndim, norm, deep, down
        self.strides = _stages(strides or [1] + [2] * (n - 1), n, ndim, "strides")
        self.kernels = _stages(kernels or [3] * n, n, ndim, "kernels")
        depth = [convolutions] * n if isinstance(convolutions, int) else list(convolutions)
        self._depth, self._decoder_depth = depth, decoder_convolutions
        self._up = up
        self._residual = block == "residual"
        style = _Style(ndim, norm, activation)
        widths = [channels, *features]
        self.encoder = nn.ModuleList()
        for i in range(n):
            pooled = down == "pool" or self._residual
            maker = _residual_stage if self._residual else _plain_stage
            step = (1,) * ndim if pooled else self.strides[i]
            stage = maker(style, widths[i], features[i], self.kernels[i], depth[i], step)
            kind = AVERAGE_POOL if self._residual else MAX_POOL
            pool = kind[ndim](self.strides[i]) if pooled and max(self.strides[i]) > 1 else None
            self.encoder.append(nn.Sequential(pool, *stage) if pool else nn.Sequential(*stage))
        self.rise, self.decoder = nn.ModuleList(), nn.ModuleList()
        for i in range(n - 1):
            step = self.strides[i + 1]
            self.rise.append(_rise(up, features[i + 1], features[i], step, ndim))
            stage = _plain_stage(
                style, 2 * features[i], features[i], self.kernels[i], decoder_convolutions
            )
            self.decoder.append(nn.Sequential(*stage))
        heads = range(max(1, n - 1) if deep else 1)
        self.heads = nn.ModuleList(CONVOLUTIONS[ndim](features[i], outputs, 1) for i in heads)

    @property
    def stride(self) -> tuple[int, ...]:
        """Per axis, the product of all steps."""
        return tuple(torch.tensor(self.strides).prod(0).tolist())

    @property
    def halo(self) -> tuple[int, ...] | None:
        """Per axis, what results depend on; None with normalisation by the instance."""
        if self.norm == "instance":
            return None
        return tuple(self._halo(axis) for axis in range(self.ndim))

    def _halo(self, axis: int) -> int:
        """Follow what is needed from the output down the decoder, and up the encoder."""
        reach = [stage[axis] // 2 for stage in self.kernels]
        steps = [1]
        for stage in self.strides[1:]:
            steps.append(steps[-1] * stage[axis])
        margin = 0
        for i in range(len(steps) - 1):
            margin += (self._decoder_depth * reach[i] + (self._up == "shuffle")) * steps[i]
            margin = -(-margin // steps[i + 1]) * steps[i + 1]
            margin += steps[i + 1] * (self._up == "shuffle")
        each = 2 if self._residual else 1
        for i in reversed(range(len(steps))):
            strided = not self._residual and self.down == "stride" and i > 0
            margin += (each * self._depth[i] - strided) * reach[i] * steps[i]
            margin += reach[i] * steps[i - 1] if strided else 0
        return margin

    def forward(self, images: Tensor) -> Any:
        """Return (B, K, *space); while training deeply, a list of these, finest first."""
        space = images.shape[2:]
        x = padded(images, self.stride)
        bridges = []
        for stage in self.encoder:
            x = stage(x)
            bridges.append(x)
        found = self.decode(bridges)
        if isinstance(found, list):
            return [cropped(found[0], space), *found[1:]]
        return cropped(found, space)

    def decode(self, bridges: Sequence[Tensor]) -> Any:
        """Return outputs for what the stages of the encoder gave, finest first; not cropped."""
        x, found = bridges[-1], []
        for i in reversed(range(len(bridges) - 1)):
            x = self.decoder[i](torch.cat([self.rise[i](x), bridges[i]], 1))
            if self.training and self.deep and i > 0:
                found.append(self.heads[i](x))
        finest = self.heads[0](x)
        return [finest, *reversed(found)] if self.training and self.deep else finest


def nnunet(channels: int, outputs: int, *, ndim: int = 2, **params: Any) -> UNet:
    """Return nnU-Net's plain network: normalised by the instance, supervised deeply."""
    return UNet(channels, outputs, ndim=ndim, **{"norm": "instance", "deep": True, **params})


def resenc(channels: int, outputs: int, *, ndim: int = 2, **params: Any) -> UNet:
    """Return nnU-Net's network with a residual encoder: 1, 3, 4, 6, 6, ... blocks."""
    count = len(params.get("features", (0,) * 4))
    blocks = [1, 3, 4, *[6] * count][:count]
    chosen = {"convolutions": blocks, "decoder_convolutions": 1, "block": "residual", **params}
    return nnunet(channels, outputs, ndim=ndim, **chosen)


class _Style:
    """How every convolution is followed."""

    def __init__(self, ndim: int, norm: str, activation: str) -> None:
        if activation not in ("leaky", "relu"):
            raise ParameterError(f"No activation {activation!r}. Known: leaky, relu.")
        self.ndim, self._norm, self._activation = ndim, norm, activation

    def convolution(
        self, inputs: int, width: int, kernel: Sequence[int], step: Sequence[int] | None = None
    ) -> nn.Module:
        padding = tuple(k // 2 for k in kernel)
        made: nn.Module = CONVOLUTIONS[self.ndim](
            inputs, width, tuple(kernel), tuple(step or (1,) * self.ndim), padding
        )
        return made

    def norm(self, width: int) -> nn.Module:
        return normalisation(self._norm, width, self.ndim)

    def activation(self) -> nn.Module:
        leaky = self._activation == "leaky"
        return nn.LeakyReLU(0.01, inplace=True) if leaky else nn.ReLU(inplace=True)


def _plain_stage(
    style: _Style,
    inputs: int,
    width: int,
    kernel: Sequence[int],
    count: int,
    step: Sequence[int] | None = None,
) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for i in range(count):
        layers += [
            style.convolution(width if i else inputs, width, kernel, None if i else step),
            style.norm(width),
            style.activation(),
        ]
    return layers


def _residual_stage(
    style: _Style,
    inputs: int,
    width: int,
    kernel: Sequence[int],
    count: int,
    step: Sequence[int] | None = None,
) -> list[nn.Module]:
    return [Residual(style, width if i else inputs, width, kernel) for i in range(count)]


class Residual(nn.Module):
    """Two convolutions that are added to what went in."""

    def __init__(self, style: _Style, inputs: int, width: int, kernel: Sequence[int]) -> None:
        super().__init__()
        self.inner = nn.Sequential(
            style.convolution(inputs, width, kernel),
            style.norm(width),
            style.activation(),
            style.convolution(width, width, kernel),
            style.norm(width),
        )
        self.around: nn.Module = nn.Identity()
        if inputs != width:
            one = (1,) * style.ndim
            self.around = nn.Sequential(style.convolution(inputs, width, one), style.norm(width))
        self.last = style.activation()

    def forward(self, x: Tensor) -> Tensor:
        """Return the sum, after the activation."""
        result: Tensor = self.last(self.inner(x) + self.around(x))
        return result


def _rise(up: str, inputs: int, width: int, step: Sequence[int], ndim: int) -> nn.Module:
    if up == "transposed":
        made: nn.Module = TRANSPOSED[ndim](inputs, width, tuple(step), tuple(step))
        return made
    if up == "nearest":
        scale = tuple(float(s) for s in step)
        return nn.Sequential(
            nn.Upsample(scale_factor=scale, mode="nearest"), CONVOLUTIONS[ndim](inputs, width, 1)
        )
    if up == "shuffle" and tuple(step) == (2, 2):
        return Shuffle(inputs, width)
    raise ParameterError(
        f"No way up {up!r} for steps of {tuple(step)}. Known: transposed, nearest, and shuffle for "
        "planes by 2."
    )


def _stages(given: Sequence[Per], count: int, ndim: int, what: str) -> list[tuple[int, ...]]:
    stages = [_per_axis(n, ndim) for n in given]
    if len(stages) != count or any(len(stage) != ndim for stage in stages):
        raise ParameterError(
            f"{what} has one entry per stage of features ({count}), each a number or {ndim} of "
            f"them; got {list(given)}."
        )
    if what == "strides" and max(stages[0]) > 1:
        raise ParameterError(f"The first of strides is 1, as results have every pixel; got {given}")
    return stages


def _per_axis(given: Per, ndim: int) -> tuple[int, ...]:
    return (given,) * ndim if isinstance(given, int) else tuple(int(v) for v in given)
