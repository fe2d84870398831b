import numpy as np
import pytest
import tifffile
from napari.layers import Labels
from napari.utils.notifications import notification_manager
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDialog, QFileDialog, QMessageBox

from napari_scene import two_halves, until
from stroma.io import read_image, write_image
from stroma.napari.layers import colors
from stroma.napari.tabs.series import WhichSeries
from stroma.session import Session


@pytest.fixture
def files(viewer, open_widget, tmp_path):
    """The tab, with three images of which the first is painted and segmented."""
    widget = open_widget()
    tab, studio = widget.panel.files, widget.panel.studio
    (tmp_path / "images").mkdir()
    for name in ("a2.tif", "a10.tif", "b.tif", "a2_labels.tif", ".hidden.tif"):
        write_image(tmp_path / "images" / name, two_halves(), axes="yx")
    (tmp_path / "images" / "notes.txt").touch()
    widget.tabs.setCurrentIndex(widget.tabs.indexOf(tab.widget))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "images"))
        tab._ask_folder()
    until(lambda: tab.images.rowCount() == 3 and studio.bridge.image == "1")
    for x, label in ((20, 1), (80, 2)):
        studio.session.paint("1", [(10, x), (40, x)], label=label, radius=3)
    until(lambda: studio.session.result("1").values.all() and not studio.session.status.busy)
    tab.show()
    notification_manager.records.clear()
    return tab


def column(tab, number):
    return [tab.images.item(i, number).text() for i in range(tab.images.rowCount())]


def select(tab, *rows):
    tab.images.clearSelection()
    mode = tab.images.selectionMode()
    tab.images.setSelectionMode(tab.images.SelectionMode.MultiSelection)
    for row in rows:
        tab.images.selectRow(row)
    tab.images.setSelectionMode(mode)


def last_message():
    records = notification_manager.records
    return records[-1].message if records else ""


def test_a_folder_is_opened_in_natural_order_without_results_and_other_files(files):
    assert column(files, 0) == ["▸ a2.tif", "a10.tif", "b.tif"]
    assert column(files, 2)[1:] == ["–", "–"]
    assert column(files, 2)[0] == str(files._studio.session.painted_pixels("1"))
    assert column(files, 3) == ["unsaved", "–", "–"]


def test_the_table_says_what_is_saved_and_what_is_older(files, tmp_path):
    session = files._studio.session
    files.exchange.save(["1"], [tmp_path / "out.tif"])
    until(lambda: column(files, 3)[0] == "saved")
    assert files.images.item(0, 3).toolTip() == str(tmp_path / "out.tif")
    np.testing.assert_array_equal(
        read_image(tmp_path / "out.tif").read(), session.result("1").values
    )
    session.paint("1", [(30, 30)], label=1)
    until(lambda: not session.status.busy)
    files.show()
    assert column(files, 3)[0] == "older"


def test_the_table_is_sorted_by_number_and_keeps_what_is_selected(files):
    select(files, 2)
    files.images.sortByColumn(2, Qt.SortOrder.DescendingOrder)
    assert column(files, 0)[0] == "▸ a2.tif"
    files.images.sortByColumn(2, Qt.SortOrder.AscendingOrder)
    assert column(files, 0)[-1] == "▸ a2.tif"
    files.show()
    assert column(files, 0)[-1] == "▸ a2.tif"
    assert files.chosen() == ["3"]
    row = column(files, 0).index("b.tif")
    files.images.cellDoubleClicked.emit(row, 0)
    assert files._studio.bridge.image == "3"


def test_what_is_done_is_done_with_the_selected_images_else_with_the_one_shown(files):
    files.images.clearSelection()
    assert files.chosen() == ["1"]
    select(files, 1, 2)
    assert files.chosen() == ["2", "3"]


def test_several_images_are_segmented_into_a_folder(files, tmp_path, monkeypatch):
    out = tmp_path / "out"
    out.mkdir()
    (out / "b_labels.tif").write_text("old")
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(out))
    asked = []

    def no(parent, title, text):
        asked.append(text)
        return QMessageBox.StandardButton.No

    monkeypatch.setattr(QMessageBox, "question", no)
    select(files, 0, 2)
    files.exchange._ask_labels()
    assert asked == ["Replace b_labels.tif?"]
    assert (out / "b_labels.tif").read_text() == "old"
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Yes)
    files.exchange._ask_labels()
    until(lambda: "2 files were written" in last_message())
    assert sorted(p.name for p in out.iterdir()) == ["a2_labels.tif", "b_labels.tif"]
    labels = read_image(out / "b_labels.tif").read()
    assert (labels[:, 60:] == 2).all()
    until(lambda: column(files, 3) == ["saved", "–", "saved"])


def test_annotations_of_several_images_go_to_a_folder_and_come_back(files, tmp_path, monkeypatch):
    session, out = files._studio.session, tmp_path / "out"
    out.mkdir()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(out))
    session.paint("3", [(5, 5)], label=2)
    before = [session.strokes(key) for key in "123"]
    select(files, 0, 2)
    files.exchange._ask_export()
    until(lambda: "2 files were written" in last_message())
    assert sorted(p.name for p in out.iterdir()) == ["a2_strokes.tif", "b_strokes.tif"]
    select(files, 0, 1, 2)
    files.exchange._clear()
    assert [session.painted_pixels(key) for key in "123"] == [0, 0, 0]
    files.exchange._ask_import()
    until(lambda: "Annotations of 2 images were read. No file for a10.tif." in last_message())
    for key, strokes in zip("123", before, strict=True):
        np.testing.assert_array_equal(session.strokes(key), strokes)


def test_closing_several_images_asks_first(files, monkeypatch):
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.No)
    select(files, 0, 2)
    files._close_images()
    assert len(files._studio.session.images) == 3
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Yes)
    files._close_images()
    until(lambda: column(files, 0) == ["a10.tif"])


def test_results_and_annotations_are_copied_to_layers_that_stay_as_they_are(files, viewer):
    studio = files._studio
    session = studio.session
    active = viewer.layers.selection.active
    result, strokes = session.result("1").values, session.strokes("1")
    for button in ("annotations", "segmentation"):
        group = files.exchange.annotations if button == "annotations" else files.exchange.results
        [copy] = [b for b in buttons(group) if b.text() == "Copy to layer"]
        copy.click()
        until(lambda name=f"{button}_a2.tif": name in viewer.layers)
    session.clear("1")
    session.set_mode("paused")
    np.testing.assert_array_equal(viewer.layers["segmentation_a2.tif"].data, result)
    np.testing.assert_array_equal(viewer.layers["annotations_a2.tif"].data, strokes)
    assert viewer.layers["annotations_a2.tif"].data.dtype == np.uint8
    assert viewer.layers.selection.active is active
    names = [layer.name for layer in viewer.layers]
    assert names.index("segmentation_a2.tif") < names.index("annotations")
    [copy] = [b for b in buttons(files.exchange.annotations) if b.text() == "Copy to layer"]
    copy.click()
    until(lambda: "annotations_a2.tif [1]" in viewer.layers)


def test_a_copy_of_a_stack_has_all_its_planes(viewer, open_widget):
    widget = open_widget()
    studio = widget.panel.studio
    viewer.add_image(np.stack([two_halves()] * 3), name="stack", scale=(2, 1, 1))
    until(lambda: studio.bridge.image is not None)
    studio.session.paint("1", [(5, 5)], label=1, plane={"z": 2})
    [copy] = [
        b for b in buttons(widget.panel.files.exchange.annotations) if b.text() == "Copy to layer"
    ]
    copy.click()
    until(lambda: "annotations_stack" in viewer.layers)
    layer = viewer.layers["annotations_stack"]
    assert layer.data.any(axis=(1, 2)).tolist() == [False, False, True]
    assert layer.scale.tolist() == [2, 1, 1]


def test_labels_layers_are_taken_as_annotations_with_their_classes(files, viewer):
    from stroma.data.classes import Class

    session = files._studio.session
    labels = np.zeros((64, 96), np.int64)
    labels[50:52, 50:52], labels[60, 60] = 2, 7
    named = (Class(7, "mitosis", "#ff00ff"),)
    layer = viewer.add_labels(
        labels, colormap=colors.label_colors(named), features=colors.class_features(named)
    )
    viewer.layers.selection.active = layer
    files.exchange.take_layers()
    until(lambda: session.strokes("1")[60, 60] == 7)
    assert (session.strokes("1")[50:52, 50:52] == 2).all()
    found = {c.label: c for c in session.classes}
    assert found[2].name == "foreground"
    assert found[7] == named[0]
    session.undo()
    assert 7 not in {c.label for c in session.classes}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (np.full((64, 96), 70000), "70000"),
        (np.full((64, 96), -1), "-1"),
        (np.ones((3, 64, 96), np.uint8), "3"),
        (np.ones((10, 10), np.uint8), "10"),
    ],
)
def test_labels_layers_that_do_not_fit_are_refused(files, viewer, data, message):
    before = files._studio.session.strokes("1")
    viewer.layers.selection.active = viewer.add_layer(Labels(data))
    files.exchange.take_layers()
    until(lambda: not files._studio.working)
    assert message in last_message()
    np.testing.assert_array_equal(files._studio.session.strokes("1"), before)


def test_without_a_labels_layer_it_is_said_what_to_do(files):
    files.exchange.take_layers()
    assert "Select a labels layer of your own" in last_message()


def test_an_image_whose_file_was_moved_is_found_again(viewer, open_widget, tmp_path):
    write_image(tmp_path / "a.tif", two_halves(), axes="yx")
    with Session.create(tmp_path / "p.stroma", "gaussian") as session:
        session.add_image(tmp_path / "a.tif")
        session.paint("1", [(5, 5)], label=1)
    (tmp_path / "a.tif").rename(tmp_path / "b.tif")
    widget = open_widget()
    tab, studio = widget.panel.files, widget.panel.studio
    tab.open(tmp_path / "p.stroma")
    until(lambda: studio.bridge.image == "1" and studio.session.path is not None)
    assert column(tab, 0) == ["▸ a.tif (file missing)"]
    assert not np.asarray(studio.bridge.layers("1")[0].data).any()
    write_image(tmp_path / "small.tif", np.zeros((5, 5), np.uint8), axes="yx")
    tab.locate("1", tmp_path / "small.tif")
    until(lambda: "strokes were painted on" in last_message())
    tab.locate("1", tmp_path / "b.tif")
    until(lambda: not studio.working and studio.bridge.image == "1")
    assert column(tab, 0) == ["▸ a.tif"]
    [layer] = studio.bridge.layers("1")
    np.testing.assert_array_equal(np.asarray(layer.data), two_halves())
    assert studio.bridge.board.layer("strokes")._slice.image.raw[5, 5] == 1


def test_all_classes_may_be_removed_and_painting_begins_them_anew(files):
    studio = files._studio
    for label in (1, 2):
        studio.session.remove_class(label)
    until(lambda: not studio.bridge.waiting)
    studio.bridge.show("probability")
    layer = studio.bridge.board.layer("strokes")
    layer.take_new()
    layer.paint((20, 20), layer.selected_label)
    until(lambda: not studio.bridge.waiting)
    assert [c.label for c in studio.session.classes] == [1]


def buttons(group):
    from qtpy.QtWidgets import QPushButton

    return group.findChildren(QPushButton)


@pytest.fixture
def tab(viewer, open_widget):
    """The tab, with no image."""
    notification_manager.records.clear()
    return open_widget().panel.files


def two_in_one(path):
    with tifffile.TiffWriter(path, ome=True) as writer:
        for shape in ((20, 30), (64, 96)):
            writer.write(two_halves(*shape), photometric="minisblack", metadata={"axes": "YX"})
    return path


def answer(monkeypatch, *places):
    """Choose these of the images of a file; leave the dialog without any."""

    def chosen(dialog):
        dialog.list.clearSelection()
        for place in places:
            dialog.list.item(place).setSelected(True)
        return QDialog.DialogCode.Accepted if places else QDialog.DialogCode.Rejected

    monkeypatch.setattr(WhichSeries, "exec", chosen)


def test_which_images_of_a_file_are_wanted_is_asked(tab, tmp_path, monkeypatch):
    path = two_in_one(tmp_path / "two.ome.tif")
    studio = tab._studio
    answer(monkeypatch, 1)
    tab.add([path])
    until(lambda: studio.bridge.image is not None and not studio.working)
    [one] = studio.session.images
    assert one.image.sizes == {"y": 64, "x": 96}
    answer(monkeypatch, 0, 1)
    tab.add([path])
    until(lambda: len(studio.session.images) == 3 and not studio.working)
    assert [one.image.sizes["y"] for one in studio.session.images] == [64, 20, 64]
    assert len({one.name for one in studio.session.images[1:]}) == 2
    answer(monkeypatch)
    tab.add([path])
    until(lambda: not studio.working)
    assert len(studio.session.images) == 3


def test_files_that_cannot_be_opened_are_each_named_and_the_others_open(tab, tmp_path):
    good = write_image(tmp_path / "good.tif", two_halves(), axes="yx")
    (tmp_path / "empty.tif").touch()
    (tmp_path / "text.png").write_text("no picture")
    tab.add([tmp_path / "empty.tif", good, tmp_path / "text.png"])
    until(lambda: bool(last_message()))
    assert [one.name for one in tab._studio.session.images] == ["good.tif"]
    first, *reasons = last_message().splitlines()
    assert first == "1 of 3 images opened."
    assert [r.split(":")[0] for r in reasons] == ["empty.tif", "text.png"]
