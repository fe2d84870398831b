"""Objects of several classes: a class for every pixel, middles, and arrows to them.

After Panoptic-DeepLab (Cheng et al. 2020, doi 10.1109/CVPR42600.2020.01249) as MitoNet uses it
(Conrad and Narayan 2023, doi 10.1016/j.cels.2022.12.006). To decode, every pixel of an object goes
to the middle nearest the end of its arrow; the class of an object is what its pixels say together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree
from skimage.feature import peak_local_max
from torch.nn import functional

from stroma.targets.contract import Encoded, Facts, Losses
from stroma.targets.instances import (
    Classed,
    boxes,
    classes_of,
    cut_off,
    require_axes,
    sizes_of,
    without_small,
)
from stroma.targets.turns import Turn

HARD = 0.2
"""Only this share of the pixels counts in the loss of classes, those that are farthest off."""

HEAT, ARROWS = 200.0, 0.01
"""Weights of the losses of middles and of arrows, in pixels, beside that of classes."""

HEATED = 4.0
"""Heat ends so many widths from a middle."""

WIDTH, WIDTHS = 0.12, (1.0, 6.0)
"""Width of a middle, as a share of the diameter, and its limits in pixels."""


@dataclass(frozen=True)
class Centres(Classed):
    """Background and classes, heat in the middle of objects, and the way there along every axis.

    Parameters
    ----------
    diameter : float
        Of the largest objects, in pixels: how far decoding looks around a block.
    smallest : int
        Objects of fewer pixels are left out.
    ndim : {2, 3}
        Spatial axes.
    width : float
        Standard deviation of the heat around a middle, in pixels.
    divisor : int
        Where objects are of several classes, label images hold class times this plus the number
        of the object, and so do results; 0 where there is one class.
    classes : tuple of int
        The classes.
    """

    ndim: int = 2
    width: float = 2.0
    classes: tuple[int, ...] = (0,)

    @classmethod
    def made_for(cls, facts: Facts, /, **options: Any) -> Self:
        """Return the target for objects of some sizes, and of the classes that occur.

        Raises
        ------
        LabelError
            If the classes are so many that the labels are of another divisor.
        """
        known: dict[str, Any] = {**sizes_of(facts), "ndim": facts.ndim}
        if facts.diameters:
            middle = float(np.median(facts.diameters))
            known["width"] = round(float(np.clip(WIDTH * middle, *WIDTHS)), 2)
        known |= classes_of(facts, int(options.get("divisor", 0)))
        return cls(**{**known, **options})

    @property
    def tunable(self) -> Mapping[str, tuple[Any, ...]]:
        """Thresholds of foreground and of middles, and the smallest objects."""
        return {
            "foreground": (0.5, 0.4, 0.6, 0.3, 0.7),
            "centre": (0.1, 0.2, 0.3, 0.05, 0.4),
            "smallest": self.smallest_tried,
        }

    def channels(self) -> tuple[str, ...]:
        """Return their names."""
        offsets = (f"offset {a}" for a in "zyx"[-self.ndim :])
        return (*self.class_channels(), "centre", *offsets)

    @property
    def _first(self) -> int:
        """Place of the heat."""
        return 1 + len(self.classes)

    def encode(self, truth: Any, /, *, shape: tuple[int, ...]) -> Encoded:
        """Return the channels of objects by number.

        Of objects that touch what nobody knows, the class alone has a weight: their middle is
        not known.
        """
        labels = np.asarray(truth)
        require_axes(self.ndim, labels.ndim)
        values = np.zeros((self._first + 1 + self.ndim, *labels.shape), np.float32)
        values[: self._first] = self.encoded_classes(labels)
        heat, arrows = values[self._first], values[self._first + 1 :]
        for label, box in boxes(labels):
            inside = np.argwhere(labels[box] == label) + [s.start for s in box]
            middle = inside.mean(0)
            arrows[(slice(None), *inside.T)] = (middle - inside).T
            _warm(heat, middle, self.width)
        known = np.repeat(values[: self._first].sum(0, keepdims=True), len(values), 0)
        cut = cut_off(labels)
        known[self._first :, cut] = 0
        if cut.any():  # heat goes on beyond objects
            known[self._first, ndimage.distance_transform_edt(~cut) <= HEATED * self.width] = 0
        return Encoded(values, known)

    def loss(self, output: torch.Tensor, truth: torch.Tensor, known: torch.Tensor, /) -> Losses:
        """Return the losses of classes, of middles and of arrows, weighted as for MitoNet."""
        at = self._first
        crossed = -(truth[:, :at] * functional.log_softmax(output[:, :at], 1)).sum(1, keepdim=True)
        count = max(1, int(HARD * float(known[:, :1].sum())))
        hard = (crossed * known[:, :1]).flatten().topk(count).values.mean()
        whole = known[:, at : at + 1]
        warm = (output[:, at : at + 1] - truth[:, at : at + 1]) ** 2 * whole
        heat = warm.sum() / whole.sum().clamp_min(1)
        inside = whole * (1 - truth[:, :1])
        apart = (output[:, at + 1 :] * self.diameter - truth[:, at + 1 :]).abs() * inside
        arrows = apart.sum() / (self.ndim * inside.sum()).clamp_min(1)
        parts = {"classes": hard, "centres": heat, "offsets": arrows}
        found = hard + HEAT * heat + ARROWS * arrows
        return found, {name: part.detach() for name, part in parts.items()}

    def activate(self, output: torch.Tensor, /) -> torch.Tensor:
        """Return probabilities of classes, heat, and arrows in pixels."""
        at = self._first
        classes, heat = output[:, :at].softmax(1), output[:, at : at + 1]
        return torch.cat([classes, heat, output[:, at + 1 :] * self.diameter], 1)

    def decode(
        self,
        prediction: NDArray[np.float32],
        /,
        *,
        foreground: float = 0.5,
        centre: float = 0.1,
        smallest: int | None = None,
    ) -> NDArray[np.uint32]:
        """Return objects by number: class times divisor plus number, where there are classes.

        Parameters
        ----------
        prediction : (K, *space) float32 array
            Probabilities of classes, heat, arrows in pixels.
        foreground : float
            Threshold of all classes together.
        centre : float
            Least heat of a middle.
        smallest : int, optional
            Objects of fewer pixels are left out.
        """
        least = self.smallest if smallest is None else smallest
        at = self._first
        front = 1 - prediction[0] > foreground
        peaks = peak_local_max(
            prediction[at],
            min_distance=ceil(self.width),
            threshold_abs=centre,
            exclude_border=False,
        )
        labels = np.zeros(front.shape, np.int64)
        if len(peaks):
            places = np.argwhere(front)
            ends = places + prediction[(slice(at + 1, None), *places.T)].T
            labels[front] = cKDTree(peaks).query(ends)[1] + 1
        else:
            labels, _ = ndimage.label(front)
        found = without_small(labels, least)
        return found if not self.divisor else self.with_classes(found, prediction[1:at])

    def turned_back(self, prediction: NDArray[np.float32], turn: Turn, /) -> NDArray[np.float32]:
        """Return it turned back, and the arrows with it."""
        at = self._first + 1
        return np.concatenate([turn.undo(prediction[:at]), turn.undo_vectors(prediction[at:])])


def _warm(heat: NDArray[np.float32], middle: NDArray[np.float64], width: float) -> None:
    """Add the heat of a middle; the most counts."""
    box = tuple(
        slice(max(0, int(m - HEATED * width)), min(n, ceil(m + HEATED * width) + 1))
        for m, n in zip(middle, heat.shape, strict=True)
    )
    grid = np.meshgrid(*(np.arange(s.start, s.stop) for s in box), indexing="ij", sparse=True)
    far: Any = sum((g - m) ** 2 for g, m in zip(grid, middle, strict=True))
    np.maximum(heat[box], np.exp(-far / (2 * width**2)), out=heat[box])
