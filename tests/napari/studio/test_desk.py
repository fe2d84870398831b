from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from napari.layers import Labels, Tracks
from qtpy.QtCore import QPointF, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from stroma.errors import ParameterError, StromaError
from stroma.napari.menus.lineage import SAYS, LineagePanel
from stroma.napari.menus.tracking import desk_of
from stroma.napari.studio.desk import lines
from stroma.workflow.moving.track import track
from tracking.movies import family


@pytest.fixture
def desk(bridge):
    movie = family()
    image = bridge.viewer.add_image((movie > 0).astype(np.uint8), name="movie")
    labels = bridge.viewer.add_labels(movie, name="objects")
    bridge.choose(bridge.paint_on([image], "tyx"))
    bridge.viewer.layers.selection.active = labels
    made = desk_of(bridge)
    made.track()
    bridge.pump()
    return made


def test_tracks_are_a_layer_with_their_lineage(desk):
    (layer,) = (one for one in desk.bridge.viewer.layers if isinstance(one, Tracks))
    assert layer is desk.layer
    assert len(layer.data) == 15
    assert sorted(layer.graph) == [3, 4]
    assert {tuple(mothers) for mothers in layer.graph.values()} == {(1,)}


def test_a_correction_takes_what_is_picked_and_is_undone(desk):
    desk.pick(3, 2)
    desk.pick(2, 1)
    assert desk.bridge.viewer.status == "Picked: 2 of frame 3, 1 of frame 2."
    desk.correct("unlink")
    desk.bridge.pump()
    assert desk.picked == []
    assert sorted(desk.layer.graph) == []
    assert len(np.unique(desk.layer.data[:, 0])) == 3
    desk.bridge.session.undo()
    desk.bridge.pump()
    assert sorted(desk.layer.graph) == [3, 4]
    desk.bridge.session.undo()
    desk.bridge.pump()
    assert desk.layer not in desk.bridge.viewer.layers


def test_tracks_of_labels_that_are_gone_are_shown_no_longer_and_it_is_said(desk):
    fewer = np.array(desk.labels.data)
    fewer[fewer == 4] = 0
    desk.labels.data = fewer
    desk.track()
    desk.bridge.pump()
    assert len(desk.layer.data) < 15
    desk.bridge.session.undo()
    desk.bridge.pump()
    assert desk.layer not in desk.bridge.viewer.layers
    assert "label images of the tracks are not there" in desk.bridge.viewer.status


def clicked(desk, position, *, drag=0):
    """Press, move so many pixels of the screen, and release."""
    event = SimpleNamespace(
        type="mouse_press", pos=(5, 5), position=position, button=1, modifiers=()
    )
    for callback in desk.bridge.viewer.mouse_drag_callbacks:
        going = callback(desk.bridge.viewer, event)
        if next(going, "done") == "done":
            continue
        event.type, event.pos = "mouse_move", (5 + drag, 5)
        assert next(going, "done") is None
        event.type = "mouse_release"
        assert next(going, "done") == "done"


def test_a_click_on_labels_picks_and_a_ring_marks_it(desk):
    layers = desk.bridge.viewer.layers
    assert layers.selection.active is desk.labels
    clicked(desk, (2, 48, 44), drag=20)
    assert desk.picked == []
    clicked(desk, (2, 48, 44))
    assert desk.picked == [(2, 1)]
    np.testing.assert_allclose(desk.marks.data, [[2, 48, 44]])
    assert 20 < desk.marks.size[0] < 30
    assert layers.selection.active is desk.labels
    desk.labels.mode = "paint"
    clicked(desk, (2, 48, 44))
    assert desk.picked == [(2, 1)]
    layers.selection.active = desk.layer
    clicked(desk, (0, 15, 80))
    assert desk.picked == [(2, 1), (0, 4)]
    desk.pick(0, 4)
    desk.pick(2, 1)
    assert desk.picked == []
    assert len(desk.marks.data) == 0
    with pytest.raises(StromaError, match="Pick objects first"):
        desk.correct("link")


def test_several_objects_are_deleted_at_once_and_what_does_not_fit_stays_picked(desk):
    desk.pick(0, 4)
    desk.pick(1, 4)
    desk.correct("delete")
    desk.bridge.pump()
    assert len(desk.layer.data) == 13
    desk.pick(0, 1)
    with pytest.raises(ParameterError, match="takes 3"):
        desk.correct("divide")
    assert desk.picked == [(0, 1)]


def test_without_a_movie_or_labels_it_says_what_to_do(bridge, desk):
    desk.bridge.viewer.layers.selection.active = desk.bridge.viewer.layers["movie"]
    with pytest.raises(StromaError, match="Select the layer"):
        desk_of(desk.bridge)
    other = Labels(family())
    desk.bridge.viewer.add_layer(other)
    desk.bridge.viewer.layers.selection.active = other
    again = desk_of(desk.bridge)
    assert again is not desk
    clicked(desk, (2, 48, 44))
    assert desk.picked == []
    bridge.choose(None)
    with pytest.raises(StromaError, match="Open the movie first"):
        desk_of(bridge)


def test_lines_are_tracks_in_the_order_of_time():
    data, graph = lines(track(family()))
    assert (np.diff(data[:, 0]) >= 0).all()
    assert (np.diff(data[data[:, 0] == 2, 1]) == 1).all()
    assert graph == {3: [1], 4: [1]}


@pytest.fixture
def panel(display, desk):
    """The lineage of the desk, and what its buttons are asked."""
    app = QApplication.instance() or QApplication([])
    called = []
    made = LineagePanel({kind: partial(called.append, kind) for kind in SAYS})
    made.called = called
    made.lineage.resize(400, 120)
    made.follow(desk)
    yield made
    made.leave()
    app.processEvents()


def press(lineage, detection, modifier=Qt.KeyboardModifier.NoModifier):
    at = QPointF(*lineage.point(detection)).toPoint()
    QTest.mouseClick(lineage, Qt.MouseButton.LeftButton, modifier, at)


def test_a_click_in_the_lineage_goes_to_an_object_and_picks_it(panel, desk):
    lineage = panel.lineage
    mother, daughter = (
        int(np.flatnonzero(desk.tracks.detections.label == label)[at])
        for label, at in ((1, -1), (2, 0))
    )
    assert lineage.object_at(*lineage.point(mother)) == mother
    assert lineage.object_at(20, 9000) is None
    empty = lineage.grab().toImage()
    press(lineage, mother)
    assert (desk.frame, desk.picked) == (2, [(2, 1)])
    np.testing.assert_allclose(
        desk.bridge.viewer.scene.camera.center[-2:], desk.tracks.detections.position[mother]
    )
    press(lineage, daughter)
    assert (desk.frame, desk.picked) == (3, [(3, 2)])
    assert lineage.grab().toImage() != empty
    press(lineage, mother, Qt.KeyboardModifier.ShiftModifier)
    assert desk.picked == [(3, 2), (2, 1)]
    assert panel.picked.text() == "Picked: 2 of frame 3, 1 of frame 2."
    press(lineage, daughter, Qt.KeyboardModifier.ShiftModifier)
    assert desk.picked == [(2, 1)]


def test_the_lineage_follows_corrections_and_undo(panel, desk):
    lineage = panel.lineage
    before = lineage.grab().toImage()
    desk.pick(3, 2)
    desk.pick(2, 1)
    desk.correct("unlink")
    desk.bridge.pump()
    assert len(lineage.row) == 1 + 3
    assert lineage.grab().toImage() != before
    desk.bridge.session.undo()
    desk.bridge.pump()
    assert len(lineage.row) == 1 + 4
    desk.bridge.session.undo()
    desk.bridge.pump()
    assert lineage.tracks is None
    assert lineage.object_at(20, 20) is None
    assert not any(button.isEnabled() for button in panel.buttons.values())
    lineage.grab()


def test_buttons_are_offered_for_the_objects_that_they_take(panel, desk):
    def offered():
        return {kind for kind, button in panel.buttons.items() if button.isEnabled()}

    assert offered() == {"undo", "again"}
    desk.pick(2, 1)
    assert offered() == {"undo", "again", "delete"}
    desk.pick(3, 2)
    assert offered() == {"undo", "again", "delete", "link", "unlink"}
    desk.pick(3, 3)
    assert offered() == {"undo", "again", "delete", "divide"}
    for kind in sorted(offered()):
        panel.buttons[kind].click()
    assert panel.called == sorted(offered())
    panel.give_up()
    assert offered() == set()
    clicked(desk, (0, 15, 80))
    assert len(desk.picked) == 3
