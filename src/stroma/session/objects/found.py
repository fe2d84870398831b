"""The objects of a frame as they were measured, and what was learnt of their classes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box
from stroma.data.image import Image
from stroma.data.objects import LABEL, ObjectTable
from stroma.errors import LabelError
from stroma.objects.classes import ObjectClassifier, features_of
from stroma.objects.measure import measure
from stroma.session.objects.book import Click, Labels
from stroma.workflow.measuring.embedding import embed
from stroma.workflow.measuring.other_tables import OtherTable

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Found:
    """The objects of one frame.

    Parameters
    ----------
    image : str
        Key of the image.
    frame : int
        Which.
    labels : (z, y, x) int32 array
        Where they are; a plane has depth one.
    table : ObjectTable
        A row for each; with classes, where these were learnt.
    classifier : ObjectClassifier or None
        What told the classes.
    """

    image: str
    frame: int
    labels: Labels
    table: ObjectTable
    classifier: ObjectClassifier | None = None

    def rows_of(self, numbers: Iterable[int]) -> Ints:
        """Return the rows of objects.

        Raises
        ------
        LabelError
            If there is no such object.
        """
        known = np.asarray(self.table[LABEL])
        wanted = np.array(list(numbers), np.int64)
        at = np.searchsorted(known, wanted)
        there = at < len(known)
        there[there] = known[at[there]] == wanted[there]
        if not there.all():
            raise LabelError(f"There is no object {wanted[~there][0]}. Select it once more.")
        return np.asarray(at, np.int64)

    def given(self, clicks: Iterable[Click]) -> Ints:
        """Return the class that every row was given by hand, 0 for none; the last word counts."""
        classes = np.zeros(self.table.rows, np.int64)
        for (frame, *at), label in clicks:
            number = int(self.labels[tuple(at)]) if frame == self.frame else 0
            if number:
                classes[self.rows_of([number])] = label
        return classes

    def classed(self, classifier: ObjectClassifier | None) -> Found:
        """Return the same objects, with classes where these were learnt."""
        if classifier is None:
            return self
        nothing = np.full(self.table.rows, np.nan)
        missing = {n: nothing for n in classifier.columns_ if n not in self.table}
        told = classifier.classed(self.table.extended(missing))
        table = ObjectTable({n: told[n] for n in told if n not in missing})
        return replace(self, table=table, classifier=classifier)

    def box_of(self, row: int) -> Box:
        """Return the rectangle around an object, on planes across z."""
        return Box(*(int(self.table[n][row]) for n in ("top", "left", "bottom", "right")))


def measured(
    image: str,
    frame: int,
    labels: Labels,
    pixels: Image,
    ring: float,
    *,
    extractors: Sequence[str] = (),
    tables: Sequence[OtherTable] = (),
) -> Found:
    """Measure the objects of a frame.

    Parameters
    ----------
    labels : (z, y, x) int32 array
        Where they are.
    pixels : Image
        Of all frames.
    ring : float
        How far around objects is looked, in pixels.
    extractors : sequence of str
        Feature extractors whose means inside objects are columns, too.
    tables : sequence of OtherTable
        What other programs measured.
    """
    values = pixels.at(t=frame) if "t" in pixels.kept_axes else pixels
    solid = len(labels) > 1
    if "z" in values.kept_axes and not solid:
        values = values.at(z=0)
    axes = "zyx" if solid else "yx"
    named = Image(
        labels if solid else labels[0], axes, spacing=_in_space(values, axes), unit=values.unit
    )
    table = measure(named, values, ring=ring)
    for name in extractors:
        table = embed(table, named, values, name) if table.rows else table
    for other in tables:
        table = other.joined(table, frame)
    return Found(image, frame, labels, table)


def _in_space(image: Image, axes: str) -> dict[str, float]:
    return {a: s for a, s in image.spacing.items() if a in axes}


@dataclass(frozen=True, eq=False)
class Lesson:
    """Objects of all frames in which some are labelled: what classes are learnt from.

    Parameters
    ----------
    table : ObjectTable
        A row for each.
    classes : (n,) int64
        What they are; 0 for those that are not labelled.
    """

    table: ObjectTable
    classes: Ints

    @property
    def lacking(self) -> str:
        """What must be labelled before classes can be told; empty where there is enough."""
        if len(np.unique(self.classes[self.classes > 0])) > 1:
            return ""
        return "Label objects of two classes: choose a class and click objects."


def lesson(found: Sequence[tuple[Found, Ints]]) -> Lesson:
    """Return the objects of frames with labelled ones, with the measures that all have."""
    parts = [(f.table, y) for f, y in found if y.any()]
    if not parts:
        return Lesson(ObjectTable({LABEL: np.zeros(0, np.int64)}), np.zeros(0, np.int64))
    shared = [n for n in features_of(parts[0][0]) if all(n in table for table, _ in parts)]
    columns = {n: np.concatenate([np.asarray(t[n]) for t, _ in parts]) for n in shared}
    classes = np.concatenate([y for _, y in parts])
    return Lesson(ObjectTable({LABEL: np.arange(len(classes)), **columns}), classes)
