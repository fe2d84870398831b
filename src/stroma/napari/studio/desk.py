"""Tracks of a movie in a viewer: a layer of tracks with its lineage, and corrections by picking."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from napari.layers import Labels
from napari.layers import Tracks as TracksLayer
from numpy.typing import NDArray

from stroma.data.tracks import Tracks
from stroma.errors import StromaError, for_people
from stroma.io.tracks.movie import read_movie
from stroma.napari.studio.bridge import Bridge
from stroma.session.events import Event
from stroma.session.tracks.book import Node
from stroma.session.tracks.operations import TracksChanged

NAME = "tracks"


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

    Objects are picked by a double click on the labels; a correction takes those that are picked.

    Parameters
    ----------
    bridge : Bridge
        Between the viewer and the session.
    image : str
        Key of the movie.
    labels : napari.layers.Labels
        Its label images, (t, y, x) or (t, z, y, x).
    """

    def __init__(self, bridge: Bridge, image: str, labels: Labels) -> None:
        self.bridge, self.image, self.labels = bridge, image, labels
        self.layer: TracksLayer | None = None
        self.picked: list[Node] = []
        labels.mouse_double_click_callbacks.append(self._on_click)
        bridge.told.connect(self._on_told)

    def close(self) -> None:
        """Leave the viewer as it is, and follow no longer."""
        self.bridge.told.disconnect(self._on_told)
        if self._on_click in self.labels.mouse_double_click_callbacks:
            self.labels.mouse_double_click_callbacks.remove(self._on_click)

    def track(self) -> None:
        """Link the objects; may be called in any thread."""
        self.bridge.session.track(self.image, _source(self.labels))

    def show(self) -> None:
        """Show the tracks as they are now."""
        data, graph = lines(self.bridge.session.tracks(self.image))
        if self.layer is not None and self.layer in self.bridge.viewer.layers:
            self.layer.graph = {}
            self.layer.data = data
            self.layer.graph = graph
            return
        self.layer = TracksLayer(
            data,
            graph=graph,
            name=NAME,
            scale=self.labels.scale,
            translate=self.labels.translate,
            tail_length=10,
        )
        self.bridge.viewer.add_layer(self.layer)

    def pick(self, frame: int, label: int) -> None:
        """Pick an object, or leave it out again."""
        node = (int(frame), int(label))
        if node in self.picked:
            self.picked.remove(node)
        elif label:
            self.picked.append(node)
        self.bridge.viewer.status = self.said()

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
            raise StromaError("Pick objects first: double-click them on their labels.")
        given = sorted(self.picked, key=lambda node: node[0])
        for objects in [[node] for node in given] if kind == "delete" else [given]:
            self.bridge.session.correct_tracks(self.image, kind, objects)
        self.picked.clear()
        self.bridge.viewer.status = self.said()

    def _on_click(self, layer: Labels, event: Any) -> None:
        value = layer.get_value(event.position, world=True)
        frame = round(float(layer.world_to_data(event.position)[0]))
        if value:
            self.pick(frame, int(value))

    def _on_told(self, event: Event) -> None:
        if isinstance(event, TracksChanged) and event.image == self.image:
            try:
                if self.bridge.session.has_tracks(self.image):
                    self.show()
                    return
            except StromaError as error:  # such as label images that are gone
                self.bridge.viewer.status = for_people(error)
            if self.layer is not None and self.layer in self.bridge.viewer.layers:
                self.bridge.viewer.layers.remove(self.layer)


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
