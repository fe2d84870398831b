"""What the pointer does on the layer of objects: clicks, lines, boxes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

from stroma.napari.objects.desk import ObjectDesk, Point
from stroma.napari.objects.layers import ObjectLayers

STILL = 4
"""Pixels of the screen that a press may move and still be a click."""

LEFT, RIGHT = 1, 2


@dataclass(frozen=True)
class Press:
    """A button that is pressed, and where the pointer went since.

    Parameters
    ----------
    points : tuple of (y, x)
        In pixels of the plane; the first reaches from 0 to 1.
    apart : float
        Pixels of the screen that it went from where it began, at most.
    right, shift, alt : bool
        Which button, and which keys were held.
    """

    points: tuple[Point, ...]
    apart: float = 0.0
    right: bool = False
    shift: bool = False
    alt: bool = False

    @property
    def still(self) -> bool:
        """Whether it is a click."""
        return self.apart < STILL


class Tool(Protocol):
    """What a press does."""

    def moved(self, press: Press) -> None:
        """Show what is being drawn."""

    def done(self, press: Press) -> None:
        """Act: the button was released."""


class Hand:
    """Holds one tool, or none: then dragging moves the image, as everywhere in napari.

    Parameters
    ----------
    desk : ObjectDesk
        The objects.
    layers : ObjectLayers
        Where it works.
    """

    def __init__(self, desk: ObjectDesk, layers: ObjectLayers) -> None:
        self.desk, self.layers = desk, layers
        self.tool: Tool | None = None
        self._resting = False

    def attend(self, layer: Any) -> None:
        """Work on a layer of objects that was made."""
        layer.mouse_drag_callbacks.append(self._dragged)
        self._set_panning()

    def take(self, tool: Tool | None) -> None:
        """Take a tool, or put it away."""
        self.tool = tool
        self._set_panning()
        layer = self.layers.objects
        if tool is not None and layer is not None:
            layer.visible = True
            self.desk.studio.viewer.layers.selection.active = layer

    def rest(self, layer: Any) -> Iterator[None]:
        """Move the image as long as a key is held."""
        self._resting = True
        self._set_panning()
        yield
        self._resting = False
        self._set_panning()

    def _set_panning(self) -> None:
        layer = self.layers.objects
        if layer is not None:
            layer.mouse_pan = self.tool is None or self._resting
            layer.cursor = "standard" if layer.mouse_pan else "cross"

    def _dragged(self, layer: Any, event: Any) -> Iterator[None]:
        """Follow a press until it is released."""
        tool, bridge = self.tool, self.desk.bridge
        if tool is None or self._resting or bridge is None or bridge.board is None:
            return
        if len(event.dims_displayed) != 2 or event.button not in (LEFT, RIGHT):
            return
        keys = {str(key) for key in event.modifiers}
        begun = tuple(event.pos)
        press = Press(
            (bridge.gaze.place_of(layer, event.position),),
            right=event.button == RIGHT,
            shift="Shift" in keys,
            alt="Alt" in keys,
        )
        event.handled = True
        yield
        while event.type == "mouse_move":
            press = _further(press, bridge.gaze.place_of(layer, event.position), begun, event.pos)
            tool.moved(press)
            yield
        tool.done(press)


def _further(press: Press, at: Point, begun: tuple[float, ...], now: Any) -> Press:
    went = sum((float(a) - float(b)) ** 2 for a, b in zip(now, begun, strict=True)) ** 0.5
    return replace(press, points=(*press.points, at), apart=max(press.apart, went))
