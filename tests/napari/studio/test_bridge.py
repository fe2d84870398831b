import numpy as np
import pytest

from napari_scene import settle, two_halves
from stroma.blocks.box import Box
from stroma.errors import StromaError
from stroma.napari.studio.bridge import Bridge


def strokes(bridge):
    return bridge.board.layer("strokes")


def segmentation(bridge):
    return np.asarray(bridge.board.layer("segmentation").data)


def paint_two_classes(bridge):
    layer = strokes(bridge)
    at = (0,) * (layer.ndim - 2)
    for y in (10, 40):
        layer.paint((*at, y, 20), 1)
        layer.paint((*at, y, 80), 2)


@pytest.fixture
def painted(bridge):
    bridge.paint_on([bridge.viewer.add_image(two_halves(), name="halves")], "yx")
    paint_two_classes(bridge)
    return bridge


def test_what_is_painted_in_napari_is_in_the_session(painted):
    shown = np.asarray(strokes(painted).data)
    np.testing.assert_array_equal(painted.session.strokes("1"), shown)
    assert set(np.unique(shown)) == {0, 1, 2}


def test_two_classes_are_enough_to_see_a_segmentation(painted):
    settle(painted)
    labels = segmentation(painted)
    assert (labels[:, :40] == 1).all()
    assert (labels[:, 56:] == 2).all()


def test_a_drag_is_one_step_of_undo_and_undo_in_napari_is_undo_in_the_session(bridge):
    bridge.paint_on([bridge.viewer.add_image(two_halves())], "yx")
    layer = strokes(bridge)
    with layer.block_history():
        for x in range(10, 60, 3):
            layer.paint((20, x), 1, refresh=False)
    layer.paint((50, 50), 2)
    layer.undo()
    assert set(np.unique(bridge.session.strokes("1"))) == {0, 1}
    layer.undo()
    assert not bridge.session.strokes("1").any()
    layer.redo()
    bridge.pump()
    assert layer._slice.image.raw[20, 30] == 1


def test_strokes_of_others_show_in_napari(painted):
    painted.session.paint("1", [(30.5, 60.5)], label=2, radius=3)
    painted.pump()
    assert strokes(painted)._slice.image.raw[30, 60] == 2


def test_erasing_filling_and_polygons_reach_the_session(painted):
    layer = strokes(painted)
    layer.paint((10, 20), 0)
    assert painted.session.strokes("1")[10, 20] == 0
    layer.fill((0, 0), 1)
    assert painted.session.strokes("1")[0, 0] == 1
    layer.paint_polygon([[30, 30], [30, 60], [60, 60]], 2)
    assert painted.session.strokes("1")[35, 50] == 2


def test_a_label_without_a_class_gets_one_and_both_are_one_step_of_undo(painted):
    before = painted.session.strokes("1")
    strokes(painted).paint((30, 30), 7)
    painted.pump()
    assert [c.name for c in painted.session.classes] == ["background", "foreground", "class 7"]
    assert painted.session.strokes("1")[30, 30] == 7
    assert list(strokes(painted).features["Class"])[-1] == "class 7"
    np.testing.assert_allclose(strokes(painted).get_color(7)[:3], np.array([240, 228, 66]) / 255)
    painted.session.undo()
    assert [c.label for c in painted.session.classes] == [1, 2]
    np.testing.assert_array_equal(painted.session.strokes("1"), before)
    painted.session.redo()
    assert painted.session.strokes("1")[30, 30] == 7


def test_napari_s_key_for_a_new_label_takes_the_first_that_has_no_class(painted):
    from napari.utils.key_bindings import KeymapHandler

    keys, layer = KeymapHandler(), strokes(painted)
    keys.keymap_providers = [layer]
    keys.press_key("M")
    assert (layer.selected_label, layer.mode) == (3, "paint")
    layer.paint((30, 30), layer.selected_label)
    keys.press_key("M")
    assert layer.selected_label == 4
    assert [c.label for c in painted.session.classes] == [1, 2, 3]


def test_strokes_of_new_labels_through_planes_are_one_step_of_undo(bridge):
    bridge.paint_on([bridge.viewer.add_image(np.stack([two_halves()] * 3))], "zyx")
    layer = strokes(bridge)
    layer.n_edit_dimensions = 3
    layer.paint((1, 30, 30), 3)
    layer.undo()
    assert [c.label for c in bridge.session.classes] == [1, 2]
    assert not len(bridge.session.points("1").label)


def test_painting_through_planes_paints_each(bridge):
    stack = np.stack([two_halves()] * 5)
    bridge.paint_on([bridge.viewer.add_image(stack)], "zyx")
    layer = strokes(bridge)
    layer.n_edit_dimensions = 3
    layer.brush_size = 3
    layer.paint((2, 30, 30), 1)
    per_plane = [bridge.session.strokes("1", plane={"z": z}).any() for z in range(5)]
    assert per_plane == [False, True, True, True, False]
    layer.undo()
    assert not len(bridge.session.points("1").label)


def test_the_plane_in_view_is_what_the_session_predicts(bridge):
    stack = np.stack([two_halves()] * 3)
    bridge.paint_on([bridge.viewer.add_image(stack)], "zyx")
    paint_two_classes(bridge)
    bridge.viewer.dims.set_point(0, 2)
    bridge.gaze.look()
    assert bridge.gaze.plane() == {"z": 2}
    settle(bridge)
    assert segmentation(bridge)[2].all()
    assert not segmentation(bridge)[1].any()


def test_planes_may_change_while_a_round_runs(bridge):
    stack = np.stack([two_halves()] * 4)
    bridge.paint_on([bridge.viewer.add_image(stack)], "zyx")
    paint_two_classes(bridge)
    for z in (1, 3, 2):
        bridge.viewer.dims.set_point(0, z)
        bridge.gaze.look()
        bridge.pump()
    settle(bridge)
    assert segmentation(bridge)[2].all()


@pytest.mark.parametrize(
    ("axes", "shape", "expected"),
    [
        ("cyx", (2, 64, 96), (64, 96)),
        ("tcyx", (3, 2, 64, 96), (3, 2, 64, 96)),
        ("zcyx", (3, 2, 64, 96), (3, 2, 64, 96)),
    ],
)
def test_channels_are_not_painted_apart(bridge, axes, shape, expected):
    image = np.broadcast_to(two_halves(), shape)
    bridge.paint_on([bridge.viewer.add_image(image)], axes)
    assert strokes(bridge).data.shape == expected
    paint_two_classes(bridge)
    labels = bridge.session.strokes("1")
    at = (0,) * (len(expected) - 2)
    np.testing.assert_array_equal(labels, np.asarray(strokes(bridge).data)[at])


def test_layers_lie_over_their_image_and_follow_it(bridge):
    image = bridge.viewer.add_image(
        np.zeros((3, 20, 30)), scale=(4, 2, 2), translate=(0, 5, 6), rotate=(0, 0, 20)
    )
    bridge.paint_on([image], "zyx")
    corner = (1, 3, 4)
    for role in ("strokes", "segmentation"):
        layer = bridge.board.layer(role)
        np.testing.assert_allclose(layer.data_to_world(corner), image.data_to_world(corner))
    image.scale = (4, 3, 3)
    np.testing.assert_allclose(strokes(bridge).data_to_world(corner), image.data_to_world(corner))


def test_classes_keep_layers_in_their_colours(painted):
    painted.session.change_class(2, name="cells", color="#ff0000")
    painted.pump()
    layer = strokes(painted)
    np.testing.assert_allclose(layer.get_color(2)[:3], (1, 0, 0))
    assert list(layer.features["Class"]) == ["No label", "background", "cells"]


def test_a_class_above_255_is_painted_and_shown(painted):
    while len(painted.session.classes) < 256:
        painted.session.add_class()
    painted.pump()
    strokes(painted).paint((5, 5), 256)
    assert painted.session.strokes("1")[5, 5] == 256
    assert strokes(painted)._slice.image.raw[5, 5] == 256


def test_probabilities_and_uncertainty_are_layers(painted):
    settle(painted)
    painted.show("uncertainty")
    painted.show("probability", label=2)
    layer = painted.board.layer("probability")
    assert np.asarray(layer.data)[:, 60:].min() > 0.9
    painted.show("probability", label=1)
    assert painted.board.layer("probability") is layer
    assert np.asarray(layer.data)[:, 60:].max() < 0.1
    painted.hide("uncertainty")
    assert not painted.is_shown("uncertainty")


def test_layers_may_be_renamed_and_removed_under_our_feet(painted):
    layers = painted.viewer.layers
    layers["segmentation"].name = "mine"
    layers.remove("mine")
    painted.session.paint("1", [(30.5, 60.5)], label=2)
    settle(painted)
    layers.remove(strokes(painted))
    layers.remove("halves")
    painted.session.undo()
    settle(painted)
    assert len(layers) == 0
    painted.show("strokes")
    painted.show("segmentation")
    assert segmentation(painted).all()


def test_switching_images_keeps_the_strokes_of_both(painted):
    other = painted.viewer.add_image(two_halves()[::-1], name="other")
    painted.paint_on([other], "yx")
    assert not np.asarray(strokes(painted).data).any()
    strokes(painted).paint((5, 5), 2)
    painted.show_image("1")
    assert set(np.unique(strokes(painted).data)) == {0, 1, 2}
    assert [layer.visible for layer in (painted.layers("1")[0], other)] == [True, False]
    painted.show_image("2")
    assert np.asarray(strokes(painted).data)[5, 5] == 2


def test_a_layer_that_is_still_to_come_can_be_hidden_and_comes_on_the_next_image(
    model_viewer, session
):
    waiting = []
    made = Bridge(model_viewer, session, later=waiting.append)
    for name in ("one", "two"):
        made.paint_on([model_viewer.add_image(two_halves(), name=name)], "yx")
        assert made.is_coming("segmentation")
        assert not made.is_shown("segmentation")
    for action in waiting:
        action()
    assert made.board.layer("segmentation").visible
    del waiting[:]
    made.paint_on([model_viewer.add_image(two_halves(), name="three")], "yx")
    made.hide("segmentation")
    assert not made.is_coming("segmentation")
    for action in waiting:
        action()
    assert not made.is_shown("segmentation")
    made.close()


def test_closing_an_image_takes_its_layers_down(painted):
    painted.session.close_image("1")
    painted.pump()
    assert painted.image is None
    assert [layer.name for layer in painted.viewer.layers] == ["halves"]


def test_images_of_the_session_become_layers(bridge, tmp_path):
    np.save(tmp_path / "plane.npy", two_halves())
    key = bridge.session.add_image(tmp_path / "plane.npy")
    bridge.show_image(key)
    [image] = bridge.layers(key)
    np.testing.assert_array_equal(np.asarray(image.data), two_halves())
    assert strokes(bridge).mode == "paint"


def test_a_large_plane_is_painted_through_a_window_without_holding_it(bridge):
    size = 16384
    levels = [np.broadcast_to(np.uint8(0), (size >> i, size >> i)) for i in range(5)]
    bridge.paint_on([bridge.viewer.add_image(levels, multiscale=True)], "yx")
    layer = strokes(bridge)
    assert max(layer.data.shape) <= 2048
    factor = size // layer.data.shape[0]
    layer.paint((100, 50), 1)
    cell = Box(100, 50, 101, 51).scaled(factor)
    assert bridge.session.strokes("1", cell).all()

    bridge.board.look_through(Box(8000, 9000, 8600, 9900))
    assert bridge.board.window.step == 1
    box = bridge.board.window.box
    np.testing.assert_allclose(layer.data_to_world((0, 0)), (box.top, box.left))
    layer.paint((8100 - box.top, 9100 - box.left), 2)
    assert bridge.session.strokes("1", Box(8100, 9100, 8101, 9101)) == 2


def empty(viewer, shape, scale=1.0):
    """Return how much of the canvas lies beyond the image, of that along rows and columns.

    Where the canvas is larger than the image, what would be beyond it all the same is left out.
    """
    found = []
    for size, canvas, at in zip(
        shape, viewer.canvas.size, viewer.scene.camera.center[-2:], strict=True
    ):
        room = canvas / viewer.scene.camera.zoom / scale
        low = at / scale + 0.5 - room / 2
        seen = min(low + room, size) - max(low, 0)
        found.append((min(room, size) - seen) / room)
    return tuple(found)


@pytest.mark.parametrize("scale", [1.0, 0.25])
@pytest.mark.parametrize("shape", [(200, 2000), (2000, 200)])
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_no_empty_ground_is_shown_of_an_image_that_is_longer_than_the_canvas(
    bridge, shape, scale, order
):
    image = bridge.viewer.add_image(np.zeros(shape, np.float32), scale=(scale, scale))
    bridge.viewer.dims.order = order
    bridge.viewer.canvas.size = (600, 600)
    bridge.viewer.reset_view()
    bridge.paint_on([image], "yx")
    bridge.gaze.go_to(Box(0, 0, 10, 10))
    across = tuple(shape[axis] for axis in order)
    assert 600 / bridge.viewer.scene.camera.zoom / scale < 200
    assert empty(bridge.viewer, across, scale) == pytest.approx((0, 0), abs=1e-6)


def test_a_place_that_is_gone_to_is_framed_until_something_is_painted(painted):
    painted.gaze.go_to(Box(10, 20, 12, 24))  # near a corner: no empty ground is shown beyond it
    assert empty(painted.viewer, painted.session.image("1").shape) == pytest.approx((0, 0))
    frame = painted.board.layer("frame")
    np.testing.assert_allclose(frame.data[0].min(axis=0), (9.5, 19.5))
    assert painted.viewer.layers.selection.active is strokes(painted)
    strokes(painted).paint((15, 30), 1)
    painted.pump()
    assert frame not in painted.viewer.layers


def test_a_place_on_another_image_is_led_to(painted):
    other = painted.session.add_image(np.zeros((3, 50, 60), np.float32), name="stack")
    painted.lead_to(other, {"z": 2}, Box(10, 20, 12, 24))
    assert painted.image == other
    assert painted.gaze.plane() == {"z": 2}
    np.testing.assert_allclose(painted.board.layer("frame").data[0].min(axis=0)[-2:], (9.5, 19.5))


def test_layers_are_used_again_for_another_image_of_the_kind_and_lie_over_it(painted):
    before = strokes(painted)
    other = painted.viewer.add_image(two_halves(100, 50), name="other", scale=(2, 2))
    painted.paint_on([other], "yx")
    assert strokes(painted) is before
    assert before.data.shape == (100, 50)
    assert before.scale.tolist() == [2, 2]
    order = [layer.name for layer in painted.viewer.layers]
    assert order == ["halves", "other", "segmentation", "annotations"]
    stack = painted.viewer.add_image(np.stack([two_halves()] * 2), name="stack")
    painted.paint_on([stack], "zyx")
    assert strokes(painted) is not before
    assert before not in painted.viewer.layers


def test_labels_given_as_the_data_of_annotations_are_strokes_and_one_step_of_undo(painted):
    labels = np.zeros((64, 96), int)
    labels[5:60, 5:30], labels[5:60, 60:90] = 1, 2
    before = painted.session.strokes("1")
    painted.viewer.layers["annotations"].data = labels
    np.testing.assert_array_equal(painted.session.strokes("1"), labels)
    settle(painted)
    assert (segmentation(painted)[:, 56:] == 2).all()
    strokes(painted).paint((50, 50), 1)
    assert painted.session.strokes("1")[50, 50] == 1
    strokes(painted).undo()
    strokes(painted).undo()
    np.testing.assert_array_equal(painted.session.strokes("1"), before)


def test_labels_for_all_planes_are_strokes_through_a_window_too(bridge):
    image = bridge.viewer.add_image(np.zeros((2, 2100, 2100), np.uint8))
    bridge.paint_on([image], "zyx")
    assert strokes(bridge).data.shape != image.data.shape
    labels = np.zeros(image.data.shape, np.uint8)
    labels[1, 2050, 7] = 2
    strokes(bridge).data = labels
    assert bridge.session.strokes("1", Box(2050, 7, 2051, 8), plane={"z": 1}) == 2
    assert len(bridge.session.points("1").label) == 1


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (np.zeros((96, 64), int), r"the shape \(64, 96\), got labels of \(96, 64\)"),
        (np.full((64, 96), 0.5), "whole numbers"),
        (np.full((64, 96), -1), "-1"),
    ],
)
def test_labels_that_do_not_fit_are_refused_and_the_layer_stays(painted, values, said):
    before = painted.session.strokes("1")
    with pytest.raises(StromaError, match=said):
        strokes(painted).data = values
    np.testing.assert_array_equal(painted.session.strokes("1"), before)
    np.testing.assert_array_equal(np.asarray(strokes(painted).data), before)


@pytest.mark.parametrize("role", ["segmentation", "uncertainty", "probability"])
def test_layers_of_results_take_no_other_values_and_say_what_to_do(painted, role):
    painted.show(role)
    layer = painted.board.layer(role)
    with pytest.raises(StromaError, match="add_labels"):
        layer.data = np.zeros((64, 96), int)
    settle(painted)
    assert np.asarray(layer.data).any()


def test_the_segmentation_behaves_as_an_array(painted):
    settle(painted)
    data = painted.viewer.layers["segmentation"].data
    labels = np.asarray(data)
    np.testing.assert_array_equal(data == 2, labels == 2)
    assert (data == 2).sum() == np.count_nonzero(labels == 2) > 0
    assert data.astype(int).sum() == labels.sum()


def test_undo_shows_the_image_and_the_plane_of_what_it_unmakes(bridge, tmp_path):
    for name in ("one", "two"):
        np.save(tmp_path / f"{name}.npy", np.stack([two_halves()] * 5))
    first, second = (bridge.session.add_image(tmp_path / f"{n}.npy") for n in ("one", "two"))
    bridge.show_image(first)
    bridge.viewer.dims.set_point(0, 4)
    strokes(bridge).paint((4, 10, 20), 1)
    bridge.viewer.dims.set_point(0, 1)
    strokes(bridge).undo()
    assert bridge.gaze.plane() == {"z": 4}
    bridge.show_image(second)
    strokes(bridge).redo()
    assert (bridge.image, bridge.gaze.plane()) == (first, {"z": 4})


def test_an_image_is_shown_as_a_whole_first_and_then_as_it_was_looked_at(bridge, tmp_path):
    np.save(tmp_path / "small.npy", np.stack([two_halves()] * 5))
    np.save(tmp_path / "large.npy", np.zeros((9, 1000, 800), np.uint8))
    small, large = (bridge.session.add_image(tmp_path / f"{n}.npy") for n in ("small", "large"))
    camera = bridge.viewer.scene.camera
    bridge.show_image(small)
    assert bridge.gaze.plane() == {"z": 2}
    np.testing.assert_allclose(camera.center[-2:], (31.5, 47.5))
    camera.zoom, camera.center = 7, (0, 10, 20)
    bridge.viewer.dims.set_point(0, 1)
    bridge.show_image(large)
    assert bridge.gaze.plane() == {"z": 4}
    np.testing.assert_allclose(camera.center[-2:], (499.5, 399.5))
    assert camera.zoom < 1
    bridge.show_image(small)
    assert bridge.gaze.plane() == {"z": 1}
    assert (camera.zoom, camera.center[-2:]) == (7, (10, 20))


@pytest.mark.parametrize("mode", ["erase", "pan_zoom"])
def test_choosing_another_label_paints_with_it(painted, mode):
    layer = strokes(painted)
    layer.mode = mode
    layer.selected_label = 2
    assert layer.mode == "paint"


def test_new_colours_of_classes_leave_the_eraser_alone(painted):
    layer = strokes(painted)
    layer.selected_label = 2
    layer.mode = "erase"
    painted.session.change_class(2, color="#ff0000")
    painted.pump()
    assert (layer.mode, layer.selected_label) == ("erase", 2)
