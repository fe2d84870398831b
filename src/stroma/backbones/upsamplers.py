"""Small networks that say which patches' features a pixel's are a mean of: JAFAR, AnyUp and NAF.

Couairon et al., JAFAR: jack up any feature at any resolution, NeurIPS 2025, arXiv:2506.11136;
Wimmer et al., AnyUp: universal feature upsampling, 2025, arXiv:2510.12764; Chambon et al., NAF:
zero-shot feature upsampling via neighborhood attention filtering, 2025, arXiv:2511.18452. Written
from the formulas; the names of tensors are those of the authors' files.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import torch
from torch import nn
from torch.nn import functional as F

WIDTH = 128
GROUPS = 8
HEADS = 4
FILTERS = 5
"""Side of the filters that AnyUp looks at every feature through."""

FEATURES_AT_ONCE = 32
PERIODS = 16
TURN = 2 * math.pi


class Attended(NamedTuple):
    """What attention goes by, scaled so that the softmax of products is the weights.

    Parameters
    ----------
    queries : (Q, y, x) tensor
        Of pixels.
    keys : (Q, h, w) tensor
        Of patches.
    """

    queries: torch.Tensor
    keys: torch.Tensor


class Unit(nn.Module):
    """Norm, activation and convolution, twice; added to what enters, where it is a residual."""

    def __init__(self, kernel: int, *, bias: bool, residual: bool) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(GROUPS, WIDTH), nn.GroupNorm(GROUPS, WIDTH)
        self.conv1 = _convolution(WIDTH, kernel, bias=bias)
        self.conv2 = _convolution(WIDTH, kernel, bias=bias)
        self.residual = residual

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the (N, C, y, x) output."""
        y: torch.Tensor = self.conv1(F.silu(self.norm1(x), inplace=True))
        y = self.conv2(F.silu(self.norm2(y), inplace=True))
        return x + y if self.residual else y


def _convolution(entering: int, kernel: int, *, bias: bool) -> nn.Conv2d:
    side = kernel // 2
    mode: Literal["reflect", "zeros"] = "reflect" if side else "zeros"
    return nn.Conv2d(entering, WIDTH, kernel, padding=side, padding_mode=mode, bias=bias)


def _encoder(
    entering: int, kernel: int = 1, inside: int | None = None, *, bias: bool, residual: bool
) -> nn.Sequential:
    """Return a convolution and two units, whose kernel is the same unless said."""
    units = (Unit(inside or kernel, bias=bias, residual=residual) for _ in range(2))
    return nn.Sequential(_convolution(entering, kernel, bias=bias), *units)


def _pooled(encoded: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """Return the means of an encoded image over patches."""
    return F.adaptive_avg_pool2d(encoded, (tokens.shape[1], tokens.shape[2]))


def _turned(x: torch.Tensor, angle: torch.Tensor, heads: int = 1) -> torch.Tensor:
    """Return (C, y, x) channels turned by angles, in pairs of both halves of every head.

    Maps are large, so each head is turned in its place in the result, without copies between.
    """
    cosine, sine = angle.cos(), angle.sin()
    turned = torch.empty_like(x)
    for shown, own in zip(x.chunk(heads), turned.chunk(heads), strict=True):
        half = len(own) // 2
        torch.mul(shown, cosine, out=own)
        own[:half].addcmul_(shown[half:], sine[:half], value=-1)
        own[half:].addcmul_(shown[:half], sine[half:])
    return turned


def _placed(encoded: torch.Tensor, frequencies: torch.Tensor) -> torch.Tensor:
    """Return an encoded image whose channels are turned by where pixels lie, from 0 to 1."""
    rows, columns = (torch.linspace(0, 1, n).to(encoded) for n in encoded.shape[1:])
    along_y, along_x = frequencies
    angle = along_y[:, None, None] * rows[:, None] + along_x[:, None, None] * columns
    return _turned(encoded, angle)


class Jafar(nn.Module):
    """Queries of pixels and keys of patches, of JAFAR; it sees the features of patches, too.

    Parameters
    ----------
    features : int
        Of a patch.
    channels : int
        Of the image.
    """

    def __init__(self, features: int, channels: int = 3) -> None:
        super().__init__()

        def encoder(entering: int) -> nn.Sequential:
            return _encoder(entering, bias=False, residual=True)

        self.image_encoder, self.key_encoder = encoder(channels), encoder(WIDTH)
        self.query_encoder, self.key_features_encoder = encoder(WIDTH), encoder(features)
        self.sft_key = nn.ModuleDict(
            {name: nn.Conv2d(WIDTH, WIDTH, 1, bias=False) for name in ("gamma", "beta")}
        )
        self.rope = nn.ParameterDict({"freqs": nn.Parameter(torch.empty(2, WIDTH))})
        self.cross_decode = _Decoder()

    def forward(self, image: torch.Tensor, tokens: torch.Tensor) -> Attended:
        """Return what attention goes by, given the (C, y, x) image and (F, h, w) tokens."""
        encoded = _placed(self.image_encoder(image[None])[0], self.rope["freqs"])[None]
        queries = F.group_norm(self.query_encoder(encoded), GROUPS)
        queries = self.cross_decode.conv2d(queries)
        keys = _pooled(self.key_encoder(encoded), tokens)
        seen = self.key_features_encoder(F.normalize(tokens[None], dim=1))
        keys = self.sft_key["gamma"](seen) * F.group_norm(keys, GROUPS) + self.sft_key["beta"](seen)
        attended: Attended = self.cross_decode.cross_attn(queries[0], keys[0])
        return attended


class _Decoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv2d = nn.Conv2d(WIDTH, WIDTH, 3, padding=1, bias=False)
        self.cross_attn = _Attention()


class _Attention(nn.Module):
    """Norms and projections before the products of attention."""

    def __init__(self) -> None:
        super().__init__()
        self.norm_q, self.norm_k = nn.RMSNorm(WIDTH), nn.RMSNorm(WIDTH)
        names = {"q_proj_weight": (WIDTH, WIDTH), "k_proj_weight": (WIDTH, WIDTH)}
        shapes = {**names, "in_proj_bias": (3 * WIDTH,)}
        self.attention = nn.ParameterDict(
            {name: nn.Parameter(torch.empty(shape)) for name, shape in shapes.items()}
        )

    def forward(self, queries: torch.Tensor, keys: torch.Tensor) -> Attended:
        own = self.attention
        for_queries, for_keys, _ = own["in_proj_bias"].chunk(3)
        q = F.linear(self.norm_q(queries.movedim(0, -1)), own["q_proj_weight"], for_queries)
        k = F.linear(self.norm_k(keys.movedim(0, -1)), own["k_proj_weight"], for_keys)
        return Attended(q.movedim(-1, 0) / math.sqrt(WIDTH // HEADS), k.movedim(-1, 0))


class AnyUp(nn.Module):
    """Queries of pixels and keys of patches, of AnyUp, which serves features of any kind.

    It sees them through learned filters, as the share of each filter, averaged over all features.
    """

    def __init__(self, channels: int = 3) -> None:
        super().__init__()

        def encoder(entering: int, kernel: int = 1) -> nn.Sequential:
            return _encoder(entering, kernel, inside=1, bias=False, residual=True)

        self.image_encoder, self.key_encoder = encoder(channels), encoder(WIDTH)
        self.query_encoder, self.aggregation = encoder(WIDTH), encoder(2 * WIDTH, 3)
        units = (Unit(1, bias=False, residual=True) for _ in range(2))
        self.key_features_encoder = nn.Sequential(_Filters(), *units)
        self.rope = nn.ParameterDict({"freqs": nn.Parameter(torch.empty(2, WIDTH))})
        self.cross_decode = _Decoder()

    def forward(self, image: torch.Tensor, tokens: torch.Tensor) -> Attended:
        """Return what attention goes by, given the (C, y, x) image and (F, h, w) tokens."""
        encoded = _placed(self.image_encoder(image[None])[0], self.rope["freqs"])[None]
        queries = self.cross_decode.conv2d(self.query_encoder(encoded))
        keys = _pooled(self.key_encoder(encoded), tokens)
        seen = self.key_features_encoder(F.normalize(tokens, dim=0))
        keys = self.aggregation(torch.cat((keys, seen), dim=1))
        attended: Attended = self.cross_decode.cross_attn(queries[0], keys[0])
        return attended


class _Filters(nn.Module):
    """Shares of what filters see of features, averaged; part by part, as 128 maps each are large.

    The authors' code lists what filters see feature by feature, and reads the list as if it went
    filter by filter. Their weights were trained with that, so it is done here, too.
    """

    def __init__(self) -> None:
        super().__init__()
        self.basis = nn.Parameter(torch.empty(WIDTH, 1, FILTERS, FILTERS))

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return the (1, 128, h, w) shares for (F, h, w) tokens."""
        side, count = FILTERS // 2, len(tokens)
        ones = torch.ones_like(tokens[None, :1])
        inside = F.conv2d(ones, torch.ones_like(self.basis[:1]), padding=side)
        total = torch.zeros_like(tokens[:1]).repeat(WIDTH, 1, 1)
        rows = torch.arange(WIDTH, device=tokens.device)[:, None] * count
        for first in range(0, count, FEATURES_AT_ONCE):
            part = torch.arange(first, min(first + FEATURES_AT_ONCE, count), device=tokens.device)
            listed = (rows + part).flatten()
            feature, which = listed // WIDTH, listed % WIDTH
            seen = F.conv2d(
                tokens[None, feature], self.basis[which], padding=side, groups=len(listed)
            )
            shares = (seen / inside).reshape(WIDTH, len(part), *tokens.shape[1:]).softmax(dim=0)
            total += shares.sum(dim=1)
        return total[None] / count


class Naf(nn.Module):
    """Queries of pixels and keys of patches, of NAF; made of the image alone."""

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        self.image_encoder = nn.ModuleDict(
            {
                "encoder": _encoder(channels, bias=True, residual=False),
                "sem_encoder": _encoder(channels, 3, bias=True, residual=False),
                "rope": _Periods(),
            }
        )

    def forward(self, image: torch.Tensor, tokens: torch.Tensor) -> Attended:
        """Return what attention goes by, given the (C, y, x) image and (F, h, w) tokens."""
        parts = (self.image_encoder[name](image[None])[0] for name in ("encoder", "sem_encoder"))
        queries = self.image_encoder["rope"](torch.cat(list(parts)))
        keys = _pooled(queries[None], tokens)[0]
        return Attended(queries / math.sqrt(2 * WIDTH // HEADS), keys)


class _Periods(nn.Module):
    """Turns channels by where pixels lie, from -1 to 1 along both axes."""

    periods: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("periods", torch.empty(PERIODS))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        rows, columns = ((2 * torch.arange(n).to(x) + 1) / n - 1 for n in x.shape[1:])
        per = (TURN / self.periods)[:, None, None]
        along_y = (per * rows[:, None]).expand(-1, *x.shape[1:])
        along_x = (per * columns).expand(-1, *x.shape[1:])
        return _turned(x, torch.cat((along_y, along_x, along_y, along_x)), HEADS)


def jafar_384(channels: int = 3) -> nn.Module:
    """Return JAFAR for backbones with 384 features."""
    with torch.device("meta"):
        return Jafar(384, channels).eval()


def anyup(channels: int = 3) -> nn.Module:
    """Return AnyUp, which serves any backbone."""
    with torch.device("meta"):
        return AnyUp(channels).eval()


def naf(channels: int = 3) -> nn.Module:
    """Return NAF, which serves any backbone."""
    with torch.device("meta"):
        return Naf(channels).eval()
