"""FeatUp's joint bilateral upsampling: features of patches, brought to pixels in four doublings.

Fu et al., FeatUp: a model-agnostic framework for features at any resolution, ICLR 2024,
arXiv:2403.10516; after Kopf et al., Joint bilateral upsampling, 2007. Written from the formulas;
the names of tensors are those of the authors' files.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

import torch
from torch import nn
from torch.nn import functional as F

FEATURES = 384
KEYS = 32
RADIUS = 3
SIDE = 2 * RADIUS + 1
DOUBLINGS = 4
FIXED = 0.1
"""Share of what the small networks add: to the weights of neighbours, and to the features."""

FEATURES_AT_ONCE = 48
ROWS_AT_ONCE = 32


class Doubling(nn.Module):
    """Twice the resolution: a mean of 7 x 7 neighbours, by distance and likeness in the image."""

    def __init__(self) -> None:
        super().__init__()
        self.range_temp, self.sigma_spatial = (nn.Parameter(torch.empty(())) for _ in range(2))
        self.range_proj = _pointwise(3, KEYS)
        self.fixup_proj = _pointwise(3 + SIDE**2, SIDE**2)

    def weights(self, image: torch.Tensor) -> torch.Tensor:
        """Return the (49, y, x) weights of the neighbours of every pixel of a (3, y, x) image."""
        keys = self.range_proj(image[None])[0]
        alike = torch.stack([(keys * other).sum(0) for other in neighbours(keys)])
        odds = torch.softmax(self.range_temp.exp().clamp(1e-4, 1e4) * alike, 0)
        odds = odds * self._nearness()[:, None, None]
        odds = odds / odds.sum(0).clamp(min=1e-7)
        fixed: torch.Tensor = self.fixup_proj(torch.cat([odds, image])[None])[0]
        return odds + FIXED * fixed

    def _nearness(self) -> torch.Tensor:
        steps = torch.linspace(-1, 1, SIDE, device=self.sigma_spatial.device).square()
        squared = (steps[:, None] + steps).flatten()
        return torch.exp(-squared / (2 * self.sigma_spatial**2))


def _pointwise(entering: int, leaving: int) -> nn.Sequential:
    """Return two 1 x 1 convolutions; the one that training left out at random is not counted."""
    parts = (
        ("0", nn.Conv2d(entering, leaving, 1)),
        ("1", nn.GELU()),
        ("3", nn.Conv2d(leaving, leaving, 1)),
    )
    return nn.Sequential(OrderedDict(parts))


def neighbours(x: torch.Tensor) -> Iterator[torch.Tensor]:
    """Yield a (C, y, x) map shifted by every offset of 7 x 7, row by row; mirrored at borders.

    Maps too small to be mirrored go on as they end.
    """
    height, width = x.shape[1:]
    mode = "reflect" if min(height, width) > RADIUS else "replicate"
    wide = F.pad(x[None], [RADIUS] * 4, mode=mode)[0]
    for i in range(SIDE):
        for j in range(SIDE):
            yield wide[:, i : i + height, j : j + width]


class FeatUp(nn.Module):
    """Features of 14 x 14 patches at every pixel."""

    def __init__(self, features: int = FEATURES) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(features)
        for name in self._names():
            self.add_module(name, Doubling())
        self.fixup_proj = nn.Sequential(OrderedDict([("1", nn.Conv2d(features, features, 1))]))

    @staticmethod
    def _names() -> list[str]:
        return [f"up{i + 1}" for i in range(DOUBLINGS)]

    def forward(
        self, image: torch.Tensor, tokens: torch.Tensor, shape: tuple[int, int]
    ) -> torch.Tensor:
        """Return the (F, *shape) features, given the (3, y, x) image and (F, h, w) tokens.

        They are made at 16 times the resolution of the tokens, and lie between those. Some features
        at a time go through the doublings, whose weights are the same for all.
        """
        tokens = self.norm(tokens.movedim(0, -1)).movedim(-1, 0)
        weights = list(self._weights(image, tokens.shape[1], tokens.shape[2]))
        found = tokens.new_empty(len(tokens), *shape)
        for first in range(0, len(tokens), FEATURES_AT_ONCE):
            some = slice(first, first + FEATURES_AT_ONCE)
            part = tokens[some]
            for of_neighbours in weights:
                part = _doubled(part, of_neighbours)
            if part.shape[1:] != shape:
                part = F.interpolate(part[None], shape, mode="bilinear", align_corners=False)[0]
            found[some] = part
        for row in range(0, shape[0], ROWS_AT_ONCE):
            strip = found[:, row : row + ROWS_AT_ONCE]
            strip += FIXED * self.fixup_proj(strip[None])[0]
        return found

    def _weights(self, image: torch.Tensor, height: int, width: int) -> Iterator[torch.Tensor]:
        for level, name in enumerate(self._names(), 1):
            small = F.adaptive_avg_pool2d(image[None], (height << level, width << level))[0]
            yield self.get_submodule(name).weights(small)  # type: ignore[operator]


def _doubled(features: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Return (F, y, x) features at twice the resolution, given the (49, 2y, 2x) weights there."""
    smooth = F.interpolate(features[None], weights.shape[1:], mode="bicubic", align_corners=False)
    total = torch.zeros_like(smooth[0])
    for shifted, weight in zip(neighbours(smooth[0]), weights, strict=True):
        total.addcmul_(shifted, weight)
    return total


def featup(channels: int = 3) -> nn.Module:
    """Return the network for 384 features; it always looks at three channels."""
    del channels
    with torch.device("meta"):
        return FeatUp().eval()
