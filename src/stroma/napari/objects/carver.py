"""Carve an object: strokes on it and beside it, what they mean, and committing that by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from stroma.blocks.box import Box
from stroma.napari.objects.desk import ObjectDesk
from stroma.napari.objects.hand import Press
from stroma.napari.objects.layers import ObjectLayers
from stroma.napari.objects.sketch import BESIDE, ON, PROPOSAL, WAITING, Drawn, Marked, Sketch
from stroma.session import events as ev
from stroma.session.core.sheet import Sheet
from stroma.session.core.tasks import Task
from stroma.session.events import Event, Position
from stroma.session.objects.carving.answer import Answer, Outlined
from stroma.session.objects.carving.carve import NOT_CUT
from stroma.session.objects.carving.kept import Carvings, How, Line, Named
from stroma.session.objects.carving.operations import CarvingChanged
from stroma.session.objects.found import Found

STROKE = 3
"""Half the width of a stroke, in pixels of the screen."""

ENDS = ev.TaskFinished | ev.TaskFailed | ev.TaskCancelled


class OnPlanes:
    """Tells which pixels of any plane are carved; the last plane is kept while one draws on it.

    Parameters
    ----------
    answer : Answer
        What is carved.
    sheet : Sheet
        The image.
    """

    def __init__(self, answer: Answer, sheet: Sheet) -> None:
        self._answer, self._sheet = answer, sheet
        self._last: tuple[Position, Box] | None = None
        self._mask: NDArray[np.bool_] = np.zeros((0, 0), bool)

    def __call__(self, plane: Position, box: Box) -> NDArray[np.bool_]:
        """Return which pixels in a box of a plane are."""
        if self._last != (plane, box):
            self._mask = self._answer.on(self._sheet, self._sheet.plane_number(plane), box)
            self._last = plane, box
        return self._mask


class Carver:
    """The tool that objects are carved with.

    Parameters
    ----------
    desk : ObjectDesk
        The objects.
    layers : ObjectLayers
        Where answers are shown.

    Attributes
    ----------
    look : Signal
        Emitted after strokes, answers or names came or went.
    now : Carvings
        Strokes at hand, carved objects by name, and what bounds objects.
    found : Outlined or None
        What the strokes mean; None where it is not known yet.
    """

    look = Signal()

    def __init__(self, desk: ObjectDesk, layers: ObjectLayers) -> None:
        self._desk, self._layers = desk, layers
        self.chosen = False
        self._forget()
        desk.known.connect(self._known)
        desk.studio.told.connect(self._on_told)
        desk.studio.watched.connect(self._moved)
        desk.studio.chosen.connect(self._moved)
        desk.studio.replaced.connect(self._forget)

    def _forget(self) -> None:
        self.now = Carvings()
        self.found: Outlined | None = None
        self._pending: list[Line] = []
        self._answer: OnPlanes | None = None
        self._waiting: dict[int, OnPlanes] = {}
        self._frame: tuple[str, int] | None = None
        self._shown: tuple[str, Position] | None = None
        self._prepared: tuple[str, int, How] | None = None
        self._task: Task[int] | None = None
        self._asked = self._sent = 0
        self._objects: Found | None = None

    # ------------------------------------------------------------------ where

    def choose(self, on: bool) -> None:
        """Take the tool in hand, which has the image cut into regions, or put it away."""
        if self.chosen and not on:
            self._layers.sketch(Sketch())
        self.chosen, self._shown, self._frame, self._prepared = on, None, None, None
        self._moved()
        self.look.emit()

    @property
    def place(self) -> tuple[str, Position] | None:
        """The image and the plane in view; None without one."""
        bridge = self._desk.bridge
        if bridge is None or bridge.image is None or not bridge.is_open(bridge.image):
            return None
        return bridge.image, bridge.gaze.plane()

    def _moved(self) -> None:
        """Show the strokes of another plane; ask what is carved in another frame."""
        place = self.place
        if not self.chosen or place is None or place == self._shown:
            return
        self._shown, frame = place, (place[0], place[1].get("t", 0))
        if frame != self._frame:
            self._frame, self.found, self._answer, self._pending = frame, None, None, []
            self.load()
        self._show()

    def _on_told(self, event: Event) -> None:
        if isinstance(event, CarvingChanged) and self._frame and event.image == self._frame[0]:
            self.load()
        elif isinstance(event, ENDS) and self._task and event.task == self._task.number:
            self._task = None
            self.load()

    def _known(self) -> None:
        """Let go of what is seen as an object by now; others bound what is carved, too."""
        seen, row_of = self._desk.seen, self._desk.row_of
        there = None if seen is None else seen.found
        if seen is None or seen.state == "current":
            self._waiting = {}
        self._waiting = {n: one for n, one in self._waiting.items() if row_of(n) is None}
        if there is not self._objects:
            self._objects = there
            self.load()
        else:
            self._show()

    # ------------------------------------------------------------------ what is said

    @property
    def marked(self) -> bool:
        """Whether there are strokes."""
        return bool(self.now.lines or self._pending)

    @property
    def cutting(self) -> bool:
        """Whether the image is being cut into regions."""
        return self._task is not None

    @property
    def answered(self) -> bool:
        """Whether there is an answer that can be committed."""
        return self.found is not None and self.found.answer is not None

    def _send(self, change: Callable[[str, Position], Any], then: Callable[[Any], object]) -> None:
        """Change what is carved, after all that was done before."""
        place = self.place
        if place is not None:
            self._desk.errands.send(lambda: change(*place), then, self._refused)

    def _refused(self) -> None:
        self._pending = []
        self.load()

    def draw(self, line: Line) -> None:
        """Draw on the object, or beside it; the plane of the line is the one in view."""
        self._pending.append(line)
        self._sent += 1
        if self.found is not None and self.found.lacking == NOT_CUT and not self.cutting:
            self._prepared = None  # it was cancelled, or failed: once more
        session = self._desk.studio.session

        def stroke(image: str, plane: Position) -> None:
            session.carve_stroke(image, line.points, on=line.on, radius=line.radius, plane=plane)

        self._send(stroke, _nothing)
        self._show()

    def back(self) -> None:
        """Take back the last stroke."""
        session = self._desk.studio.session
        if self.marked:
            self._send(lambda image, _: session.take_back_carving(image), _nothing)

    def clear(self) -> None:
        """Drop the strokes at hand."""
        session = self._desk.studio.session
        if self.marked or self.now.opened:
            self._send(lambda image, _: session.clear_carving(image), _nothing)

    def bound(self, how: How) -> None:
        """Choose what bounds objects."""
        session = self._desk.studio.session

        def choose(image: str, plane: Position) -> None:
            session.set_boundaries(image, how.boundary, sigma=how.sigma, label=how.label)

        self._send(choose, _nothing)

    # ------------------------------------------------------------------ objects with names

    def commit(self, name: str, *, lock: bool, then: Callable[[Any], object]) -> None:
        """Make what is carved an object; ``then`` is called once it is one."""
        if not self.marked:
            return
        session = self._desk.studio.session

        def put(image: str, plane: Position) -> int:
            return session.commit_carved(image, name, lock=lock, plane=plane)

        def made(number: int) -> None:
            if self._answer is not None:
                self._waiting[number] = self._answer
            self._show()
            then(number)

        self._send(put, made)

    def reopen(self, one: Named) -> None:
        """Take the strokes of an object up again."""
        session = self._desk.studio.session
        self._send(lambda image, _: session.reopen_carved(image, one.name), _nothing)

    def lock(self, one: Named) -> None:
        """Lock an object, or unlock it."""
        session, locked = self._desk.studio.session, not one.locked
        self._send(lambda image, _: session.lock_carved(image, one.name, locked=locked), _nothing)

    def delete(self, one: Named) -> None:
        """Delete an object."""
        session = self._desk.studio.session

        def delete(image: str, plane: Position) -> None:
            sheet = session.core.document.sheet(image)
            at = sheet.position(one.frame * sheet.sizes.get("z", 1))
            session.correct_objects(image, "delete", [one.number], plane=at)

        self._send(delete, _nothing)

    def go_to(self, one: Named) -> None:
        """Select an object, and bring it into view, at whichever time it is."""
        desk, bridge = self._desk, self._desk.bridge
        place = self.place
        if bridge is None or place is None:
            return
        if place[1].get("t", 0) != one.frame:
            bridge.gaze.turn_to({**place[1], "t": one.frame})
            desk.follow()
        desk.select([one.number])
        desk.go_to(one.number)

    # ------------------------------------------------------------------ the answer

    def load(self) -> None:
        """Ask what was said, and what it means."""
        place = self.place
        if not self.chosen or place is None:
            return
        self._asked += 1
        about, sent, session = self._asked, self._sent, self._desk.studio.session
        image, plane = place

        def ask() -> tuple[Carvings, Outlined] | None:
            if about != self._asked:
                return None  # something was said since, and is asked next
            return session.carving(image), session.carved(image, plane=plane)

        def answered(got: tuple[Carvings, Outlined] | None) -> None:
            if got is None or about != self._asked:
                return
            self.now, self.found = got
            answer = self.found.answer
            sheet = session.core.document.sheet(image)
            self._answer = None if answer is None else OnPlanes(answer, sheet)
            if sent == self._sent:
                self._pending = []
            self._prepare(image, plane)
            self._show()

        self._desk.errands.send(ask, answered)

    def _prepare(self, image: str, plane: Position) -> None:
        """Have the frame cut into regions along what bounds objects, unless that was asked."""
        about = image, plane.get("t", 0), self.now.how[0]
        if about == self._prepared:
            return
        self._prepared, studio = about, self._desk.studio
        self._task = studio.attempt(lambda: studio.session.prepare_carving(image, plane=plane))

    # ------------------------------------------------------------------ what is shown

    def _show(self) -> None:
        self._sketch()
        self.look.emit()

    def _sketch(self, *drawn: Line) -> None:
        if not self.chosen or self._shown is None:
            return
        image, plane = self._shown
        marked: list[tuple[Marked, int]] = [(one, WAITING) for one in self._waiting.values()]
        if self._answer is not None:
            marked.append((self._answer, PROPOSAL))
        lines = [_drawn(one) for one in (*self._lines(image, plane), *self._pending, *drawn)]
        self._layers.sketch(Sketch(plane, lines=lines, marked=marked))

    def _lines(self, image: str, plane: Position) -> list[Line]:
        """Return the strokes at hand on a plane."""
        number = self._desk.studio.session.core.document.sheet(image).plane_number(plane)
        return [one for one in self.now.lines if one.plane == number]

    # ------------------------------------------------------------------ the pointer

    def moved(self, press: Press) -> None:
        """Show the stroke that is drawn."""
        self._sketch(self._line(press))

    def done(self, press: Press) -> None:
        """Say what was drawn."""
        self._moved()
        self.draw(self._line(press))

    def _line(self, press: Press) -> Line:
        on = not (press.right or press.alt)
        points = press.points[:1] if press.still else press.points
        return Line(0, points, on, STROKE * self._layers.screen_pixel)


def _nothing(result: Any) -> None:
    """Do nothing more: the session tells what changed."""


def _drawn(line: Line) -> Drawn:
    width = max(2 * line.radius, 1.0)
    return Drawn(np.array(line.points, np.float64), ON if line.on else BESIDE, width=width)
