"""Higher resolution by shuffled pixels, without checkerboards to begin with.

Shi et al. 2016, arXiv:1609.05158; Aitken et al. 2017, arXiv:1707.02937.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

Tensor = torch.Tensor


class Shuffle(nn.Module):
    """Twice the resolution: four features of a cell become its four pixels, then are joined.

    Parameters
    ----------
    inputs, width : int
        Features in and out.
    icnr : bool
        Begin with the four pixels of a cell alike, so that there is no checkerboard.
    """

    def __init__(self, inputs: int, width: int, *, icnr: bool = True) -> None:
        super().__init__()
        self.spread = nn.Conv2d(inputs, 4 * width, 3, padding=1)
        self.smooth = nn.Conv2d(width, width, 3, padding=1)
        if icnr:
            with torch.no_grad():
                assert self.spread.bias is not None
                self.spread.weight.copy_(self.spread.weight[::4].repeat_interleave(4, 0))
                self.spread.bias.copy_(self.spread.bias[::4].repeat_interleave(4, 0))

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, width, 2y, 2x)."""
        found: Tensor = self.smooth(functional.pixel_shuffle(self.spread(x), 2))
        return found
