"""Ladder networks: labels for a few, and denoising for all.

Rasmus et al. 2015, arXiv:1507.02672. A corrupted encoder, a clean one with the same weights, and a
decoder that cleans every layer by what comes from above; dense for vectors, convolutional (at full
resolution, with growing dilation) for images.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.nn import functional

from stroma.errors import ParameterError

Tensor = torch.Tensor
EPS = 1e-6
MOMENTUM = 0.1
STARTS = (0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0)
"""What the ten vectors of a denoising function begin with."""


class Layer(NamedTuple):
    """A layer of an encoder.

    Attributes
    ----------
    z : tensor
        Before the activation; with noise in the corrupted encoder.
    mean, deviation : tensor
        Of the batch, per unit, by which it was normalised; 0 and 1 for what comes in.
    """

    z: Tensor
    mean: Tensor
    deviation: Tensor


class Costs(NamedTuple):
    """What a ladder network is to make smaller.

    Attributes
    ----------
    supervised : tensor
        Cross entropy of the corrupted path, where labels are known.
    denoising : tensor
        Weighted sum over the layers.
    """

    supervised: Tensor
    denoising: Tensor


class Denoise(nn.Module):
    """Cleans a layer by what comes from above, each unit with ten numbers of its own."""

    def __init__(self, width: int) -> None:
        super().__init__()
        start = torch.tensor(STARTS)[:, None].repeat(1, width)
        self.a = nn.Parameter(start)

    def forward(self, noisy: Tensor, above: Tensor) -> Tensor:
        """Return the cleaned layer; the unit is axis 1."""
        a = [_per_unit(v, noisy) for v in self.a]
        mean = a[0] * torch.sigmoid(a[1] * above + a[2]) + a[3] * above + a[4]
        scale = a[5] * torch.sigmoid(a[6] * above + a[7]) + a[8] * above + a[9]
        return (noisy - mean) * scale + mean


class Ladder(nn.Module):
    """A ladder network of vectors (B, C) or images (B, C, y, x).

    Parameters
    ----------
    channels, outputs : int
        What comes in, and the classes.
    ndim : {0, 2}
        0 for vectors, 2 for images.
    features : sequence of int
        Width of the layers in between.
    noise : float
        Deviation of the noise of every layer of the corrupted encoder, the top included.
    weights : sequence of float, optional
        Of the denoising cost of every layer, from what comes in to the top; 1000, 10, and 0.1
        for all others unless given. Only the last above 0 is the Gamma model, all 0 the
        supervised network with noise.
    """

    def __init__(
        self,
        channels: int,
        outputs: int,
        *,
        ndim: int = 2,
        features: Sequence[int] = (32, 32, 32, 32),
        noise: float = 0.3,
        weights: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        if ndim not in (0, 2):
            raise ParameterError(f"A ladder has vectors (ndim 0) or planes (2), got ndim {ndim}.")
        self.ndim, self.noise = ndim, noise
        sizes = [channels, *features, outputs]
        chosen = [1000.0, 10.0, *[0.1] * len(sizes)][: len(sizes)] if weights is None else weights
        if len(chosen) != len(sizes):
            raise ParameterError(
                f"weights has one number per layer, {len(sizes)} here, got {list(chosen)}."
            )
        self.weights = tuple(float(w) for w in chosen)
        self._spread = [2 ** min(i, 3) for i in range(len(features))]
        pairs = list(pairwise(sizes))
        self.up = nn.ModuleList(self._map(a, b, i) for i, (a, b) in enumerate(pairs))
        self.beta = nn.ParameterList(nn.Parameter(torch.zeros(n)) for n in sizes[1:])
        self.gamma = nn.Parameter(torch.ones(outputs))
        self.down = nn.ModuleList(self._map(b, a, i) for i, (a, b) in enumerate(pairs))
        self.denoise = nn.ModuleList(Denoise(n) for n in sizes)
        for i, n in enumerate(sizes[1:]):
            self.register_buffer(f"mean{i}", torch.zeros(n))
            self.register_buffer(f"deviation{i}", torch.ones(n))

    def _map(self, inputs: int, width: int, level: int) -> nn.Module:
        if self.ndim == 0:
            return nn.Linear(inputs, width, bias=False)
        if level == len(self._spread):
            return nn.Conv2d(inputs, width, 1, bias=False)
        by = self._spread[level]
        return nn.Conv2d(inputs, width, 3, padding=by, dilation=by, bias=False)

    @property
    def stride(self) -> tuple[int, ...]:
        """1: resolution stays."""
        return (1,) * self.ndim

    @property
    def halo(self) -> tuple[int, ...] | None:
        """Per axis, what results depend on."""
        return (sum(self._spread),) * self.ndim

    def forward(self, x: Tensor) -> Tensor:
        """Return the scores of the clean path; in use by running statistics."""
        return self._activated(self.clean(x)[-1].z, last=True)

    def clean(self, x: Tensor) -> list[Layer]:
        """Return the layers of the clean encoder, what comes in first."""
        layers = [_input(x)]
        h = x
        for i, weight in enumerate(self.up):
            layers.append(self._normalised(weight(h), i))
            h = self._activated(layers[-1].z, last=i + 1 == len(self.up), level=i)
        return layers

    def corrupted(self, x: Tensor) -> list[Layer]:
        """Return the layers of the corrupted encoder: the same, with noise in each."""
        h = self._noisy(x)
        layers = [_input(h)]
        for i, weight in enumerate(self.up):
            found = _by_batch(weight(h))
            layers.append(found._replace(z=self._noisy(found.z)))
            h = self._activated(layers[-1].z, last=i + 1 == len(self.up), level=i)
        return layers

    def cleaned(self, noisy: Sequence[Layer]) -> list[Tensor]:
        """Return what the decoder makes of every corrupted layer, what came in first."""
        top = self._activated(noisy[-1].z, last=True).softmax(1)
        found = [self.denoise[-1](noisy[-1].z, _by_batch(top).z)]
        for i in reversed(range(len(self.down))):
            above = _by_batch(self.down[i](found[-1])).z
            found.append(self.denoise[i](noisy[i].z, above))
        return found[::-1]

    def costs(self, x: Tensor, truth: Tensor, known: Tensor) -> Costs:
        """Return both costs of a batch.

        Parameters
        ----------
        x : (B, C, ...) tensor
            Labelled and unlabelled together.
        truth : (B, K, ...) tensor
            1 for the class that is true.
        known : (B, 1, ...) tensor
            0 where no label is known.
        """
        noisy, clean = self.corrupted(x), self.clean(x)
        scores = functional.log_softmax(self._activated(noisy[-1].z, last=True), 1)
        each = -(truth * scores).sum(1, keepdim=True) * known
        supervised = each.sum() / known.sum().clamp_min(1)
        total = supervised.new_zeros(())
        if any(self.weights):
            for weight, layer, found in zip(self.weights, clean, self.cleaned(noisy), strict=True):
                if weight:
                    total = total + weight * _distance(layer, found)
        return Costs(supervised, total)

    def _normalised(self, z: Tensor, level: int) -> Layer:
        """Normalise by the batch in training (and remember), by what is remembered in use."""
        mean, deviation = getattr(self, f"mean{level}"), getattr(self, f"deviation{level}")
        if not self.training:
            z = (z - _per_unit(mean, z)) / _per_unit(deviation, z)
            return Layer(z, mean, deviation)
        found = _by_batch(z)
        with torch.no_grad():
            mean.lerp_(found.mean.flatten(), MOMENTUM)
            deviation.lerp_(found.deviation.flatten(), MOMENTUM)
        return found

    def _activated(self, z: Tensor, *, last: bool, level: int = -1) -> Tensor:
        h = z + _per_unit(self.beta[level], z)
        return _per_unit(self.gamma, z) * h if last else functional.relu(h)

    def _noisy(self, x: Tensor) -> Tensor:
        return x + self.noise * torch.randn_like(x)


def _input(x: Tensor) -> Layer:
    return Layer(x, x.new_zeros(()), x.new_ones(()))


def _by_batch(z: Tensor) -> Layer:
    """Normalise every unit over the batch (and space)."""
    axes = [axis for axis in range(z.ndim) if axis != 1]
    mean = z.mean(axes, keepdim=True)
    deviation = (z.var(axes, keepdim=True, unbiased=False) + EPS).sqrt()
    return Layer((z - mean) / deviation, mean, deviation)


def _distance(clean: Layer, found: Tensor) -> Tensor:
    """Return the mean squared difference, in the clean layer's own normalisation."""
    return ((clean.z - (found - clean.mean) / clean.deviation) ** 2).mean()


def _per_unit(values: Tensor, like: Tensor) -> Tensor:
    return values.reshape(1, -1, *[1] * (like.ndim - 2))


def dense_ladder(channels: int, outputs: int, **params: Any) -> Ladder:
    """Return a ladder network of vectors."""
    return Ladder(channels, outputs, ndim=0, **params)
