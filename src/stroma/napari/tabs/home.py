"""The first tab: an image, classes to paint, training, and what is shown."""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import QButtonGroup, QGridLayout, QPushButton, QScrollArea

from stroma.errors import StromaError
from stroma.napari.layers import pictures
from stroma.napari.layers.board import PROBABILITY, SEGMENTATION, STROKES, UNCERTAINTY
from stroma.napari.menus import commands
from stroma.napari.planes.dock import show_planes
from stroma.napari.studio.studio import Studio
from stroma.napari.tabs import parts
from stroma.napari.tabs.help import show_help
from stroma.session import events as ev
from stroma.session.events import Event

MODES = (
    ("live", "Live", "Train after every stroke, and show what is in view at once"),
    ("demand", "On demand", "Train only when you ask for it; show what is in view"),
    ("paused", "Paused", "Do nothing by itself"),
)
SHOWN = (
    (STROKES, "Annotations", "What you painted (Shift+A)"),
    (SEGMENTATION, "Segmentation", "The most probable class of every pixel (Shift+F)"),
    (UNCERTAINTY, "Uncertainty", "Where the model hesitates between classes: bright"),
    (PROBABILITY, "Probability of", "How probable one class is"),
)
COLUMNS = 2
KEYS = 9
"""Classes that have a key of their own."""


class Home:
    """The tab.

    Parameters
    ----------
    studio : Studio
        What the tabs share.
    """

    title = "Home"

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self.image = parts.choice("The layer to paint on and to segment", self._choose)
        self.axes = parts.choice("What the axes of that layer are", self._read_as)
        self._palette = QGridLayout()
        self._palette.setSpacing(4)
        self._classes = QButtonGroup()
        self._modes = QButtonGroup()
        self.shown = {role: self._show_box(role, text, tip) for role, text, tip in SHOWN}
        self.outlines = parts.check(
            "Outlines",
            "Show the segmentation as outlines only: the colours of the image stay as they are",
            self._outline,
        )
        self.probability = parts.choice("The class", self._show_probability)
        self.widget = self._laid_out()
        studio.replaced.connect(self._on_replaced)
        studio.chosen.connect(self._on_chosen)
        studio.shown.connect(self._mark_shown)
        studio.told.connect(self._on_told)
        layers = studio.viewer.layers.events
        for emitter in (layers.inserted, layers.removed, layers.reordered):
            emitter.connect(self.list_layers)
        self.list_layers()

    def close(self) -> None:
        """Listen to the viewer no longer."""
        layers = self._studio.viewer.layers.events
        for emitter in (layers.inserted, layers.removed, layers.reordered):
            emitter.disconnect(self.list_layers)

    def _laid_out(self) -> QScrollArea:
        studio = self._studio
        channels = parts.button(
            "Selected layers are its channels",
            "Take the layers selected in the layer list together as one image with channels",
            self._combine,
        )
        modes = [self._mode_button(*mode) for mode in MODES]
        train = parts.button(
            "Train", "Train now on all annotations (Shift+S)", lambda: commands.train(studio.viewer)
        )
        segment = parts.button(
            "Segment",
            "Segment what is in view with the present model (Shift+D)",
            lambda: commands.segment(studio.viewer),
        )
        whole = parts.button(
            "Segment all",
            "Segment all planes of the image into a layer of its own",
            self._segment_all,
        )
        suggest = parts.button(
            "Paint here next",
            "Go to where a stroke helps most: the most uncertain place (Shift+X)",
            lambda: commands.suggest(studio.viewer),
        )
        add = parts.button("Add class", "Add a class, and paint it", self._add_class)
        undo = parts.button("Undo", "Unmake the last stroke (Ctrl+Z)", self._undo)
        redo = parts.button("Redo", "Make it again (Ctrl+Shift+Z)", self._redo)
        planes = parts.button(
            "Three planes",
            "Of a volume, show the two other planes through the same voxel, with their results",
            lambda: show_planes(studio.viewer, studio),
        )
        boxes = list(self.shown.values())
        helped = parts.button("Help", "What to do, and all keys", lambda: show_help(self.widget))
        return parts.page(
            parts.group("Image", parts.form(("Layer", self.image), ("Axes", self.axes)), channels),
            parts.group("Paint", self._palette, parts.row(add, undo, redo)),
            parts.group("Train", parts.row(*modes), parts.row(train, segment, whole), suggest),
            parts.group(
                "Show",
                parts.row(boxes[0], boxes[1]),
                parts.row(boxes[2], self.outlines),
                parts.row(boxes[3], self.probability),
                planes,
            ),
            helped,
        )

    # ------------------------------------------------------------------ the image

    def list_layers(self, event: Any = None) -> None:
        """Offer the layers that can be painted on."""
        bridge = self._studio.bridge
        if bridge is None:
            return
        shown = bridge.layers(bridge.image) if bridge.image else ()
        layers = bridge.candidates()
        parts.offer(self.image, [(la.name, la) for la in layers], shown[0] if shown else None)
        self._list_axes(shown[0] if shown else None)

    def _list_axes(self, layer: Any) -> None:
        bridge = self._studio.bridge
        if layer is None or bridge is None or bridge.image is None:
            self.axes.clear()
            return
        found = [(pictures.TITLES[a], a) for a in pictures.readings(layer)]
        parts.offer(self.axes, found, bridge.axes(bridge.image))

    def _choose(self, layer: Any) -> None:
        self._studio.attempt(lambda: self._paint_on([layer], pictures.guessed_axes(layer)))

    def _read_as(self, axes: str) -> None:
        layer = self.image.currentData()
        if layer is not None:
            self._studio.attempt(lambda: self._paint_on([layer], axes))

    def _combine(self) -> None:
        bridge = self._studio.bridge
        chosen = list(self._studio.viewer.layers.selection)
        layers = [la for la in bridge.candidates() if la in chosen] if bridge else []
        if len(layers) < 2:
            self._studio.say(StromaError("Select two or more image layers in the layer list."))
            return
        self._studio.attempt(lambda: self._paint_on(layers, pictures.guessed_axes(layers[0])))

    def _paint_on(self, layers: list[Any], axes: str) -> None:
        if self._studio.bridge is not None:
            self._studio.bridge.paint_on(layers, axes)

    # ------------------------------------------------------------------ classes and modes

    def _fill_palette(self) -> None:
        for one in self._classes.buttons():
            self._classes.removeButton(one)
            one.deleteLater()
        named = [(c.label, c.name, parts.swatch(c.color)) for c in self._studio.session.classes]
        for index, (label, name, icon) in enumerate([*named, (0, "Erase", None)]):
            made = QPushButton(name)
            also = f", Shift+{'QWER'[index]}" if index < 4 else ""
            key = f" ({index + 1}{also})" if label and index < KEYS else ""
            made.setToolTip(f"Paint {name}{key}" if label else "Take annotations away")
            made.setCheckable(True)
            if icon is not None:
                made.setIcon(icon)
            made.clicked.connect(lambda _, n=label: commands.take(self._studio.viewer, n))
            self._classes.addButton(made, label)
            self._palette.addWidget(made, index // COLUMNS, index % COLUMNS)

    def _add_class(self) -> None:
        made = self._studio.attempt(lambda: self._studio.session.add_class())
        if made is not None:
            self._show_classes()
            commands.take(self._studio.viewer, made.label)

    def _mode_button(self, mode: str, text: str, tip: str) -> QPushButton:
        made = QPushButton(text)
        made.setToolTip(tip)
        made.setCheckable(True)
        made.setProperty("mode", mode)
        made.clicked.connect(lambda: self._studio.attempt(lambda: self._set_mode(mode)))
        self._modes.addButton(made)
        return made

    def _set_mode(self, mode: str) -> None:
        self._studio.session.set_mode(mode)

    def _undo(self) -> None:
        self._show_change(self._studio.attempt(lambda: self._studio.session.undo()))

    def _redo(self) -> None:
        self._show_change(self._studio.attempt(lambda: self._studio.session.redo()))

    def _show_change(self, events: Any) -> None:
        bridge = self._studio.bridge
        if bridge is not None and events:
            self._studio.attempt(lambda: bridge.show_change(events))

    def _segment_all(self) -> None:
        bridge, studio = self._studio.bridge, self._studio
        if bridge is None or bridge.board is None:
            return
        board, image, session = bridge.board, bridge.board.image, studio.session
        name = session.image(image).name

        def then(labels: Any) -> None:
            board.keep(labels, f"{name} segmentation", visible=False)
            studio.tell(f"All of {name} is in the layer “{name} segmentation”, not shown yet.")

        def work(progress: Any, cancelled: Any) -> Any:
            return session.segment(image, progress=progress, cancelled=cancelled)

        studio.do(lambda: session.start(f"Segmenting {name}", work), then)

    # ------------------------------------------------------------------ what is shown

    def _show_box(self, role: str, text: str, tip: str) -> Any:
        return parts.check(text, tip, lambda on: self._show(role, on))

    def _show(self, role: str, on: bool) -> None:
        bridge = self._studio.bridge
        if bridge is None:
            return
        label = self.probability.currentData() if role == PROBABILITY else None
        bridge.show(role, label=label) if on else bridge.hide(role)

    def _outline(self, on: bool) -> None:
        if self._studio.bridge is not None:
            self._studio.bridge.outline(on)

    def _show_probability(self, label: int) -> None:
        if self._studio.bridge is not None:
            self._studio.bridge.show(PROBABILITY, label=label)
            parts.show_value(self.shown[PROBABILITY], True)

    # ------------------------------------------------------------------ what happens

    def _on_replaced(self) -> None:
        self._outline(self.outlines.isChecked())
        self._show_settings()
        self._show_classes()
        self._on_chosen()

    def _on_chosen(self) -> None:
        bridge = self._studio.bridge
        self.list_layers()
        if bridge is None:
            return
        self._mark_shown()
        strokes = bridge.board.layer(STROKES) if bridge.board is not None else None
        if strokes is not None:
            strokes.events.selected_label.connect(self._mark_label)
            strokes.events.mode.connect(self._mark_label)
        self._mark_label()

    def _mark_shown(self) -> None:
        bridge = self._studio.bridge
        if bridge is not None:
            for role, box in self.shown.items():
                parts.show_value(box, bridge.is_shown(role))

    def _mark_label(self) -> None:
        bridge = self._studio.bridge
        layer = bridge.board.layer(STROKES) if bridge and bridge.board else None
        if layer is not None:
            label = 0 if layer.mode == "erase" else layer.selected_label
            self._classes.setExclusive(False)  # a new label is none of them
            for one in self._classes.buttons():
                one.setChecked(one is self._classes.button(label))
            self._classes.setExclusive(True)

    def _on_told(self, event: Event) -> None:
        if isinstance(event, ev.ClassesChanged):
            self._show_classes()
        elif isinstance(event, ev.SettingsChanged):
            self._show_settings()

    def _show_classes(self) -> None:
        self._fill_palette()
        classes = self._studio.session.classes
        value = self.probability.currentData() or (classes[-1].label if classes else None)
        parts.offer(self.probability, [(c.name, c.label) for c in classes], value)
        self._mark_label()

    def _show_settings(self) -> None:
        mode = self._studio.session.settings.mode
        for one in self._modes.buttons():
            one.setChecked(one.property("mode") == mode)
