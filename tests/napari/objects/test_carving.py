"""Objects that are carved in napari: strokes, the answer on all planes, names."""

import numpy as np
import pytest
from tests.patience import PATIENCE

from napari_scene import until
from stroma.napari.objects.hand import Press
from stroma.session.events import Rested
from stroma.session.objects.carving.kept import How

SIDE = 28


def ball():
    """A volume with a bright ball, and which voxels are of it."""
    z, y, x = np.indices((SIDE,) * 3)
    inside = (z - 14) ** 2 + (y - 12) ** 2 + (x - 12) ** 2 < 49
    return (np.random.default_rng(0).normal(20, 1, inside.shape) + 100 * inside), inside


def overlap(one, other):
    return (one & other).sum() / (one | other).sum()


@pytest.fixture
def carved(tab, studio):
    """The tab over a volume with a ball, cut into regions, at its middle plane."""
    layer = studio.viewer.add_image(ball()[0].astype(np.float32), name="ball")
    studio.bridge.paint_on([layer], "zyx")
    studio.bridge.gaze.turn_to({"z": 14})
    studio.settle()
    tab.show()
    tab.take("carve")
    cut(tab, studio)
    return tab


def cut(tab, studio):
    """Wait until the image is cut into regions, and what is said then is shown."""

    def done():
        studio.bridge.pump()
        return not tab.carver.cutting

    until(done)
    studio.settle()


def shown(tab):
    """What is shown of the object that is carved, on all planes."""
    return np.isin(np.asarray(tab.layers.layer("clicks").data), (1, 2, 3))


def two_strokes(pointer):
    pointer.drag([(11, 11), (13, 13)])
    pointer.drag([(1, 1), (1, 26)], button=2)


def test_two_strokes_are_answered_on_all_planes_and_committed_by_name(
    carved, pointer, press, studio
):
    assert "Draw on an object" in carved.carving.note.text()
    pointer.drag([(11, 11), (13, 13)])
    assert "Draw beside" in carved.carving.note.text()
    press("S")
    assert "Draw beside" in studio.errors[-1]
    pointer.drag([(1, 1), (1, 26)], button=2)
    assert "S commits it" in carved.carving.note.text()
    found, truth = shown(carved), ball()[1]
    assert overlap(found, truth) > 0.6
    studio.viewer.dims.order = (1, 0, 2)
    studio.settle()
    across = np.asarray(carved.layers.layer("clicks").data[:, 12])
    assert overlap(np.isin(across, (1, 2, 3)), truth[:, 12]) > 0.6
    studio.viewer.dims.order = (0, 1, 2)
    studio.settle()
    carved.take("select")
    assert not np.asarray(carved.layers.layer("clicks").data).any()
    assert carved.carving.widget.isHidden()
    carved.take("carve")
    studio.settle()
    carved.carving.name.setText("ball")
    press("S")
    assert carved.carving.name.text() == ""
    assert overlap(np.asarray(carved.layers.objects.data[14]) == 1, truth[14]) > 0.6
    assert not shown(carved).any()
    assert carved.carving.list.item(0, 0).text() == "ball"


def test_strokes_may_be_drawn_on_planes_across_y(carved, pointer, studio):
    studio.viewer.dims.order = (1, 0, 2)
    studio.bridge.gaze.turn_to({"y": 12})
    studio.settle()
    carved.carver.done(Press(((14, 12),)))
    carved.carver.done(Press(((26, 1), (26, 26)), apart=9.0, right=True))
    studio.settle()
    assert [one.on for one in studio.session.carving("2").lines] == [True, False]
    assert overlap(shown(carved), ball()[1]) > 0.6


def test_carved_objects_are_reopened_locked_and_deleted_from_the_list(
    carved, pointer, press, studio
):
    two_strokes(pointer)
    press("Enter")
    part = carved.carving
    part.list.selectRow(0)
    part._buttons["lock"].click()
    studio.settle()
    assert part.list.item(0, 1).text() == "locked"
    assert not part._buttons["delete"].isEnabled()
    carved.desk.correct("delete", [1])
    studio.settle()
    assert "locked" in studio.errors[-1]
    part._buttons["reopen"].click()
    studio.settle()
    assert part.list.item(0, 1).text() == "open"
    assert len(studio.session.carving("2").lines) == 2
    press("Escape")
    assert part.list.item(0, 1).text() == ""
    part._buttons["delete"].click()
    studio.settle()
    assert part.list.rowCount() == 0
    assert not np.asarray(carved.layers.objects.data).any()
    carved.undo()
    studio.settle()
    assert part.list.item(0, 0).text() == "object 1"


def test_backspace_takes_back_the_last_stroke_alone(carved, pointer, press, studio):
    pointer.drag([(11, 11), (13, 13)])
    studio.session.add_object_class("round")
    press("Backspace")
    assert not studio.session.carving("2").lines
    assert studio.session.object_classes[-1].name == "round"
    carved.undo()
    studio.settle()
    assert len(studio.session.carving("2").lines) == 1


def test_other_boundaries_cut_the_image_anew(carved, pointer, studio):
    two_strokes(pointer)
    before = carved.carver.found.answer
    carved.carving.boundary.activated.emit(carved.carving.boundary.findData("bright"))
    studio.settle()
    cut(carved, studio)
    assert studio.session.carving("2").how == (How("bright"),)
    assert carved.carver.found.answer is not before
    assert carved.carver.answered
    carved.undo()
    studio.settle()
    assert carved.carving.boundary.currentData() == "edges"


def listed(tab, row=0):
    """Click a row of the list of carved objects."""
    tab.carving.list.selectRow(row)
    tab.carving.list.cellClicked.emit(row, 0)


def test_the_list_leads_to_the_middle_of_an_object_on_other_planes(carved, pointer, press, studio):
    two_strokes(pointer)
    press("Enter")
    studio.bridge.gaze.turn_to({"z": 14})
    studio.settle()
    listed(carved)
    assert studio.bridge.gaze.plane() == {"z": 14}  # which has some of it
    studio.bridge.gaze.turn_to({"z": 1})
    studio.settle()
    assert not carved.desk.selected
    listed(carved)
    studio.settle()
    assert abs(studio.bridge.gaze.plane()["z"] - 14) <= 1
    assert carved.desk.selected == {1}


@pytest.fixture
def movie(tab, studio):
    """The tab over a movie with a carved object in its first and last frame, at the first."""
    session, disc = studio.session, ball()[0][14].astype(np.float32)
    layer = studio.viewer.add_image(np.stack([disc] * 3), name="disc")
    studio.bridge.paint_on([layer], "tyx")
    key = studio.bridge.image
    for number, t in ((1, 0), (2, 2)):  # those of the last were never looked at
        at = {"plane": {"t": t}}
        session.prepare_carving(key, **at).result(PATIENCE)
        session.carve_stroke(key, [(12, 12)], **at)
        session.carve_stroke(key, [(1, 1), (1, 26)], on=False, **at)
        assert session.commit_carved(key, f"at {t}", **at) == number
    studio.bridge.gaze.turn_to({"t": 0})
    studio.settle()
    tab.show()
    tab.take("carve")
    cut(tab, studio)
    return tab


def test_the_list_leads_to_an_object_at_another_time(movie, studio):
    listed(movie, 1)
    studio.settle()
    assert (studio.bridge.gaze.plane(), movie.desk.selected) == ({"t": 2}, {2})
    listed(movie, 0)
    studio.settle()
    assert (studio.bridge.gaze.plane(), movie.desk.selected) == ({"t": 0}, {1})


def test_an_object_is_gone_to_once_it_is_known(movie, studio):
    last = movie.carver.now.named[1]
    movie.take("select")  # with which nothing is asked of the session in between
    movie.carver.go_to(last)
    assert studio.bridge.gaze.plane() == {"t": 2}
    studio.told.emit(Rested())  # which drops what is selected and not there
    studio.watched.emit()
    assert movie.desk.table is None
    assert not movie.desk.selected
    studio.settle()
    assert movie.desk.selected == {2}


def test_who_looks_elsewhere_is_not_led_to_an_object_later(movie, studio):
    movie.desk.go_to(2)  # it is at another time, and not known here
    studio.bridge.gaze.turn_to({"t": 2})
    studio.settle()
    assert 2 in movie.desk.numbers
    assert not movie.desk.selected
