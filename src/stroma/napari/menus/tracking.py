"""Tracking and correcting tracks, from the command palette."""

from __future__ import annotations

from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import napari
from napari.layers import Labels

from stroma.errors import StromaError
from stroma.napari.layers.results_layer import Shown
from stroma.napari.menus.lineage import LineagePanel
from stroma.napari.studio.bridge import Bridge
from stroma.napari.studio.desk import TrackDesk
from stroma.napari.studio.studio import Studio, studio_of
from stroma.session.tracks.book import KINDS

_DESKS: WeakKeyDictionary[Bridge, TrackDesk] = WeakKeyDictionary()
_PANELS: WeakKeyDictionary[Studio, LineagePanel] = WeakKeyDictionary()


def track(viewer: Any = None) -> None:
    """Track the objects of the labels layer that is selected, over the movie that is open."""
    studio, bridge = _open(viewer)

    def begin() -> None:
        desk = desk_of(bridge)
        show_lineage(viewer or napari.current_viewer(), studio, desk)
        studio.call("Tracking", desk.track)  # shown when the session tells of it

    studio.attempt(begin)


def solve_tracks(viewer: Any = None) -> None:
    """Link all objects again; what was corrected stays."""
    studio, bridge = _open(viewer)

    def begin() -> None:
        image = _desk(bridge).image
        studio.call("Tracking", lambda: bridge.session.solve_tracks(image))

    studio.attempt(begin)


def link_objects(viewer: Any = None) -> None:
    """Let one picked object become the other."""
    _correct(viewer, "link")


def unlink_objects(viewer: Any = None) -> None:
    """Let one picked object not become the other."""
    _correct(viewer, "unlink")


def divide_object(viewer: Any = None) -> None:
    """Let the first of three picked objects divide into the others."""
    _correct(viewer, "divide")


def merge_objects(viewer: Any = None) -> None:
    """Let two picked objects become the later third."""
    _correct(viewer, "merge")


def swap_objects(viewer: Any = None) -> None:
    """Let two picked objects of a frame exchange what becomes of them."""
    _correct(viewer, "swap")


def delete_objects(viewer: Any = None) -> None:
    """Take the picked objects out of the tracks."""
    _correct(viewer, "delete")


def undo_tracks(viewer: Any = None) -> None:
    """Unmake the last step of the session, such as a correction."""
    studio, bridge = _open(viewer)
    studio.attempt(bridge.session.undo)


def desk_of(bridge: Bridge) -> TrackDesk:
    """Return what shows the tracks of the open movie by the labels layer that is selected.

    Raises
    ------
    StromaError
        If no movie is open, or no layer of labels is selected.
    """
    if bridge.image is None:
        raise StromaError("Open the movie first: choose it in the tab Home.")
    layer = bridge.viewer.layers.selection.active
    known = _DESKS.get(bridge)
    if known is not None and known.image == bridge.image and layer in known.layers:
        return known
    if not isinstance(layer, Labels) or isinstance(layer, Shown):
        raise StromaError("Select the layer with the labels of the movie's objects, then track.")
    if known is not None:
        known.close()
    _DESKS[bridge] = TrackDesk(bridge, bridge.image, layer)
    return _DESKS[bridge]


def show_lineage(viewer: Any, studio: Studio, desk: TrackDesk) -> LineagePanel:
    """Show the lineage of a desk below the viewer, in place of that of another desk."""
    panel = _PANELS.get(studio)
    if panel is None:
        calls = {kind: partial(_correct, viewer, kind) for kind in KINDS}
        others = {"undo": partial(undo_tracks, viewer), "again": partial(solve_tracks, viewer)}
        panel = _PANELS[studio] = LineagePanel(calls | others)
        studio.replaced.connect(panel.give_up)
    if panel.parent() is None:  # not docked yet, or its dock was closed
        viewer.window.add_dock_widget(panel, name="Lineage", area="bottom")
    if panel.desk is not desk:
        panel.follow(desk)
    return panel


def _desk(bridge: Bridge) -> TrackDesk:
    if bridge not in _DESKS:
        raise StromaError("There are no tracks yet. Select a labels layer, and track.")
    return _DESKS[bridge]


def _correct(viewer: Any, kind: str) -> None:
    studio, bridge = _open(viewer)
    studio.attempt(lambda: _desk(bridge).correct(kind))


def _open(viewer: Any) -> tuple[Studio, Bridge]:
    found = viewer or napari.current_viewer()
    if found is None:
        raise StromaError("There is no viewer. Open napari first.")
    studio = studio_of(found)
    if studio.bridge is None:
        raise StromaError("Stroma is not open. Choose Plugins > Stroma.")
    return studio, studio.bridge
