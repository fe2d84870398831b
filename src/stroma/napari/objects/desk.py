"""What a viewer knows of objects: those of the plane in view, which are selected, their colours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from stroma.blocks.box import Box
from stroma.data.classes import Class
from stroma.data.objects import LABEL, ObjectTable
from stroma.napari.layers import colors
from stroma.napari.objects.errands import Errands
from stroma.napari.studio.bridge import Bridge
from stroma.napari.studio.studio import Studio
from stroma.objects.classes import features_of
from stroma.session import events as ev
from stroma.session.events import Event, Position
from stroma.session.objects.bench import ObjectBench
from stroma.session.objects.operations import ObjectsChanged
from stroma.session.objects.working import Seen

Point = tuple[float, float]
Floats = NDArray[np.float64]

CLASS, UNCERTAINTY = "class", "uncertainty"


@dataclass(frozen=True)
class Bounds:
    """Objects whose measure lies between two values, these among them."""

    name: str
    low: float = -np.inf
    high: float = np.inf


class ObjectDesk:
    """The objects of the plane in view.

    Parameters
    ----------
    studio : Studio
        The session and its viewer.

    Attributes
    ----------
    known : Signal
        Emitted after objects came, or other ones.
    look : Signal
        Emitted after the selection, the colours or the bounds changed.
    seen : Seen or None
        The objects; None where no image is open.
    selected : set of int
        Their numbers.
    label : int
        The class that objects are given.
    colour_by : str
        "class", or a measure.
    bounds : Bounds or None
        Objects outside are not shown.
    errands : Errands
        Changes of objects, one after the other.
    """

    known = Signal()
    look = Signal()

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.errands = Errands(studio)
        self.seen: Seen | None = None
        self.selected: set[int] = set()
        self.label = 1
        self.colour_by = CLASS
        self.bounds: Bounds | None = None
        self.active = False
        self._about: tuple[str, Position] | None = None
        self._stale = True
        self._going = 0
        studio.told.connect(self._on_told)
        for signal in (studio.watched, studio.chosen):
            signal.connect(self.follow)
        studio.replaced.connect(self._begin)

    @property
    def bridge(self) -> Bridge | None:
        """Between the viewer and the session; None before there is one."""
        return self.studio.bridge

    # ------------------------------------------------------------------ what there is

    def _begin(self) -> None:
        self.seen, self._about, self._stale, self._going = None, None, True, 0
        self.selected.clear()
        self.known.emit()

    def activate(self, on: bool) -> None:
        """Follow what is in view, or no longer: objects are asked for where somebody looks."""
        self.active = on
        self.follow()

    def follow(self) -> None:
        """Look at the objects of another plane, or at those that are new."""
        if not self.active or self.bridge is None:
            return
        image, about = self.bridge.image, None
        if image is not None and self.bridge.is_open(image):
            about = image, self.bridge.gaze.plane()
        if about == self._about and not self._stale:
            return
        if about != self._about:
            self.selected.clear()
            self._going = 0  # somebody looks elsewhere now
        self._about, self._stale = about, False
        self._load()

    def _load(self) -> None:
        self.seen = None
        if self._about is not None:
            image, plane = self._about
            self.seen = self.studio.attempt(lambda: self.studio.session.objects(image, plane=plane))
        there = set(self.numbers.tolist())
        self.selected &= there
        labels = [c.label for c in self.object_classes]
        if self.label not in labels:
            self.label = labels[0] if labels else 1
        if self.table is not None:
            self._drop_missing()
        self.known.emit()
        going = self._going
        if going in there:
            self.select([going])
            self.go_to(going)

    def _drop_missing(self) -> None:
        """Drop a colour or bounds by a measure that is gone: bounds by it would hide all."""
        if self.colour_by not in (CLASS, *self.measures):
            self.colour_by = CLASS
        if self.bounds is not None and self.bounds.name not in self.measures:
            self.bounds = None

    def _on_told(self, event: Event) -> None:
        about = getattr(event, "image", "")
        here = self._about is None or about in ("", self._about[0])
        rounds = ev.RoundFinished | ev.RoundFailed | ev.RoundStarted | ev.RoundCancelled
        objects = isinstance(event, ev.BlockReady) and event.bench == ObjectBench.name
        changed = isinstance(event, ObjectsChanged | ev.ImageClosed | ev.Rested | rounds)
        if here and (changed or objects):
            self._stale = True  # `follow` comes with the end of what is told

    @property
    def object_classes(self) -> tuple[Class, ...]:
        """The classes of objects; none before there is a session."""
        return () if self.bridge is None else self.bridge.session.object_classes

    @property
    def place(self) -> tuple[str, Position]:
        """The image and the plane that are looked at.

        Raises
        ------
        StromaError
            If there is none.
        """
        return self.studio.image_and_plane()

    @property
    def table(self) -> ObjectTable | None:
        """A row for every object; None where none are known."""
        return None if self.seen is None or self.seen.found is None else self.seen.found.table

    @property
    def numbers(self) -> NDArray[np.int64]:
        """The numbers of the objects, ascending, one per row."""
        table = self.table
        return np.zeros(0, np.int64) if table is None else np.asarray(table[LABEL], np.int64)

    @property
    def measures(self) -> tuple[str, ...]:
        """Names of what is known of all objects."""
        table = self.table
        if table is None:
            return ()
        learnt = (UNCERTAINTY, "class_probability") if CLASS in table else ()
        return (*learnt, *features_of(table))

    def values(self, name: str) -> Floats:
        """Return a measure of all objects, row by row; NaN where there is none."""
        table = self.table
        if table is None or name not in table:
            return np.full(len(self.numbers), np.nan)
        return np.asarray(table[name], np.float64)

    def classes(self) -> NDArray[np.int64]:
        """Return the class of every row: as it was given by hand, else as it was learnt; 0 none."""
        table, count = self.table, len(self.numbers)
        if table is None or self.seen is None:
            return np.zeros(count, np.int64)
        learnt = table[CLASS] if CLASS in table else np.zeros(count, np.int64)
        return np.where(self.seen.given > 0, self.seen.given, learnt)

    def row_of(self, number: int) -> int | None:
        """Return the row of an object; None if it is not there."""
        numbers = self.numbers
        row = int(np.searchsorted(numbers, number))
        return row if row < len(numbers) and numbers[row] == number else None

    def box_of(self, row: int) -> Box:
        """Return the rectangle around the object of a row."""
        assert self.seen is not None
        assert self.seen.found is not None
        return self.seen.found.box_of(row)

    def passes(self) -> NDArray[np.bool_]:
        """Tell of every row whether it lies within the bounds."""
        if self.bounds is None:
            return np.ones(len(self.numbers), bool)
        values = self.values(self.bounds.name)
        return np.asarray((values >= self.bounds.low) & (values <= self.bounds.high), bool)

    def colours(self) -> NDArray[np.float32]:
        """Return the colour of every row, red, green, blue and opacity from 0 to 1."""
        if self.colour_by == CLASS:
            named = {c.label: c.color for c in self.object_classes}
            return colors.of_classes(self.classes(), named)
        return colors.along_ramp(self.values(self.colour_by))

    # ------------------------------------------------------------------ what is chosen

    def select(self, numbers: Iterable[int], *, more: bool = False) -> None:
        """Select objects, or (more) others too; those that are selected already no more then."""
        chosen = set(map(int, numbers))
        self._going = 0  # somebody wants another now
        self.selected = self.selected ^ chosen if more else chosen
        self.look.emit()

    def choose_class(self, label: int) -> None:
        """Give objects this class from now on."""
        self.label = label
        self.look.emit()

    def colour(self, by: str) -> None:
        """Colour objects by their class, or by a measure."""
        self.colour_by = by
        self.look.emit()

    def bound(self, bounds: Bounds | None) -> None:
        """Show only objects within bounds; None shows all."""
        self.bounds = bounds
        self.look.emit()

    def go_to(self, number: int) -> None:
        """Bring an object into view, in a volume on its middle plane if this one has none of it.

        Where objects are not known yet, that is done as soon as they are.
        """
        row = self.row_of(number)
        z = None if row is None else self._middle(row)
        if z is not None and self.bridge is not None:
            self.bridge.gaze.turn_to({**self.bridge.gaze.plane(), "z": z})
            self.follow()
            self.select([number])
            row = self.row_of(number)
        self._going = number if row is None else 0
        if row is not None and self.bridge is not None:
            self.bridge.gaze.bring_into_view(self.box_of(row))

    def _middle(self, row: int) -> int | None:
        """Return the middle plane of an object; None where the plane in view meets it."""
        table, z = self.table, self.place[1].get("z")
        if table is None or z is None or "front" not in table:
            return None
        front, back = int(table["front"][row]), int(table["back"][row])
        return None if front <= z < back else (front + back) // 2

    # ------------------------------------------------------------------ changes

    def at(self, at: Point) -> int:
        """Return the number of the object at a place (y, x) in pixels; 0 where there is none."""
        image, plane = self.place
        return self.studio.session.object_at(image, at, plane=plane)

    def give(self, numbers: Sequence[int], label: int) -> None:
        """Say of which class objects are; 0 takes it back."""
        if not numbers:
            return
        image, plane = self.place
        session = self.studio.session
        self.errands.send(lambda: session.label_objects(image, numbers, label, plane=plane))

    def toggle(self, at: Point) -> None:
        """Say that the object at a place is of the class that is chosen, or is not any more."""
        number = self.at(at)
        row = self.row_of(number) if number else None
        if row is None or self.seen is None:
            return
        same = self.seen.given[row] == self.label
        self.select([])  # or the key of the next class would be meant for this object
        self.give([number], 0 if same else self.label)

    def give_selected(self, nth: int) -> None:
        """Choose the n-th class, and give it to the objects that are selected."""
        classes = self.object_classes
        if nth <= len(classes):
            self.choose_class(classes[nth - 1].label)
            self.give(sorted(self.selected), self.label)

    def correct(self, kind: str, numbers: Sequence[int] = (), points: Sequence[Point] = ()) -> None:
        """Correct objects by hand."""
        image, plane = self.place
        session = self.studio.session

        def change() -> None:
            session.correct_objects(image, kind, numbers, points=points, plane=plane)

        self.errands.send(change)

    def correct_selected(self, kind: str) -> None:
        """Merge, delete or fill the objects that are selected."""
        self.correct(kind, sorted(self.selected))

    def ask_next(self) -> None:
        """Go to the object that it would help most to label."""
        image, plane = self.place
        session = self.studio.session
        self.errands.send(lambda: session.next_object(image, plane=plane), self._go_next)

    def _go_next(self, found: Any) -> None:
        if found is None:
            self.studio.tell("All objects here are labelled.")
        elif self.bridge is not None and self.bridge.image == found.image:
            self.bridge.gaze.turn_to(found.plane)
            self.follow()
            self.select([found.number])
            self.go_to(found.number)
