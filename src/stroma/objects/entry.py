"""What is given to be measured, with names for its axes, sizes and channels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.data.image import AXES, Image
from stroma.errors import ShapeError
from stroma.io.units import convert

COLOURS = ("red", "green", "blue")


@dataclass(frozen=True, eq=False)
class Entry:
    """Labels, values and probabilities of the same pixels.

    Parameters
    ----------
    labels : Image
        With axes of "tzyx".
    image, probabilities : Image or None
        With the same axes, and "c" or not.
    spacing : tuple of float
        Size of a pixel along (z,) y, x in µm; empty if unknown.
    channels, classes : tuple of str
        Names.
    """

    labels: Image
    image: Image | None
    probabilities: Image | None
    spacing: tuple[float, ...]
    channels: tuple[str, ...]
    classes: tuple[str, ...]

    @property
    def volume(self) -> bool:
        """Whether objects are solids."""
        return "z" in self.labels.axes

    @property
    def size(self) -> NDArray[np.float64] | None:
        """The (3,) size of a pixel in µm; along z 0 in a plane; None if unknown."""
        if not self.spacing:
            return None
        return np.array([0.0] * (3 - len(self.spacing)) + list(self.spacing))

    def at(self, t: int | None) -> Entry:
        """Return one frame."""
        if t is None:
            return self
        image, probabilities = (
            None if i is None else i.at(t=t) for i in (self.image, self.probabilities)
        )
        labels = self.labels.at(t=t)
        return replace(self, labels=labels, image=image, probabilities=probabilities)

    def values(self) -> Iterator[tuple[str, Image]]:
        """Yield name and values of each channel."""
        yield from _channels(self.image, self.channels)

    def likelihoods(self) -> Iterator[tuple[str, Image]]:
        """Yield name and probabilities of each class."""
        yield from _channels(self.probabilities, self.classes)


def entry(
    labels: Any,
    image: Any,
    axes: str | None,
    spacing: Sequence[float],
    channels: Sequence[str],
    probabilities: Any,
    classes: Sequence[str],
) -> Entry:
    """Return what is given, checked to belong together."""
    named = as_image(labels, axes)
    if "c" in named.kept_axes:
        raise ShapeError(
            f"Labels have no channels, got axes {named.kept_axes!r}. Name one channel of them."
        )
    values, likely = (beside(i, named, what) for i, what in _both(image, probabilities))
    known = checked_spacing(spacing, named) or next(
        (s for s in map(micrometres, (named, values)) if s), ()
    )
    return Entry(named, values, likely, known, _names(values, channels), _names(likely, classes))


def _both(image: Any, probabilities: Any) -> tuple[tuple[Any, str], tuple[Any, str]]:
    return (image, "image"), (probabilities, "probabilities")


def as_image(array: Any, axes: str | None) -> Image:
    """Return an array with names for its axes."""
    if isinstance(array, Image):
        return array
    values = array if hasattr(array, "dtype") and hasattr(array, "shape") else np.asarray(array)
    if axes is None and len(values.shape) not in (2, 3):
        raise ShapeError(
            f"An array of shape {tuple(values.shape)} is no plane (y, x) and no volume (z, y, x). "
            "Name its axes, such as axes='tyx'."
        )
    return Image(values, axes or "zyx"[3 - len(values.shape) :])


def beside(array: Any, labels: Image, what: str) -> Image | None:
    """Return values with the axes of the labels, and channels where they have one axis more."""
    if array is None:
        return None
    axes = labels.kept_axes
    if not isinstance(array, Image):
        more = np.ndim(array) > len(axes)
        array = Image(
            np.asarray(array), "".join(a for a in AXES if a in axes or (more and a == "c"))
        )
    sizes = {a: n for a, n in array.sizes.items() if a != "c"}
    if sizes != labels.sizes:
        raise ShapeError(
            f"The labels have {_told(labels.sizes)} pixels, the {what} {_told(array.sizes)}. "
            "They show the same pixels, plane by plane."
        )
    return array  # type: ignore[no-any-return]


def _told(sizes: dict[str, int]) -> str:
    """Return sides of an image, such as "60 (y) by 40 (x)"."""
    return " by ".join(f"{n} ({a})" for a, n in sizes.items())


def micrometres(image: Image | None) -> tuple[float, ...]:
    """Return the size of a pixel along (z,) y and x in µm; empty if the image does not know it."""
    if image is None or not image.unit:
        return ()
    axes = [a for a in "zyx" if a in image.kept_axes]
    if not set(axes) <= set(image.spacing):
        return ()
    return tuple(convert(image.spacing[a], image.unit, "µm") for a in axes)


def checked_spacing(spacing: Sequence[float], image: Image) -> tuple[float, ...]:
    """Return sizes of pixels, if there is one above 0 for each axis of space, or none."""
    axes = [a for a in "zyx" if a in image.kept_axes]
    known = tuple(float(s) for s in spacing)
    if known and (len(known) != len(axes) or not all(0 < s < np.inf for s in known)):
        raise ShapeError(
            f"The size of a pixel is a number above 0 for each of {', '.join(axes)}, got {known}."
        )
    return known


def _names(image: Image | None, given: Sequence[str]) -> tuple[str, ...]:
    """Return a name for every channel; one alone has an empty name unless it is given."""
    if image is None:
        return ()
    count = image.sizes.get("c", 1)
    if given and (len(given) != count or len(set(given)) != count):
        raise ShapeError(f"There are {count} channels, so {count} different names; got {given}.")
    known = tuple(given) or tuple(image.channels) or (COLOURS if image.rgb else ())
    if len(known) == count and len(set(known)) == count:
        return known
    return ("",) if "c" not in image.sizes else tuple(map(str, range(count)))


def _channels(image: Image | None, names: tuple[str, ...]) -> Iterator[tuple[str, Image]]:
    if image is None:
        return
    for c, name in enumerate(names):
        yield name, image.at(c=c) if "c" in image.sizes else image
