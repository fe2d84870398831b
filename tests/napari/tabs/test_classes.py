import csv

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QLineEdit, QPushButton

from napari_scene import two_halves, until
from stroma.data.classes import Class
from stroma.napari.layers.new_button import layer_of
from stroma.napari.tabs import parts


@pytest.fixture
def classes(viewer, open_widget):
    """The tab, over two halves that were painted and segmented."""
    widget = open_widget()
    studio = widget.panel.studio
    image = np.stack([two_halves()[:, 8:]] * 2)
    viewer.add_image(image, name="halves", scale=(2, 0.5, 0.5), units=("µm",) * 3)
    until(lambda: studio.bridge.image is not None)
    session = studio.session
    for x, label in ((12, 1), (72, 2)):
        for y in (10, 40):
            session.paint("1", [(y, x), (y + 4, x)], label=label, radius=2 * label)
    until(lambda: session.result("1").values.all() and not session.status.busy)
    widget.tabs.setCurrentIndex(widget.tabs.indexOf(widget.panel.classes.widget))
    return widget.panel.classes


def texts(table):
    return [
        [table.item(i, j).text() for j in range(table.columnCount())]
        for i in range(table.rowCount())
    ]


def measured(classes):
    classes.measuring.smallest.setValue(100)
    classes.measuring.measure()
    until(lambda: classes.measuring.components.rowCount() == 2)
    return classes.measuring


def column(model, number):
    return [model.data(model.index(i, number)) for i in range(model.rowCount())]


def test_the_table_shows_pixels_and_strokes_of_each_class_with_bars(classes):
    session = classes._studio.session
    labels = session.strokes("1")
    counts = [int((labels == label).sum()) for label in (1, 2)]
    until(lambda: texts(classes.table)[1][3] == "2")
    expected = [["background", "1", str(counts[0]), "2"], ["foreground", "2", str(counts[1]), "2"]]
    assert texts(classes.table) == expected
    bars = [classes.table.item(i, 2).data(parts.SHARE) for i in range(2)]
    assert bars == pytest.approx([counts[0] / counts[1], 1])
    assert classes.total.text() == f"{sum(counts)} pixels in 4 strokes."


def test_the_counts_follow_what_is_painted(classes, viewer):
    viewer.window._qt_window.show()
    session = classes._studio.session
    session.clear("1", label=2)
    until(lambda: texts(classes.table)[1][2:] == ["0", "0"])
    session.undo()
    until(lambda: texts(classes.table)[1][3] == "2")
    viewer.window._qt_window.hide()


def test_parts_of_the_plane_are_listed_with_their_size_and_place(classes):
    shown = measured(classes)
    model = shown.components
    values = classes._studio.session.result("1").values
    first, second = model.component(0), model.component(1)
    assert first.area > second.area >= 100
    inside = values[first.top : first.bottom, first.left : first.right]
    assert 0 <= (inside == first.label).sum() - first.area < 100
    assert column(model, 1)[0] == f"{first.area:,}"
    assert column(model, 2)[0] == f"{first.area / 4:.4g}"
    assert set(column(model, 0)) == {"background", "foreground"}
    assert [float(y) for y in column(model, 3)] == pytest.approx([31.5, 31.5], abs=2)
    assert all(box.startswith("0-63, ") for box in column(model, 5))
    assert "halves, z = 0: 2 parts." in shown.note.text()


def test_parts_can_be_sorted_and_what_is_chosen_stays_chosen(classes):
    shown = measured(classes)
    model = shown.components
    shown.list.selectRow(0)
    chosen = model.component(0)
    shown.list.sortByColumn(1, Qt.SortOrder.AscendingOrder)
    assert [model.component(i).area for i in (0, 1)] == sorted(c.area for c in model._found)
    assert model.component(shown.list.currentIndex().row()) == chosen
    shown.list.sortByColumn(4, Qt.SortOrder.DescendingOrder)
    assert model.component(0).x > model.component(1).x


def test_choosing_a_part_goes_to_it_on_its_plane(classes, viewer):
    shown = measured(classes)
    model = shown.components
    viewer.dims.set_point(0, 2)
    row = column(model, 0).index("foreground")
    shown.list.selectRow(row)
    assert classes._studio.bridge.gaze.plane() == {"z": 0}
    one = model.component(row)
    middle = (one.top + one.bottom - 1) / 2, (one.left + one.right - 1) / 2
    inwards = 10  # so far the view is moved: the part lies at the edge of the image
    np.testing.assert_allclose(viewer.scene.camera.center[-2:], np.array(middle) / 2 - (0, inwards))
    assert viewer.layers["part"].data[0].min(axis=0)[1] == one.left - 0.5


def test_the_list_goes_to_a_file_and_away_with_its_image(classes, tmp_path):
    shown = measured(classes)
    shown.save_as(tmp_path / "parts.csv")
    until(lambda: (tmp_path / "parts.csv").exists())
    with (tmp_path / "parts.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {r["class"] for r in rows} == {"background", "foreground"}
    assert {(r["image"], r["z"]) for r in rows} == {("halves", "0")}
    assert sum(float(r["area_um2"]) for r in rows) == pytest.approx(
        sum(c.area for c in shown.components._found) / 4
    )
    classes._studio.session.close_image("1")
    until(lambda: shown.list.isHidden())
    assert not shown.save.isEnabled()


@pytest.fixture
def seen(viewer):
    """The window on the screen, so that tabs are open."""
    viewer.window._qt_window.show()
    yield viewer
    viewer.window._qt_window.hide()


def test_numbers_follow_what_is_in_view_and_are_never_those_of_something_else(classes, seen):
    shown, session = measured(classes), classes._studio.session
    heard = []
    listen = shown.note.setText
    shown.note.setText = lambda text: (heard.append((text, shown.areas.isHidden())), listen(text))
    seen.dims.set_point(0, 2)
    until(lambda: "z = 1: 2 parts" in shown.note.text())
    assert ("Measuring …", True) in heard
    assert all(hidden for _, hidden in heard)
    before = [c.area for c in shown.components._found]
    session.paint("1", [(10, 60), (50, 60)], label=1, radius=8, plane={"z": 1})
    until(lambda: [c.area for c in shown.components._found] not in ([], before))
    labels = session.result("1", plane={"z": 1}).values
    until(lambda: not session.status.busy)
    counts = {str(c.label): f"{(labels == c.label).sum():,}" for c in session.classes}
    until(lambda: [row[2] for row in texts(shown.areas)] == list(counts.values()))
    assert session.standing("1", plane={"z": 1}).state == "current"


def test_what_cannot_be_measured_says_why_and_has_no_numbers(classes, seen):
    shown, session = measured(classes), classes._studio.session
    session.set_mode("paused")
    seen.dims.set_point(0, 2)
    until(lambda: "updating is paused" in shown.note.text())
    assert shown.areas.isHidden()
    assert shown.list.isHidden()
    assert not shown.save.isEnabled()
    seen.dims.set_point(0, 0)
    until(lambda: "z = 0: 2 parts" in shown.note.text())
    session.paint("1", [(10, 40)], label=1, radius=3)
    until(lambda: "older than your strokes" in shown.note.text() and not shown.areas.isHidden())


def test_numbers_are_those_of_the_time_when_the_tab_is_opened_again(classes, seen):
    shown, session = measured(classes), classes._studio.session
    seen.window._qt_window.hide()
    before = [c.area for c in shown.components._found]
    session.paint("1", [(10, 60), (50, 60)], label=1, radius=8)
    until(lambda: session.standing("1").state == "current")
    seen.window._qt_window.show()
    assert shown.note.text() == "Measuring …"
    until(lambda: [c.area for c in shown.components._found] not in ([], before))


def test_names_can_be_reset_and_brought_back(classes):
    session = classes._studio.session
    session.change_class(1, name="sky", color="#ff0000")
    session.add_class(name="tree")
    before = session.classes
    classes._change("reset_classes")
    assert [c.name for c in session.classes] == ["background", "foreground", "class 3"]
    assert session.classes[0].color == "#0072b2"
    session.undo()
    assert session.classes == before


def test_a_list_of_names_is_one_step_of_undo_and_keeps_colours(classes, tmp_path):
    session = classes._studio.session
    session.change_class(2, color="#123456")
    before = session.classes
    (tmp_path / "names.txt").write_text("1,sky,#abcdef\n2,tree\n9,sea")
    classes.import_names(tmp_path / "names.txt")
    found = [(c.label, c.name, c.color) for c in session.classes]
    assert found[:2] == [(1, "sky", "#abcdef"), (2, "tree", "#123456")]
    assert found[2][:2] == (9, "sea")
    assert len({color for _, _, color in found}) == 3
    session.undo()
    assert session.classes == before


def test_a_file_that_is_no_list_is_said_and_changes_nothing(classes, tmp_path):
    from napari.utils.notifications import notification_manager

    before = classes._studio.session.classes
    (tmp_path / "names.csv").write_bytes(bytes(range(256)))
    classes.import_names(tmp_path / "names.csv")
    assert "names.csv is not text" in notification_manager.records[-1].message
    classes.import_names(tmp_path / "nowhere.csv")
    assert "nowhere.csv" in notification_manager.records[-1].message
    assert classes._studio.session.classes == before


def test_removing_a_class_takes_its_strokes_and_undo_brings_both_back(classes):
    session = classes._studio.session
    strokes = session.strokes("1")
    classes.table.setCurrentCell(1, 0)
    classes._remove()
    assert [c.label for c in session.classes] == [1]
    assert set(np.unique(session.strokes("1"))) == {0, 1}
    session.undo()
    np.testing.assert_array_equal(session.strokes("1"), strokes)
    assert [c.label for c in session.classes] == [1, 2]


def test_napari_s_button_for_a_new_label_is_one_for_a_new_class(classes, viewer):
    window = viewer.window._qt_window
    layer = classes._studio.bridge.board.layer("strokes")
    session = classes._studio.session
    until(lambda: new_buttons(window, layer))
    for expected in (3, 4):
        for button in new_buttons(window, layer):
            button.click()
        assert (layer.selected_label, layer.mode) == (expected, "paint")
        layer.paint((0, 30, 30), layer.selected_label)
    assert [c.label for c in session.classes] == [1, 2, 3, 4]


def test_a_new_label_is_none_of_the_classes_in_the_palette(classes, viewer):
    [widget] = [w for w in viewer.window.dock_widgets.values() if hasattr(w, "panel")]
    home = widget.panel.home
    layer = classes._studio.bridge.board.layer("strokes")
    layer.selected_label = 2
    assert home._classes.checkedId() == 2
    layer.take_new()
    assert home._classes.checkedButton() is None
    layer.paint((0, 30, 30), layer.selected_label)
    until(lambda: home._classes.checkedId() == 3)


def new_buttons(window, layer):
    """Return the buttons of a layer; those of layers that were there before may be left."""
    buttons = window.findChildren(QPushButton, "newLabelButton")
    return [b for b in buttons if b.property("stroma") and layer_of(b) is layer]


def test_a_new_class_is_named_at_once_and_its_name_is_no_command(classes, viewer):
    [add] = [b for b in classes.widget.findChildren(QPushButton) if b.text() == "Add"]
    layer = classes._studio.bridge.board.layer("strokes")
    before = layer.mode, layer.selected_label
    add.click()
    until(lambda: classes.table.state() == classes.table.State.EditingState)
    editor = classes.table.findChild(QLineEdit)
    assert editor.selectedText() == "class 3"
    QTest.keyClicks(editor, "Warp M 2")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    until(lambda: classes._studio.session.classes[-1].name == "Warp M 2")
    assert (layer.mode, layer.selected_label) == before


def test_outlines_leave_the_image_visible(classes):
    home, bridge = classes._studio, classes._studio.bridge
    until(lambda: bridge.is_shown("segmentation"))
    bridge.outline(True)
    assert bridge.board.layer("segmentation").contour == 2
    bridge.hide("segmentation")
    home.viewer.layers.remove(bridge.board.layer("segmentation"))
    bridge.show("segmentation")
    assert bridge.board.layer("segmentation").contour == 2
    bridge.outline(False)
    assert bridge.board.layer("segmentation").contour == 0


def test_classes_that_come_with_labels_get_colours_that_are_not_taken(classes):
    session = classes._studio.session
    session.change_class(2, color=Class(3).color)
    classes._studio.bridge.pump()
    layer = classes._studio.bridge.board.layer("strokes")
    layer.take_new()
    promised = layer.get_color(3)
    layer.paint((0, 30, 30), 3)
    labels = np.zeros((2, *session.strokes("1").shape), np.uint8)
    session.change_class(1, color=Class(4).color)
    labels[0, 5, 5] = 4
    session.import_strokes("1", labels)
    assert [c.label for c in session.classes] == [1, 2, 3, 4]
    assert len({c.color for c in session.classes}) == 4
    shown = "#" + bytes(round(255 * v) for v in promised[:3]).hex()
    assert shown == session.classes[2].color
