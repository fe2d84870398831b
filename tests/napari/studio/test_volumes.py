"""A volume in napari: painted on whatever axes are shown, and seen in space."""

import numpy as np
import pytest

from napari_scene import settle
from stroma.blocks.box import Box

DEPTH, HEIGHT, WIDTH = 6, 40, 60


def volume():
    """A dark and a bright half."""
    body = np.random.default_rng(0).normal(50, 5, (DEPTH, HEIGHT, WIDTH))
    body[..., WIDTH // 2 :] += 100
    return body.astype(np.uint8)


@pytest.fixture
def turned(bridge):
    """Planes across y are shown: rows are z, columns are x."""
    layer = bridge.viewer.add_image(volume(), name="body", scale=(4, 1, 1))
    bridge.paint_on([layer], "zyx")
    bridge.viewer.dims.order = (1, 0, 2)
    bridge.viewer.dims.set_current_step(1, 17)
    return bridge


def strokes(bridge):
    return bridge.board.layer("strokes")


def paint_both(bridge):
    layer = strokes(bridge)
    layer.brush_size = 3
    for z in (1, 4):
        layer.paint((z, 17, 10), 1)
        layer.paint((z, 17, 50), 2)


def test_what_is_painted_on_planes_across_y_are_voxels_there(turned):
    assert turned.gaze.plane() == {"y": 17}
    paint_both(turned)
    session = turned.session
    painted = session.strokes("1", plane={"y": 17})
    assert painted[1, 10] == 1
    assert painted[4, 50] == 2
    assert session.painted_pixels("1") == np.count_nonzero(painted)
    np.testing.assert_array_equal(np.asarray(strokes(turned).data)[:, 17], painted)


def test_a_stroke_across_y_is_undone_in_one_step_and_the_view_stays(turned):
    paint_both(turned)
    strokes(turned).undo()
    painted = turned.session.strokes("1", plane={"y": 17})
    assert painted[4, 10] == 1
    assert painted[4, 50] == 0
    assert turned.gaze.plane() == {"y": 17}


def test_undo_elsewhere_goes_to_a_plane_across_the_same_axis(turned):
    paint_both(turned)
    turned.viewer.dims.set_current_step(1, 30)
    strokes(turned).undo()
    assert turned.gaze.plane() == {"y": 17}


def test_the_plane_that_is_shown_is_predicted_whatever_it_lies_across(turned):
    paint_both(turned)
    for order, plane in (((1, 0, 2), {"y": 17}), ((2, 0, 1), {"x": 50})):
        turned.viewer.dims.order = order
        turned.viewer.dims.set_current_step(2, 50)
        turned.gaze.look()
        settle(turned)
        assert turned.gaze.plane() == plane
        assert turned.gaze.standing(whole=True).state == "current"
        segmented = turned.board.layer("segmentation").data
        seen = segmented[:, 17] if "y" in plane else segmented[:, :, 50]
        np.testing.assert_array_equal(seen, turned.session.result("1", plane=plane).values)
        assert seen.all()


def test_a_place_on_a_plane_across_y_is_framed_there(turned):
    turned.gaze.go_to(Box(1, 10, 4, 30))
    [corners] = turned.board.layer("frame").data
    np.testing.assert_array_equal(corners[:, 1], 17)
    np.testing.assert_array_equal(corners.min(axis=0), [0.5, 17, 9.5])
    turned.viewer.dims.order = (0, 1, 2)
    turned.gaze.show_place(Box(1, 10, 4, 30), {"x": 20})
    assert turned.gaze.plane() == {"x": 20}
    np.testing.assert_array_equal(turned.board.layer("frame").data[0][:, 2], 20)


def test_in_space_all_planes_of_the_volume_are_predicted(turned):
    paint_both(turned)
    turned.viewer.dims.ndisplay = 3
    turned.gaze.look()
    settle(turned)
    shown = np.asarray(turned.board.layer("segmentation").data)
    np.testing.assert_array_equal(shown, turned.session.segment("1"))
    assert turned.board.layer("segmentation")._slice.image.raw.all()
    turned.viewer.dims.ndisplay = 2
    turned.gaze.look()
    assert len(turned.session.core.views) == 1
