"""Objects by how far their pixels are from their middle and from their border.

Three channels, decoded by a seeded watershed, as in torch-em and the automatic mode of micro-sam
(Archit et al. 2025, doi 10.1038/s41592-024-02580-4).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

from stroma.targets.contract import Encoded, Facts, Losses
from stroma.targets.instances import (
    Instances,
    boxes,
    cut_off,
    depths,
    grown,
    require_alike,
    require_axes,
    summits,
    widened,
)
from stroma.targets.losses import CrossEntropy, Dice
from stroma.targets.turns import Turn

Array = NDArray[np.float32]


WIDE = 8.0
"""Across objects of so many pixels and more, landscapes are smoothed by a pixel."""


@dataclass(frozen=True)
class Distances(Instances):
    """Foreground, nearness to the middle of the object, and depth below its border.

    Nearness is 1 in the middle and 0 in the farthest pixel of an object, depth is 1 in its
    deepest; both are 0 outside.

    Parameters
    ----------
    diameter : float
        Of the largest objects, in pixels: how far decoding looks around a block.
    smallest : int
        Objects of fewer pixels are left out.
    spacing : tuple of float
        Size of pixels, relative to each other: distances are those in space. Equal, unless given.
    dice : float
        Weight of the Dice loss of the foreground, beside the cross-entropies.
    inside : float
        Weight of nearness and depth within objects; outside it is 1.
    """

    through: ClassVar[str] = "mean"
    """Predictions of planes along three axes are averaged."""

    dice: float = 0.5
    inside: float = 2.0
    spacing: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Take lists for tuples, as JSON has them."""
        object.__setattr__(self, "spacing", tuple(float(n) for n in self.spacing))

    @classmethod
    def made_for(cls, facts: Facts, /, **options: Any) -> Self:
        """Return the target for objects of some sizes, in pixels of some size."""
        known = {"spacing": facts.spacing} if len(set(facts.spacing)) > 1 else {}
        return super().made_for(facts, **{**known, **options})

    @property
    def tunable(self) -> Mapping[str, tuple[Any, ...]]:
        """Threshold of the foreground, what parts objects, and the smallest of them."""
        return {
            "foreground": (0.5, 0.4, 0.6, 0.3, 0.7),
            "rise": (0.1, 0.15, 0.06, 0.2, 0.3, 0.04),
            "smallest": self.smallest_tried,
        }

    def channels(self) -> tuple[str, ...]:
        """Return their names."""
        return ("foreground", "nearness", "depth")

    def encode(self, truth: Any, /, *, shape: tuple[int, ...]) -> Encoded:
        """Return the channels of objects by number.

        Of objects that touch what nobody knows, the foreground alone has a weight.
        """
        labels = np.asarray(truth)
        values = np.zeros((3, *labels.shape), np.float32)
        values[0] = labels > 0
        for label, box in boxes(labels):
            _encode_object(labels, label, box, values, self._steps(labels.ndim))
        known = np.repeat((labels >= 0)[None].astype(np.float32), 3, 0)
        known[1:, cut_off(labels)] = 0
        return Encoded(values, known)

    def loss(self, output: torch.Tensor, truth: torch.Tensor, known: torch.Tensor, /) -> Losses:
        """Return the cross-entropies, which soft truth has too, and Dice of the foreground."""
        front, rest = output[:, :1], output[:, 1:]
        crossed = CrossEntropy("sigmoid")(front, truth[:, :1], known[:, :1])
        dice = Dice("sigmoid", batch=True)(front, truth[:, :1], known[:, :1])
        weight = known[:, 1:] * (1 + (self.inside - 1) * truth[:, :1])
        depths = CrossEntropy("sigmoid")(rest, truth[:, 1:], weight)
        found = crossed + self.dice * dice + depths
        parts = {"foreground": crossed, "dice": dice, "distances": depths}
        return found, {name: part.detach() for name, part in parts.items()}

    def activate(self, output: torch.Tensor, /) -> torch.Tensor:
        """Return all channels from 0 to 1."""
        return output.sigmoid()

    def decode(
        self,
        prediction: NDArray[np.float32],
        /,
        *,
        foreground: float = 0.5,
        rise: float = 0.1,
        seed: float = 0.0,
        smallest: int | None = None,
    ) -> NDArray[np.uint32]:
        """Return objects by number.

        Seeds are the summits of nearness and depth, on average; they grow over the foreground, the
        deepest pixels first. Long objects are low everywhere and round ones high: what parts two is
        how far down it goes between them. Foreground that has no seed is an object.

        Parameters
        ----------
        prediction : (3, *space) float32 array
            From 0 to 1.
        foreground : float
            Threshold.
        rise : float
            How far down it goes from a summit on the way to a higher one.
        seed : float
            Height of the lowest summit.
        smallest : int, optional
            Objects of fewer pixels are left out.
        """
        least = self.smallest if smallest is None else smallest
        front = prediction[0] > foreground
        height = (prediction[1] + prediction[2]) / 2
        height = ndimage.gaussian_filter(height, self._smoothing(height.ndim))
        seeds = summits(height, front, rise=rise, least=seed)
        return grown(-height, seeds, front, least=least)

    def _steps(self, ndim: int) -> tuple[float, ...]:
        """Return the size of pixels along every axis, 1 for the smallest."""
        sizes = self.spacing or (1.0,) * ndim
        require_axes(len(sizes), ndim)
        return tuple(n / min(sizes) for n in sizes)

    def _smoothing(self, ndim: int) -> list[float]:
        """Return by how much landscapes are smoothed: small objects less, nothing across planes."""
        width = min(1.0, self.across(ndim) / WIDE)
        return [width / step for step in self._steps(ndim)]

    def turned_back(self, prediction: NDArray[np.float32], turn: Turn, /) -> NDArray[np.float32]:
        """Return it turned back; distances have no direction.

        Raises
        ------
        ParameterError
            For a turn that exchanges axes whose pixels differ in size.
        """
        require_alike(turn, self.spacing)
        return turn.undo(prediction)


def _encode_object(
    labels: NDArray[Any],
    label: int,
    box: tuple[slice, ...],
    values: Array,
    steps: tuple[float, ...],
) -> None:
    """Fill in one object."""
    wide = widened(box)
    mask = labels[wide] == label
    places = np.argwhere(mask)
    middle = places.mean(0)
    if not mask[tuple(np.rint(middle).astype(int))]:
        middle = places[((places - middle) ** 2).sum(1).argmin()]
    far = np.sqrt((((places - middle) * steps) ** 2).sum(1))
    inside = tuple(places.T)
    values[1][wide][inside] = 1 - far / max(float(far.max()), 1.0)
    values[2][wide][inside] = depths(mask, steps)[inside]
