"""The tab of objects."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QButtonGroup, QGridLayout, QPushButton

from stroma.napari.layers.board import SEGMENTATION
from stroma.napari.objects.carver import Carver
from stroma.napari.objects.carving import Carving
from stroma.napari.objects.classing import Classing
from stroma.napari.objects.clicking import Clicking
from stroma.napari.objects.clicks import Clicks
from stroma.napari.objects.desk import ObjectDesk
from stroma.napari.objects.hand import Hand
from stroma.napari.objects.layers import ObjectLayers
from stroma.napari.objects.measures import Measures
from stroma.napari.objects.sources import Sources
from stroma.napari.objects.table import ObjectTableView
from stroma.napari.objects.tools import CARVE, CLICK, HELP, LABEL, TITLES, tool_of
from stroma.napari.objects.writing import Writing
from stroma.napari.studio.studio import Studio
from stroma.napari.tabs import parts

COLUMNS = 3
DIGITS = 9


class Objects:
    """The tab.

    Parameters
    ----------
    studio : Studio
        What the tabs share.
    """

    title = "Objects"

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self.desk = ObjectDesk(studio)
        self.layers = ObjectLayers(self.desk, self._attend)
        self.hand = Hand(self.desk, self.layers)
        self.clicks = Clicks(self.desk, self.layers)
        self.carver = Carver(self.desk, self.layers)
        self.chosen = self._kept = ""
        self._hidden = False
        self._came: Any = None
        self._tools = QButtonGroup()
        self._tools.setExclusive(False)
        self.help = parts.note()
        self.sources, self.classing = Sources(self.desk), Classing(self.desk)
        self.clicking = Clicking(self.desk, self.clicks)
        self.carving = Carving(self.desk, self.carver)
        self.measures, self.table = Measures(self.desk), ObjectTableView(self.desk)
        self.writing = Writing(self.desk)
        self.widget = parts.page(
            self.sources.widget,
            parts.group("Click and correct", self._tool_buttons(), self.help, self._corrections()),
            self.clicking.widget,
            self.carving.widget,
            self.classing.widget,
            self.measures.widget,
            self.table.widget,
            self.writing.widget,
        )
        self.clicking.widget.hide()
        studio.replaced.connect(self._on_replaced)
        studio.chosen.connect(self._on_chosen)
        studio.viewer.layers.events.inserted.connect(self._on_inserted)
        studio.viewer.layers.selection.events.active.connect(self._on_active)

    def close(self) -> None:
        """Listen to the viewer no longer."""
        self._studio.viewer.layers.events.inserted.disconnect(self._on_inserted)
        self._studio.viewer.layers.selection.events.active.disconnect(self._on_active)
        self.chosen = ""
        self.desk.activate(False)
        self.layers.leave()

    # ------------------------------------------------------------------ tools

    def _tool_buttons(self) -> QGridLayout:
        made = QGridLayout()
        made.setSpacing(4)
        for index, (name, (text, key)) in enumerate(TITLES.items()):
            button = QPushButton(f"{text} ({key})")
            button.setToolTip(HELP[name])
            button.setCheckable(True)
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # keys stay those of the image
            button.setProperty("tool", name)
            button.clicked.connect(partial(self._press, name))
            self._tools.addButton(button)
            made.addWidget(button, index // COLUMNS, index % COLUMNS)
        return made

    def _corrections(self) -> Any:
        button, correct = parts.button, self.desk.correct_selected
        return parts.row(
            button("Merge (M)", "Make one of those selected", lambda: correct("merge")),
            button("Delete", "Delete those selected (Del)", lambda: correct("delete")),
            button("Fill (F)", "Fill holes in those selected", lambda: correct("fill")),
            button("Undo", "Unmake the last step (Ctrl+Z)", self.undo),
        )

    def _press(self, name: str, on: bool) -> None:
        self.take(name if on else "")

    def take(self, name: str) -> None:
        """Take a tool by its name; "" puts it away."""
        layer = self.layers.show() if name else self.layers.objects
        if layer is None:
            name = ""
        self.chosen = name
        if self._studio.bridge is not None:
            self._studio.bridge.hands_full = bool(name)
        self.help.setText(HELP.get(name, "Choose what the pointer does on the image."))
        for one in self._tools.buttons():
            one.setChecked(one.property("tool") == name)
        own: dict[str, Clicks | Carver] = {CLICK: self.clicks, CARVE: self.carver}
        tool = own.get(name) or (tool_of(self.desk, self.layers, name) if name else None)
        self.hand.take(tool)
        for kind in sorted(own, key=lambda kind: kind == name):  # away with the other first
            own[kind].choose(kind == name)

    def _on_inserted(self, event: Any) -> None:
        """Keep the layer that came last in mind: napari selects it next, not the user."""
        self._came = event.value

    def _on_active(self, event: Any) -> None:
        """Look, once napari is done, whether the user goes on with another layer."""
        QTimer.singleShot(0, self._leave_for_another)  # one that comes is selected for a moment

    def _leave_for_another(self) -> None:
        """Put the tool away if the user took another layer in hand; one that came gives way."""
        came, self._came = self._came, None
        active = self._studio.viewer.layers.selection.active
        if not self.chosen or active is None or self.layers.has(active):
            return
        if active is came and self.layers.objects is not None:
            self._studio.viewer.layers.selection.active = self.layers.objects
        else:
            self.take("")

    def undo(self) -> None:
        """Unmake the last step of the session."""
        self._studio.attempt(lambda: self._studio.session.undo())

    def redo(self) -> None:
        """Make it again."""
        self._studio.attempt(lambda: self._studio.session.redo())

    # ------------------------------------------------------------------ what happens

    def show(self) -> None:
        """Follow what is in view: the tab is open."""
        self.desk.activate(True)
        layer = self.layers.show()
        if layer is None:
            return
        layer.visible = True
        self._hide_segmentation()
        if not self.chosen:
            held = self._studio.session.object_source(self.desk.place[0])
            self.take(LABEL if held.used else CLICK)

    def _hide_segmentation(self) -> None:
        """Hide it, or outlines would lie over the colours they were found in."""
        bridge = self._studio.bridge
        if bridge is None or self._hidden:
            return
        if bridge.is_shown(SEGMENTATION) or bridge.is_coming(SEGMENTATION):
            self._hidden = True
            bridge.hide(SEGMENTATION)

    def leave(self) -> None:
        """Follow no longer: another tab is open."""
        self.take("")
        self.desk.activate(False)
        if self._hidden and self._studio.bridge is not None:
            self._studio.bridge.show(SEGMENTATION)
        self._hidden = False

    def _on_replaced(self) -> None:
        self.take("")
        self.layers.leave()
        if self._studio.bridge is not None:
            self._studio.bridge.placed.connect(self.layers.place)
            self._studio.bridge.choosing.connect(self._on_choosing)

    def _on_choosing(self) -> None:
        """Keep the tool in mind: layers that come are selected by napari."""
        self._kept = self.chosen or self._kept

    def _on_chosen(self) -> None:
        """Go on with the same tool on another image."""
        kept, self._kept = self._kept, ""
        if self.desk.active and self.layers.show() is not None:
            self.take(kept)

    # ------------------------------------------------------------------ keys

    def _attend(self, layer: Any) -> None:
        """Bind the keys of a layer of objects that was made."""
        layer.undoing, layer.redoing = self.undo, self.redo
        self.hand.attend(layer)
        for key, action in self._keys().items():
            layer.bind_key(key, _command(action), overwrite=True)
        layer.bind_key("Space", self.hand.rest, overwrite=True)

    def _keys(self) -> dict[str, Callable[[], object]]:
        clicks, carver, desk, own = self.clicks, self.carver, self.desk, self._own
        digits = {str(n): partial(desk.give_selected, n) for n in range(1, DIGITS + 1)}
        tools = {key: partial(self.take, name) for name, (_, key) in TITLES.items()}

        def correct(kind: str) -> Callable[[], object]:
            return partial(desk.correct_selected, kind)

        def nothing() -> None:
            """Do nothing: there is nothing to commit."""

        return {
            **digits,
            **tools,
            "M": correct("merge"),
            "F": correct("fill"),
            "J": desk.ask_next,
            "C": own(tools["C"], clicks.commit, self.carving.commit),
            "S": own(nothing, clicks.commit, self.carving.commit),
            "Enter": own(nothing, clicks.commit, self.carving.commit),
            "Escape": own(partial(desk.select, []), clicks.clear, carver.clear),
            "Shift-C": own(nothing, clicks.clear, carver.clear),
            "Backspace": own(correct("delete"), clicks.back, carver.back),
            "Delete": own(correct("delete"), clicks.back, carver.back),
            "W": own(nothing, clicks.another),
            "T": own(nothing, self.clicking.turn_beside),
            "N": own(nothing, self.clicking.accept_image),
            "Shift-N": own(nothing, self.clicking.skip_image),
            "Shift-S": clicks.carry,
        }

    def _own(
        self,
        else_: Callable[[], object],
        clicked: Callable[[], object],
        carved: Callable[[], object] | None = None,
    ) -> Callable[[], object]:
        """Return what a key does: own things while objects are clicked or carved, else another."""
        own = {CLICK: clicked, CARVE: carved or else_}
        return lambda: own.get(self.chosen, else_)()


def _command(action: Callable[[], object]) -> Callable[[Any], None]:
    """Return an action as napari wants what a key does: named, and given the layer."""

    def act(layer: Any) -> None:
        action()

    return act
