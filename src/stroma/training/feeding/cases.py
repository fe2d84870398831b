"""What is learned from: images with what is known of them, read box by box."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.data.image import Image
from stroma.data.missing import lacks_data
from stroma.data.statistics import LOW_HIGH, Statistics, measure
from stroma.errors import ImageError, LabelError, ShapeError
from stroma.targets.contract import Target
from stroma.training.feeding.normalise import Normalisation
from stroma.training.feeding.shares import Shares
from stroma.training.feeding.windows import Cube, inside, read_mirrored, relative, shape_of

UNKNOWN = -1
"""Label of pixels that nobody knows."""

LIKE = 0.3
"""Correlation from which on two images are taken to show the same."""

MOST = 2**24
"""Pixels of two images that are compared, at most."""


@dataclass(frozen=True, eq=False)
class Case:
    """One plane or volume, with what is known of it.

    Parameters
    ----------
    name : str
        For messages and pictures.
    image : Image
        Axes (c), (z), y, x.
    ndim : {2, 3}
        Spatial axes.
    labels : (*space) int32 array, optional
        Classes or objects, -1 where nobody knows.
    points : (n, ndim) float array, optional
        Positions, instead of labels.
    other : Image, optional
        Another image, instead of labels; NaN where nobody knows.
    allowed : Cube, optional
        The part of it that may be learned from, or validated on; all, unless given.
    measured : Statistics, optional
        Of the image before it was resampled; of the image itself, unless given.
    guide : (*space) uint8 array, optional
        What a coarser network said: the number of the class of every pixel.
    shares : Shares, optional
        How much of every pixel is of each class, where labels are not sure; these are the most
        likely ones then.
    """

    name: str
    image: Image
    ndim: int
    labels: NDArray[np.int32] | None = None
    points: NDArray[np.float64] | None = None
    other: Image | None = None
    allowed: Cube | None = None
    measured: Statistics | None = None
    guide: NDArray[np.uint8] | None = None
    shares: Shares | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Sides."""
        return self.image.shape[-self.ndim :]

    @property
    def channels(self) -> int:
        """Number of channels of the image."""
        return self.image.sizes.get("c", 1)

    @property
    def area(self) -> Cube:
        """The part that may be used."""
        return self.allowed or tuple(slice(0, n) for n in self.shape)

    @cached_property
    def statistics(self) -> Statistics:
        """Of the whole image that this is from."""
        return self.measured or statistics_of(self.image)

    def read(self, box: Cube) -> NDArray[Any]:
        """Return the (C, *space) values of a box, mirrored beyond the border."""
        return read_mirrored(lambda b: _values(self.image, b), self.shape, box)

    def pixels(self, box: Cube, scale: Normalisation) -> NDArray[np.float32]:
        """Return them normalised."""
        return scale(self.read(box), self.statistics)

    def truth(self, box: Cube) -> Any:
        """Return what is known of a box: labels, points relative to it, or the other image."""
        if self.labels is not None:
            return self._labels(box)
        if self.points is not None:
            start = np.array([s.start for s in box], float)
            stop = np.array([s.stop for s in box], float)
            inside = (self.points >= start - 0.5) & (self.points < stop - 0.5)
            return self.points[inside.all(1)] - start
        assert self.other is not None, "a case has labels, points or another image"
        other = self.other
        return read_mirrored(lambda b: _values(other, b), self.shape, box).astype(np.float32)

    def allows(self, box: Cube) -> NDArray[np.float32]:
        """Return 1 where a box is in the part that may be used, 0 elsewhere."""
        found = np.zeros(shape_of(box), np.float32)
        found[relative(self._allowed(box), box)] = 1
        return found

    def shared(self, box: Cube, labels: Sequence[int]) -> NDArray[np.float32]:
        """Return the (K, *box) shares of labels; 0 beyond the part that may be used."""
        assert self.shares is not None, "only labels that are not sure have shares"
        found = np.zeros((len(labels), *shape_of(box)), np.float32)
        part = self._allowed(box)
        found[(slice(None), *relative(part, box))] = self.shares[part].of(labels)
        return found

    def in_units(self, values: NDArray[Any], target: Target | None = None) -> NDArray[np.float32]:
        """Return (C, *space) of the other image, less the mean of the image, by its deviation.

        Its intensities are brought to those of the image before: see `matching`. Of a target with
        units of its own, in these, and as they are.
        """
        if given := units_of(target, values.ndim):
            return np.asarray((values - given[0]) / given[1], np.float32)
        mean, deviation = units(self.statistics, len(values), values.ndim)
        gain, offset = (m.reshape(-1, *(1,) * (values.ndim - 1)) for m in self.matching)
        return np.asarray((gain * values + offset - mean) / deviation, np.float32)

    @cached_property
    def matching(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Gain and offset, per channel, that bring the other image nearest to the image.

        Cameras and files scale every image in their own way, which cannot be foretold and need
        not be learned. 1 and 0 where the two do not show the same, or have other channels.
        """
        assert self.other is not None, "only another image is matched"
        count = self.other.sizes.get("c", 1)
        gain, offset = np.ones(count), np.zeros(count)
        if count != self.channels:
            return gain, offset
        box = _middle(self.area)
        image, other = self.read(box), self.truth(box)
        for c in range(count):
            gain[c], offset[c] = _fitted(other[c].ravel(), image[c].ravel())
        return gain, offset

    def _labels(self, box: Cube) -> NDArray[np.int32]:
        assert self.labels is not None
        found = np.full(shape_of(box), UNKNOWN, np.int32)
        part = self._allowed(box)
        found[relative(part, box)] = self.labels[part]
        return found

    def _allowed(self, box: Cube) -> Cube:
        """Return the part of a box that may be used."""
        return tuple(
            slice(max(a.start, b.start), max(a.start, b.start, min(a.stop, b.stop)))
            for a, b in zip(inside(box, self.shape), self.area, strict=True)
        )


def _middle(box: Cube) -> Cube:
    """Return the middle of a box: as much of it as is read at once."""
    sides = [s.stop - s.start for s in box]
    share = min(1.0, (MOST / max(1, prod(sides))) ** (1 / len(sides)))
    kept = [max(1, int(n * share)) for n in sides]
    starts = [s.start + (n - k) // 2 for s, n, k in zip(box, sides, kept, strict=True)]
    return tuple(slice(a, a + k) for a, k in zip(starts, kept, strict=True))


def _fitted(values: NDArray[Any], to: NDArray[Any]) -> tuple[float, float]:
    """Return gain and offset of least squares; 1 and 0 where little of it is explained."""
    known = np.isfinite(values)
    x, y = values[known].astype(np.float64), to[known].astype(np.float64)
    if len(x) < 2:
        return 1.0, 0.0
    both = np.cov(x, y)
    if both[0, 0] <= 0 or both[0, 1] <= LIKE * np.sqrt(both[0, 0] * both[1, 1]):
        return 1.0, 0.0
    gain = float(both[0, 1] / both[0, 0])
    return gain, float(y.mean() - gain * x.mean())


def measured_for(cases: Sequence[Case], scale: Normalisation) -> list[Case]:
    """Return cases whose statistics have the percentiles that a scaling of intensities needs."""
    if scale.ranks == LOW_HIGH:
        return list(cases)
    return [
        replace(case, measured=statistics_of(case.image, percentiles=scale.ranks)) for case in cases
    ]


def statistics_of(
    image: Image, *, percentiles: tuple[float, float] = LOW_HIGH, box: Cube | None = None
) -> Statistics:
    """Return the statistics of the whole image that a plane or volume is from.

    Parameters
    ----------
    image : Image
        The plane or volume.
    percentiles : (float, float)
        Which are measured.
    box : Cube, optional
        The part of the last axes that they are of; all, unless given.

    Raises
    ------
    ImageError
        If pixels hold no data.
    """
    whole, cut = image.whole, image.selection
    chosen = {a: i for a, i in cut.items() if a == "c"}
    if box is not None:
        chosen |= dict(zip(image.kept_axes[-len(box) :], box, strict=True))
    found = measure(whole.at(**chosen) if chosen else whole, percentiles=percentiles)
    if lacks_data(whole):
        raise ImageError(
            f"The image {whole.source} holds pixels without data (NaN); networks are trained "
            f"on images that have a value everywhere. Crop it, or fill it first."
        )
    return found


def units(statistics: Statistics, count: int, ndim: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return mean and deviation of an image, for so many channels of an array of ndim axes.

    Where there are other channels than the image has, its first serves all.
    """
    alike = len(statistics.mean) == count
    chosen = list(range(count)) if alike else [0] * count
    shape = (count, *(1,) * (ndim - 1))
    mean = np.array([statistics.mean[i] for i in chosen]).reshape(shape)
    deviation = np.array([max(statistics.std[i], 1e-8) for i in chosen]).reshape(shape)
    return mean, deviation


def units_of(target: Target | None, ndim: int) -> tuple[NDArray[Any], NDArray[Any]] | None:
    """Return offset and gain that a target has for all images; None where images decide."""
    gain, offset = getattr(target, "gain", ()), getattr(target, "offset", ())
    if not gain:
        return None
    shape = (len(gain), *(1,) * (ndim - 1))
    return np.reshape(offset, shape), np.reshape(gain, shape)


def _values(image: Image, box: Cube) -> NDArray[Any]:
    axes = image.kept_axes[-len(box) :]
    values = image.read(dict(zip(axes, box, strict=True)))
    return values if "c" in image.sizes else values[None]


def label_array(values: NDArray[Any], ignore: Sequence[int], source: str) -> NDArray[np.int32]:
    """Return labels as int32, -1 where they are to be ignored.

    Raises
    ------
    LabelError
        If they are not whole numbers.
    """
    if values.dtype.kind == "f":
        whole = values == np.floor(values)
        if not (np.isfinite(values) & whole).all():
            raise LabelError(
                f"{source} holds fractions, and labels are whole numbers. Give the label image, "
                "not probabilities."
            )
    elif values.dtype.kind not in "bui":
        raise LabelError(f"{source} holds values of type {values.dtype}; labels are integers.")
    if values.size and (values.min() < 0 or values.max() > np.iinfo(np.int32).max):
        raise LabelError(
            f"{source} holds labels from {values.min()} to {values.max()}; allowed are 0 to "
            f"{np.iinfo(np.int32).max}. To ignore pixels, give them a label of their own and name "
            "it with ignore."
        )
    labels = values.astype(np.int32)
    labels[np.isin(labels, list(ignore))] = UNKNOWN
    return labels


def require_same_space(shape: Sequence[int], wanted: Sequence[int], what: str, name: str) -> None:
    """Raise where labels and image do not have the same sides."""
    if tuple(shape) != tuple(wanted):
        raise ShapeError(
            f"{name}: the image has {tuple(wanted)} pixels, {what} {tuple(shape)}. They belong to "
            "each other pixel by pixel; check that the pair is right, and resample one of them."
        )
