"""Where somebody looks: a plane of an image, and the part of it that is in view."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from napari.layers import Layer
from psygnal import Signal

from stroma.blocks.box import Box, hull
from stroma.napari.layers import viewport
from stroma.napari.layers.board import SEGMENTATION, Board
from stroma.session import Session
from stroma.session import events as ev
from stroma.session.core.status import OnScreen
from stroma.session.events import Position

VIEW = "napari"


class Gaze:
    """Turns to planes and places of the image that is shown, and tells the session what is seen.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
        The viewer.
    session : Session
        The session.
    layers : callable
        Returns the layers that show the pixels of an image.

    Attributes
    ----------
    board : Board or None
        Strokes and results of the image that is shown.
    looked : Signal
        Emitted when the session was told what is in view.
    """

    looked = Signal()

    def __init__(
        self, viewer: Any, session: Session, layers: Callable[[str], Sequence[Layer]]
    ) -> None:
        self.viewer, self.session, self._layers = viewer, session, layers
        self.board: Board | None = None
        self._depth = 0

    def close(self) -> None:
        """Look at no plane beside the one in view any more."""
        for z in range(self._depth):
            self.session.look_away(f"{VIEW} {z}")

    def go_to(self, box: Box) -> None:
        """Bring a box of the plane into the middle of the view, and frame it."""
        if self.board is not None:
            viewport.go_to(self.viewer, self.board, box, self.view())
            self.board.point_out(box, plane=self.plane())

    def show_place(self, box: Box, plane: Position) -> None:
        """Bring a box of any plane into the middle of the view, and frame it."""
        if self.board is not None:
            viewport.roll_to(self.viewer, self.board, plane)
            viewport.turn_to(self.viewer, self.board, plane)
            viewport.centre(self.viewer, self.board, box, self.view())
            self.board.point_out(box, "part", plane=plane)

    def bring_into_view(self, box: Box) -> None:
        """Move a box of the plane in view into the middle, unless it is seen well already."""
        if self.board is not None:
            viewport.go_to(self.viewer, self.board, box, self.view())

    def turn_to(self, plane: Position) -> None:
        """Bring a plane of the image into view."""
        if self.board is not None:
            viewport.roll_to(self.viewer, self.board, plane)
            viewport.turn_to(self.viewer, self.board, plane)

    def place_of(self, layer: Layer, position: Sequence[float]) -> tuple[float, float]:
        """Return where a point of the world lies on the plane in view: row and column in pixels.

        The first pixel reaches from 0 to 1, as in the session; in napari, from -0.5 to 0.5.
        """
        assert self.board is not None
        return viewport.place_of(self.viewer, self.board, layer, position)

    def plane(self) -> Position:
        """Return the plane of the image that is in view."""
        return {} if self.board is None else viewport.plane(self.viewer, self.board, self._seen())

    def view(self) -> Box:
        """Return the pixels of the plane that are in view."""
        assert self.board is not None
        return viewport.box(self.viewer, self.board, self._seen())

    def look(self) -> None:
        """Tell the session what is in view."""
        if self.board is None or not self._is_open(self.board):
            return  # it was closed, and the event that says so still waits
        box, plane = self.view(), self.plane()
        self._look_in_space()
        self.session.look(self.board.image, box, plane=plane, view=VIEW)
        if viewport.across_of(self.viewer, self.board) == "z":
            self.board.look_through(box)
        self.looked.emit()

    def _look_in_space(self) -> None:
        """Tell the session to predict all planes of a volume that is seen in three dimensions."""
        assert self.board is not None
        in_space = self.viewer.dims.ndisplay == 3
        depth = self.board.sizes.get("z", 1) if in_space else 0
        for z in range(depth if "z" in self.board.sizes else 0):
            plane = {**self.plane(), "z": z}
            self.session.look(self.board.image, plane=plane, view=f"{VIEW} {z}", beside=True)
        for z in range(depth, self._depth):
            self.session.look_away(f"{VIEW} {z}")
        self._depth = depth

    def standing(self, *, whole: bool = False) -> OnScreen | None:
        """Return how results stand in what is in view, or on the whole plane; None of no image."""
        if self.board is None or not self._is_open(self.board):
            return None
        box = None if whole else self.view()
        return self.session.standing(self.board.image, box, plane=self.plane())

    def _seen(self) -> Layer | None:
        """Return a layer that covers the whole image and is visible, by which to see the rest."""
        assert self.board is not None
        results = [self.board.layer(SEGMENTATION), self.board.layer("uncertainty")]
        found = [*self._layers(self.board.image), *(r for r in results if r is not None)]
        return next((layer for layer in found if layer.visible), None)

    def seen_of(self, changed: Sequence[ev.StrokesChanged]) -> Box:
        """Return the rectangle around what changed on the plane in view; an empty box for none."""
        assert self.board is not None
        one = self.session.image(self.board.image)
        shown, planes = one.planes.number(self.plane(), one.name), one.planes
        here = [e for e in changed if e.image == one.key]
        parts = [planes.met(shown, planes.number(e.plane, one.name), e.box) for e in here]
        there = [part for part in parts if part.area]
        return hull(there) if there else Box(0, 0, 0, 0)

    def turn_towards(self, event: ev.StrokesChanged) -> None:
        """Bring a change into view, on the plane across the axis that is looked along."""
        if self.board is not None:
            viewport.turn_to(self.viewer, self.board, self._towards(event))

    def _towards(self, event: ev.StrokesChanged) -> Position:
        """Return the plane to go to for seeing a change, across the axis that is looked along."""
        assert self.board is not None
        start = {"y": event.box.top, "x": event.box.left}
        across = viewport.across_of(self.viewer, self.board)
        return event.plane if across == "z" else {**event.plane, across: start[across]}

    def _is_open(self, board: Board) -> bool:
        return any(one.key == board.image for one in self.session.images)
