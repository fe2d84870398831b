"""Star-shaped objects by how far they reach from every pixel in 32 directions, in planes.

After StarDist (Schmidt et al. 2018, doi 10.1007/978-3-030-00934-2_30). To decode, every pixel
that is deep enough in an object offers a polygon; the best are kept, those that lie over them go.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from stroma.errors import ParameterError
from stroma.targets.contract import Encoded, Facts, Losses
from stroma.targets.instances import (
    Instances,
    boxes,
    depths,
    planes_only,
    sizes_of,
    widened,
    without_small,
)
from stroma.targets.losses import CrossEntropy
from stroma.targets.ray_kernels import keep_polygons, reach
from stroma.targets.turns import Turn

Array = NDArray[np.float32]
OUTSIDE = 1e-4
"""What a ray of the background costs, beside one of an object."""


@dataclass(frozen=True)
class Rays(Instances):
    """Depth below the border of the object, from 0 to 1, and lengths of rays in pixels.

    Ray 0 goes along the last axis; the others follow from there towards the first axis.

    Parameters
    ----------
    diameter : float
        Of the largest objects, in pixels: how far decoding looks around a block.
    radius : float
        Of objects in the middle of all sizes, in pixels: the network gives rays in this unit.
    smallest : int
        Objects of fewer pixels are left out.
    rays : int
        A multiple of 4, so that turns by right angles exchange them.
    lengths : float
        Weight of the error of rays in units of the radius, beside the cross-entropy.
    """

    radius: float = 10.0
    rays: int = 32
    lengths: float = 2.0

    def __post_init__(self) -> None:
        """Check."""
        if self.rays < 8 or self.rays % 4:
            raise ParameterError(f"rays is a multiple of 4 from 8, got {self.rays}.")
        if self.radius <= 0:
            raise ParameterError(f"radius is a number of pixels above 0, got {self.radius}.")

    @classmethod
    def made_for(cls, facts: Facts, /, **options: Any) -> Self:
        """Return the target for objects of some sizes in planes."""
        planes_only("rays", facts.ndim)
        known = sizes_of(facts)
        if facts.diameters:
            known["radius"] = round(max(1.0, float(np.median(facts.diameters)) / 2), 1)
        return cls(**{**known, **options})

    @property
    def tunable(self) -> Mapping[str, tuple[Any, ...]]:
        """Threshold of depth, how much polygons may overlap, and the smallest objects."""
        return {
            "probability": (0.5, 0.4, 0.6, 0.3, 0.7),
            "overlap": (0.4, 0.3, 0.5),
            "smallest": self.smallest_tried,
        }

    def channels(self) -> tuple[str, ...]:
        """Return their names."""
        return ("depth", *(f"ray {k}" for k in range(self.rays)))

    def encode(self, truth: Any, /, *, shape: tuple[int, ...]) -> Encoded:
        """Return the channels of objects by number.

        Rays end where the image does. Those that end where nobody knows have no weight.
        """
        labels = np.asarray(truth)
        planes_only("rays", labels.ndim)
        values = np.zeros((1 + self.rays, *labels.shape), np.float32)
        known = np.repeat((labels >= 0)[None].astype(np.float32), 1 + self.rays, 0)
        for label, box in boxes(labels):
            wide = widened(box)
            mask = labels[wide] == label
            values[0][wide][mask] = depths(mask)[mask]
        reach(labels, self._ways(), values[1:], known[1:])
        return Encoded(values, known)

    def loss(self, output: torch.Tensor, truth: torch.Tensor, known: torch.Tensor, /) -> Losses:
        """Return the cross-entropy of depth, and the error of rays, which counts in the depth."""
        depth, true = output[:, :1], truth[:, :1]
        crossed = CrossEntropy("sigmoid")(depth, true, known[:, :1])
        apart = (output[:, 1:] - truth[:, 1:] / self.radius).abs()
        weight = known[:, 1:] * torch.where(true > 0, true, OUTSIDE)
        lengths = (apart * weight).sum() / weight.sum().clamp_min(1)
        parts = {"depth": crossed, "rays": lengths}
        found = crossed + self.lengths * lengths
        return found, {name: part.detach() for name, part in parts.items()}

    def activate(self, output: torch.Tensor, /) -> torch.Tensor:
        """Return depth from 0 to 1, and rays in pixels."""
        lengths = (output[:, 1:] * self.radius).clamp_min(0)
        return torch.cat([output[:, :1].sigmoid(), lengths], 1)

    def decode(
        self,
        prediction: NDArray[np.float32],
        /,
        *,
        probability: float = 0.5,
        overlap: float = 0.4,
        smallest: int | None = None,
    ) -> NDArray[np.uint32]:
        """Return objects by number.

        Parameters
        ----------
        prediction : (1 + rays, H, W) float32 array
            Depth, and rays in pixels.
        probability : float
            Pixels of more depth offer a polygon.
        overlap : float
            A polygon goes if it shares more than this part of the smaller of it and a better one.
        smallest : int, optional
            Objects of fewer pixels are left out.
        """
        least = self.smallest if smallest is None else smallest
        places = np.argwhere(prediction[0] > probability)
        depth = prediction[0][tuple(places.T)]
        places = places[np.argsort(-depth, kind="stable")]
        lengths = np.ascontiguousarray(prediction[1:, places[:, 0], places[:, 1]].T, np.float32)
        labels = np.zeros(prediction.shape[1:], np.uint32)
        keep_polygons(places, lengths, self._ways(), overlap, labels)
        return without_small(labels, least)

    def turned_back(self, prediction: NDArray[np.float32], turn: Turn, /) -> NDArray[np.float32]:
        """Return it turned back, every ray in the place of that which the turn made of it."""
        ways = self._ways()
        turned = ways[:, list(turn.order)] * np.where(turn.flips, -1, 1)
        became = (turned @ ways.T).argmax(1)
        return turn.undo(prediction[[0, *(1 + became)]])

    def _ways(self) -> NDArray[np.float64]:
        """Return the directions of rays, (rays, 2), rounded so that mirrors agree."""
        angles = 2 * np.pi * np.arange(self.rays) / self.rays
        return np.stack([np.sin(angles), np.cos(angles)], 1).round(12)
