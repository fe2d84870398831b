"""Click, get an object: what was clicked, what is proposed for it, and committing that."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from stroma.napari.objects.desk import ObjectDesk, Point
from stroma.napari.objects.hand import Press
from stroma.napari.objects.layers import ObjectLayers
from stroma.napari.objects.sketch import BESIDE, ON, PROPOSAL, WAITING, Drawn, Sketch
from stroma.session.events import Position
from stroma.session.objects.prompting import Proposal
from stroma.session.objects.said import Stroke

STROKE = 3
"""Half the width of a stroke, in pixels of the screen."""

DOT = 4
"""Radius of a click, in pixels of the screen."""

WHO = "napari"


@dataclass(frozen=True)
class Mark:
    """One thing that was said of an object.

    Parameters
    ----------
    kind : {"click", "box", "stroke"}
        What; a box is two corners.
    on : bool
        Whether it lies on the object, or beside it.
    points : tuple of (y, x)
        In pixels.
    radius : float
        Of a stroke, in pixels.
    """

    kind: str
    on: bool
    points: tuple[Point, ...]
    radius: float


@dataclass(eq=False)
class Draft:
    """An object that is being made.

    Parameters
    ----------
    image, plane
        Where.
    marks : list of Mark
        What was said of it.
    choice, after : int
        Which of several answers, and the number of the one that is gone on from; 0 for none.
    found : Proposal or None
        What is proposed for all of ``marks``.
    asked : int
        Counts what was said, so that late answers are told from those to the last question.
    object : int
        The object it became; 0 before.
    """

    image: str
    plane: Position
    marks: list[Mark] = field(default_factory=list)
    choice: int = 0
    after: int = 0
    found: Proposal | None = None
    asked: int = 0
    object: int = 0

    @property
    def same(self) -> bool:
        """Whether it is an object that was there before, and nothing was said of it yet."""
        return self.found is not None and self.found.replaces > 0 and len(self.marks) == 1

    def said(self) -> dict[str, Any]:
        """Return what was said, as the session is asked."""
        of = {k: [m for m in self.marks if m.kind == k] for k in ("click", "box", "stroke")}
        return {
            "points": [m.points[0] for m in of["click"]],
            "labels": [int(m.on) for m in of["click"]],
            "boxes": [(*m.points[0], *m.points[-1]) for m in of["box"]],
            "strokes": [Stroke(m.points, on=m.on, radius=m.radius) for m in of["stroke"]],
            "choice": self.choice,
            "after": self.after,
            "reopen": True,
        }


class Clicks:
    """The tool that objects are clicked with.

    Parameters
    ----------
    desk : ObjectDesk
        The objects.
    layers : ObjectLayers
        Where proposals are shown.

    Attributes
    ----------
    look : Signal
        Emitted after a proposal came or went.
    each : bool
        Whether each click is for an object of its own; Shift adds to the one at hand.
    strokes : bool
        Whether a drag is a stroke on the object, instead of a box around it.
    beside : bool
        Whether a click says what is not of the object, as the right button does.
    last : int
        The object that was committed last here; 0 for none.
    """

    look = Signal()

    def __init__(self, desk: ObjectDesk, layers: ObjectLayers) -> None:
        self._desk, self._layers = desk, layers
        self.engine = "graph"
        self.each = self.strokes = self.beside = self.chosen = False
        self.draft = Draft("", {})
        self.waiting: list[Draft] = []
        self.last = 0
        self._prepared: Any = None
        desk.known.connect(self._known)
        desk.studio.watched.connect(self._moved)
        desk.studio.chosen.connect(self._moved)
        desk.studio.replaced.connect(self._forget)

    # ------------------------------------------------------------------ where

    def _forget(self) -> None:
        self.draft, self.waiting, self.last = Draft("", {}), [], 0
        self.look.emit()

    def choose(self, on: bool) -> None:
        """Take the tool in hand, or put it away."""
        if self.chosen and not on:
            self.clear()
            self._desk.studio.session.leave_prompts(WHO)
        self.chosen, self._prepared = on, None
        self._moved()
        self.look.emit()

    def _moved(self) -> None:
        """Begin anew on another plane; look at what is in view, so that clicks are quick."""
        bridge = self._desk.bridge
        if not self.chosen or bridge is None or bridge.image is None:
            return
        if not bridge.is_open(bridge.image):
            return
        image, plane = bridge.image, bridge.gaze.plane()
        if (self.draft.image, self.draft.plane) != (image, plane):
            self.last = self.last if self.draft.image == image else 0
            self.draft = Draft(image, plane)
            self._show()
        view = bridge.gaze.view()
        if self._prepared != (image, plane, view, self.engine):
            self._prepared = image, plane, view, self.engine
            ask = partial(
                self._desk.studio.session.prepare_prompts,
                image,
                view,
                plane=plane,
                engine=self.engine,
                who=WHO,
            )
            self._desk.studio.call("Looking at the image", ask)

    # ------------------------------------------------------------------ what is said

    @property
    def marked(self) -> bool:
        """Whether something was said of an object."""
        return bool(self.draft.marks)

    @property
    def busy(self) -> bool:
        """Whether an answer is on its way."""
        return self._desk.errands.busy

    def add(self, mark: Mark) -> None:
        """Say one thing more of the object."""
        draft = self.draft
        if draft.found is not None and (draft.found.choice > 0 or draft.same):
            draft.after = draft.found.number
        draft.marks.append(mark)
        draft.choice = 0
        self._propose(draft)

    def back(self) -> None:
        """Take back what was said last."""
        if self.marked:
            draft = self.draft
            draft.marks.pop()
            if draft.found is not None and draft.found.replaces and len(draft.marks) == 1:
                draft.after = 0  # as it was when it was taken up again
            self._propose(draft)

    def another(self) -> None:
        """Show what else may be meant."""
        found = self.draft.found
        if found is not None and found.choices > 1:
            self.draft.choice = found.choice + 1
            self._propose(self.draft)

    def clear(self) -> None:
        """Drop what was said."""
        self.draft = Draft(self.draft.image, self.draft.plane)
        self._show()

    def _propose(self, draft: Draft) -> None:
        draft.asked += 1
        about = draft.asked
        if not any(mark.on for mark in draft.marks):
            draft.found = None
            self._show()
            return
        bridge, session = self._desk.bridge, self._desk.studio.session
        assert bridge is not None
        said, view, engine = draft.said(), bridge.gaze.view(), self.engine

        def ask() -> Proposal | None:
            if about != draft.asked:
                return None  # something was said since, and is asked next
            return session.propose(draft.image, plane=draft.plane, view=view, engine=engine, **said)

        def answered(found: Proposal | None) -> None:
            if about == draft.asked:
                draft.found = found
                self._show()

        self._desk.errands.send(ask, answered, lambda: answered(None))
        self._show()

    def commit(self) -> None:
        """Make the proposal an object; the next click is for another one at once."""
        draft = self.draft
        if not draft.marks:
            return
        self.clear()
        self.waiting.append(draft)
        session = self._desk.studio.session

        def make() -> int:
            if draft.found is None or draft.same:
                return 0
            return session.commit_object(draft.found)

        def made(number: int) -> None:
            draft.object = number
            if number and draft.image == self.draft.image:
                self.last = number
            if not number:
                self.waiting = [one for one in self.waiting if one is not draft]
            self._known()

        self._desk.errands.send(make, made, lambda: made(0))

    # ------------------------------------------------------------------ all of them, and others

    def everything(self) -> None:
        """Find all objects, beside those that are there; a step of undo."""
        studio, engine = self._desk.studio, self.engine
        image, _ = self._desk.place
        self.clear()

        def told(count: int) -> None:
            if count:
                studio.tell(f"{count:,} objects were found. Undo drops all of them.")
            else:
                studio.tell("No more objects stand out clearly. Click them one by one.")

        studio.do(lambda: studio.session.find_everything(image, engine=engine, keep=True), told)

    @property
    def carried(self) -> int:
        """The object that is carried: the one that is selected, or was committed last; or 0."""
        chosen = self._desk.selected
        number = next(iter(chosen)) if len(chosen) == 1 else self.last
        return number if number and self._desk.row_of(number) is not None else 0

    def carry(self) -> None:
        """Find an object on neighbouring planes too, until it fades."""
        desk, number, engine = self._desk, self.carried, self.engine
        if not number:
            desk.studio.warn("Select an object first, or commit one: it is carried from here on.")
            return
        image, plane = desk.place
        session = desk.studio.session

        def told(count: int) -> None:
            more = f"goes on through {count} more planes" if count else "ends on this plane"
            desk.studio.tell(f"Object {number} {more}.")

        desk.studio.do(
            lambda: session.carry_object(image, number, plane=plane, engine=engine), told
        )

    # ------------------------------------------------------------------ what is shown

    def _known(self) -> None:
        """Let go of what is seen as objects by now."""
        row_of = self._desk.row_of
        state = None if self._desk.seen is None else self._desk.seen.state
        self.waiting = [
            one
            for one in self.waiting
            if not one.object or (row_of(one.object) is None and state != "current")
        ]
        self._show()

    def _show(self) -> None:
        seen = [(one, WAITING) for one in self.waiting] + [(self.draft, PROPOSAL)]
        shown = [(one.plane, one.found, value) for one, value in seen if one.found is not None]
        here = [part for part in shown if part[1].image == self.draft.image]
        if self.chosen or here:
            self._layers.sketch(Sketch(self.draft.plane, here, self._lines()))
        self.look.emit()

    def _lines(self, *pressed: Mark) -> list[Drawn]:
        return [self._line(mark) for mark in (*self.draft.marks, *pressed)]

    def _line(self, mark: Mark) -> Drawn:
        value, pixel = ON if mark.on else BESIDE, self._layers.screen_pixel
        points = np.array(mark.points, np.float64)
        if mark.kind == "stroke":
            return Drawn(points, value, width=2 * mark.radius)
        if mark.kind == "box":
            return Drawn(_corners(points[0], points[-1]), value, width=2 * pixel, closed=True)
        turns = np.linspace(0, 2 * np.pi, 16, endpoint=False)
        around = np.stack([np.sin(turns), np.cos(turns)], axis=1)
        return Drawn(points[0] + DOT * pixel * around, value, filled=True)

    # ------------------------------------------------------------------ the pointer

    def moved(self, press: Press) -> None:
        """Show the box or stroke that is drawn."""
        self._layers.draw(self._lines(self._mark(press)), self.draft.plane)

    def done(self, press: Press) -> None:
        """Say what was clicked or drawn."""
        self._moved()
        mark = self._mark(press)
        own = mark.kind == "box" or (mark.kind == "click" and mark.on)
        if self.each and own and not press.shift and self.marked:
            self.commit()
        self.add(mark)

    def _mark(self, press: Press) -> Mark:
        on = not (press.right or press.alt or self.beside)
        radius = STROKE * self._layers.screen_pixel
        if press.still:
            return Mark("click", on, press.points[:1], radius)
        if on and not press.shift and not self.strokes:
            return Mark("box", on, (press.points[0], press.points[-1]), radius)
        return Mark("stroke", on, press.points, radius)


def _corners(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the four corners of a box, around it."""
    (top, left), (bottom, right) = one, other
    return np.array([[top, left], [top, right], [bottom, right], [bottom, left]])
