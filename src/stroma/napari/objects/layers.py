"""The layers that objects are shown on: their outlines; what is proposed and drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from napari.layers import Labels, Layer
from napari.utils.colormaps import DirectLabelColormap
from numpy.typing import NDArray

from stroma.blocks.box import Box
from stroma.napari.layers import colors
from stroma.napari.layers.board import MARK, Board
from stroma.napari.layers.results_layer import ShownLabels
from stroma.napari.layers.views import levels
from stroma.napari.objects.desk import ObjectDesk
from stroma.napari.objects.sketch import BESIDE, LINE, ON, PROPOSAL, WAITING, Drawn, Sketch
from stroma.session.events import Position

OBJECTS, SKETCHED = "objects", "clicks"
WIDTH = 2
"""Pixels of an outline."""
SELECTED = np.ones(4, np.float32)
UNSEEN = np.zeros(4, np.float32)
SHADES: dict[int | None, Any] = {
    PROPOSAL: "#ffee00",
    WAITING: "#c8c8c8",
    ON: "#3ddc84",
    BESIDE: "#ff5c5c",
    LINE: "#ffffff",
    0: colors.NOTHING,
    None: colors.NOTHING,
}


class Outlines(ShownLabels):
    """The layer of objects: undoing on it is undoing in the session."""

    undoing: Callable[[], object]
    redoing: Callable[[], object]

    def undo(self) -> None:
        """Unmake the last step of the session."""
        self.undoing()

    def redo(self) -> None:
        """Make it again."""
        self.redoing()


class ObjectLayers:
    """Layers over the image that is shown; they are made when they are first needed.

    Parameters
    ----------
    desk : ObjectDesk
        What they show.
    made : callable
        Is given the layer of objects once it is made.
    """

    def __init__(self, desk: ObjectDesk, made: Callable[[Any], object]) -> None:
        self.desk = desk
        self._made = made
        self._board: Board | None = None
        self._layers: dict[str, Any] = {}
        self._sketch = Sketch()
        desk.known.connect(self.refresh)
        desk.look.connect(self.recolor)

    @property
    def objects(self) -> Any:
        """The layer of objects; None where it was not needed yet, or was removed."""
        return self.layer(OBJECTS)

    def layer(self, role: str) -> Any:
        """Return a layer, as far as it is there."""
        found = self._layers.get(role)
        return found if found is not None and found in self.desk.studio.viewer.layers else None

    def has(self, layer: Any) -> bool:
        """Tell whether a layer is one of these."""
        return any(layer is one for one in self._layers.values())

    # ------------------------------------------------------------------ showing

    def show(self) -> Any:
        """Return the layer of objects over the image that is shown; None without an image."""
        board = None if self.desk.bridge is None else self.desk.bridge.board
        if board is None:
            return None
        if board is not self._board:
            self._take(board)
        return self.objects or self._add(OBJECTS, self._outlines(board))

    def _take(self, board: Board) -> None:
        """Show another image on the layers that are there, as far as they fit."""
        self._board = board
        for role in (OBJECTS, SKETCHED):
            layer, data = self.layer(role), self._arrays(role, board)
            if layer is None:
                continue
            if layer.ndim != len(board.sizes) or layer.multiscale != isinstance(data, list):
                self.desk.studio.viewer.layers.remove(layer)
            else:
                layer.data = data
        self.place()

    def place(self) -> None:
        """Move the layers to where the image is now."""
        if self._board is None:
            return
        for role in (OBJECTS, SKETCHED):
            layer = self.layer(role)
            for name, value in self._board.placed.options().items() if layer is not None else ():
                if not np.array_equal(getattr(layer, name), value):
                    setattr(layer, name, value)

    def leave(self) -> None:
        """Remove all layers: their session is gone."""
        layers = self.desk.studio.viewer.layers
        for role in (OBJECTS, SKETCHED):
            layer = self.layer(role)
            if layer is not None:
                layers.remove(layer)
        self._layers.clear()
        self._board = None

    def _add(self, role: str, made: Layer) -> Any:
        made.name = role
        made.metadata[MARK] = {"role": role}
        self._layers[role] = made  # before it is in the viewer, where it is selected at once
        layers = self.desk.studio.viewer.layers
        active = layers.selection.active
        layers.append(made)
        layers.selection.active = active
        if role == OBJECTS:
            self._made(made)
            self.recolor()
        return made

    def _outlines(self, board: Board) -> Outlines:
        made = Outlines(self._arrays(OBJECTS, board), **self._options(OBJECTS, board))
        made.editable = False
        made.contour = WIDTH
        return made

    def _options(self, role: str, board: Board) -> dict[str, Any]:
        large = isinstance(self._arrays(role, board), list)
        return {**board.placed.options(), "multiscale": large}

    def _arrays(self, role: str, board: Board) -> Any:
        session, image = self.desk.studio.session, board.image

        def objects(plane: Position, box: Box, step: int) -> NDArray[Any]:
            return _as_large(session.object_labels(image, box, plane=plane, step=step), box, step)

        def sketched(plane: Position, box: Box, step: int) -> NDArray[Any]:
            return self._sketch.read(plane, box, step)

        if role == OBJECTS:
            found = levels(board.sizes, np.int32, objects)
        else:
            found = levels(board.sizes, np.uint8, sketched)
        return found if len(found) > 1 else found[0]

    # ------------------------------------------------------------------ what changes

    def refresh(self) -> None:
        """Read the objects again."""
        if self.objects is None or self._board is None:
            return
        if self.desk.bridge is None or self.desk.bridge.board is not self._board:
            return
        self.recolor()
        _refresh(self.objects)

    def recolor(self) -> None:
        """Show colours, selection and bounds as they are now."""
        layer, desk = self.objects, self.desk
        if layer is None:
            return
        numbers, of = desk.numbers, desk.colours()
        of[~desk.passes()] = UNSEEN
        chosen = np.isin(numbers, list(desk.selected))
        of[chosen] = SELECTED
        layer.colormap = colors.object_colors(numbers, of)

    def sketch(self, sketch: Sketch) -> None:
        """Show what is proposed and drawn, in place of what was."""
        self._sketch = sketch
        if self._board is None:
            return
        layer = self.layer(SKETCHED)
        if layer is None:
            layer = self._add(SKETCHED, self._sketched(self._board))
        _refresh(layer)

    def draw(self, lines: Sequence[Drawn], plane: Position) -> None:
        """Show lines on the plane in view, in place of those that were."""
        self.sketch(replace(self._sketch, lines=lines, plane=plane))

    def _sketched(self, board: Board) -> Labels:
        made = ShownLabels(
            self._arrays(SKETCHED, board),
            colormap=DirectLabelColormap(color_dict=SHADES),
            opacity=0.5,
            **self._options(SKETCHED, board),
        )
        made.editable = False
        return made

    @property
    def screen_pixel(self) -> float:
        """How long a pixel of the screen is, in pixels of the image."""
        assert self._board is not None
        zoom = self.desk.studio.viewer.scene.camera.zoom
        return float(1 / (zoom * np.abs(self._board.placed.scale[-1])))


def _as_large(values: NDArray[Any], box: Box, step: int) -> NDArray[Any]:
    """Return values that cover a box to its border, where half a step of it has none."""
    rows, columns = box.shape
    missing = [
        (0, -(-n // step) - have) for n, have in zip((rows, columns), values.shape, strict=True)
    ]
    return np.pad(values, missing, mode="edge") if any(more for _, more in missing) else values


def _refresh(layer: Any) -> None:
    layer.refresh(extent=False, highlight=False, thumbnail=False)
