"""Which pixels are of objects, and of the boundaries between them: each by itself, or nearly so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.data.image import Image
from stroma.errors import ImageError, ParameterError, ShapeError
from stroma.objects.boxes import checked
from stroma.objects.entry import beside
from stroma.objects.finding.how import Finding


@dataclass(frozen=True, eq=False)
class Source:
    """What objects are found in.

    Parameters
    ----------
    own : Image
        Labels, or the probability of the class of objects.
    boundary : Image or None
        The probability of the class between them, where it is known.
    """

    own: Image
    boundary: Image | None

    def at(self, **position: int | slice) -> Source:
        """Return a cut, such as one frame."""
        boundary = None if self.boundary is None else self.boundary.at(**position)
        return Source(self.own.at(**position), boundary)


def source_of(pixels: Image, finding: Finding, boundary: Any = None) -> Source:
    """Return what objects are found in, checked.

    Parameters
    ----------
    pixels : Image
        Labels, or probabilities: of one class, or of all, as channels.
    finding : Finding
        How objects are found.
    boundary : array or Image, optional
        Probability of the class between objects, beside labels.
    """
    channels = "c" in pixels.kept_axes
    if pixels.dtype.kind != "f":
        if channels:
            raise ShapeError("Objects are found in one channel; choose that of a class.")
        given = beside(boundary, pixels, "boundary_probability")
        if given is not None and "c" in given.kept_axes:
            raise ShapeError("boundary_probability is of one class; give the channel of that.")
        return Source(pixels, given)
    if boundary is not None:
        raise ParameterError(
            "boundary_probability goes with labels. Among probabilities, that of the boundary is a "
            "channel."
        )
    if channels and finding.label is None:
        raise ShapeError(
            "Objects are found in one channel: name the class of objects (label), whose "
            "probabilities are the channel of that number."
        )
    if finding.boundary is None:
        return Source(plane_of(pixels, finding.label or 1) if channels else pixels, None)
    if not channels:
        raise ShapeError(
            "Parting by a boundary needs the probabilities of both classes, as channels (axes "
            "'cyx'). These are of one class."
        )
    return Source(plane_of(pixels, finding.label or 1), plane_of(pixels, finding.boundary))


def plane_of(image: Image, label: int) -> Image:
    """Return a channel of an image of probabilities, counted from 1.

    Raises
    ------
    ParameterError
        If there is no such class.
    """
    count = image.sizes.get("c", 1)
    if not 1 <= label <= count:
        names = f" Channels, from 1: {', '.join(image.channels[:8])}." if image.channels else ""
        raise ParameterError(
            f"There are probabilities of classes 1 to {count}, not of {label}.{names}"
        )
    return image.at(c=label - 1) if "c" in image.sizes else image


@dataclass(frozen=True, eq=False)
class Told:
    """What is known of each pixel.

    Parameters
    ----------
    labels : int array
        0 outside of objects; touching pixels of other numbers are of other objects.
    core : bool array or None
        Where an object must reach; None where all of them may stay.
    body : bool array or None
        Pixels of objects without those of the boundary; None where none parts them.
    chance : float32 array or None
        The probability of the boundary.
    """

    labels: NDArray[np.integer]
    core: NDArray[np.bool_] | None
    body: NDArray[np.bool_] | None
    chance: NDArray[np.float32] | None


def told(source: Source, finding: Finding) -> Told:
    """Return what is known of the pixels of a frame, or a part of one."""
    values = source.own.read()
    between = None if source.boundary is None else _likely(source.boundary.read())
    if values.dtype.kind != "f":
        return _told_by_labels(checked(values), finding, between)
    likely = _likely(values)
    core = None if finding.core is None else likely >= finding.core
    if between is None:
        return Told((likely >= finding.threshold).astype(np.uint8), core, None, None)
    inside = likely + between >= finding.threshold
    return Told(inside.astype(np.uint8), core, inside & (likely >= between), between)


def _told_by_labels(
    labels: NDArray[np.integer], finding: Finding, between: NDArray[np.float32] | None
) -> Told:
    if finding.label is None:
        known = labels.astype(np.uint8) if labels.dtype.kind == "b" else labels
        return Told(known, None, None, None)
    body = labels == finding.label
    if finding.boundary is None:
        return Told(body.astype(np.uint8), None, None, None)
    rim = labels == finding.boundary
    chance = rim.astype(np.float32) if between is None else between
    return Told((body | rim).astype(np.uint8), None, body, chance)


def _likely(values: NDArray[Any]) -> NDArray[np.float32]:
    if not (values.min(initial=0) >= 0 and values.max(initial=0) <= 1):
        raise ImageError("Probabilities are numbers from 0 to 1; these are not, or hold NaN.")
    return values
