import csv
import json

import numpy as np

from napari_scene import squares, until
from stroma.napari.objects.desk import Bounds

MIDDLES = [(16, 10), (13, 27), (16, 50), (13, 67), (16, 90), (13, 107), (16, 130), (13, 147)]
"""Places on the squares."""


def outline(tab, number):
    return tab.layers.objects.get_color(number)


def written(tab, folder):
    """Write all kinds of files, and look into them."""
    for box in (*tab.writing.formats.values(), tab.writing.model):
        box.setChecked(True)
    tab.writing.write(folder)
    names = {path.name for path in folder.iterdir()}
    assert names == {
        "squares_table.csv",
        "squares_objects.tif",
        "squares_objects.geojson",
        "squares_rois.zip",
        "object_classes.pkl",
    }
    with (folder / "squares_table.csv").open(newline="", encoding="utf-8") as file:
        found = [row["class_name"] for row in csv.DictReader(file)]
    assert found == ["kind 1", "kind 2"] * 4
    features = json.loads((folder / "squares_objects.geojson").read_text())["features"]
    assert len(features) == 8


def test_objects_are_shown_as_outlines_with_their_numbers_in_a_table(labelled):
    layer = labelled.layers.objects
    np.testing.assert_array_equal(np.asarray(layer.data), squares()[1])
    assert layer.contour > 0
    assert np.ptp(outline(labelled, 1)[:3]) > 0.5  # on grey, bright or dark, grey is not seen
    assert labelled.desk.numbers.tolist() == list(range(1, 9))
    rows = labelled.table.rows
    assert rows.rowCount() == 8
    assert rows.columns[:2] == ("object", "class")
    assert "area_px" in rows.columns
    assert labelled.sources.note.text() == "8 objects, held (label image)."


def test_two_kinds_by_two_clicks_class_all_objects_for_other_programs_too(
    labelled, pointer, press, tmp_path
):
    assert labelled.chosen == "label"
    for expected in (1, 0, 1):  # a second click takes it back
        pointer.click(*MIDDLES[0])
        assert labelled.desk.seen.given.tolist() == [expected] + [0] * 7
    pointer.click(2, 2)
    assert labelled.desk.seen.given.sum() == 1
    press("2")
    pointer.click(*MIDDLES[1])
    assert labelled.desk.classes().tolist() == [1, 2] * 4
    colours = [outline(labelled, number)[:3] for number in (3, 4)]
    named = [one.color for one in labelled._studio.session.object_classes]
    for found, name in zip(colours, named, strict=True):
        expected = [int(name[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        np.testing.assert_allclose(found, expected, atol=1e-3)
    counts = [labelled.classing.table.item(i, 3).text() for i in range(2)]
    assert counts == ["4", "4"]
    assert "uncertainty" in labelled.desk.measures
    labelled.desk.ask_next()
    assert len(labelled.desk.selected) == 1
    written(labelled, tmp_path)
    labelled.classing.measure_accuracy()  # with one of each kind, none has others of its kind
    assert labelled.classing.accuracy.text() == ""
    pointer.click(*MIDDLES[3])
    labelled.classing.measure_accuracy()
    assert "%" in labelled.classing.accuracy.text()


def test_what_is_selected_in_the_image_is_selected_in_the_table_and_the_other_way(
    labelled, pointer, press
):
    view, rows = labelled.table.view, labelled.table.rows
    press("Q")
    pointer.click(*MIDDLES[4])
    chosen = view.selectionModel().selectedRows()
    assert [rows.number(index.row()) for index in chosen] == [5]
    np.testing.assert_allclose(outline(labelled, 5), 1)
    view.selectRow(1)
    assert labelled.desk.selected == {2}
    np.testing.assert_allclose(outline(labelled, 2), 1)
    sorted_by_size(labelled)
    pointer.click(*MIDDLES[0])
    pointer.click(*MIDDLES[2], keys=("Shift",))
    assert labelled.desk.selected == {1, 3}
    press("2")
    assert labelled.desk.seen.given.tolist() == [2, 0, 2, 0, 0, 0, 0, 0]


def sorted_by_size(labelled):
    """Sort the table while object 2 is selected."""
    rows, view = labelled.table.rows, labelled.table.view
    view.sortByColumn(rows.columns.index("area_px"), view.horizontalHeader().sortIndicatorOrder())
    areas = [float(labelled.desk.values("area_px")[rows._order[i]]) for i in range(8)]
    assert areas == [36.0] * 4 + [144.0] * 4
    chosen = view.selectionModel().selectedRows()
    assert [rows.number(index.row()) for index in chosen] == [2]


def test_dragging_over_a_plot_selects_the_objects_there_and_bounds_hide_others(labelled):
    from qtpy.QtCore import QPointF

    plot = labelled.measures.plot
    for second in ("", "area_px"):
        plot.resize(200, 150)
        plot.show_measures("area_px", second)
        assert set(plot.inside(QPointF(150, 0), QPointF(200, 40))) == {1, 3, 5, 7}
        plot.grab()  # painting it raises nothing, and lays it out anew
    labelled.measures.colour.setCurrentIndex(labelled.measures.colour.findData("area_px"))
    labelled.desk.colour("area_px")
    assert not np.allclose(outline(labelled, 1), outline(labelled, 2))
    np.testing.assert_allclose(outline(labelled, 1), outline(labelled, 3))
    labelled.measures.by.setCurrentIndex(labelled.measures.by.findData("area_px"))
    labelled.measures.low.setText("100")
    labelled.measures.low.editingFinished.emit()
    assert outline(labelled, 2)[3] == 0
    assert outline(labelled, 1)[3] == 1
    assert labelled.table.rows.rowCount() == 4


def test_bounds_hold_as_long_as_their_measure_is_there(labelled, studio):
    measures, desk, session = labelled.measures, labelled.desk, studio.session
    measures.by.setCurrentIndex(measures.by.findData("area_px"))
    measures.low.setText("100")
    measures.low.editingFinished.emit()
    desk.colour("area_px")
    session.no_objects("1")
    studio.settle()
    assert labelled.table.rows.rowCount() == 0
    session.set_objects("1", squares()[1])
    studio.settle()
    assert labelled.table.rows.rowCount() == 4
    assert (measures.by.currentData(), measures.colour.currentData()) == ("area_px",) * 2
    desk.bound(Bounds("gone", 1))
    desk.colour("gone")
    session.set_objects("1", squares()[1][::-1])
    studio.settle()
    assert labelled.table.rows.rowCount() == 8
    assert (measures.by.currentData(), measures.colour.currentData()) == ("", "class")


def test_merging_deleting_filling_and_undoing(labelled, press, studio):
    labelled.desk.select([1])
    press("M")
    assert "at least 2" in studio.errors[-1]
    labelled.desk.select([1, 2])
    press("M")
    assert labelled.desk.numbers.tolist() == [1, 3, 4, 5, 6, 7, 8]
    labelled.desk.select([3])
    press("Delete")
    assert labelled.desk.numbers.tolist() == [1, 4, 5, 6, 7, 8]
    for _ in range(2):
        labelled.layers.objects.undo()
    labelled._studio.settle()
    np.testing.assert_array_equal(np.asarray(labelled.layers.objects.data), squares()[1])
    labelled.layers.objects.redo()
    labelled._studio.settle()
    assert len(labelled.desk.numbers) == 7
    ring = squares()[1]
    ring[14:16, 8:10] = 0
    studio.session.set_objects("1", ring)
    studio.settle()
    labelled.desk.select([1])
    press("F")
    np.testing.assert_array_equal(np.asarray(labelled.layers.objects.data), squares()[1])


def test_lines_cut_objects_and_make_and_give_them(labelled, pointer, press):
    press("C")
    pointer.drag([(16, 1), (16, 9), (16, 19)])
    assert len(labelled.desk.numbers) == 9
    press("D")
    pointer.drag([(28, 4), (28, 14), (36, 14), (36, 4)])
    assert len(labelled.desk.numbers) == 10
    assert labelled.desk.at((32, 9))
    press("G")
    labelled.desk.select([3])
    around = [(9, 23), (9, 31), (17, 31), (17, 23)]
    pointer.drag(around)
    assert labelled.desk.at(MIDDLES[1]) == 3
    pointer.drag(around, keys=("Alt",))
    assert labelled.desk.at(MIDDLES[1]) == 0


def test_objects_follow_the_segmentation_until_they_are_corrected(tab, studio):
    session = studio.session
    tab.show()
    session.paint("1", [(30, 20), (30, 140)], label=1, radius=3)
    session.paint("1", [(16, 8), (16, 12)], label=2, radius=2)
    studio.settle()
    tab.sources.follow()
    studio.settle()
    assert len(tab.desk.numbers) == 8
    assert "following the segmentation" in tab.sources.note.text()
    tab.sources.least.setValue(60)
    studio.settle()
    assert len(tab.desk.numbers) == 4
    offered = [tab.sources.boundary.itemData(i) for i in range(tab.sources.boundary.count())]
    assert offered == [None, 1]
    tab.sources.boundary.setCurrentIndex(1)
    tab.sources.boundary.activated.emit(1)
    studio.settle()
    assert session.object_source("1").how.boundary == 1
    session.undo()
    studio.settle()
    assert tab.sources.boundary.currentData() is None
    assert len(tab.desk.numbers) == 4
    tab.desk.select(tab.desk.numbers[:1])
    tab.desk.correct_selected("delete")
    assert len(tab.desk.numbers) == 3
    assert "held" in tab.sources.note.text()
    tab.undo()
    studio.settle()
    assert "following the segmentation" in tab.sources.note.text()


def test_a_labels_layer_becomes_objects_and_objects_a_layer(tab, studio, tmp_path):
    tab.show()
    layer = studio.viewer.add_labels(squares()[1], name="of others")
    studio.viewer.layers.selection.active = layer
    tab.sources.take_layer()
    assert "held (of others)" in tab.sources.note.text()
    tab.writing.copy()
    kept = studio.viewer.layers["squares objects"]
    np.testing.assert_array_equal(np.asarray(kept.data), squares()[1])
    studio.viewer.layers.selection.active = tab.layers.objects
    tab.sources.take_layer()
    assert "Select the labels layer" in studio.errors[-1]
    tab.writing.formats["csv"].setChecked(False)
    tab.writing.write(tmp_path)
    assert "at least one kind" in studio.errors[-1]


def test_a_layer_that_is_selected_puts_the_tool_away_one_that_comes_does_not(labelled, studio):
    layer, layers = labelled.layers.objects, studio.viewer.layers
    assert not layer.mouse_pan
    studio.viewer.add_labels(squares()[1], name="of others")
    until(lambda: layers.selection.active is layer)
    assert labelled.chosen == "label"
    layers.selection.active = layers["of others"]
    until(lambda: labelled.chosen == "")
    assert layer.mouse_pan


def test_another_image_has_its_own_objects_on_the_same_layer(labelled, studio):
    layer = labelled.layers.objects
    image, _ = squares(4)
    other = studio.viewer.add_image(image, name="other")
    studio.bridge.paint_on([other], "yx")
    studio.settle()
    assert labelled.layers.objects is layer
    assert not np.asarray(layer.data).any()
    assert np.asarray(layer.data).shape == image.shape
    assert len(labelled.desk.numbers) == 0


def test_a_class_is_added_renamed_and_removed(labelled, studio):
    session = studio.session
    labelled.classing._add()
    studio.settle()
    assert labelled.desk.label == 3
    labelled.classing.table.item(2, 0).setText("odd")
    studio.settle()
    assert session.object_classes[2].name == "odd"
    labelled.classing.table.setCurrentCell(2, 0)
    labelled.classing._remove()
    studio.settle()
    assert len(session.object_classes) == 2


def test_objects_of_a_large_plane_are_shown_at_several_resolutions(tab, studio):
    labels = np.tile(squares()[1], (30, 8))
    large = studio.viewer.add_image(labels.astype(np.uint8), name="large")
    studio.bridge.paint_on([large], "yx")
    studio.session.set_mode("paused")
    studio.session.set_objects("2", labels)
    studio.settle()
    tab.desk.activate(True)
    layer = tab.layers.show()
    assert layer.multiscale
    for step, level in zip((1, 2), layer.data, strict=False):
        np.testing.assert_array_equal(
            np.asarray(level), labels[step // 2 :: step, step // 2 :: step]
        )
