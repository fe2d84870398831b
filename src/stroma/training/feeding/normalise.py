"""Intensities that a network can work with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from stroma.data.statistics import LOW_HIGH, Statistics
from stroma.errors import ParameterError

Scheme = Literal["zscore", "clip", "rescale", "rgb", "percentile", "nonzero", "given", "none"]
"""How a channel is scaled; see `Normalisation`."""


@dataclass(frozen=True)
class Normalisation:
    """How every channel is scaled, for training and in use; nnU-Net's rules.

    Parameters
    ----------
    schemes : tuple of str
        Per channel: "zscore" is (x - mean) / deviation of the image; "clip" clips to the 0.5th
        and 99.5th percentile of the foreground of all training images, then does so with their
        mean and deviation (values that mean something, such as CT); "rescale" brings the least
        and the largest of the image to 0 and 1; "percentile" two percentiles of it, as StarDist and
        Cellpose do; "rgb" divides by 255; "nonzero" is "zscore" by the
        mean and deviation of pixels in which some channel is not 0, and leaves the others at 0;
        "given" is (x - mean) / std as they are given here; "none" does nothing.
    low, high, mean, std : tuple of float
        Of the foreground of all training images, for "clip"; mean and std of these images, for
        "given".
    percentiles : (float, float)
        Of the image, that become 0 and 1, for "percentile".
    together : bool
        Mean, deviation and extremes are those of all channels together.
    """

    schemes: tuple[Scheme, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    percentiles: tuple[float, ...] = LOW_HIGH
    together: bool = False

    def __post_init__(self) -> None:
        """Take lists for tuples, as JSON has them, and check."""
        for name in ("schemes", "low", "high", "mean", "std", "percentiles"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        unknown = [s for s in self.schemes if s not in get_args(Scheme)]
        if unknown:
            raise ParameterError(
                f"No normalisation {unknown[0]!r}. Known: {', '.join(get_args(Scheme))}."
            )
        low, high = self.ranks
        if not 0 <= low < high <= 100:
            raise ParameterError(
                f"percentiles are two from 0 to 100, the lower first, got {self.percentiles}."
            )

    @property
    def ranks(self) -> tuple[float, float]:
        """Percentiles of the image that are needed."""
        low, high = self.percentiles
        return float(low), float(high)

    def __call__(self, values: NDArray[Any], image: Statistics) -> NDArray[np.float32]:
        """Return normalised values.

        Parameters
        ----------
        values : (C, *space) array
            As in the image.
        image : Statistics
            Of the whole image, or stack, that they are from, with the percentiles of `ranks`.
        """
        measured = pooled(image) if self.together else image
        result = np.empty(values.shape, np.float32)
        within = image.without_empty() if self.masked else image
        for c, scheme in enumerate(self.schemes):
            result[c] = self._one(values[c], scheme, c, within if scheme == "nonzero" else measured)
        if self.masked:
            chosen = [c for c, scheme in enumerate(self.schemes) if scheme == "nonzero"]
            result[chosen] *= values.any(0)
        return result

    @property
    def masked(self) -> bool:
        """Whether pixels that are 0 in all channels are left out."""
        return "nonzero" in self.schemes

    def _one(self, values: NDArray[Any], scheme: Scheme, c: int, image: Statistics) -> Any:
        plain = values.astype(np.float32)
        if scheme in ("zscore", "nonzero"):
            return (plain - image.mean[c]) / max(image.std[c], 1e-8)
        if scheme == "clip":
            clipped = np.clip(plain, self.low[c], self.high[c])
            return (clipped - self.mean[c]) / max(self.std[c], 1e-8)
        if scheme == "given":
            return (plain - self.mean[c]) / max(self.std[c], 1e-8)
        if scheme == "rescale":
            span = image.maximum[c] - image.minimum[c]
            return (plain - image.minimum[c]) / max(span, 1e-8)
        if scheme == "percentile":
            return (plain - image.low[c]) / max(image.high[c] - image.low[c], 1e-8)
        return plain / 255 if scheme == "rgb" else plain


def pooled(image: Statistics) -> Statistics:
    """Return statistics in which mean, deviation and extremes are those of all channels."""
    count = len(image.mean)
    mean = float(np.mean(image.mean))
    squares = np.square(image.std) + np.square(np.subtract(image.mean, mean))
    return replace(
        image,
        mean=(mean,) * count,
        std=(float(np.sqrt(squares.mean())),) * count,
        minimum=(min(image.minimum),) * count,
        maximum=(max(image.maximum),) * count,
    )


def scheme_of(channel: str) -> Scheme:
    """Return how a channel of that name is scaled, by nnU-Net's names."""
    known: dict[str, Scheme] = {
        "ct": "clip",
        "nonorm": "none",
        "rescale_to_0_1": "rescale",
        "rgb_to_0_1": "rgb",
    }
    return known.get(channel.lower(), "zscore")


def normalisation_for(
    channels: Sequence[str],
    foreground: Sequence[NDArray[np.floating[Any]]] = (),
    *,
    masked: bool = False,
) -> Normalisation:
    """Return the scaling of channels by their names.

    Parameters
    ----------
    channels : sequence of str
        Their names.
    foreground : sequence of arrays
        Per channel, intensities of labelled pixels of all images, for those that are clipped.
    masked : bool
        Whether much of the images is 0 in all channels and means nothing.
    """
    schemes = tuple(scheme_of(name) for name in channels)
    if masked:
        schemes = tuple("nonzero" if scheme == "zscore" else scheme for scheme in schemes)
    if "clip" not in schemes or not foreground:
        return Normalisation(schemes)
    low, high = zip(*(np.percentile(v, (0.5, 99.5)).tolist() for v in foreground), strict=True)
    mean = tuple(float(np.mean(v)) for v in foreground)
    return Normalisation(schemes, low, high, mean, tuple(float(np.std(v)) for v in foreground))
