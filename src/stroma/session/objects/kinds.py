"""Classes of objects: which there are, and which objects are of them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from stroma.blocks.box import Box
from stroma.data.classes import Class, free_color, free_label
from stroma.data.objects import LABEL
from stroma.errors import LabelError, NotTrainedError
from stroma.session.core.core import Core
from stroma.session.core.tasks import Task
from stroma.session.events import Position
from stroma.session.objects import operations as ops
from stroma.session.objects.bench import ObjectBench
from stroma.session.objects.book import Place
from stroma.session.objects.found import Found
from stroma.session.objects.working import ObjectWork


@dataclass(frozen=True)
class Next:
    """The object that it would help most to label.

    Parameters
    ----------
    image, plane, box
        Where it is.
    number : int
        The object.
    uncertainty : float
        From 0 to 1.
    """

    image: str
    plane: Position
    box: Box
    number: int
    uncertainty: float


class ObjectKinds:
    """Classes of objects; what is said of them are steps that can be undone.

    Parameters
    ----------
    core : Core
        Of which session.
    objects : ObjectWork
        Which objects.
    """

    def __init__(self, core: Core, objects: ObjectWork) -> None:
        self.core, self._objects, self.model = core, objects, objects.model

    @property
    def _bench(self) -> ObjectBench:
        return self.core.bench(ObjectBench)

    @property
    def object_classes(self) -> tuple[Class, ...]:
        """The classes of objects, by label; all images share them."""
        return tuple(self._bench.classes.values())

    def add_object_class(self, name: str = "", color: str = "") -> Class:
        """Add a class of objects with the next free label."""
        with self.core.lock:
            label = free_label(self.object_classes)
            new = Class(
                label, name or f"kind {label}", color or free_color(self.object_classes, label)
            )
            self.core.do(ops.SetObjectClass(new.label, new.name, new.color))
        return new

    def change_object_class(
        self, label: int, *, name: str | None = None, color: str | None = None
    ) -> None:
        """Rename or recolour a class of objects."""
        with self.core.lock:
            old = self._bench.classes.get(label)
            if old is None:
                raise LabelError(f"There is no class {label} of objects. Add it first.")
            self.core.do(ops.SetObjectClass(label, name or old.name, color or old.color))

    def remove_object_class(self, label: int) -> None:
        """Remove a class, and what was said to be of it, on all images; one step of undo."""
        self.core.do(ops.RemoveObjectClass(label))

    def label_objects(
        self, image: str, numbers: Iterable[int], label: int, *, plane: Position | None = None
    ) -> None:
        """Say of which class objects are, or (0) no more.

        What is kept is a pixel on each, so that it stays true when objects are found anew.

        Parameters
        ----------
        image, plane
            Where.
        numbers : iterable of int
            The objects.
        label : int
            The class; 0 for none.
        """
        with self.core.lock:
            found = self._objects.shown(image, plane)
            rows = found.rows_of(sorted(set(map(int, numbers))))
            names = set(np.asarray(found.table[LABEL])[rows].tolist())
            gone = tuple(
                at
                for at in self._objects.book(image).clicks
                if at[0] == found.frame and int(found.labels[at[1:]]) in names
            )
            come = tuple((_pixel_of(found, int(row)), label) for row in rows) if label else ()
            self.core.do(ops.ClickObjects(image, come, gone))

    def next_object(self, image: str, *, plane: Position | None = None) -> Next | None:
        """Return the object that it would help most to label; None where all are labelled.

        Raises
        ------
        NotTrainedError
            If no classes were learnt yet.
        """
        found, given = (
            self._objects.shown(image, plane),
            self._objects.objects(image, plane=plane).given,
        )
        if found.classifier is None:
            raise NotTrainedError(self.model.learnt_now.lacking or "No classes are learnt yet.")
        rows = found.classifier.next_to_label(found.table, given)
        if not len(rows):
            return None
        row = int(rows[0])
        sheet = self.core.document.sheet(image)
        at = _pixel_of(found, row)
        position = sheet.position(at[0] * sheet.sizes.get("z", 1) + at[1])
        number = int(found.table[LABEL][row])
        sure = float(found.table["uncertainty"][row])
        return Next(image, position, found.box_of(row), number, sure)

    def object_accuracy(self) -> Task[float]:
        """Return the share of labelled objects that are classed rightly when learnt from others."""

        def left_out(progress: Any, cancelled: Any) -> float:
            turn = self.model.turn()
            taught = turn.lesson()
            if taught.lacking:
                raise NotTrainedError(taught.lacking)
            share = turn.blank.leave_one_out(taught.table, taught.classes)
            if math.isnan(share):
                raise NotTrainedError(
                    "No class has two labelled objects, so none can be told from the others of "
                    "its class. Label a second one."
                )
            return share

        return self.core.tasks.start("leaving objects out", left_out)


def _pixel_of(found: Found, row: int) -> Place:
    """Return the pixel of an object that is nearest to its centre."""
    table, solid = found.table, len(found.labels) > 1
    low = [
        int(table["front"][row]) if solid else 0,
        int(table["top"][row]),
        int(table["left"][row]),
    ]
    high = [
        int(table["back"][row]) if solid else 1,
        int(table["bottom"][row]),
        int(table["right"][row]),
    ]
    part = found.labels[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    places = np.argwhere(part == int(table[LABEL][row])) + low
    middle = places.mean(axis=0)
    best = places[np.argmin(((places - middle) ** 2).sum(axis=1))]
    return found.frame, int(best[0]), int(best[1]), int(best[2])
