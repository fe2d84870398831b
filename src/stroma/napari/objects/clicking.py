"""The part of the tab of objects for clicking them: what is proposed, and what is done with it."""

from __future__ import annotations

from typing import Any

from stroma.napari.objects.clicks import Clicks
from stroma.napari.objects.desk import ObjectDesk
from stroma.napari.tabs import parts
from stroma.prompts import ENGINES

TITLES = {"graph": "Edges and colours (no download)"}


class Clicking:
    """A part of the tab of objects.

    Parameters
    ----------
    desk : ObjectDesk
        The objects.
    clicks : Clicks
        What is clicked.
    """

    def __init__(self, desk: ObjectDesk, clicks: Clicks) -> None:
        self._desk, self._clicks = desk, clicks
        self.note = parts.note()
        self.engine = parts.choice("What finds the object", self._set_engine)
        parts.offer(self.engine, [(TITLES.get(n, n), n) for n in ENGINES], clicks.engine)
        self._buttons = self._made_buttons()
        self.beside = parts.check(
            "Clicks say what is not of it (T)", "As the right button does", self._set_beside
        )
        self.each = parts.check(
            "Each click is an object of its own",
            "A click commits what was proposed before; with Shift it adds to it",
            self._set_each,
        )
        self.strokes = parts.check(
            "Dragging draws on the object",
            "Instead of a box around it; dragging with Shift always draws on it, with the right "
            "button beside it",
            self._set_strokes,
        )
        self.widget = self._laid_out()
        for signal in (clicks.look, desk.known, desk.look):
            signal.connect(self.show)

    def _made_buttons(self) -> dict[str, Any]:
        clicks, button = self._clicks, parts.button
        made = {
            "commit": button("Commit (C)", "Make it an object; also S or Enter", clicks.commit),
            "clear": button("Clear (Esc)", "Drop it; Backspace takes one back", clicks.clear),
            "another": button("Another (W)", "What else the click may mean", clicks.another),
            "accept": button(
                "Accept image (N)",
                "Its objects are right; shows the next image that is to be done. What is not "
                "committed is dropped",
                self.accept_image,
            ),
            "skip": button(
                "Skip image", "Leaves it out; shows the next one (Shift+N)", self.skip_image
            ),
            "all": button(
                "Find all objects",
                "Without clicks: what stands out clearly, beside the objects that are there",
                clicks.everything,
            ),
            "carry": button(
                "Carry to other planes",
                "Find the object that is selected, or was committed last, on neighbouring planes "
                "or frames too, until it fades (Shift+S)",
                clicks.carry,
            ),
        }
        return made

    def _laid_out(self) -> Any:
        b = self._buttons
        return parts.group(
            "Click objects",
            self.note,
            parts.row(b["commit"], b["clear"], b["another"]),
            parts.row(b["all"], b["carry"]),
            parts.row(b["accept"], b["skip"]),
            self.beside,
            self.each,
            self.strokes,
            parts.form(("Found by", self.engine)),
        )

    def show(self) -> None:
        """Show what is proposed, and what can be done with it."""
        clicks, bridge = self._clicks, self._desk.bridge
        self.widget.setVisible(clicks.chosen)
        self.note.setText(words(clicks))
        found = clicks.draft.found
        self._buttons["commit"].setEnabled(clicks.marked and not clicks.draft.same)
        self._buttons["clear"].setEnabled(clicks.marked)
        self._buttons["another"].setEnabled(found is not None and found.choices > 1)
        sizes = {} if bridge is None or bridge.board is None else bridge.board.sizes
        self._buttons["carry"].setVisible(any(sizes.get(axis, 1) > 1 for axis in "tz"))
        self._buttons["carry"].setEnabled(bool(clicks.carried))
        parts.show_value(self.beside, clicks.beside)

    def accept_image(self) -> None:
        """Say that the objects of this image are right, and show the next one that is to do."""
        self._done_with("accepted")

    def skip_image(self) -> None:
        """Leave this image out, and show the next one that is to be done."""
        self._done_with("skipped")

    def _done_with(self, mark: str) -> None:
        bridge, studio = self._desk.bridge, self._desk.studio
        if bridge is None or not bridge.image:
            return
        session, image = bridge.session, bridge.image
        studio.attempt(lambda: session.mark_image(image, mark))
        wanted = session.image_to_do(after=image)
        if wanted:
            studio.attempt(lambda: bridge.show_image(wanted))
        else:
            studio.tell("All images are accepted or skipped.")

    def turn_beside(self) -> None:
        """Let clicks say what is not of the object, or again what is."""
        self._set_beside(not self._clicks.beside)

    def _set_beside(self, on: bool) -> None:
        self._clicks.beside = on
        self._clicks.look.emit()

    def _set_each(self, on: bool) -> None:
        self._clicks.each = on

    def _set_strokes(self, on: bool) -> None:
        self._clicks.strokes = on

    def _set_engine(self, name: str) -> None:
        self._clicks.engine = name
        self._clicks.clear()
        self._clicks.choose(True)


def words(clicks: Clicks) -> str:
    """Return what is proposed, for people."""
    draft = clicks.draft
    if not draft.marks:
        return "Click an object, or drag a box around it."
    if not any(mark.on for mark in draft.marks):
        return "Click on the object too: so far it is only said what is beside it."
    found = draft.found
    if found is None:
        if clicks.busy:
            return "Looking …"
        return "There is no answer: why is said in a notification. Esc clears the click."
    if draft.same:
        return (
            f"Object {found.replaces} again: click on what it lacks; with the right button on what "
            "is not of it. Esc leaves it as it is."
        )
    cut = " It reaches beyond what was looked at: zoom out for all of it." if found.cut else ""
    which = f" ({found.choice + 1} of {found.choices})" if found.choices > 1 else ""
    area = f"{int(found.mask.sum()):,} pixels"
    what = f"the change of object {found.replaces}" if found.replaces else "it"
    return f"{area}, score {found.score:.2f}{which}. C commits {what}.{cut}"
