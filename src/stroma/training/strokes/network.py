"""The network that is trained for a few strokes: an image in, features of every pixel out."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stroma.features.strokenet.learned_layout import LAYOUT, Layout


def _conv(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
    )


class StrokeNetwork(nn.Module):
    """Narrow at full resolution, wide where pixels are few; no output sees farther than its halo.

    Every channel goes through the same first filters; of half of them the mean over the channels
    goes on, of the others the maximum, so the number and the order of channels are free. Levels of
    1, 1/2, 1/4 and 1/8 of the resolution follow, and from the coarsest back to the finest each is
    enlarged, added to the next and filtered once. What tells the channels apart are four linear
    filters of each channel alone.

    Parameters
    ----------
    layout : Layout
        Widths of the levels.
    """

    def __init__(self, layout: Layout = LAYOUT) -> None:
        super().__init__()
        self.layout = layout
        widths, back = layout.widths, layout.back
        self.stem = nn.Conv2d(1, widths[0], 3, padding=1)
        self.down = nn.ModuleList(
            nn.Sequential(*[_conv(i, o) for i, o in layout.convolutions(level)])
            for level in range(len(widths))
        )
        self.side = nn.ModuleList(nn.Conv2d(w, b, 1) for w, b in zip(widths, back, strict=True))
        self.reduce = nn.ModuleList(nn.Conv2d(coarse, fine, 1) for fine, coarse in pairwise(back))
        self.up = nn.ModuleList(_conv(b, b) for b in back[:-1])
        self.fine = nn.Conv2d(back[0], layout.fine, 1)
        self.coarse = nn.Conv2d(back[1], layout.coarse, 1)
        self.near = nn.Conv2d(1, layout.own, 5, padding=2)
        self.far = nn.Conv2d(1, layout.own, 5, padding=2)

    def forward(self, image: Tensor) -> Tensor:
        """Return the features of images that all have the same number of channels.

        Parameters
        ----------
        image : (B, C, y, x) float
            Sides that are multiples of 8.

        Returns
        -------
        (B, features, y, x) float
            First ``fine + coarse`` common ones, then ``2 * own`` of every channel.
        """
        batch, channels, height, width = image.shape
        single = image.reshape(batch * channels, 1, height, width)
        return torch.cat([self.common(self.pooled(single, channels)), self.alone(image)], 1)

    def pooled(self, single: Tensor, channels: int) -> Tensor:
        """Return the first filters of (B * C, 1, y, x) channels, pooled: (B, w, y, x)."""
        first = F.relu(self.stem(single))
        if channels == 1:
            return first
        first = first.reshape(-1, channels, *first.shape[1:])
        half = first.shape[2] // 2
        return torch.cat([first[:, :, :half].mean(1), first[:, :, half:].amax(1)], 1)

    def common(self, pooled: Tensor) -> Tensor:
        """Return the (B, fine + coarse, y, x) features of all channels together."""
        levels = []
        x = pooled
        for level, convolutions in enumerate(self.down):
            x = convolutions(F.avg_pool2d(x, 2) if level else x)
            levels.append(x)
        y = F.relu(self.side[-1](levels[-1]))
        second = y
        for level in range(len(levels) - 2, -1, -1):
            lateral = self.side[level](levels[level])
            y = self.up[level](F.relu(lateral + _enlarged(self.reduce[level](y))))
            second = y if level == 1 else second
        return torch.cat([self.fine(y), _enlarged(self.coarse(second))], 1)

    def alone(self, image: Tensor) -> Tensor:
        """Return the (B, C * 2 * own, y, x) linear features of every channel alone."""
        batch, channels, height, width = image.shape
        single = image.reshape(batch * channels, 1, height, width)
        far = self.far(F.avg_pool2d(single, 4))
        far = F.interpolate(far, scale_factor=4, mode="bilinear", align_corners=False)
        return torch.cat([self.near(single), far], 1).reshape(batch, -1, height, width)


def _enlarged(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
