"""Asking how things stand, on every bench and wherever somebody looks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from stroma.blocks.box import Box
from stroma.session.core.bench import Learning, Turn
from stroma.session.core.core import Core
from stroma.session.core.status import Facts, OnScreen, Status, decide
from stroma.session.core.view import View
from stroma.session.events import Position


class Screen:
    """The one place that says how things stand.

    Parameters
    ----------
    core : Core
        With its benches.
    """

    def __init__(self, core: Core) -> None:
        self.core = core

    def status(self, bench: str) -> Status:
        """Return what is under way, as one bench sees it, and how things stand in all views."""
        core = self.core
        with core.lock:
            turns = {one.name: (one, one.turn()) for one in core.worker.learnings}
            views = list(core.views.items())[::-1]
        turn = turns[bench][1]
        busy, phase = core.worker.doing
        message = core.worker.problem(bench) or turn.lacking
        shown = [
            self._at(one, its, view, name)
            for name, view in views
            for one, its in turns.values()
            if one.concerns(view.image)
        ]
        return Status(
            busy, phase, turn.revision, turn.answered, message, turn.lacking, tuple(shown)
        )

    def standing(
        self,
        image: str,
        box: Box | None = None,
        *,
        plane: Position | None = None,
        bench: str = "strokes",
    ) -> OnScreen:
        """Return how a bench's results stand in a rectangle, whether or not anybody looks at it.

        Parameters
        ----------
        image : str
            Key of the image.
        box : Box, optional
            Pixels; the whole plane unless given.
        plane : dict of str to int, optional
            Position along t and z.
        bench : str
            Whose results.
        """
        core = self.core
        with core.lock:
            sheet = core.document.sheet(image)
            number = sheet.plane_number(plane)
            whole = Box.of(sheet.cuts.shape(number))
            place = View(image, number, sheet.position(number), (box or whole).clipped(whole))
            learning = next(one for one in core.worker.learnings if one.name == bench)
            turn = learning.turn()
        return self._at(learning, turn, place, "")

    def _at(self, learning: Learning, turn: Turn, view: View, name: str) -> OnScreen:
        core = self.core
        with core.lock:
            sheet = core.document.sheets.get(view.image)
            region = None if sheet is None else sheet.cuts.region(view.plane, sheet.region)
            missing = view.image in core.missing
        box = view.box if region is None else view.box.clipped(region)
        outside = "" if box.area else "Outside the region of interest."
        if missing or sheet is None:
            outside = "The file of this image is not where it was."
        covered = "" if outside else _covered(learning, turn, view, box)
        training, showing = core.worker.awaited(learning.name, turn, view.key)
        facts = Facts(
            outside,
            covered,
            training,
            showing and covered != _most(turn),
            core.worker.trouble(learning.name, turn.revision, view.key),
            turn.lacking,
            turn.answered >= 0,
            turn.answered == turn.revision,
            turn.mode,
        )
        state, reason = decide(facts)
        return OnScreen(learning.name, view.image, view.position, box, state, reason, name)


Covered = Literal["", "part", "whole", "current"]


def _most(turn: Turn) -> Covered:
    """Return how much the model that is there can cover."""
    return "current" if turn.answered == turn.revision else "whole"


def _covered(learning: Learning, turn: Turn, view: View, box: Box) -> Covered:
    """Return how much of a box has results, and whether these are of the present revision."""
    blocks = learning.results.blocks(view.key, box)
    if not blocks:
        return ""
    now = [b for b in blocks if b.revision == turn.revision and b.step == 1]
    if _area(b.box.clipped(box) for b in now) == box.area:
        return "current"
    fine = [b for b in blocks if b.revision == turn.answered and b.step == 1]
    return "whole" if _area(b.box.clipped(box) for b in fine) == box.area else "part"


def _area(boxes: Iterator[Box]) -> int:
    """Return the area of boxes that do not overlap, as those of one revision do not."""
    return sum(box.area for box in boxes)
