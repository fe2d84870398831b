import numpy as np
import pytest
from napari.layers import Labels, Tracks

from stroma.errors import ParameterError, StromaError
from stroma.napari.menus.tracking import desk_of
from stroma.napari.studio.desk import lines
from stroma.workflow.track import track
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


def test_a_double_click_on_labels_picks(desk):
    class Click:
        position = (2, 48, 44)

    for callback in desk.labels.mouse_double_click_callbacks:
        callback(desk.labels, Click)
    assert desk.picked == [(2, 1)]
    desk.pick(2, 1)
    assert desk.picked == []
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
    assert not desk.labels.mouse_double_click_callbacks
    bridge.choose(None)
    with pytest.raises(StromaError, match="Open the movie first"):
        desk_of(bridge)


def test_lines_are_tracks_in_the_order_of_time():
    data, graph = lines(track(family()))
    assert (np.diff(data[:, 0]) >= 0).all()
    assert (np.diff(data[data[:, 0] == 2, 1]) == 1).all()
    assert graph == {3: [1], 4: [1]}
