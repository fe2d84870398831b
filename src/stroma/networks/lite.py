"""A U-Net for planes whose encoder has learned from photographs: EfficientNet-Lite0.

Tan and Le 2019, arXiv:1905.11946; Ronneberger et al. 2015, arXiv:1505.04597. It learns from few
images in minutes what a network that begins with nothing needs hours for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import nn

from stroma.backbones.efficientnet_lite import efficientnet_lite0
from stroma.backbones.loading import RGB, pretrained
from stroma.backbones.taps import Tap
from stroma.backbones.trace import Reach, trace
from stroma.errors import ParameterError
from stroma.networks.contract import cropped, padded

BACKBONE = "efficientnet_lite0"
DEEPEST = "stage5"
"""What leaves it has cells of 16 pixels; deeper ones look far and see no borders."""

BRIDGES = ("stage1", "stage2", "stage3")
"""Cells of 2, 4 and 8 pixels."""

STRIDE = 16
SPREAD = 2.0
"""Intensities are compressed above about half a deviation, so that what is dim is seen as well."""

GAIN = 4.0
"""Factor of the outputs: how sure they are is learned in so many steps fewer."""

Tensor = torch.Tensor


class Lite(nn.Module):
    """EfficientNet-Lite0 up to cells of 16 pixels, and a narrow decoder back to every pixel.

    Normalisation in the encoder keeps the statistics that it came with: those of a batch of a few
    images of several kinds are of no use. Weights come with `begin`.

    Parameters
    ----------
    channels, outputs : int
        Channels of images, and of what is predicted.
    ndim : {2}
        Spatial axes.
    features : sequence of int
        Width of the decoder, at cells of 1, 2, 4 and 8 pixels.
    """

    def __init__(
        self,
        channels: int,
        outputs: int,
        *,
        ndim: int = 2,
        features: Sequence[int] = (16, 32, 48, 64),
    ) -> None:
        super().__init__()
        if ndim != 2:
            raise ParameterError(
                f"The network 'lite' is for planes (2 axes), got {ndim}. 'unet' is for volumes too."
            )
        if len(features) != len(BRIDGES) + 1:
            raise ParameterError(
                f"features has {len(BRIDGES) + 1} widths, for cells of 1, 2, 4 and 8 pixels; got "
                f"{list(features)}."
            )
        self.ndim, self.stride = ndim, (STRIDE, STRIDE)
        encoder = _up_to(efficientnet_lite0(channels), DEEPEST)
        reaches = {
            c.name: c.reach for c in trace(_up_to(efficientnet_lite0(), DEEPEST)).convolutions
        }
        taps = {name: m.out_channels for name, m in encoder.named_children() if isinstance(m, Tap)}
        self.halo = (_halo([reaches[n] for n in (*BRIDGES, DEEPEST)]),) * 2
        self.encoder = encoder.to_empty(device="cpu").apply(_reset)
        entering = [features[0] // 2, *(taps[name] for name in BRIDGES)]
        below = [*features[1:], taps[DEEPEST]]
        self.image = _unit(channels, entering[0])
        self.rise = nn.ModuleList(nn.Conv2d(i, o, 1) for i, o in zip(below, features, strict=True))
        self.decoder = nn.ModuleList(
            nn.Sequential(_unit(w + e, w), _unit(w, w))
            for w, e in zip(features, entering, strict=True)
        )
        self.head = nn.Conv2d(features[0], outputs, 1)

    def begin(self) -> None:
        """Take the weights of the encoder that were learned from photographs.

        Raises
        ------
        WeightsError
            If they are not on this machine.
        """
        own = {k: v for k, v in self.encoder.state_dict().items() if v.is_floating_point()}
        source = pretrained(BACKBONE, list(own), device=torch.device("cpu")).state_dict()
        with torch.no_grad():
            for name, tensor in own.items():
                tensor.copy_(_for_channels(source[name], tensor.shape))

    def train(self, mode: bool = True) -> Lite:
        """Set whether it learns; the statistics of the encoder stay as they are."""
        super().train(mode)
        for module in self.encoder.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self

    def forward(self, images: Tensor) -> Tensor:
        """Return (B, K, y, x)."""
        x = torch.asinh(SPREAD * padded(images, self.stride))
        x = x.contiguous(memory_format=torch.channels_last)  # half as slow again otherwise
        bridges = [self.image(x)]
        for name, module in self.encoder.named_children():
            x = module(x)
            if name in BRIDGES:
                bridges.append(x)
        for i in reversed(range(len(bridges))):
            risen = nn.functional.interpolate(self.rise[i](x), scale_factor=2.0, mode="nearest")
            x = self.decoder[i](torch.cat([risen, bridges[i]], 1))
        return cropped(GAIN * self.head(x), images.shape[2:])


def _up_to(network: nn.Module, last: str) -> nn.Sequential:
    """Return a network up to one of its children."""
    found = nn.Sequential()
    for name, module in network.named_children():
        found.add_module(name, module)
        if name == last:
            break
    return found


def _halo(reaches: Sequence[Reach]) -> int:
    """Return what a pixel depends on: cells of the encoder, followed up the decoder.

    A cell takes what the coarser one around it depends on, which begins up to one cell ahead of
    it; two kernels of 3 cells follow.
    """
    below = reaches[-1]
    for bridge in (*reversed(reaches[:-1]), Reach(before=1, after=1)):
        before = max(below.before + bridge.step, bridge.before) + 2 * bridge.step
        after = max(below.after, bridge.after) + 2 * bridge.step
        below = replace(bridge, before=before, after=after)
    return max(below.before, below.after)


def _unit(entering: int, leaving: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(entering, leaving, 3, padding=1, bias=False),
        nn.BatchNorm2d(leaving),
        nn.ReLU(inplace=True),
    )


def _reset(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.BatchNorm2d):
        module.reset_parameters()


def _for_channels(weights: Tensor, shape: Sequence[int]) -> Tensor:
    """Return a first kernel for other channels than red, green and blue: their mean for each."""
    if tuple(weights.shape) == tuple(shape):
        return weights
    mean = weights.mean(1, keepdim=True) * (RGB / shape[1])
    return mean.expand(-1, shape[1], -1, -1)
