"""The dock that shows, beside the plane in the viewer, the two others through the same voxel."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

from qtpy.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from stroma.data import cut
from stroma.napari.layers import viewport
from stroma.napari.layers.board import Board
from stroma.napari.planes import seen
from stroma.napari.planes.cross import Cross
from stroma.napari.planes.pane import Pane, Sheet
from stroma.napari.studio.bridge import Bridge
from stroma.napari.studio.studio import REST_MS, Relay, Studio
from stroma.session import events as ev
from stroma.session.events import Event, Position

TITLES = {"z": "xy", "y": "xz", "x": "yz"}
"""What people call the planes across an axis."""

NO_VOLUME = "The three planes are those of a volume: an image with several planes."
HINT = (
    "A click in a plane, or Ctrl + click in the viewer, moves the voxel where all three meet. "
    "A plane's button brings it into the viewer, to be painted on."
)

_DOCKS: WeakKeyDictionary[Studio, Planes] = WeakKeyDictionary()


def show_planes(viewer: Any, studio: Studio) -> Planes:
    """Show the dock of a viewer, which is made if need be."""
    planes = _DOCKS.get(studio)
    if planes is None:
        planes = _DOCKS[studio] = Planes(studio)
    if planes.parent() is None:  # not docked yet, or its dock was closed
        viewer.window.add_dock_widget(planes, name="Three planes", area="right")
    planes.follow()
    return planes


def let_go(studio: Studio) -> None:
    """Follow a viewer no longer whose session is about to be closed."""
    planes = _DOCKS.get(studio)
    if planes is not None:
        planes.leave()


class Planes(QWidget):
    """Two planes of the volume that is shown, each across one of the other axes.

    Parameters
    ----------
    studio : Studio
        Whose volume.
    """

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self.studio, self.viewer = studio, studio.viewer
        self.panes = (Pane(), Pane())
        self.buttons = (QPushButton(), QPushButton())
        self.note = QLabel(NO_VOLUME)
        self.note.setWordWrap(True)
        self._lay_out()
        self.cross = Cross(studio.viewer)
        self._looking = Relay(self._look, REST_MS)
        self._following = self._drawing = self._again = False
        self._read = seen.Kept()
        for which, (pane, button) in enumerate(zip(self.panes, self.buttons, strict=True)):
            pane.pointed.connect(lambda row, column, n=which: self.point(n, row, column))
            button.clicked.connect(lambda _, n=which: self.turn(n))

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        for pane, button in zip(self.panes, self.buttons, strict=True):
            column.addWidget(pane, 1)
            column.addWidget(button)
        column.addWidget(self.note)

    # ------------------------------------------------------------------ following

    def follow(self) -> None:
        """Show what the viewer shows, from now on."""
        if not self._following:
            self._following = True
            for signal in self._movements():
                signal.connect(self._on_moved)
            self.studio.told.connect(self._on_told)
            self.studio.replaced.connect(self._on_moved)
            self.viewer.mouse_drag_callbacks.append(self._on_press)
        self._on_moved()

    def leave(self) -> None:
        """Follow the viewer no longer, and let the session forget the planes."""
        if not self._following:
            return
        self._following = False
        for signal in self._movements():
            signal.disconnect(self._on_moved)
        self.studio.told.disconnect(self._on_told)
        self.studio.replaced.disconnect(self._on_moved)
        self.viewer.mouse_drag_callbacks.remove(self._on_press)
        self.cross.hide()
        self._look()

    def hideEvent(self, event: Any) -> None:  # the name is Qt's
        """Compute nothing for planes that are not seen."""
        super().hideEvent(event)
        self.leave()

    def showEvent(self, event: Any) -> None:  # the name is Qt's
        """Show what is in view now."""
        super().showEvent(event)
        self.follow()

    def _movements(self) -> tuple[Any, ...]:
        dims = self.viewer.dims.events
        return dims.point, dims.order, dims.ndisplay, self.studio.chosen, self.studio.shown

    # ------------------------------------------------------------------ where the planes are

    @property
    def board(self) -> Board | None:
        """The layers of the volume that is shown; None where none is."""
        bridge = self.studio.bridge
        board = None if bridge is None else bridge.board
        return board if board is not None and board.sizes.get("z", 1) > 1 else None

    def voxel(self) -> Position:
        """Return the voxel where the planes meet, and its time."""
        bridge, board = self._open()
        return viewport.voxel(self.viewer, board, bridge.layers(board.image)[0])

    def planes(self) -> list[Position]:
        """Return the positions of the two planes that the viewer does not show."""
        _, board = self._open()
        shown, at = viewport.across_of(self.viewer, board), self.voxel()
        return [
            {axis: at[axis] for axis in board.sizes if axis in ("t", across)}
            for across in "zyx"
            if across != shown
        ]

    def point(self, which: int, row: int, column: int) -> None:
        """Let all planes go through a pixel of one of the panes."""
        if self.board is not None:
            rows, columns = tuple(cut.ROWS_AND_COLUMNS[cut.across(self.planes()[which])])
            viewport.turn_to(self.viewer, self.board, {rows: row, columns: column})

    def turn(self, which: int) -> None:
        """Bring the plane of a pane into the viewer."""
        if self.board is not None:
            bridge, _ = self._open()
            bridge.gaze.turn_to(self.planes()[which])

    def _open(self) -> tuple[Bridge, Board]:
        bridge, board = self.studio.bridge, self.board
        assert bridge is not None
        assert board is not None
        return bridge, board

    def _on_press(self, viewer: Any, event: Any) -> None:
        """Move the voxel to where somebody clicks with Ctrl, in place of painting there."""
        if self.board is None or "Control" not in event.modifiers or viewer.dims.ndisplay == 3:
            return
        event.handled = True
        bridge, board = self._open()
        layer: Any = bridge.layers(board.image)[0]
        at = viewport.place_of(viewer, board, layer, event.position)
        shown = cut.ROWS_AND_COLUMNS[viewport.across_of(viewer, board)]
        inside = {
            axis: min(max(int(part), 0), board.sizes[axis] - 1)
            for axis, part in zip(shown, at, strict=True)
        }
        viewport.turn_to(viewer, board, inside)

    # ------------------------------------------------------------------ showing

    def _on_moved(self, event: Any = None) -> None:
        bridge, board = self.studio.bridge, self.board
        there = bridge is not None and board is not None and bool(bridge.layers(board.image))
        self.note.setText(HINT if there else NO_VOLUME)
        for widget in (*self.panes, *self.buttons):
            widget.setVisible(there)
        if not there or board is None:
            self.cross.hide()
        else:
            voxel = self.voxel()
            self.cross.show(board, voxel)
            for pane, button, plane in zip(self.panes, self.buttons, self.planes(), strict=True):
                across = cut.across(plane)
                rows, columns = tuple(cut.ROWS_AND_COLUMNS[across])
                pane.show_cross(voxel[rows], voxel[columns])
                button.setText(f"Paint on {TITLES[across]}, {across} = {voxel[across] + 1}")
            self._draw()
        self._looking()

    def _look(self) -> None:
        """Tell the session which planes are seen, and that others no longer are."""
        bridge = self.studio.bridge
        if bridge is None:
            return
        planes = self.planes() if self._following and self.board is not None else []
        for which in range(2):
            if which < len(planes) and bridge.image is not None:
                bridge.session.look(
                    bridge.image, plane=planes[which], view=f"planes {which}", beside=True
                )
            else:
                bridge.session.look_away(f"planes {which}")

    def _on_told(self, event: Event) -> None:
        if isinstance(event, ev.BlockReady | ev.RoundFinished | ev.StrokesChanged | ev.Rested):
            self._draw()
        elif isinstance(event, ev.ImageChanged | ev.ClassesChanged | ev.ImageClosed):
            self._read.clear()
            self._on_moved()

    def _draw(self) -> None:
        """Draw both planes in the background; again, if something happens meanwhile."""
        if self._drawing or not self._following or self.board is None:
            self._again = self._drawing
            return
        bridge, board = self._open()
        wanted = [seen.wanted(self.viewer, bridge, board, plane) for plane in self.planes()]
        self._drawing, self._again = True, False
        kept = self._read

        def work() -> list[Sheet]:
            there = bridge.is_open(board.image)  # it may be closed before the event that says so
            return [one.drawn(kept) for one in wanted if there]

        self.studio.call("", work, self._drawn, self._failed)

    def _drawn(self, sheets: list[Sheet]) -> None:
        self._drawing = False
        for pane, sheet in zip(self.panes, sheets, strict=False):
            pane.show_sheet(sheet)
        if self._again:
            self._draw()

    def _failed(self) -> None:
        self._drawing = self._again = False
