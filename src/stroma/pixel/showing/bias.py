"""How much features say of where in an image a place lies, instead of what is there.

A linear probe is to predict from the features how far right, down, along the diagonal and from the
middle every cell lies. What it explains on cells that it was not fitted to is the bias; the measure
follows dino-saw, arXiv:2603.16840.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from stroma.data.image import Image
from stroma.errors import ShapeError
from stroma.pixel.door import Source
from stroma.pixel.predicting.plan import Plan, plan
from stroma.pixel.predicting.recipe import Recipe
from stroma.pixel.showing.feature_image import native_part

LEAST_CELLS = 64
MOST_CELLS = 20_000
"""Cells that the probe sees; of more, a lattice of them is taken."""

FITTED = 0.2
"""Share of the cells that the probe is fitted to."""

PENALTIES = tuple(10.0**e for e in range(-1, 6))


@dataclass(frozen=True)
class Bias:
    """Share of the variance of each ramp that the probe explains, from 0 to 1.

    Parameters
    ----------
    right, down, diagonal, radial : float
        Ramps from left to right, from top to bottom, from corner to corner, and from the middle.
    """

    right: float
    down: float
    diagonal: float
    radial: float

    @property
    def most(self) -> float:
        """The largest of them."""
        return max(self.right, self.down, self.diagonal, self.radial)


def positional_bias(features: NDArray[np.floating], *, rng: int = 0) -> Bias:
    """Return the bias of a map of features.

    Parameters
    ----------
    features : (F, h, w) array
        Of the cells of one image.
    rng : int
        Seed of which cells the probe is fitted to.

    Raises
    ------
    ShapeError
        If there are too few cells.
    """
    from sklearn.linear_model import RidgeCV

    _, height, width = features.shape
    if height * width < LEAST_CELLS:
        raise ShapeError(
            f"A bias is measured on at least {LEAST_CELLS} cells, got {height} x {width}. Take a "
            f"larger image, or an extractor with smaller cells."
        )
    every = max(1, int(np.ceil(np.sqrt(height * width / MOST_CELLS))))
    seen = features[:, ::every, ::every].astype(np.float64)
    X, ramps = _standardised(seen.reshape(len(seen), -1).T), _ramps(*seen.shape[1:])
    order = np.random.default_rng(rng).permutation(len(X))
    fitted, held = np.split(order, [round(FITTED * len(X))])
    probe = RidgeCV(PENALTIES).fit(X[fitted], ramps[fitted])
    missed = np.square(ramps[held] - probe.predict(X[held])).sum(axis=0)
    total = np.square(ramps[held] - ramps[held].mean(axis=0)).sum(axis=0)
    return Bias(*(float(v) for v in np.clip(1 - missed / total, 0, 1)))


def _standardised(values: NDArray[np.float64]) -> NDArray[np.float64]:
    deviation = values.std(axis=0)
    return np.asarray((values - values.mean(axis=0)) / np.where(deviation > 0, deviation, 1))


def _ramps(height: int, width: int) -> NDArray[np.float64]:
    """Return the (cells, 4) ramps: right, down, diagonal, radial."""
    down, right = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    ramps = [right, down, right + down, np.hypot(right, down)]
    return np.stack([ramp.ravel() for ramp in ramps], axis=1)


def biases_of(source: Source, recipe: Recipe, *, rng: int = 0) -> tuple[Bias, Bias]:
    """Return the bias of the features of an image, and of noise of the same size and kind.

    What an image shows may itself change from left to right; noise does not, so that all that is
    found there comes from the extractor.

    Parameters
    ----------
    source : Source
        An image of one plane, as the model opened it.
    recipe : Recipe
        Says which features.
    rng : int
        Seed of the noise, and of which cells the probe is fitted to.
    """
    current = plan(source, source.positions[0], recipe)
    return _bias(current, rng), _bias(_of_noise(current, rng), rng)


def _bias(current: Plan, rng: int) -> Bias:
    values, _ = native_part(current)
    return positional_bias(values[:, values.shape[1] // 2], rng=rng)


def _of_noise(current: Plan, rng: int) -> Plan:
    """Return the plan for noise with the mean and deviation of each channel."""
    values = np.asarray(current.image.read(), np.float64)
    axes = tuple(i for i, a in enumerate(current.image.kept_axes) if a != "c")
    mean, deviation = values.mean(axis=axes, keepdims=True), values.std(axis=axes, keepdims=True)
    noise = mean + deviation * np.random.default_rng(rng).standard_normal(values.shape)
    return replace(current, image=Image(noise.astype(np.float32), current.image.kept_axes))
