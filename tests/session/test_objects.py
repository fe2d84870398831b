"""Objects of a session: found while one paints, labelled, classed, corrected, kept, written."""

import subprocess
import sys

import numpy as np
import pytest
from tests.session.scene import settle

from stroma.data.image import Image
from stroma.errors import LabelError, NotTrainedError, ParameterError, ShapeError, UnknownNameError
from stroma.io import read_image
from stroma.session import Session
from stroma.session.events import RoundFinished, StrokesChanged
from stroma.session.objects.learning import NONE_YET
from stroma.session.objects.operations import (
    ClickObjects,
    CorrectObjects,
    FollowObjects,
    ObjectsChanged,
    SetObjectClass,
    SetObjects,
)
from stroma.workflow.measuring.objects import Wanted, measure_file

KILLED = """
import os, sys
from stroma.session import Session
from stroma.session.objects.operations import ClickObjects, CorrectObjects
session = Session.open(sys.argv[1])
session.core.do(ClickObjects("1", (((0, 0, 8, 8), 1), ((0, 0, 6, 26), 2))))
session.core.do(CorrectObjects("1", "merge", 0, (3, 4)))
session.core.do(CorrectObjects("1", "delete", 0, (5,)))
session.undo()
assert session.flush(10)
os._exit(0)  # without closing: the journal must do
"""


def squares():
    """Twelve squares, 1 to 12: large, small, large ... and so on."""
    made = np.zeros((60, 80), np.int32)
    for i in range(12):
        side = 6 if i % 2 else 12
        y, x = 4 + (i // 4) * 20, 4 + (i % 4) * 20
        made[y : y + side, x : x + side] = i + 1
    return made


LARGE = [1, 2] * 6


@pytest.fixture
def key(session):
    made = session.add_image((squares() > 0) * np.float32(100), name="squares.tif")
    session.look(made)
    session.set_objects(made, squares())
    settle(session)
    return made


def classed(session, key):
    settle(session)
    seen = session.objects(key)
    assert seen.state == "current", seen
    return seen.found.table["class"].tolist()


def by_place(session, key):
    """Return the classes of the objects that the squares became, in the order of these."""
    classes = classed(session, key)
    labels = session.object_labels(key)
    middles = [tuple(np.argwhere(squares() == n).mean(axis=0).astype(int)) for n in range(1, 13)]
    return [classes[int(labels[at]) - 1] for at in middles]


def numbers(session, key):
    settle(session)
    return session.objects(key).found.table["label"].tolist()


def test_objects_of_a_label_image_are_measured(session, key):
    seen = session.objects(key)
    assert (seen.state, seen.found.table.rows) == ("current", 12)
    assert seen.found.table["area_px"].tolist()[:2] == [144, 36]
    assert "intensity_mean" in seen.found.table
    assert "two classes" in seen.lacking
    assert session.object_at(key, (5, 5)) == 1
    assert session.object_at(key, (0, 0)) == session.object_at(key, (-9, 999)) == 0
    assert [(one.bench, one.state) for one in session.status.shown] == [
        ("strokes", "absent"),
        ("objects", "current"),
    ]


def test_two_clicks_class_all_objects_and_the_least_sure_is_asked_for(session, key):
    with pytest.raises(NotTrainedError, match="two classes"):
        session.next_object(key)
    session.label_objects(key, [1, 3], 1)
    session.label_objects(key, [2], 2)
    assert classed(session, key) == LARGE
    wanted = session.next_object(key)
    assert wanted.number not in (1, 2, 3)
    assert wanted.box.area in (144, 36)
    session.label_objects(key, [4], 2)
    assert session.object_accuracy().result() == 1.0
    assert session.objects(key).given.tolist()[:4] == [1, 2, 1, 2]


def test_the_last_word_on_an_object_counts_and_can_be_taken_back(session, key):
    session.label_objects(key, [1], 1)
    session.label_objects(key, [2], 2)
    session.label_objects(key, [1, 2], 2)
    assert session.objects(key).given.tolist()[:2] == [2, 2]
    session.label_objects(key, [1], 0)
    assert session.objects(key).given.tolist()[:2] == [0, 2]
    session.undo()
    session.undo()
    assert session.objects(key).given.tolist()[:2] == [1, 2]


def test_objects_follow_the_segmentation_while_one_paints(session, heard):
    image = (squares() > 0) * np.float32(100)
    key = session.add_image(image)
    session.look(key)
    session.follow_objects(key, label=2, min_size=4)
    assert session.standing(key, bench="objects").state == "absent"
    session.paint(key, [(6, 6), (12, 12)], label=2, radius=2)
    session.paint(key, [(1, 1), (1, 70)], label=1, radius=1)
    settle(session)
    assert numbers(session, key) == list(range(1, 13))
    session.set_object_model(columns=["area_px"])
    for label, places in ((1, [(8, 8), (8, 48)]), (2, [(6, 26), (6, 66)])):
        clicked = [session.object_at(key, at) for at in places]
        session.label_objects(key, clicked, label)
    assert by_place(session, key) == LARGE
    # what was clicked stays true when objects are found anew, with other numbers
    session.follow_objects(key, label=2, min_size=4, border=False)
    session.paint(key, [(2, 30), (2, 60)], label=1, radius=1)
    assert by_place(session, key) == LARGE
    shown = [e for e in heard if isinstance(e, RoundFinished) and e.bench == "objects"]
    assert [e for e in heard if isinstance(e, StrokesChanged)]
    assert shown


def test_touching_objects_are_parted_along_a_painted_class_live_and_in_all_planes():
    image = np.zeros((60, 80), np.float32)
    image[10:50, 5:75] = 100
    image[10:50, 38:41] = 50
    image[28:30, 38:41] = 100  # a gap
    with Session() as session:
        key = session.add_image(image)
        session.add_class()
        session.look(key)
        session.paint(key, [(2, 5), (2, 70)], label=1, radius=1)
        session.paint(key, [(30, 20), (40, 20)], label=2, radius=3)
        session.paint(key, [(12, 39), (24, 39)], label=3, radius=1)
        session.follow_objects(key, label=2)
        assert len(numbers(session, key)) == 1
        session.follow_objects(key, label=2, boundary=3)
        assert len(numbers(session, key)) == 2
        live = session.object_labels(key)
        assert session.object_source(key).to_json()["how"]["boundary"] == 3
        session.undo()
        assert len(numbers(session, key)) == 1
        assert session.find_objects(key, label=2, boundary=3).result() == 2
        settle(session)
        assert np.array_equal(session.object_labels(key), live)
        with pytest.raises(ParameterError, match="name both"):
            session.follow_objects(key, label=2, boundary=2)
        with pytest.raises(LabelError, match="1 to 65535"):
            session.follow_objects(key, label=2, boundary=0)


def test_older_strokes_make_older_objects(session):
    key = session.add_image((squares() > 0) * np.float32(100))
    session.look(key)
    session.follow_objects(key, label=2)
    session.paint(key, [(6, 6), (12, 12)], label=2, radius=2)
    session.paint(key, [(1, 1), (1, 70)], label=1, radius=1)
    settle(session)
    session.set_mode("demand")
    session.paint(key, [(2, 30), (2, 60)], label=1, radius=1)
    settle(session)
    seen = session.objects(key)
    assert (seen.state, seen.found.table.rows) == ("older", 12)
    assert "as soon as all of the plane is segmented" in seen.reason


def test_a_correction_of_objects_that_follow_holds_them_and_is_one_step(session):
    key = session.add_image((squares() > 0) * np.float32(100))
    session.look(key)
    session.follow_objects(key, label=2)
    session.paint(key, [(6, 6), (12, 12)], label=2, radius=2)
    session.paint(key, [(1, 1), (1, 70)], label=1, radius=1)
    settle(session)
    step = session.undoable
    with pytest.raises(ParameterError, match="no object 99"):
        session.correct_objects(key, "delete", [99])
    assert session.undoable is step
    session.correct_objects(key, "delete", [1])
    assert numbers(session, key) == list(range(2, 13))
    session.paint(key, [(2, 30), (2, 60)], label=1, radius=1)
    assert numbers(session, key) == list(range(2, 13))
    session.undo()
    session.undo()
    assert session.undoable is step
    assert numbers(session, key) == list(range(1, 13))


def test_the_first_correction_of_a_volume_is_made_on_its_plane_or_changes_nothing(session):
    solid = np.stack([squares() > 0, np.zeros((60, 80), bool)]) * np.float32(100)
    key = session.add_image(Image(solid, "zyx"))
    for z in (0, 1):
        session.look(key, plane={"z": z}, view=f"plane {z}")
    session.follow_objects(key, label=2)
    session.paint(key, [(6, 6), (12, 12)], label=2, radius=2, plane={"z": 0})
    session.paint(key, [(1, 1), (1, 70)], label=1, radius=1, plane={"z": 0})
    settle(session)
    square = [(4, 4), (4, 16), (16, 16), (16, 4)]
    with pytest.raises(ParameterError, match="planes across z"):
        session.correct_objects(key, "draw", points=square, plane={"y": 8})
    assert not session.object_source(key).kept
    session.correct_objects(key, "draw", points=square, plane={"z": 1})
    settle(session)
    assert session.object_at(key, (8, 8), plane={"z": 1}) == 13


@pytest.mark.parametrize(
    ("kind", "given", "points", "wanted"),
    [
        ("merge", [3, 4], (), set(range(1, 13)) - {4}),
        ("delete", [3, 4], (), set(range(1, 13)) - {3, 4}),
        ("split", [1], [(2, 9), (18, 9)], set(range(1, 14))),
        ("draw", [], [(50, 2), (50, 60), (58, 60), (58, 2)], set(range(1, 14))),
        ("reassign", [0], [(2, 2), (2, 18), (18, 18), (18, 2)], set(range(2, 13))),
    ],
)
def test_a_correction_is_undone_and_made_again(session, key, heard, kind, given, points, wanted):
    session.correct_objects(key, kind, given, points=points)
    assert set(numbers(session, key)) == wanted
    assert [e.image for e in heard if isinstance(e, ObjectsChanged)][-1] == key
    assert session.undoable.kind == f"{kind} objects"
    session.undo()
    assert numbers(session, key) == list(range(1, 13))
    session.redo()
    assert set(numbers(session, key)) == wanted


def test_images_share_classes(session, key):
    session.label_objects(key, [1], 1)
    session.label_objects(key, [2], 2)
    other = session.add_image((squares() > 0) * np.float32(100))
    session.set_objects(other, np.flipud(squares()))
    session.look(other)
    assert sorted(classed(session, other)) == [1] * 6 + [2] * 6
    session.close_image(key)
    settle(session)
    assert "class" not in session.objects(other).found.table


def test_classes_are_named_and_removed_with_what_was_said(session, key):
    session.label_objects(key, [1], 1)
    third = session.add_object_class("odd")
    session.label_objects(key, [2], third.label)
    session.change_object_class(1, name="even")
    settle(session)
    assert session.objects(key).found.table["class_name"].tolist()[:2] == ["even", "odd"]
    session.remove_object_class(third.label)
    assert session.objects(key).given.tolist()[:2] == [1, 0]
    session.undo()
    assert session.objects(key).given.tolist()[:2] == [1, 3]
    with pytest.raises(LabelError, match="no class 9"):
        session.label_objects(key, [1], 9)


def test_what_was_done_survives_a_kill_and_is_there_after_a_save(tmp_path):
    folder = tmp_path / "cells.stroma"
    with Session.create(folder, "gaussian") as session:
        key = session.add_image((squares() > 0) * np.float32(100))
        session.set_objects(key, squares())
    subprocess.run([sys.executable, "-c", KILLED, str(folder)], check=True)
    for _ in range(2):  # from the journal, and then from the snapshot that closing wrote
        with Session.open(folder) as session:
            session.look(key)
            settle(session)
            seen = session.objects(key)
            assert seen.found.table["label"].tolist() == [n for n in range(1, 13) if n != 4]
            assert seen.given.tolist()[:2] == [1, 2]
            assert session.redoable.kind == "delete objects"
            assert session.undoable.kind == "merge objects"


def test_a_movie_has_objects_frame_by_frame(session, tmp_path):
    movie = np.stack([squares(), np.flipud(squares())])
    key = session.add_image(Image((movie > 0) * np.float32(9), "tyx"), name="movie.tif")
    session.set_objects(key, movie)
    session.look(key, plane={"t": 1})
    settle(session)
    assert session.objects(key, plane={"t": 1}).found.frame == 1
    session.correct_objects(key, "delete", [1], plane={"t": 1})
    [path] = session.export_objects(key, tmp_path, formats=["csv"]).result()
    rows = path.read_text().splitlines()
    assert len(rows) == 1 + 12 + 11
    assert rows[0].startswith("label,t,")


def test_exports_and_the_saved_model_say_the_same_as_files_do(session, key, tmp_path):
    session.label_objects(key, [1, 3], 1)
    session.label_objects(key, [2, 4], 2)
    paths = session.export_objects(key, tmp_path, formats=["csv", "tif", "geojson", "zip"]).result()
    assert [p.name for p in paths] == [
        "squares_table.csv",
        "squares_objects.tif",
        "squares_objects.geojson",
        "squares_rois.zip",
    ]
    assert np.array_equal(read_image(paths[1]).read(), squares())
    np.save(tmp_path / "pixels.npy", (squares() > 0) * np.float32(100))
    model = session.save_object_model(tmp_path / "classes.pkl")
    measure_file(
        paths[1], Wanted(tmp_path / "again.csv"), image=tmp_path / "pixels.npy", model=model
    )
    assert (tmp_path / "again.csv").read_text() == paths[0].read_text()
    more = np.fliplr(squares()).copy()
    np.save(tmp_path / "more.npy", (more > 0) * np.float32(90))
    other = session.add_image(tmp_path / "more.npy")
    session.look(other)
    session.set_objects(other, more)
    settle(session)
    table, labels = session.export_objects(other, tmp_path, formats=["csv", "tif"]).result()
    measure_file(labels, Wanted(tmp_path / "b.csv"), image=tmp_path / "more.npy", model=model)
    assert (tmp_path / "b.csv").read_text() == table.read_text()
    assert "class_name" in table.read_text()
    with pytest.raises(ParameterError, match="written as csv"):
        session.export_objects(key, tmp_path, formats=["doc"])


def test_what_does_not_fit_is_refused(session, key):
    with pytest.raises(ShapeError, match="60 x 80 pixels, its objects 30 x 80"):
        session.set_objects(key, squares()[:30])
    with pytest.raises(LabelError, match="negative"):
        session.set_objects(key, -squares())
    with pytest.raises(UnknownNameError):
        session.objects("nowhere")
    with pytest.raises(LabelError, match="no object 99"):
        session.label_objects(key, [99], 1)
    other = session.add_image(np.zeros((20, 20), np.float32))
    with pytest.raises(ParameterError, match="no objects yet"):
        session.correct_objects(other, "delete", [1])
    with pytest.raises(ParameterError, match="No setting 'colour'"):
        session.set_object_model(colour="red")
    seen = session.objects(other)
    assert (seen.state, seen.reason) == ("absent", NONE_YET)  # though another image has some
    with pytest.raises(ParameterError, match="no objects yet"):
        session.export_objects(other, "nowhere").result()


@pytest.mark.parametrize(
    "make",
    [
        lambda: SetObjects("1", "x", ((0, b"no labels", 3),)),
        lambda: SetObjects("1", "x" * 2000, ()),
        lambda: FollowObjects("1", {"how": 3}),
        lambda: FollowObjects("1", {"min_size": float("nan")}),
        lambda: CorrectObjects("1", "marry", 0),
        lambda: CorrectObjects("1", "delete", 0, (-1,)),
        lambda: ClickObjects("1", (((0, 0, 0), 1),)),
        lambda: ClickObjects("1", (((0, 0, 0, 0), 0),)),
        lambda: SetObjectClass(0, "a", "#000000"),
    ],
)
def test_operations_of_strangers_are_checked(make):
    with pytest.raises((ParameterError, LabelError, ValueError)):
        make()


def test_operations_that_do_not_fit_the_image_are_refused(session, key):
    step = session.undoable
    for operation in (
        SetObjects(key, "x", ((0, b"no labels"),)),
        SetObjects(key, "x", ((1, b""),)),
        ClickObjects(key, (((0, 0, 60, 0), 1),)),
        ClickObjects(key, (((1, 0, 0, 0), 1),)),
        CorrectObjects(key, "delete", 7, (1,)),
    ):
        with pytest.raises(ParameterError):
            session.core.do(operation)
    assert session.undoable is step


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ({"core": "abc"}, "core is a number from 0 to .*, got abc"),
        ({"core": True}, "core is a number from 0 to .*, got True"),
        ({"border": "no"}, "border is true or false, got no"),
        ({"threshold": "0.5"}, "threshold is a number"),
        ({"min_size": None}, "min_size is a number"),
        ({"max_size": []}, "max_size is a number"),
        ({"size_in": 3}, "'px' or 'um'"),
        ({"connectivity": []}, "'corner' or 'side'"),
        ({"depth": 1}, "Nothing called 'depth'"),
    ],
)
def test_how_objects_are_found_is_checked_by_kind(session, how, why):
    key = session.add_image((squares() > 0) * np.float32(100))
    with pytest.raises(ParameterError, match=why):
        session.follow_objects(key, label=1, **how)
    with pytest.raises(ParameterError, match=why):
        session.find_objects(key, label=1, **how)
    with pytest.raises(ParameterError, match=why):
        FollowObjects(key, {"label": 1, **how})


def test_how_objects_are_found_may_be_without_bounds(session):
    key = session.add_image((squares() > 0) * np.float32(100))
    session.follow_objects(key, label=1, max_size=np.inf, core=None, border=False)
    how = session.object_source(key).how
    assert (how.max_size, how.core, how.border) == (np.inf, None, False)


def test_one_object_of_each_class_cannot_tell_how_well_it_goes(session, key):
    session.label_objects(key, [1], 1)
    session.label_objects(key, [2], 2)
    with pytest.raises(NotTrainedError, match="Label a second one"):
        session.object_accuracy().result()
