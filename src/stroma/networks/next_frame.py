"""The next frame: drawn anew, or the last one, moved.

Predictions that are fed back blur more and more when they are drawn anew. Moving the last frame
keeps it sharp (Mahjourian, Wicke and Angelova 2017, arXiv:1609.06377, do so by geometry). Where
resolution rises, pixels are shuffled (Shi et al. 2016, arXiv:1609.05158), beginning without
checkerboards (Aitken et al. 2017, arXiv:1707.02937).
"""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import nn
from torch.nn import functional

from stroma.errors import ParameterError
from stroma.networks.recurrent import Recurrent, State

Tensor = torch.Tensor

DARKEST = 0.02


def checkerboard(image: Tensor) -> Tensor:
    """Return how much of (B, C, y, x) images repeats every two pixels, 0 to 1.

    It is the variance between the means of the four kinds of pixels (even and odd rows and
    columns), as part of the whole variance: about 0 for pictures, 1 for a pure checkerboard.
    """
    even = image[..., : image.shape[-2] // 2 * 2, : image.shape[-1] // 2 * 2]
    kinds = torch.stack([even[..., i::2, j::2].mean((-2, -1)) for i in (0, 1) for j in (0, 1)])
    whole = even.var((-2, -1), unbiased=False).clamp_min(1e-12)
    return (kinds.var(0, unbiased=False) / whole).mean()


class NextFrame(nn.Module):
    """Frames in, the frame after each out; grey values or colours from 0 to 1.

    Parameters
    ----------
    channels : int
        Of frames.
    how : {"direct", "warp"}
        Draw every pixel; or move the pixels of the last frame, and draw where that does not do.
    **params
        Of `stroma.networks.recurrent.Recurrent`; resolution rises by shuffled pixels, and there
        are cells at every resolution, unless they say otherwise.
    """

    ndim = 2

    def __init__(
        self, channels: int, *, how: Literal["direct", "warp"] = "direct", **params: Any
    ) -> None:
        super().__init__()
        if how not in ("direct", "warp"):
            raise ParameterError(f"No way {how!r} to the next frame. Known: direct, warp.")
        self.how, self.channels = how, channels
        outputs = channels if how == "direct" else channels + 3
        chosen = {"where": "every", "up": "shuffle", "features": (8, 16, 32), **params}
        self.inner = Recurrent(channels, outputs, **chosen)
        if how == "warp":  # begin with the last frame as it is
            head: Any = self.inner.frames.heads[0]
            with torch.no_grad():
                head.weight[channels:] = 0
                head.bias[channels:] = 0
                head.bias[channels] = 3.0

    @property
    def stride(self) -> tuple[int, ...]:
        """That of the network inside."""
        return self.inner.stride

    @property
    def halo(self) -> tuple[int, ...] | None:
        """None: what is remembered spreads with every frame."""
        return None

    def forward(self, frames: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Return the frame after each of (B, T, C, y, x), and the state."""
        output, after = self.inner(frames, state)
        drawn = (output[:, :, : self.channels] + _brightness(frames)).sigmoid()
        if self.how == "direct":
            return drawn, after
        share = output[:, :, self.channels : self.channels + 1].sigmoid()
        moved = warped(frames.flatten(0, 1), output[:, :, self.channels + 1 :].flatten(0, 1))
        return share * moved.reshape(frames.shape) + (1 - share) * drawn, after


def _brightness(frames: Tensor) -> Tensor:
    """Return what is drawn before anything is learned: the mean of every frame, as a logit.

    From a grey of one half, hundreds of steps would go into the brightness alone.
    """
    return frames.mean((2, 3, 4), keepdim=True).clamp(DARKEST, 1 - DARKEST).logit()


def warped(images: Tensor, flow: Tensor) -> Tensor:
    """Return images whose pixels come from where (B, 2, y, x) displacements, in pixels, say."""
    height, width = images.shape[-2:]
    rows = torch.arange(height, device=images.device, dtype=flow.dtype)[:, None]
    columns = torch.arange(width, device=images.device, dtype=flow.dtype)
    y = (rows + flow[:, 0]) * 2 / max(height - 1, 1) - 1
    x = (columns + flow[:, 1]) * 2 / max(width - 1, 1) - 1
    grid = torch.stack([x.expand_as(y), y], -1)
    return functional.grid_sample(
        images, grid, mode="bilinear", padding_mode="border", align_corners=True
    )


def rolled_out(model: nn.Module, frames: Tensor, steps: int) -> Tensor:
    """Return the ``steps`` frames after (B, T, C, y, x), predictions being fed back."""
    output, state = model(frames)
    found = [output[:, -1:]]
    for _ in range(steps - 1):
        output, state = model(found[-1], state)
        found.append(output)
    return torch.cat(found, 1)
