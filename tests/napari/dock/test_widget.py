import numpy as np

from napari_scene import two_halves, until
from stroma.errors import ShapeError
from stroma.napari.studio.standing import CURRENT
from stroma.pixel.model import ConvpaintModel


def paint(widget, pixels):
    layer = widget.panel.studio.bridge.board.layer("strokes")
    for (y, x), label in pixels.items():
        layer.selected_label = label
        layer.paint((*(0,) * (layer.ndim - 2), y, x), label)
    return layer


HALVES = {(10, 20): 1, (40, 20): 1, (10, 80): 2, (40, 80): 2}


def segmented(widget):
    layer = widget.panel.studio.bridge.board.layer("segmentation")
    return layer is not None and bool(layer._slice.image.raw.all())


def test_from_an_empty_viewer_to_a_project_and_back(viewer, open_widget, tmp_path):
    widget = open_widget()
    studio = widget.panel.studio
    until(lambda: "Open an image" in widget.status.text())
    viewer.add_image(two_halves(), name="first")
    until(lambda: studio.bridge.image is not None)
    paint(widget, HALVES)
    until(lambda: segmented(widget))
    shown = studio.bridge.board.layer("segmentation")
    assert (shown._slice.image.raw[:, 60:] == 2).all()

    viewer.add_image(two_halves()[:, ::-1], name="second")
    widget.panel.home.image.activated.emit(widget.panel.home.image.findText("second"))
    assert studio.session.image(studio.bridge.image).name == "second"
    until(lambda: segmented(widget))
    assert studio.bridge.board.layer("segmentation")._slice.image.raw[0, 0] == 2

    widget.panel.files.save_as(tmp_path / "mine")
    until(lambda: studio.session.path is not None and not studio.working)
    viewer.layers.clear()
    first = studio.session
    folder = first.path
    studio.begin()
    until(lambda: studio.session is not first and not studio.working)
    assert not studio.session.images
    widget.panel.files.open(folder)
    until(lambda: studio.session.path == folder and studio.bridge.image == "2")
    np.testing.assert_array_equal(np.unique(studio.session.strokes("1")), [0, 1, 2])
    assert [one.name for one in studio.session.images] == ["first", "second"]
    until(lambda: segmented(widget))


def test_the_mouse_paints(viewer, open_widget):
    from napari.utils._test_utils import read_only_mouse_event
    from napari.utils.interactions import (
        mouse_move_callbacks,
        mouse_press_callbacks,
        mouse_release_callbacks,
    )

    widget = open_widget()
    studio = widget.panel.studio
    viewer.add_image(two_halves())
    until(lambda: studio.bridge.image is not None)
    layer = studio.bridge.board.layer("strokes")
    until(lambda: layer.mode == "paint")
    layer.selected_label = 1
    for call, kind, at in (
        (mouse_press_callbacks, "mouse_press", (20, 20)),
        (mouse_move_callbacks, "mouse_move", (20, 40)),
        (mouse_release_callbacks, "mouse_release", (20, 40)),
    ):
        call(layer, read_only_mouse_event(type=kind, is_dragging=True, position=at))
    assert (studio.session.strokes("1")[20, 20:41] == 1).all()
    assert studio.session.undoable.number == 1


def test_what_is_said_when_strokes_are_missing(viewer, open_widget):
    widget = open_widget()
    viewer.add_image(two_halves())
    until(lambda: widget.panel.studio.bridge.image is not None)
    paint(widget, {(10, 20): 1})
    until(lambda: "another class" in widget.status.text())


def test_the_line_of_status_says_how_what_is_in_view_stands(viewer, open_widget):
    widget = open_widget()
    studio = widget.panel.studio
    status = widget.status
    viewer.add_image(np.stack([two_halves()] * 2))
    until(lambda: studio.bridge.image is not None)
    until(lambda: status.text().startswith("No result here. Paint"))
    paint(widget, HALVES)
    until(lambda: status.text() == CURRENT)
    session = studio.session
    session.set_mode("paused")
    viewer.dims.set_point(0, 1 - studio.bridge.gaze.plane()["z"])
    until(lambda: status.text() == "No result here. Not computed: updating is paused.")
    viewer.dims.set_point(0, 1 - studio.bridge.gaze.plane()["z"])
    until(lambda: status.text() == CURRENT)
    while session.undoable:
        session.undo()
    until(lambda: status.text().startswith("This is older than your strokes"))
    assert "Paint" in status.text()


def test_the_line_of_status_says_why_nothing_could_be_computed(viewer, open_widget, monkeypatch):
    widget = open_widget()
    studio = widget.panel.studio
    viewer.add_image(two_halves())
    until(lambda: studio.bridge.image is not None)

    def refuse(*_, **__):
        raise ShapeError("It has 3 channels. Pass in_channels.")

    monkeypatch.setattr(ConvpaintModel, "train", refuse)
    paint(widget, HALVES)
    until(lambda: widget.status.text() == "It could not be computed. It has 3 channels.")


def test_tabs_show_what_the_session_knows(viewer, open_widget):
    widget = open_widget()
    panel, studio = widget.panel, widget.panel.studio
    viewer.add_image(two_halves())
    until(lambda: studio.bridge.image is not None)
    paint(widget, HALVES)
    until(lambda: segmented(widget) and not studio.session.status.busy)
    panel.classes.measuring.measure()
    until(lambda: panel.classes.measuring.areas.rowCount() == 2)
    assert panel.classes.measuring.areas.item(1, 1).text() == "50.0%"
    paint(widget, {(60, 20): 1, (60, 80): 2})
    panel.model.checks.validate()
    until(lambda: "100% was recognised" in panel.model.checks.accuracy.text())
    panel.model.checks.rank()
    assert panel.model.checks.important.rowCount() > 0
    panel.advanced.clusters.setValue(2)
    panel.advanced.show_clusters()
    until(lambda: any("groups" in layer.name for layer in viewer.layers))
    panel.advanced.becomes.setValue(2)
    before = studio.session.painted_pixels(studio.bridge.image)
    panel.advanced.take_group()
    assert studio.session.painted_pixels(studio.bridge.image) > before
    studio.session.undo()
    assert studio.session.painted_pixels(studio.bridge.image) == before
    panel.home.shown["uncertainty"].setChecked(True)
    assert studio.bridge.is_shown("uncertainty")


def test_a_wrong_value_is_said_and_changes_nothing(viewer, open_widget):
    from napari.utils.notifications import notification_manager

    widget = open_widget()
    panel, studio = widget.panel, widget.panel.studio
    panel.advanced.channels.setText("red")
    panel.advanced.channels.editingFinished.emit()
    assert "Channels are numbers" in notification_manager.records[-1].message
    assert studio.session.settings.channels is None


def test_class_names_go_to_a_file_and_come_back(viewer, open_widget, tmp_path):
    widget = open_widget()
    classes, session = widget.panel.classes, widget.panel.studio.session
    session.change_class(2, name="nuclei, round")
    classes.export_names(tmp_path / "names.csv")
    session.change_class(2, name="x")
    (tmp_path / "names.csv").write_text((tmp_path / "names.csv").read_text() + "4,mitosis\n")
    classes.import_names(tmp_path / "names.csv")
    named = {c.label: c.name for c in session.classes}
    assert named == {1: "background", 2: "nuclei, round", 4: "mitosis"}


def test_keys_that_are_pressed_on_the_canvas_do_what_they_say(viewer, open_widget):
    from qtpy.QtCore import Qt
    from qtpy.QtTest import QTest

    def press(key, modifier=Qt.KeyboardModifier.ShiftModifier):
        QTest.keyClick(viewer.window._qt_viewer.canvas.native, key, modifier)

    bridge = open_widget().panel.studio.bridge
    viewer.add_image(two_halves())
    until(lambda: bridge.board is not None and bridge.board.layer("strokes") is not None)
    layer = bridge.board.layer("strokes")
    until(lambda: layer.mode == "paint")
    press(Qt.Key.Key_W)
    until(lambda: layer.selected_label == 2)
    press(Qt.Key.Key_Q)
    until(lambda: layer.selected_label == 1)
    press(Qt.Key.Key_M, Qt.KeyboardModifier.NoModifier)
    until(lambda: layer.selected_label == 3)
    assert layer.mode == "paint"
    press(Qt.Key.Key_A)
    until(lambda: not layer.visible)
    until(lambda: bridge.is_shown("segmentation"))
    press(Qt.Key.Key_F)
    until(lambda: not bridge.is_shown("segmentation"))
