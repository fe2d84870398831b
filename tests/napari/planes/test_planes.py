"""Beside the plane in the viewer, the two others through the same voxel, with live results."""

import numpy as np
import pytest

from napari_scene import until
from stroma.napari.planes.dock import NO_VOLUME, show_planes

DEPTH, HEIGHT, WIDTH = 8, 40, 60
BLUE, ORANGE = (0x00, 0x72, 0xB2), (0xE6, 0x9F, 0x00)


def volume():
    """A dark and a bright half."""
    body = np.random.default_rng(0).normal(50, 5, (DEPTH, HEIGHT, WIDTH))
    body[..., WIDTH // 2 :] += 100
    return body.astype(np.uint8)


@pytest.fixture
def planes(viewer, open_widget):
    """The dock, of a volume whose planes are four times as far apart, at a voxel."""
    widget = open_widget()
    viewer.add_image(volume(), name="body", scale=(4, 1, 1), contrast_limits=(0, 255))
    studio = widget.panel.studio
    until(lambda: studio.bridge.board is not None)
    viewer.dims.current_step = (3, 17, 20)
    made = show_planes(viewer, studio)
    yield made
    made.leave()


def paint_both(planes):
    layer = planes.board.layer("strokes")
    for z in (1, 5):
        for label, x in ((1, 10), (2, 50)):
            layer.selected_label = label
            layer.paint((z, 17, x), label)


def tinted(pane, colour, *pixel):
    """Tell whether a pixel of a pane has the tint of a class."""
    found = pane.sheet.picture[pixel].astype(int)
    return (found[2] > found[0] + 20) if colour == BLUE else (found[0] > found[2] + 20)


def test_the_others_are_shown_in_proportion_through_the_voxel(planes):
    until(lambda: all(pane.sheet is not None for pane in planes.panes))
    xz, yz = planes.panes
    body = volume()
    assert planes.planes() == [{"y": 17}, {"x": 20}]
    np.testing.assert_array_equal(xz.sheet.picture[..., 0], body[:, 17])
    np.testing.assert_array_equal(yz.sheet.picture[..., 0], body[:, :, 20])
    assert (xz.cross, yz.cross) == ((3, 20), (3, 17))
    assert xz.sheet.stretch == 4
    first, last = xz.place(0, 0), xz.place(DEPTH, WIDTH)
    assert (last.y() - first.y()) / (last.x() - first.x()) == pytest.approx(4 * DEPTH / WIDTH)


def test_the_voxel_is_moved_in_a_pane_or_with_control_and_planes_are_brought_to_the_viewer(
    planes, viewer
):
    from napari.utils._test_utils import read_only_mouse_event

    until(lambda: all(pane.sheet is not None for pane in planes.panes))
    planes.panes[0].pointed.emit(6, 33)
    assert viewer.dims.current_step == (6, 17, 33)
    assert planes.planes() == [{"y": 17}, {"x": 33}]
    assert planes.panes[1].cross == (6, 17)
    until(lambda: np.array_equal(planes.panes[1].sheet.picture[..., 0], volume()[:, :, 33]))

    event = read_only_mouse_event("mouse_press", position=(24, 30, 44), modifiers=["Control"])
    planes._on_press(viewer, event)
    assert event.handled
    assert viewer.dims.current_step == (6, 30, 44)
    assert planes.studio.session.painted_pixels(planes.board.image) == 0

    assert planes.buttons[0].text() == "Paint on xz, y = 31"
    planes.buttons[0].click()
    assert planes.studio.bridge.gaze.plane() == {"y": 30}
    assert planes.planes() == [{"z": 6}, {"x": 44}]
    until(lambda: planes.panes[0].sheet.shape == (HEIGHT, WIDTH))


def test_strokes_and_live_results_are_seen_in_all_three(planes):
    paint_both(planes)
    xz, yz = planes.panes
    until(lambda: xz.sheet is not None and tinted(xz, BLUE, 6, 5) and tinted(xz, ORANGE, 6, 55))
    until(lambda: tinted(yz, BLUE, 6, 30))
    session, image = planes.studio.session, planes.board.image
    seen = {"z": 3}, {"y": 17}, {"x": 20}  # beside planes that were painted on
    until(lambda: all(plane in session.known_planes(image) for plane in seen))


def test_lines_in_the_viewer_go_through_the_voxel_while_the_planes_are_followed(planes, viewer):
    def lines():
        return [layer for layer in viewer.layers if layer.name == "planes meet"]

    views = planes.studio.session.core.views
    until(lambda: {"planes 0", "planes 1"} <= set(views))
    np.testing.assert_array_equal(lines()[0].data[:, 0], [[0, 17, 20], [3, 0, 20], [3, 17, 0]])
    viewer.dims.current_step = (5, 2, 40)
    np.testing.assert_array_equal(lines()[0].data[:, 0], [[0, 2, 40], [5, 0, 40], [5, 2, 0]])
    assert viewer.layers.selection.active is planes.board.layer("strokes")
    viewer.layers.remove(lines()[0])
    viewer.dims.current_step = (1, 1, 1)
    assert not lines()  # who takes them away has them no longer

    planes.leave()  # as when the dock is closed
    assert not {"planes 0", "planes 1"} & set(views)
    planes.follow()
    assert lines()
    until(lambda: {"planes 0", "planes 1"} <= set(views))

    flat = viewer.add_image(volume()[0], name="flat")
    planes.studio.bridge.paint_on([flat], "yx")
    assert planes.note.text() == NO_VOLUME
    assert all(pane.isHidden() for pane in planes.panes)
    assert not lines()
    until(lambda: "planes 0" not in views)
