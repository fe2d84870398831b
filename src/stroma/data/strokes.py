"""Strokes: the painted labels a model learns from."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.data.classes import MAX_LABEL, Class, complete
from stroma.errors import LabelError, ShapeError


@dataclass(frozen=True, eq=False)
class Strokes:
    """Labels for some pixels of an image, and the classes they stand for.

    Parameters
    ----------
    labels : (t, z, y, x) uint16 array
        One label per pixel, 0 where unlabelled; axes as in ``axes``.
    axes : str
        One letter per axis of ``labels``: those of the image, without c.
    classes : sequence of Class
        Names and colours of the labels; those that occur and are left out get default ones.
    notes : sequence of str
        What of a file was left out, and why.
    """

    labels: NDArray[np.uint16]
    axes: str
    classes: tuple[Class, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the type and the axes, and complete the classes."""
        if self.labels.dtype != np.uint16:
            raise LabelError(f"Strokes are uint16, got {self.labels.dtype}; see as_labels.")
        if self.labels.ndim != len(self.axes) or "c" in self.axes:
            raise ShapeError(f"The axes {self.axes!r} do not fit strokes of {self.labels.shape}.")
        labels = {c.label for c in self.classes} | present(self.labels)
        object.__setattr__(self, "classes", complete(self.classes, labels))


def present(labels: NDArray[np.uint16]) -> set[int]:
    """Return the labels that occur, without 0."""
    flat = labels.ravel()
    found = np.zeros(MAX_LABEL + 1, dtype=bool)
    for start in range(0, flat.size, 2**22):
        found[flat[start : start + 2**22]] = True
    return set((np.flatnonzero(found[1:]) + 1).tolist())


def as_labels(values: NDArray[Any], *, source: str = "The label image") -> NDArray[np.uint16]:
    """Return values as labels, if they are: integers from 0 to 65535, in any type.

    Raises
    ------
    LabelError
        If a value is negative, too large, or not a whole number.
    """
    if values.dtype.kind not in "biuf":
        raise LabelError(f"{source} holds {values.dtype}; labels are integers.")
    if values.dtype.kind == "f" and not (values == np.rint(values)).all():
        odd = values[~(values == np.rint(values))].flat[0]
        raise LabelError(
            f"{source} holds {odd}, but labels are whole numbers. Is it an image of intensities?"
        )
    least, most = float(values.min(initial=0)), float(values.max(initial=0))
    if least < 0 or most > MAX_LABEL:
        raise LabelError(
            f"{source} holds values from {least:g} to {most:g}; "
            f"labels are 0 (unlabelled) to {MAX_LABEL}."
        )
    return values.astype(np.uint16)


def named(name: str, color: str, classes: Sequence[Class]) -> tuple[Class, tuple[Class, ...]]:
    """Return the class of a name, and the classes with it.

    A new name gets the next free label, but "class 3", the name of a class without one, gets 3.
    """
    for known in classes:
        if known.name == name:
            return known, tuple(classes)
    taken = {c.label for c in classes}
    stated = re.fullmatch(r"class (\d{1,5})", name)
    label = int(stated[1]) if stated else 0
    if label in taken or not 1 <= label <= MAX_LABEL:
        label = next(n for n in range(1, MAX_LABEL + 2) if n not in taken)
    new = Class(label, name, color)
    return new, (*classes, new)
