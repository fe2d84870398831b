"""The part of the tab of objects for carving: what bounds objects, and those that were carved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from qtpy.QtWidgets import QLineEdit, QTableWidget

from stroma.napari.objects.carver import Carver
from stroma.napari.objects.desk import ObjectDesk
from stroma.napari.tabs import parts
from stroma.session.objects.carving.kept import OF_CLASS, Named

BOUNDARIES = (
    ("Steps in brightness", "edges"),
    ("Bright lines and sheets", "bright"),
    ("Dark lines and sheets", "dark"),
)


class Carving:
    """A part of the tab of objects.

    Parameters
    ----------
    desk : ObjectDesk
        The objects.
    carver : Carver
        What is carved.
    """

    def __init__(self, desk: ObjectDesk, carver: Carver) -> None:
        self._desk, self._carver = desk, carver
        self.note = parts.note()
        self.name = QLineEdit()
        self.name.setToolTip("What the object is called")
        self.name.returnPressed.connect(self.commit)
        self.lock = parts.check(
            "Lock it",
            "Whatever is done to objects, its pixels are left as they are",
            lambda _: None,
        )
        self.boundary = parts.choice("What bounds objects", self._set_boundary)
        self.sigma = parts.fraction(
            "Of the Gaussian that boundaries are found with, in pixels: more for thick or noisy "
            "ones",
            self._set_sigma,
            0.5,
            8,
            1.6,
        )
        self.sigma.setSingleStep(0.1)
        self._buttons = self._made_buttons()
        self.list = self._table()
        self.widget = self._laid_out()
        self.widget.hide()
        for signal in (carver.look, desk.known, desk.look):
            signal.connect(self.show)

    def _made_buttons(self) -> dict[str, Any]:
        carver, button = self._carver, parts.button
        return {
            "commit": button("Commit (S)", "Make it an object; also C or Enter", self.commit),
            "back": button("Back", "Take back the last stroke (Backspace)", carver.back),
            "clear": button("Clear (Esc)", "Drop the strokes", carver.clear),
            "reopen": button(
                "Reopen",
                "Take the strokes of the object that is chosen up again, to add to them",
                lambda: self._with_chosen(carver.reopen),
            ),
            "lock": button(
                "Lock",
                "Locked, its pixels are left as they are whatever is done to objects",
                lambda: self._with_chosen(carver.lock),
            ),
            "delete": button(
                "Delete",
                "Delete the object that is chosen",
                lambda: self._with_chosen(carver.delete),
            ),
        }

    def _table(self) -> QTableWidget:
        made = parts.table("Click to select an object and go to it", ("Carved", ""))
        made.setSelectionMode(QTableWidget.SelectionMode.SingleSelection)
        made.cellClicked.connect(lambda *_: self._with_chosen(self._carver.go_to))
        made.itemSelectionChanged.connect(self._show_buttons)
        return made

    def _laid_out(self) -> Any:
        b = self._buttons
        return parts.group(
            "Carve an object",
            self.note,
            parts.form(("Name", self.name)),
            self.lock,
            parts.row(b["commit"], b["back"], b["clear"]),
            parts.form(("Bounded by", self.boundary), ("Width, pixels", self.sigma)),
            self.list,
            parts.row(b["reopen"], b["lock"], b["delete"]),
        )

    # ------------------------------------------------------------------ what is done

    def commit(self) -> None:
        """Make what is carved an object with the name that was typed, or a free one."""
        lock = self.lock.isChecked()
        self._carver.commit(self.name.text(), lock=lock, then=lambda _: self.name.clear())

    def _set_boundary(self, chosen: str) -> None:
        boundary, _, label = chosen.partition(" ")
        now = self._carver.now.how[0]
        self._carver.bound(replace(now, boundary=boundary, label=int(label or 0)))

    def _set_sigma(self, sigma: float) -> None:
        self._carver.bound(replace(self._carver.now.how[0], sigma=sigma))

    @property
    def chosen(self) -> Named | None:
        """The object that is chosen in the list."""
        names = parts.chosen(self.list)
        return next((one for one in self._carver.now.named if one.name in names), None)

    def _with_chosen(self, action: Callable[[Named], object]) -> None:
        one = self.chosen
        if one is not None:
            action(one)

    # ------------------------------------------------------------------ what is shown

    def show(self) -> None:
        """Show what is carved, and what can be done with it."""
        carver = self._carver
        now = carver.now
        self.widget.setVisible(carver.chosen)
        if not carver.chosen:
            return
        self.note.setText(words(carver))
        self.name.setPlaceholderText(now.opened[0] if now.opened else now.free_name())
        self._show_how()
        rows = [(one.name, _state(one, now.opened)) for one in now.named]
        parts.fill(self.list, rows, [one.name for one in now.named])
        parts.fit_height(self.list)
        self._show_buttons()

    def _show_how(self) -> None:
        how, classes = self._carver.now.how[0], self._desk.studio.session.classes
        of_class = [(f"Where it is {one.name}", f"{OF_CLASS} {one.label}") for one in classes]
        value = f"{OF_CLASS} {how.label}" if how.boundary == OF_CLASS else how.boundary
        parts.offer(self.boundary, [*BOUNDARIES, *of_class], value)
        parts.show_value(self.sigma, how.sigma)
        self.sigma.setEnabled(how.boundary != OF_CLASS)

    def _show_buttons(self) -> None:
        carver, one, b = self._carver, self.chosen, self._buttons
        b["commit"].setEnabled(carver.answered)
        b["back"].setEnabled(carver.marked)
        b["clear"].setEnabled(carver.marked or bool(carver.now.opened))
        still = one is not None and one.name not in carver.now.opened
        b["reopen"].setEnabled(still)
        b["lock"].setEnabled(still)
        b["lock"].setText("Unlock" if one is not None and one.locked else "Lock")
        b["delete"].setEnabled(one is not None and not one.locked)


def _state(one: Named, opened: tuple[str, ...]) -> str:
    if one.name in opened:
        return "open"
    return "locked" if one.locked else ""


def words(carver: Carver) -> str:
    """Return what is carved, for people."""
    if carver.found is None:
        return "Looking …"
    lacking, once = carver.found.lacking, "Cutting the image into regions, once"
    if carver.cutting and not carver.marked:
        return f"{once}. You can draw meanwhile."
    if carver.cutting and lacking:
        return f"{once} …"
    if not carver.marked:
        return "Draw on an object; with the right button, or Alt, beside it."
    if lacking:
        return lacking
    which = f" of {carver.now.opened[0]}" if carver.now.opened else ""
    return f"About {carver.found.pixels:,} pixels{which}. S commits it."
