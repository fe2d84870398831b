"""Star-shaped objects by how far they reach from every pixel in many directions.

After StarDist (Schmidt et al. 2018, doi 10.1007/978-3-030-00934-2_30; in volumes Weigert et al.
2020, doi 10.1109/WACV45572.2020.9093435). To decode, every pixel
that is deep enough in an object offers a polygon; the best are kept, those that lie over them go.
Where objects have classes, that of an object is what its pixels say together.
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
    Classed,
    boxes,
    classes_of,
    cut_off,
    depths,
    require_axes,
    sizes_of,
    widened,
    without_small,
)
from stroma.targets.kernels.polygons import keep_polygons, reach
from stroma.targets.kernels.solids import keep_solids
from stroma.targets.kernels.sphere import Sphere, reach_solid, sphere
from stroma.targets.losses import CrossEntropy
from stroma.targets.turns import Turn

Array = NDArray[np.float32]
RAYS = {2: 32, 3: 96}
LEAST_SPHERE = 12
OUTSIDE = 1e-4
"""What a ray of the background costs, beside one of an object."""

KINDS = 0.5
"""Weight of the cross-entropy of classes: finding objects comes first."""


@dataclass(frozen=True)
class Rays(Classed):
    """Depth below the border of the object, from 0 to 1, lengths of rays in pixels, and classes.

    In planes ray 0 goes along the last axis; the others follow from there towards the first axis.
    In volumes they follow a golden spiral along the first axis.

    Parameters
    ----------
    diameter : float
        Of the largest objects, in pixels: how far decoding looks around a block.
    radius : float
        Of objects in the middle of all sizes, in pixels: the network gives rays in this unit.
    smallest : int
        Objects of fewer pixels are left out.
    divisor : int
        Where objects have classes, label images hold class times this plus the number of the
        object, and so do results; 0 where they have none.
    classes : tuple of int
        The classes: background and each of them have a channel after the rays. None, unless given.
    rays : int
        In planes a multiple of 4, so that turns by right angles exchange them.
    lengths : float
        Weight of the error of rays in units of the radius, beside the cross-entropy.
    ndim : {2, 3}
        Spatial axes.
    spacing : tuple of float
        Size of voxels, relative to each other: rays are as even in space as the voxels are not.
        Equal, unless given; for volumes only.
    """

    radius: float = 10.0
    rays: int = 32
    lengths: float = 2.0
    ndim: int = 2
    spacing: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Take lists for tuples, as JSON has them, and check."""
        super().__post_init__()
        object.__setattr__(self, "spacing", tuple(float(n) for n in self.spacing))
        if self.ndim == 2 and (self.rays < 8 or self.rays % 4):
            raise ParameterError(f"rays is a multiple of 4 from 8, got {self.rays}.")
        if self.ndim == 3 and self.rays < LEAST_SPHERE:
            raise ParameterError(f"rays is {LEAST_SPHERE} or more in volumes, got {self.rays}.")
        if self.radius <= 0:
            raise ParameterError(f"radius is a number of pixels above 0, got {self.radius}.")

    @classmethod
    def made_for(cls, facts: Facts, /, **options: Any) -> Self:
        """Return the target for objects of some sizes, in voxels of some size.

        With a ``divisor`` it is also for the classes that occur.

        Raises
        ------
        LabelError
            If the classes are so many that the labels are of another divisor.
        """
        known = {**sizes_of(facts), "ndim": facts.ndim, "rays": RAYS[facts.ndim]}
        known |= classes_of(facts, int(options.get("divisor", 0)))
        if facts.ndim == 3 and len(set(facts.spacing)) > 1:
            known["spacing"] = facts.spacing
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
        kinds = self.class_channels() if self.classes else ()
        return ("depth", *(f"ray {k}" for k in range(self.rays)), *kinds)

    @property
    def _end(self) -> int:
        """Place after the last ray, where classes begin."""
        return 1 + self.rays

    def encode(self, truth: Any, /, *, shape: tuple[int, ...]) -> Encoded:
        """Return the channels of objects by number.

        Rays end where the image does. Those that end where nobody knows have no weight, nor has the
        depth of objects that go on there; their class has.
        """
        labels = np.asarray(truth)
        require_axes(self.ndim, labels.ndim)
        values = np.zeros((len(self.channels()), *labels.shape), np.float32)
        known = np.repeat((labels >= 0)[None].astype(np.float32), len(values), 0)
        for label, box in boxes(labels):
            wide = widened(box)
            mask = labels[wide] == label
            values[0][wide][mask] = depths(mask)[mask]
        known[0, cut_off(labels)] = 0
        far = reach if self.ndim == 2 else reach_solid
        far(labels, self._ways(), values[1 : self._end], known[1 : self._end])
        if self.classes:
            values[self._end :] = self.encoded_classes(labels)
            known[self._end :] = values[self._end :].sum(0)
        return Encoded(values, known)

    def loss(self, output: torch.Tensor, truth: torch.Tensor, known: torch.Tensor, /) -> Losses:
        """Return the cross-entropy of depth, the error of rays, and the cross-entropy of classes.

        The error of rays counts in the depth.
        """
        rays, end = slice(1, self._end), self._end
        depth, true = output[:, :1], truth[:, :1]
        crossed = CrossEntropy("sigmoid")(depth, true, known[:, :1])
        apart = (output[:, rays] - truth[:, rays] / self.radius).abs()
        weight = known[:, rays] * torch.where(true > 0, true, OUTSIDE)
        lengths = (apart * weight).sum() / weight.sum().clamp_min(1)
        parts = {"depth": crossed, "rays": lengths}
        found = crossed + self.lengths * lengths
        if self.classes:
            kinds = CrossEntropy("softmax")(output[:, end:], truth[:, end:], known[:, end:])
            parts["classes"] = kinds
            found = found + KINDS * kinds
        return found, {name: part.detach() for name, part in parts.items()}

    def activate(self, output: torch.Tensor, /) -> torch.Tensor:
        """Return depth from 0 to 1, rays in pixels, and probabilities of classes."""
        lengths = (output[:, 1 : self._end] * self.radius).clamp_min(0)
        kinds = [output[:, self._end :].softmax(1)] if self.classes else []
        return torch.cat([output[:, :1].sigmoid(), lengths, *kinds], 1)

    def decode(
        self,
        prediction: NDArray[np.float32],
        /,
        *,
        probability: float = 0.5,
        overlap: float = 0.4,
        smallest: int | None = None,
    ) -> NDArray[np.uint32]:
        """Return objects by number: class times divisor plus number, where there are classes.

        Parameters
        ----------
        prediction : (K, *space) float32 array
            Depth, rays in pixels, and probabilities of classes.
        probability : float
            Pixels of more depth offer a polygon (a solid).
        overlap : float
            A polygon goes if it shares more than this part of the smaller of it and a better one.
        smallest : int, optional
            Objects of fewer pixels are left out.
        """
        least = self.smallest if smallest is None else smallest
        values = np.ascontiguousarray(prediction[: self._end], np.float32)
        labels = without_small(self._kept(values, probability, overlap), least)
        return self.with_classes(labels, prediction[self._end + 1 :]) if self.classes else labels

    def _kept(self, values: Array, probability: float, overlap: float) -> NDArray[np.uint32]:
        """Return what depth and rays draw, the best polygons (solids) of those that overlap."""
        waiting = values[0] > probability
        places = np.argwhere(waiting)
        places = places[np.argsort(-values[0][waiting], kind="stable")]
        if self.ndim == 3:
            return keep_solids(values, places, waiting, self._sphere, overlap)
        labels = np.zeros(waiting.shape, np.uint32)
        keep_polygons(values, places, waiting, self._ways(), overlap, labels)
        return labels

    def turned_back(self, prediction: NDArray[np.float32], turn: Turn, /) -> NDArray[np.float32]:
        """Return it turned back, every ray in the place of that which the turn made of it.

        A spiral is not turned into itself: in volumes that is between the three rays around.
        """
        ways = self._ways()
        turned = ways[:, list(turn.order)] * np.where(turn.flips, -1, 1)
        rays, kinds = prediction[1 : self._end], prediction[self._end :]
        if self.ndim == 2:
            rays = rays[(turned @ ways.T).argmax(1)]
        else:
            rays = np.tensordot(self._sphere.between(turned), rays, 1).astype(np.float32)
        return turn.undo(np.concatenate([prediction[:1], rays, kinds]))

    def _ways(self) -> NDArray[np.float64]:
        """Return the directions of rays, (rays, ndim), in planes rounded so that mirrors agree."""
        if self.ndim == 3:
            return self._sphere.ways
        angles = 2 * np.pi * np.arange(self.rays) / self.rays
        return np.stack([np.sin(angles), np.cos(angles)], 1).round(12)

    @property
    def _sphere(self) -> Sphere:
        return sphere(self.rays, self.spacing)
