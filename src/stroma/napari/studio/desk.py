"""Tracks of a movie in a viewer: a layer of tracks with its lineage, and corrections by picking."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from napari.layers import Labels, Layer, Points
from napari.layers import Tracks as TracksLayer
from numpy.typing import NDArray
from psygnal import Signal

from stroma.data.tracks import Detections, Floats, Tracks
from stroma.errors import StromaError, for_people
from stroma.io.tracks.movie import read_movie
from stroma.napari.studio.bridge import Bridge
from stroma.session.events import Event
from stroma.session.tracks.book import Node
from stroma.session.tracks.operations import TracksChanged

NAME = "tracks"
PICKED = "picked objects"
RING = 1.3
"""Width of the ring around an object that is picked, in widths of the object."""

STEADY = 4
"""Pixels of the screen that the pointer may move in a click."""

STILL = ("pan_zoom", "transform")
"""Modes of a layer in which clicks do nothing of their own."""


def lines(tracks: Tracks) -> tuple[NDArray[np.float64], dict[int, list[int]]]:
    """Return tracks as napari takes them.

    Returns
    -------
    (n, 2 + d) float64
        Number of the track, frame, and centre in pixels, track by track.
    dict of int to list of int
        Tracks, and those that each came from.
    """
    found = tracks.detections
    order = np.lexsort((found.frame, tracks.track))
    data = np.column_stack([tracks.track, found.frame, found.position])[order]
    graph: dict[int, list[int]] = {}
    for earlier, later in tracks.lineage.tolist():
        graph.setdefault(later, []).append(earlier)
    return data.astype(np.float64), graph


class TrackDesk:
    """What of the tracks of one movie is shown, and which objects are picked.

    Objects are picked by a click on the labels; a correction takes those that are picked.

    Parameters
    ----------
    bridge : Bridge
        Between the viewer and the session.
    image : str
        Key of the movie.
    labels : napari.layers.Labels
        Its label images, (t, y, x) or (t, z, y, x).

    Attributes
    ----------
    changed : Signal
        Emitted when other tracks are shown, or none.
    looked : Signal
        Emitted when other objects are picked.
    tracks : Tracks or None
        What is shown.
    """

    changed = Signal()
    looked = Signal()

    def __init__(self, bridge: Bridge, image: str, labels: Labels) -> None:
        self.bridge, self.image, self.labels = bridge, image, labels
        self.layer: TracksLayer | None = None
        self.marks: Points | None = None
        self.tracks: Tracks | None = None
        self.picked: list[Node] = []
        self._at: dict[Node, int] = {}
        bridge.viewer.mouse_drag_callbacks.append(self._on_press)
        bridge.told.connect(self._on_told)

    def close(self) -> None:
        """Leave the viewer as it is, and follow no longer."""
        self.bridge.told.disconnect(self._on_told)
        self.bridge.viewer.mouse_drag_callbacks.remove(self._on_press)

    @property
    def layers(self) -> list[Layer]:
        """Its layers that are in the viewer."""
        own = (self.labels, self.layer, self.marks)
        return [layer for layer in self.bridge.viewer.layers if layer in own]

    @property
    def frame(self) -> int:
        """The frame that the viewer shows."""
        return round(float(self.labels.world_to_data(self.bridge.viewer.dims.point)[0]))

    @property
    def rows(self) -> list[int]:
        """Where the picked objects are among the detections of the tracks."""
        return [self._at[node] for node in self.picked if node in self._at]

    def track(self) -> None:
        """Link the objects; may be called in any thread."""
        self.bridge.session.track(self.image, _source(self.labels))

    def show(self) -> None:
        """Show the tracks as they are now."""
        self.tracks = self.bridge.session.tracks(self.image)
        found = self.tracks.detections
        nodes = zip(found.frame.tolist(), found.label.tolist(), strict=True)
        self._at = {node: i for i, node in enumerate(nodes)}
        data, graph = lines(self.tracks)
        if self.layer is not None and self.layer in self.layers:
            self.layer.graph = {}
            self.layer.data = data
            self.layer.graph = graph
        else:
            self.layer = self._added(TracksLayer(data, graph=graph, tail_length=10, **self._where))
        self.changed.emit()
        self._set_picked([node for node in self.picked if node in self._at])

    def go_to(self, detection: int) -> Node:
        """Show an object of the tracks in the middle of the view.

        Returns
        -------
        (frame, label)
            What it is called.
        """
        assert self.tracks is not None
        found, viewer = self.tracks.detections, self.bridge.viewer
        place = (float(found.frame[detection]), *found.position[detection].tolist())
        shown = self.labels.data_to_world(place)
        first = viewer.dims.ndim - len(place)
        for axis in range(len(place) - 2):
            viewer.dims.set_point(first + axis, float(shown[axis]))
        viewer.scene.camera.center = (0.0, *(float(v) for v in shown[-2:]))
        return int(found.frame[detection]), int(found.label[detection])

    def pick(self, frame: int, label: int) -> None:
        """Pick an object, or leave it out again."""
        node = (int(frame), int(label))
        kept = [one for one in self.picked if one != node]
        new = node not in self.picked and (node in self._at or not self._at)
        self._set_picked([*kept, node] if new else kept)

    def pick_only(self, frame: int, label: int) -> None:
        """Pick an object, and no other."""
        self._set_picked([(int(frame), int(label))])

    def said(self) -> str:
        """Return what is picked, for people."""
        named = ", ".join(f"{label} of frame {frame}" for frame, label in self.picked)
        return f"Picked: {named}." if named else "No object is picked."

    def correct(self, kind: str) -> None:
        """Correct the tracks; the earlier objects are those that become the later ones.

        Raises
        ------
        ParameterError
            If the picked objects do not fit; they stay picked then.
        """
        if not self.picked:
            raise StromaError("Pick objects first: click them on their labels, or in the lineage.")
        given = sorted(self.picked, key=lambda node: node[0])
        for objects in [[node] for node in given] if kind == "delete" else [given]:
            self.bridge.session.correct_tracks(self.image, kind, objects)
        self._set_picked([])

    @property
    def _where(self) -> dict[str, Any]:
        return {"scale": self.labels.scale, "translate": self.labels.translate}

    def _added(self, layer: Any) -> Any:
        """Add a layer, and leave the one that is active so: objects are picked on it."""
        viewer, layer.name = self.bridge.viewer, NAME if isinstance(layer, TracksLayer) else PICKED
        active = viewer.layers.selection.active
        viewer.add_layer(layer)
        viewer.layers.selection.active = active
        return layer

    def _set_picked(self, nodes: list[Node]) -> None:
        self.picked = nodes
        self._mark()
        self.bridge.viewer.status = self.said()
        self.looked.emit()

    def _mark(self) -> None:
        """Draw a ring around each object that is picked."""
        rows = self.rows
        if self.tracks is None or (not rows and self.marks not in self.layers):
            return
        found = self.tracks.detections
        places = np.column_stack([found.frame[rows], found.position[rows]])
        size = RING * _widths(found)[rows]
        if self.marks is not None and self.marks in self.layers:
            self.marks.selected_data = set()
            self.marks.data, self.marks.size = places, size
            return
        look = {"face_color": "transparent", "border_color": "#ffcc00", "border_width": 0.06}
        self.marks = self._added(Points(places, size=size, **look, **self._where))

    def _on_press(self, viewer: Any, event: Any) -> Any:
        """Pick what is clicked; dragging moves the view, as ever."""
        active = viewer.layers.selection.active
        if active not in self.layers or str(active.mode) not in STILL:
            return
        if self.labels not in self.layers or getattr(event, "button", 1) != 1:
            return
        pressed = np.array(event.pos, float)
        yield
        while event.type == "mouse_move":
            yield
        if np.abs(np.array(event.pos, float) - pressed).max() <= STEADY:
            self._pick_at(event.position)

    def _pick_at(self, position: Any) -> None:
        value = self.labels.get_value(position, world=True)
        if value:
            self.pick(round(float(self.labels.world_to_data(position)[0])), int(value))

    def _on_told(self, event: Event) -> None:
        if isinstance(event, TracksChanged) and event.image == self.image:
            try:
                if self.bridge.session.has_tracks(self.image):
                    self.show()
                    return
            except StromaError as error:  # such as label images that are gone
                self.bridge.viewer.status = for_people(error)
            for layer in self.layers:
                if layer is not self.labels:
                    self.bridge.viewer.layers.remove(layer)
            self.tracks, self.picked, self._at = None, [], {}
            self.changed.emit()


def _widths(found: Detections) -> Floats:
    """Return the width of a disk, or ball, as large as each object, in pixels."""
    area = found.measures.get("area")
    if area is None:
        return np.full(len(found), 10.0)
    if found.position.shape[1] == 3:
        return np.asarray(2 * np.cbrt(area * 3 / (4 * np.pi)))
    return np.asarray(2 * np.sqrt(area / np.pi))


def _source(layer: Labels) -> Any:
    """Return the file of a layer, if it shows what is in it; else its values."""
    values = np.asarray(layer.data)
    path = layer.source.path
    if path is None or not Path(path).exists():
        return values
    movie = read_movie(path)
    same = len(movie) == len(values) and all(
        np.array_equal(one, other) for one, other in zip(movie, values, strict=True)
    )
    return path if same else values
