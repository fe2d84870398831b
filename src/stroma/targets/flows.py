"""Objects by arrows that lead every pixel to the middle of its object, in planes and volumes.

After Cellpose (Stringer et al. 2021, doi 10.1038/s41592-020-01018-x): heat spreads from the middle
of an object, arrows point to where it is warmer. To decode, pixels follow the arrows; those that
come together are an object.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

from stroma.targets.contract import Encoded, Facts, Losses
from stroma.targets.instances import Instances, boxes, cut_off, require_axes, without_small
from stroma.targets.kernels.arrows import follow, heat_flows
from stroma.targets.kernels.arrows_solid import follow_solid, heat_flows_solid
from stroma.targets.losses import CrossEntropy
from stroma.targets.turns import Turn

Array = NDArray[np.float32]
SCALE = 5.0
"""The network gives arrows of this length, so that their loss weighs as much as the other."""

STEPS = 200
"""Pixels take so many steps at least, those of larger objects twice their diameter."""

CROWD = 10
"""More pixels than this that end in one place make an object; fewer where objects are smaller."""

ALONE = 4
"""Where objects may be narrower than so many pixels, crowds three pixels apart are two."""

GATHER = 5
"""Pixels that end so near to a crowd, with others between, belong to it."""


@dataclass(frozen=True)
class Flows(Instances):
    """Foreground, and arrows of length 1 along all axes towards the middle of the object.

    Parameters
    ----------
    diameter : float
        Of the largest objects, in pixels: how far decoding looks around a block, and how far
        pixels go.
    smallest : int
        Objects of fewer pixels are left out.
    ndim : {2, 3}
        Spatial axes.
    """

    through: ClassVar[str] = "arrows"
    """Arrows along each axis are seen by two of three directions."""

    ndim: int = 2

    @classmethod
    def made_for(cls, facts: Facts, /, **options: Any) -> Self:
        """Return the target for objects of some sizes."""
        return super().made_for(facts, **{"ndim": facts.ndim, **options})

    @property
    def tunable(self) -> Mapping[str, tuple[Any, ...]]:
        """Threshold of foreground, the largest error of arrows, and the smallest objects."""
        return {
            "foreground": (0.5, 0.4, 0.6, 0.3, 0.7),
            "flow_error": (0.4, 0.3, 0.6, 1.0, 2.0),
            "smallest": self.smallest_tried,
        }

    def channels(self) -> tuple[str, ...]:
        """Return their names."""
        return ("foreground", *(f"flow {axis}" for axis in "zyx"[-self.ndim :]))

    def encode(self, truth: Any, /, *, shape: tuple[int, ...]) -> Encoded:
        """Return the channels of objects by number.

        Of objects that touch what nobody knows, the foreground alone has a weight.
        """
        labels = np.asarray(truth)
        require_axes(self.ndim, labels.ndim)
        front = (labels > 0)[None].astype(np.float32)
        known = np.repeat((labels >= 0)[None].astype(np.float32), 1 + self.ndim, 0)
        known[1:, cut_off(labels)] = 0
        return Encoded(np.concatenate([front, flows_of(labels)]), known)

    def loss(self, output: torch.Tensor, truth: torch.Tensor, known: torch.Tensor, /) -> Losses:
        """Return the cross-entropy of the foreground, and half the squared error of arrows."""
        front = CrossEntropy("sigmoid")(output[:, :1], truth[:, :1], known[:, :1])
        weight = known[:, 1:]
        apart = (output[:, 1:] - SCALE * truth[:, 1:]) ** 2 * weight
        flow = apart.sum() / (2 * weight[:, :1].sum().clamp_min(1)) / 2
        parts = {"foreground": front, "flow": flow}
        return front + flow, {name: part.detach() for name, part in parts.items()}

    def activate(self, output: torch.Tensor, /) -> torch.Tensor:
        """Return foreground from 0 to 1, and arrows in pixels."""
        return torch.cat([output[:, :1].sigmoid(), output[:, 1:] / SCALE], 1)

    def decode(
        self,
        prediction: NDArray[np.float32],
        /,
        *,
        foreground: float = 0.5,
        flow_error: float = 0.4,
        smallest: int | None = None,
    ) -> NDArray[np.uint32]:
        """Return objects by number.

        Parameters
        ----------
        prediction : (1 + ndim, *space) float32 array
            Foreground from 0 to 1, and arrows.
        foreground : float
            Threshold.
        flow_error : float
            Objects are left out whose arrows differ by more, squared and on average, from those
            that an object of this shape would have.
        smallest : int, optional
            Objects of fewer pixels are left out.
        """
        least = self.smallest if smallest is None else smallest
        front = prediction[0] > foreground
        flows = np.ascontiguousarray(prediction[1:] * front, np.float32)
        labels = self._gathered(flows, front, least)
        wrong = _flow_errors(labels, flows) > flow_error
        labels[wrong[labels]] = 0
        return without_small(_without_holes(labels), least)

    def turned_back(self, prediction: NDArray[np.float32], turn: Turn, /) -> NDArray[np.float32]:
        """Return it turned back, and the arrows with it."""
        return np.concatenate([turn.undo(prediction[:1]), turn.undo_vectors(prediction[1:])])

    def _gathered(self, flows: Array, front: NDArray[np.bool_], least: int) -> NDArray[np.int32]:
        """Return the number of the crowd that every pixel of the foreground ends in."""
        places = np.argwhere(front)
        ends = np.empty_like(places)
        go = follow if front.ndim == 2 else follow_solid
        go(flows, places, max(STEPS, ceil(2 * self.diameter)), ends)
        flat = np.ravel_multi_index(tuple(ends.T), front.shape)
        counts = np.bincount(flat, minlength=front.size).reshape(front.shape)
        labels = np.zeros(front.shape, np.int32)
        near = 3 if self.across(front.ndim) >= ALONE else 2
        labels[front] = _crowds(counts, min(CROWD, least // 2), near).ravel()[flat]
        return labels


def flows_of(labels: NDArray[Any]) -> Array:
    """Return arrows (ndim, *space) of length 1, towards the middle of the object; 0 outside."""
    found = boxes(labels)
    edges = np.array([[e for s in box for e in (s.start, s.stop)] for _, box in found], np.int64)
    numbers = np.array([label for label, _ in found], labels.dtype)
    small = (np.searchsorted(numbers, labels) + 1) * (labels > 0)
    out = np.zeros((labels.ndim, *labels.shape), np.float32)
    heat = heat_flows if labels.ndim == 2 else heat_flows_solid
    heat(small.astype(np.int32), edges.reshape(-1, 2 * labels.ndim), out)
    return out


def _crowds(counts: NDArray[np.int64], least: int, near: int) -> NDArray[np.int32]:
    """Return where pixels come together, by number: largest counts and what is around.

    Largest counts that are so near to one another are one crowd.
    """
    peaks = (counts == ndimage.maximum_filter(counts, 5)) & (counts > least)
    around = np.ones((3,) * counts.ndim, bool)
    wide = ndimage.binary_dilation(peaks, np.ones((near,) * counts.ndim, bool))
    joined, _ = ndimage.label(wide, around)
    labels = np.where(peaks, joined, 0).astype(np.int32)
    for turn in range(GATHER):
        # The last pixels come from anywhere, those before along with others.
        free = (labels == 0) & (counts > (2 if turn < GATHER - 1 else 0))
        labels = np.where(free, ndimage.maximum_filter(labels, 3), labels)
    return labels


def _flow_errors(labels: NDArray[np.int32], flows: Array) -> NDArray[np.float64]:
    """Return the mean squared error of arrows by object; 0 for the background."""
    apart = ((flows_of(labels) - flows) ** 2).sum(0)
    sums = np.bincount(labels.ravel(), weights=apart.ravel())
    sums[0] = 0
    errors: NDArray[np.float64] = sums / np.bincount(labels.ravel()).clip(1)
    return errors


def _without_holes(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return objects with what they enclose, if that is nothing else."""
    for label, box in boxes(labels):
        part = labels[box]
        full = ndimage.binary_fill_holes(part == label)
        part[full & (part == 0)] = label
    return labels
