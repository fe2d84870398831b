"""What all targets share that learn objects by number: their sizes, their context, their score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.segmentation import watershed

from stroma.errors import LabelError, ParameterError, ShapeError
from stroma.metrics.instances import instance_scores
from stroma.metrics.shared import mean_scores
from stroma.targets.contract import Facts, Result, Truth
from stroma.targets.kernels.domes import reconstructed
from stroma.targets.turns import Turn

REACH = 1.5
"""A block is decoded with so many of the largest diameters around it."""

SMALL = 0.25
"""Objects of less than this share of the pixels of small ones are taken for litter."""

TINY = 1e-5
"""Differences of height that are none."""

MOST_CLASSES = 64
"""More classes of objects than these are numbers of another divisor."""


@dataclass(frozen=True)
class Instances:
    """Objects of some sizes; a target adds its channels.

    Parameters
    ----------
    diameter : float
        Of the largest objects, in pixels: how far decoding looks around a block.
    smallest : int
        Objects of fewer pixels are left out.
    """

    truth: ClassVar[Truth] = "instances"
    result: ClassVar[Result] = "instances"
    deciding: ClassVar[tuple[str, ...]] = ("ap50", "mean ap", "f1", "pq")
    """Their mean chooses options of decoding: AP at 0.5 alone is as good for many of them, as few
    objects are looked at, and cares little for outlines."""

    diameter: float = 32.0
    smallest: int = 10

    @classmethod
    def made_for(cls, facts: Facts, /, **options: Any) -> Self:
        """Return the target for objects of some sizes."""
        return cls(**{**sizes_of(facts), **options})

    @property
    def smallest_tried(self) -> tuple[int, ...]:
        """Sizes of the smallest objects that are worth trying."""
        return self.smallest, self.smallest // 2, 2 * self.smallest

    def across(self, ndim: int) -> float:
        """Return the width of small objects in pixels, of which ``smallest`` is a share."""
        size = self.smallest / SMALL
        return float((4 / np.pi * size) ** 0.5 if ndim == 2 else (6 / np.pi * size) ** (1 / 3))

    @property
    def context(self) -> int:
        """What the largest objects need."""
        return ceil(REACH * self.diameter)

    def score(self, results: Sequence[Any], truths: Sequence[Any], /) -> dict[str, float]:
        """Return the means over images of AP at an IoU of 0.5, mean AP, F1 and PQ."""
        pairs = zip(results, truths, strict=True)
        mean = mean_scores([instance_scores(found, true) for found, true in pairs])
        names = {"ap50": "ap 0.50", "mean ap": "mean ap", "f1": "f1", "pq": "pq"}
        return {name: mean[key] for name, key in names.items()}


@dataclass(frozen=True)
class Classed(Instances):
    """Objects that may be of several classes, which are in their numbers; a target adds channels.

    Parameters
    ----------
    divisor : int
        Where objects have classes, label images hold class times this plus the number of the
        object, and so do results; 0 where they have none.
    classes : tuple of int
        The classes.
    """

    divisor: int = 0
    classes: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Take lists for tuples, as JSON has them, and check."""
        object.__setattr__(self, "classes", tuple(int(n) for n in self.classes))
        none = len(type(self).classes)
        if self.divisor < 0 or not (self.classes if self.divisor else len(self.classes) == none):
            raise ParameterError(
                "divisor is a number above 0 where there are several classes, such as 1000, and "
                f"classes are then named; got {self.divisor} for the classes {self.classes}."
            )

    def class_channels(self) -> tuple[str, ...]:
        """Return the names of the channels of background and classes."""
        names = [f"class {n}" for n in self.classes] if self.divisor else ["object"]
        return ("background", *names)

    def encoded_classes(self, labels: NDArray[Any]) -> NDArray[np.float32]:
        """Return where background and every class are, (1 + classes, *space)."""
        kinds = self.kinds(labels)
        each = [(kinds == kind) & (labels > 0) for kind in self.classes]
        return np.stack([labels == 0, *each]).astype(np.float32)

    def kinds(self, labels: NDArray[Any]) -> NDArray[Any]:
        """Return the class of every pixel of objects."""
        return labels // np.int64(self.divisor) if self.divisor else np.zeros_like(labels)

    def with_classes(
        self, labels: NDArray[np.uint32], probabilities: NDArray[np.float32]
    ) -> NDArray[np.uint32]:
        """Return objects with the class that is most probable over all of their pixels.

        Parameters
        ----------
        labels : (*space) uint32 array
            Objects from 1.
        probabilities : (classes, *space) float32 array
            Of every class, without the background.
        """
        votes = [np.bincount(labels.ravel(), weights=p.ravel()) for p in probabilities]
        kinds = np.array(self.classes)[np.argmax(votes, axis=0)]
        numbers = np.zeros(len(kinds), np.uint32)
        for kind in self.classes:
            own = np.flatnonzero(kinds == kind)
            own = own[own > 0]
            require_room(len(own), self.divisor)
            numbers[own] = kind * self.divisor + np.arange(1, len(own) + 1)
        found: NDArray[np.uint32] = numbers[labels]
        return found

    def score(self, results: Sequence[Any], truths: Sequence[Any], /) -> dict[str, float]:
        """Return the means over images and classes of AP at 0.5, mean AP, F1 and PQ.

        A class counts in images where it is, or is found.
        """
        pairs = [
            parts
            for found, true in zip(results, truths, strict=True)
            for parts in self._by_class(np.asarray(found), np.asarray(true))
        ]
        return super().score([found for found, _ in pairs], [true for _, true in pairs])

    def _by_class(self, found: NDArray[Any], true: NDArray[Any]) -> list[tuple[Any, Any]]:
        if not self.divisor:
            return [(found, true)]
        pairs = []
        for kind in self.classes:
            ours = np.where(self.kinds(found) == kind, found, 0)
            theirs = np.where((self.kinds(true) == kind) | (true < 0), true, 0)
            if (ours > 0).any() or (theirs > 0).any():
                pairs.append((ours, theirs))
        return pairs or [(0 * found, np.minimum(true, 0))]


def classes_of(facts: Facts, divisor: int) -> dict[str, Any]:
    """Return the classes that occur in numbers of a divisor; nothing where there is none.

    Raises
    ------
    LabelError
        If they are so many that the divisor is another.
    """
    if divisor <= 0:
        return {}
    found = tuple(sorted({n // divisor for n in facts.counts if n > 0}))
    if len(found) > MOST_CLASSES:
        raise LabelError(
            f"With a divisor of {divisor} the labels are of {len(found)} classes. Labels are "
            "class times divisor plus the number of the object; give the divisor they were made "
            "with."
        )
    return {"classes": found}


def require_room(count: int, divisor: int) -> None:
    """Refuse more objects of a class than there are numbers for."""
    if count >= divisor:
        raise LabelError(
            f"There are {count} objects of one class, and a divisor of {divisor} leaves numbers "
            f"for {divisor - 1}. Train with a larger one, such as divisor={10 * divisor}."
        )


def boxes(labels: NDArray[Any]) -> list[tuple[int, tuple[slice, ...]]]:
    """Return every object above 0 with the box around it; numbers may be as large as they like."""
    most = max(int(labels.max(initial=0)), 0)
    if most > labels.size:
        every, place = np.unique(labels, return_inverse=True)
        first = int(np.searchsorted(every, 1))
        numbers = every[first:]
        small = (place.reshape(labels.shape) - first + 1).clip(0)
    else:
        numbers, small = np.arange(1, most + 1), labels.clip(0)
    found = ndimage.find_objects(small)
    pairs = zip(numbers.tolist(), found, strict=True)
    return [(label, box) for label, box in pairs if box is not None]


def widened(box: tuple[slice, ...]) -> tuple[slice, ...]:
    """Return a box with one pixel more on every side, as far as the image goes."""
    return tuple(slice(max(0, s.start - 1), s.stop + 1) for s in box)


def cut_off(labels: NDArray[Any]) -> NDArray[np.bool_]:
    """Return where objects are that touch what nobody knows: they may go on there.

    What follows from an object as a whole, as its middle and its depth, is not known of these.
    """
    unknown = labels < 0
    if not unknown.any():
        return unknown
    near = ndimage.binary_dilation(unknown, np.ones((3,) * labels.ndim, bool)) & (labels > 0)
    return np.isin(labels, np.unique(labels[near]))


def depths(mask: NDArray[np.bool_], steps: Sequence[float] | None = None) -> NDArray[np.float64]:
    """Return how deep pixels lie below the border of an object, 1 in its deepest; 0 outside.

    Pixels are as large as ``steps`` along the axes, or equal.

    The border of the image is no border of the object: one that fills it is deep everywhere.
    """
    if mask.all():
        return np.ones(mask.shape)
    far = ndimage.distance_transform_edt(mask, sampling=steps)
    return np.asarray(far / far.max())


def grown(
    height: NDArray[Any], seeds: NDArray[Any], front: NDArray[np.bool_], *, least: int
) -> NDArray[np.uint32]:
    """Return objects that grow from seeds over the foreground, the lowest pixels first.

    Foreground that no seed reaches is an object too. Those of fewer pixels are left out.
    """
    # Seeds grow where they end: what lies within them has nowhere to go.
    free = front & (seeds == 0)
    rim = front & (seeds > 0) & ndimage.binary_dilation(free)
    flooded = watershed(height, np.where(rim, seeds, 0), mask=free | rim)
    found = np.where(free, flooded, np.where(front, seeds, 0))
    lone, _ = ndimage.label(front & (found == 0))
    return without_small(np.where(lone > 0, lone + found.max(), found), least)


def summits(
    height: NDArray[np.floating[Any]], front: NDArray[np.bool_], *, rise: float, least: float = 0.0
) -> NDArray[np.int32]:
    """Return the summits of a landscape by number: what rises high enough above its saddles.

    From every summit the way to a higher one leads down by ``rise`` at least; so much of it is the
    summit as lies less than that below its top. What is nearer is one summit, however low or high.

    Parameters
    ----------
    height : (*space) float array
        From 0 up.
    front : (*space) bool array
        Where objects are; the rest is at 0.
    rise : float
        How far down it goes between two summits.
    least : float
        Height of the lowest summit.
    """
    land = np.where(front, height, 0).astype(np.float32)
    above = land - reconstructed(np.maximum(land - rise, 0), land, front)
    parts, count = ndimage.label(front & (above > TINY))
    rises = _highest(above, parts, count) >= rise - 2 * TINY
    kept = rises & (_highest(land, parts, count) > least)
    order = np.zeros(count + 1, np.int32)
    order[1:][kept] = np.arange(1, kept.sum() + 1)
    found: NDArray[np.int32] = order[parts]
    return found


def _highest(values: NDArray[Any], parts: NDArray[Any], count: int) -> NDArray[Any]:
    """Return the highest value of every part, from 1; pixels of none are not looked at."""
    found = np.full(count + 1, -np.inf, values.dtype)
    inside = parts > 0
    np.maximum.at(found, parts[inside], values[inside])
    return found[1:]


def without_small(labels: NDArray[Any], least: int) -> NDArray[np.uint32]:
    """Return objects of so many pixels at least, numbered from 1 in their order."""
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    kept = sizes >= max(least, 1)
    numbers = np.where(kept, np.cumsum(kept), 0).astype(np.uint32)
    found: NDArray[np.uint32] = numbers[labels]
    return found


def require_axes(ndim: int, found: int) -> None:
    """Refuse labels with other axes than a target was made for."""
    if found != ndim:
        raise ShapeError(
            f"The target is made for objects along {ndim} axes (ndim), these labels have {found}."
        )


def require_alike(turn: Turn, spacing: Sequence[float]) -> None:
    """Refuse turns that exchange axes whose pixels differ in size."""
    if spacing and [spacing[axis] for axis in turn.order] != list(spacing):
        raise ParameterError(
            f"{turn} exchanges axes whose pixels differ in size ({spacing}): what is predicted of "
            "one is not that of the other. Mirror axes, and leave their order."
        )


def sizes_of(facts: Facts) -> dict[str, Any]:
    """Return the diameter of the largest objects, and the pixels of what is too small to be one."""
    if not facts.diameters:
        return {}
    small, large = np.percentile(facts.diameters, (5, 100))
    area = np.pi / 4 * small**2 if facts.ndim == 2 else np.pi / 6 * small**3
    return {"diameter": round(float(large), 1), "smallest": max(1, round(SMALL * area))}
