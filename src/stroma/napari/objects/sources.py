"""Where objects come from: the segmentation, a label image, a labels layer, or clicks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from napari.layers import Labels
from qtpy.QtWidgets import QFileDialog

from stroma.errors import StromaError
from stroma.napari.layers.board import MARK
from stroma.napari.objects.desk import ObjectDesk
from stroma.napari.tabs import parts
from stroma.session import events as ev
from stroma.session.events import Event
from stroma.session.words import plain

FILES = "Label images (*.tif *.tiff *.png *.zarr);;All files (*)"


class Sources:
    """A part of the tab of objects.

    Parameters
    ----------
    desk : ObjectDesk
        The objects.
    """

    def __init__(self, desk: ObjectDesk) -> None:
        self._desk, self._studio = desk, desk.studio
        self.label = parts.choice(
            "The class whose connected parts are the objects", self._change_class
        )
        self.boundary = parts.choice(
            "A class that you painted between objects that touch, such as their rims: they are "
            "parted where it is probable",
            self._change,
        )
        self.split = parts.fraction(
            "Part those that touch at their necks: 0 parts none, 1 is usual", self._change, 0, 5, 0
        )
        self.split.setSingleStep(0.25)
        self.least = parts.number("Smaller objects are left out", self._change, 0, 10**6, 0)
        self.border = parts.check(
            "Keep objects at the border", "Those that the image cuts off", self._change, on=True
        )
        self.note = parts.note()
        self.widget = self._laid_out()
        desk.known.connect(self.show)
        desk.look.connect(self._say)
        self._studio.replaced.connect(self._list_classes)
        self._studio.told.connect(self._on_told)

    def _laid_out(self) -> Any:
        button = parts.button
        return parts.group(
            "Objects",
            parts.form(
                ("Parts of", self.label),
                ("Part along", self.boundary),
                ("Part at necks", self.split),
                ("Least size, pixels", self.least),
            ),
            self.border,
            parts.row(
                button(
                    "Follow the segmentation",
                    "The parts of the class are the objects, found again whenever it changes",
                    self.follow,
                ),
                button(
                    "Find in all planes",
                    "Segment the whole image, and hold what is found",
                    self.find,
                ),
            ),
            parts.row(
                button(
                    "Open a label image…",
                    "From any program: a number for each object, as large as this image",
                    self._ask_file,
                ),
                button(
                    "From layer",
                    "Take over the labels layer that is selected in the layer list",
                    self.take_layer,
                ),
                button("None", "Have no objects any more", self.none),
            ),
            self.note,
        )

    # ------------------------------------------------------------------ having objects

    def _how(self) -> dict[str, Any]:
        return {
            "label": self.label.currentData(),
            "split": self.split.value(),
            "boundary": self.boundary.currentData(),
            "min_size": self.least.value(),
            "border": self.border.isChecked(),
        }

    def follow(self) -> None:
        """Take the parts of a class as objects, whatever they are at any time."""
        session = self._studio.session
        self._studio.attempt(lambda: session.follow_objects(self._desk.place[0], **self._how()))

    def find(self) -> None:
        """Segment the whole image, and hold the objects in it."""
        session = self._studio.session

        def told(count: int) -> None:
            self._studio.tell(f"{count:,} objects were found.")

        self._studio.do(lambda: session.find_objects(self._desk.place[0], **self._how()), told)

    def none(self) -> None:
        """Have no objects any more."""
        self._studio.attempt(lambda: self._studio.session.no_objects(self._desk.place[0]))

    def _ask_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self.widget, "Label image", "", FILES)
        if path:
            self.open(Path(path))

    def open(self, path: Path) -> None:
        """Take over the objects of a label image."""
        self._take(f"Reading {path.name}", path, path.name)

    def take_layer(self) -> None:
        """Take over the objects of the labels layer that is selected."""
        layer = self._studio.viewer.layers.selection.active
        if not isinstance(layer, Labels) or layer.metadata.get(MARK):
            self._studio.say(
                StromaError("Select the labels layer with the objects in the layer list.")
            )
            return
        data = layer.data[0] if layer.multiscale else layer.data
        self._take(f"Reading {layer.name}", data, layer.name)

    def _take(self, what: str, labels: Any, source: str) -> None:
        place = self._studio.attempt(lambda: self._desk.place)
        if place is not None:
            session = self._studio.session

            def take() -> None:
                given = labels if isinstance(labels, Path) else np.asarray(labels)
                session.set_objects(place[0], given, source=source)

            self._studio.call(what, take)

    # ------------------------------------------------------------------ what is shown

    def _change(self, value: Any = None) -> None:
        """Find objects otherwise, where they are found in the segmentation."""
        place = None if self._desk.seen is None else self._desk.place
        if place is not None and self._studio.session.object_source(place[0]).how is not None:
            self.follow()

    def _change_class(self, label: Any) -> None:
        self._list_boundaries(self.boundary.currentData())
        self._change()

    def _list_boundaries(self, chosen: int | None) -> None:
        """Offer the other classes to part objects along."""
        own = self.label.currentData()
        others = [(c.name, c.label) for c in self._studio.session.classes if c.label != own]
        known = chosen in [label for _, label in others]
        parts.offer(self.boundary, [("none", None), *others], chosen if known else None)

    def _list_classes(self) -> None:
        classes = self._studio.session.classes
        last = classes[-1].label if classes else None
        value = self.label.currentData()
        known = value in [c.label for c in classes]
        parts.offer(self.label, [(c.name, c.label) for c in classes], value if known else last)
        self._list_boundaries(self.boundary.currentData())

    def show(self) -> None:
        """Show how the objects of the image are found, and how they stand."""
        if self._desk.seen is not None:
            how = self._studio.session.object_source(self._desk.place[0]).how
            if how is not None:
                parts.show_value(self.label, how.label)
                self._list_boundaries(how.boundary)
                parts.show_value(self.split, how.split)
                parts.show_value(self.least, int(how.min_size))
                parts.show_value(self.border, how.border)
        self._say()

    def _say(self) -> None:
        self.note.setText(self._words())

    def _words(self) -> str:
        seen = self._desk.seen
        if seen is None:
            return "Choose an image in the tab Home first."
        if seen.state != "current":
            return plain(seen.reason) or "Looking for objects …"
        held = self._studio.session.object_source(self._desk.place[0])
        count, chosen = len(self._desk.numbers), len(self._desk.selected)
        some = f", {chosen} selected" if chosen else ""
        source = f"held ({held.source})" if held.kept else "following the segmentation"
        return f"{count:,} object{'s' * (count != 1)}{some}, {source}."

    def _on_told(self, event: Event) -> None:
        if isinstance(event, ev.ClassesChanged):
            self._list_classes()
