"""Objects that are carved in a session: strokes, an answer, names, locks, undo and the journal."""

import shutil
import threading

import numpy as np
import pytest
from tests.patience import PATIENCE
from tests.session.scene import settle

from stroma.blocks.box import Box
from stroma.data.image import Image
from stroma.errors import LabelError, NotTrainedError, ParameterError, UnknownNameError
from stroma.session import Session
from stroma.session.objects.carving import carve, cutting
from stroma.session.objects.carving.kept import Carvings, Line, splices
from stroma.session.objects.carving.operations import CarvingChanged

SIDE = 40
BALLS = ((16, 11, 11), (16, 28, 28))


def balls(side=SIDE, radius=8):
    """Return bright balls on dark ground, with a little noise."""
    made = np.random.default_rng(0).normal(20, 1, (side,) * 3)
    for middle in BALLS:
        made[ball(middle, side, radius)] += 100
    return made.astype(np.float32)


def ball(middle, side=SIDE, radius=8):
    away = [(axis - at) ** 2 for axis, at in zip(np.indices((side,) * 3), middle, strict=True)]
    return sum(away) < radius**2


def overlap(found, truth):
    return (found & truth).sum() / (found | truth).sum()


@pytest.fixture
def key(session):
    made = session.add_image(Image(balls(), "zyx"), name="balls.tif")
    session.look(made, plane={"z": 16})
    session.prepare_carving(made).result(PATIENCE)
    return made


def draw(session, key, ball=0, beside=((1, 1), (1, 38))):
    z, y, x = BALLS[ball]
    session.carve_stroke(key, [(y, x)], plane={"z": z})
    session.carve_stroke(key, beside, on=False, plane={"z": z})


def on_plane(session, key, **plane):
    """Return the whole plane of what is carved."""
    found = session.carved(key, plane=plane)
    made = np.zeros((SIDE, SIDE), bool)
    made[found.box.slices] = found.mask
    return made


def test_a_stroke_on_an_object_and_one_beside_it_are_answered_on_planes_of_any_direction(
    session, key, heard
):
    assert session.carved(key).lacking == carve.NO_OBJECT
    session.carve_stroke(key, [(11, 11)], plane={"z": 16})
    assert session.carved(key).lacking == carve.NO_REST
    session.carve_stroke(key, [(1, 1), (1, 38)], on=False, plane={"y": 2})
    assert [e for e in heard if isinstance(e, CarvingChanged)] == [CarvingChanged(key)] * 2
    truth = ball(BALLS[0])
    assert overlap(on_plane(session, key, z=16), truth[16]) > 0.7
    assert overlap(on_plane(session, key, y=11), truth[:, 11]) > 0.7
    assert overlap(on_plane(session, key, x=12), truth[:, :, 12]) > 0.7
    assert not on_plane(session, key, z=0).any()
    assert session.carved(key).pixels == pytest.approx(truth.sum(), rel=0.3)
    assert not session.object_source(key).used


def test_a_carved_object_is_one_of_the_image_with_a_name_and_a_step_of_undo(session, key):
    draw(session, key)
    assert session.commit_carved(key, "left") == 1
    now = session.carving(key)
    assert [(n.name, n.number, n.locked) for n in now.named] == [("left", 1, False)]
    assert now.lines == ()
    assert session.object_source(key).source == "carved"
    settle(session)
    found = session.objects(key, plane={"z": 16}).found
    assert overlap(found.labels == 1, ball(BALLS[0])) > 0.7
    session.undo()
    assert not session.object_source(key).used
    assert len(session.carving(key).lines) == 2
    assert session.carving(key).named == ()
    session.redo()
    assert session.carving(key) == now


def test_objects_that_are_there_bound_the_next_one(session, key):
    draw(session, key)
    session.commit_carved(key)
    draw(session, key, 1)
    session.carve_stroke(key, [(11, 11)], plane={"z": 16})  # on the first, which keeps its pixels
    session.commit_carved(key)
    assert [one.name for one in session.carving(key).named] == ["object 1", "object 2"]
    settle(session)
    labels = session.objects(key, plane={"z": 16}).found.labels
    for number in (1, 2):
        assert overlap(labels == number, ball(BALLS[number - 1])) > 0.7
    draw(session, key)
    assert session.carved(key).lacking == carve.TAKEN
    with pytest.raises(ParameterError, match="lie in objects that are there"):
        session.commit_carved(key)


def test_an_object_is_reopened_with_its_strokes_and_takes_its_own_place(session, key):
    draw(session, key)
    session.commit_carved(key, "left", lock=True)
    session.reopen_carved(key, "left")
    now = session.carving(key)
    assert (now.opened, len(now.lines), now.named[0].locked) == (("left",), 2, False)
    assert overlap(on_plane(session, key, z=16), ball(BALLS[0])[16]) > 0.7
    session.carve_stroke(key, [(3, 11), (7, 11)], on=False, radius=2, plane={"z": 16})
    smaller = on_plane(session, key, z=16)
    assert not smaller[6, 11]
    assert session.commit_carved(key) == 1
    settle(session)
    labels = session.objects(key, plane={"z": 16}).found.labels
    assert np.array_equal(labels[16] == 1, smaller)
    assert [(n.name, len(n.lines)) for n in session.carving(key).named] == [("left", 3)]


def test_locked_objects_stay_as_they_are_until_they_are_unlocked(session, key):
    draw(session, key)
    number = session.commit_carved(key, "left", lock=True)
    settle(session)
    at = {"plane": {"z": 16}}
    with pytest.raises(ParameterError, match="'left' is locked"):
        session.correct_objects(key, "delete", [number], **at)
    with pytest.raises(ParameterError, match="'left' is locked"):
        session.no_objects(key)
    session.lock_carved(key, "left", locked=False)
    session.correct_objects(key, "delete", [number], **at)
    assert session.carving(key).named == ()
    session.undo()
    assert [one.name for one in session.carving(key).named] == ["left"]
    session.no_objects(key)
    assert session.carving(key).named == ()


def test_a_name_does_not_pass_to_another_object_with_the_same_number(session, key):
    draw(session, key)
    session.commit_carved(key, "left")
    settle(session)
    same = session.objects(key, plane={"z": 16}).found.labels.copy()
    session.set_objects(key, ball(BALLS[1]).astype(np.int32))
    assert session.carving(key).named == ()
    session.undo()
    session.set_objects(key, same)
    assert [one.name for one in session.carving(key).named] == ["left"]


def test_names_are_those_of_one_object(session, key):
    draw(session, key)
    session.commit_carved(key, "left")
    draw(session, key, 1)
    with pytest.raises(ParameterError, match=r"There is an object 'left' already\. Reopen it"):
        session.commit_carved(key, "left")
    with pytest.raises(UnknownNameError, match="no object called 'right'"):
        session.reopen_carved(key, "right")
    session.reopen_carved(key, "left")
    with pytest.raises(ParameterError, match="being carved"):
        session.lock_carved(key, "left")
    session.clear_carving(key)
    assert (session.carving(key).lines, session.carving(key).opened) == ((), ())


def test_what_bounds_objects_is_chosen_and_cut_anew(session, key):
    draw(session, key)
    session.set_boundaries(key, "bright", sigma=2.0)
    assert session.carved(key).lacking == carve.NOT_CUT
    assert session.prepare_carving(key).result(PATIENCE) > 10
    assert session.carved(key).lacking == ""
    session.undo()
    assert session.carving(key).how[0].boundary == "edges"
    with pytest.raises(ParameterError, match="No boundaries 'dull'"):
        session.set_boundaries(key, "dull")
    with pytest.raises(LabelError, match="label of a class"):
        session.set_boundaries(key, "class")


def test_a_class_bounds_objects_once_all_planes_are_segmented(session):
    y, x = np.indices((64, 64))
    wall = (abs(np.hypot(y - 32, x - 20) - 12) < 2) | (abs(np.hypot(y - 32, x - 46) - 12) < 2)
    key = session.add_image(wall * 100.0 + np.random.default_rng(0).normal(20, 1, wall.shape))
    session.set_boundaries(key, "class", label=2)
    with pytest.raises(NotTrainedError, match="as soon as all planes are segmented"):
        session.prepare_carving(key).result(PATIENCE)
    session.look(key)
    session.paint(key, [(32, 15), (32, 25)], label=1, radius=2)
    session.paint(key, [(20, 20), (20, 21)], label=2, radius=1)
    session.train()
    settle(session)
    session.prepare_carving(key).result(PATIENCE)
    session.carve_stroke(key, [(32, 20)])
    session.carve_stroke(key, [(60, 5), (60, 60)], on=False)
    found = session.carved(key)
    assert found.mask.sum() == pytest.approx(np.pi * 11**2, rel=0.4)


def test_strokes_of_one_object_are_in_one_frame(session):
    movie = np.stack([balls()[16], balls()[16]])
    key = session.add_image(Image(movie, "tyx"), name="movie.tif")
    session.carve_stroke(key, [(11, 11)], plane={"t": 1})
    with pytest.raises(ParameterError, match="at time 2"):
        session.carve_stroke(key, [(2, 2)], on=False, plane={"t": 0})
    session.carve_stroke(key, [(1, 1), (1, 38)], on=False, plane={"t": 1})
    session.prepare_carving(key, plane={"t": 1}).result(PATIENCE)
    assert session.carved(key, plane={"t": 0}).lacking == carve.NO_OBJECT
    assert session.commit_carved(key) == 1
    assert session.carving(key).named[0].frame == 1


def test_later_strokes_lie_on_earlier_ones(session, key):
    draw(session, key)
    session.carve_stroke(key, [(11, 11)], on=False, plane={"z": 16})
    assert not on_plane(session, key, z=16)[11, 11]
    session.carve_stroke(key, [(11, 11)], radius=1, plane={"z": 16})
    assert on_plane(session, key, z=16)[11, 11]


def test_a_stroke_is_taken_back_whatever_was_done_since(session, key):
    draw(session, key)
    before = session.carving(key).lines
    session.add_object_class("round")
    session.take_back_carving(key)
    assert session.carving(key).lines == before[:-1]
    assert [one.name for one in session.object_classes][-1:] == ["round"]
    session.undo()
    assert session.carving(key).lines == before


def test_an_answer_tells_what_is_carved_on_any_plane_of_its_frame(session, key):
    draw(session, key)
    answer, sheet = session.carved(key, plane={"z": 16}).answer, session.core.document.sheet(key)
    for plane in ({"z": 14}, {"y": 12}, {"x": 9}):
        number = sheet.plane_number(plane)
        whole = Box.of(sheet.cuts.shape(number))
        found = session.carved(key, plane=plane)
        mask = answer.on(sheet, number, whole)
        assert mask.any()
        np.testing.assert_array_equal(mask[found.box.slices], found.mask)
        assert mask.sum() == found.mask.sum()


def test_objects_that_follow_the_segmentation_are_held_when_one_is_carved(session):
    y, x = np.indices((48, 48))
    image = np.random.default_rng(0).normal(20, 1, (48, 48))
    for cy, cx in ((12, 12), (34, 34)):
        image[(y - cy) ** 2 + (x - cx) ** 2 < 49] += 100
    key = session.add_image(image.astype(np.float32), name="discs.tif")
    session.look(key)
    session.set_objects(key, ((y - 12) ** 2 + (x - 12) ** 2 < 49).astype(np.int32))
    session.prepare_carving(key).result(PATIENCE)
    session.carve_stroke(key, [(34, 34)])
    session.carve_stroke(key, [(2, 45), (45, 2)], on=False)
    assert session.commit_carved(key, "second") == 2
    settle(session)
    assert session.object_at(key, (34, 34)) == 2
    assert session.object_at(key, (12, 12)) == 1


def test_what_is_on_the_disk_at_any_moment_is_all_that_was_carved(tmp_path):
    """A copy of the project while it is open is what a program that is killed leaves behind."""
    folder, left = tmp_path / "balls.stroma", tmp_path / "left.stroma"
    np.save(tmp_path / "balls.npy", balls())
    with Session.create(folder, mode="demand") as session:
        key = session.add_image(tmp_path / "balls.npy")
        session.prepare_carving(key).result(PATIENCE)
        draw(session, key)
        session.commit_carved(key, "left", lock=True)
        session.carve_stroke(key, [(28, 28)], plane={"z": 16})
        session.carve_stroke(key, [(5, 5)], plane={"z": 3})
        session.undo()
        assert session.flush(PATIENCE)
        shutil.copytree(folder, left, ignore=shutil.ignore_patterns("*lock*"))
    with Session.open(left) as session:
        now = session.carving(key)
        assert [(n.name, n.number, n.locked, len(n.lines)) for n in now.named] == [
            ("left", 1, True, 2)
        ]
        assert now.lines == (Line(16, ((28.0, 28.0),)),)
        session.look(key, plane={"z": 16})
        settle(session)
        labels = session.objects(key, plane={"z": 16}).found.labels
        assert overlap(labels == 1, ball(BALLS[0])) > 0.7
        session.undo()
    with Session.open(left) as session:  # from the snapshot, with its steps of undo
        assert session.carving(key).lines == ()
        session.undo()
        assert session.carving(key).named == ()
        assert len(session.carving(key).lines) == 2


def test_cutting_an_image_into_regions_is_cancelled_before_it_begins(session, key, monkeypatch):
    began, goes_on = threading.Event(), threading.Event()

    def waits(*_):
        began.set()
        assert goes_on.wait(PATIENCE)
        return lambda: pytest.fail("it was cancelled")

    monkeypatch.setattr(cutting.Cutting, "_heights", waits)
    session.set_boundaries(key, "dark")
    task = session.prepare_carving(key)
    assert began.wait(PATIENCE)
    task.cancel()
    goes_on.set()
    with pytest.raises(Exception, match="cancelled"):
        task.result(PATIENCE)


def test_an_image_is_cut_as_was_asked_for_whatever_changes_meanwhile(session, key, monkeypatch):
    cut, of = [], cutting.Carving.of

    def noted(pixels, *, boundary, **values):
        cut.append(boundary)
        return of(pixels, boundary=boundary, **values)

    monkeypatch.setattr(cutting, "_require_memory", lambda _: session.set_boundaries(key, "bright"))
    monkeypatch.setattr(cutting.Carving, "of", noted)
    session.set_boundaries(key, "dark")
    session.prepare_carving(key).result(PATIENCE)
    assert cut == ["dark"]
    draw(session, key)
    assert session.carved(key).lacking == carve.NOT_CUT


def test_an_image_that_does_not_fit_the_memory_is_refused(session, key, monkeypatch):
    monkeypatch.setattr(cutting, "free_memory", lambda: 1000)
    session.set_boundaries(key, "dark")
    with pytest.raises(ParameterError, match=r"are free\. Open a part of the image"):
        session.prepare_carving(key).result(PATIENCE)


@pytest.mark.parametrize(
    "values",
    [
        {"lines": [{"plane": -1, "points": [[1, 2]], "on": True, "radius": 1}]},
        {"lines": [{"plane": 0, "points": [], "on": True, "radius": 1}]},
        {"how": []},
        {"opened": ["a"]},
        {"named": [{"name": "a", "frame": 0, "number": 0, "locked": False, "lines": []}]},
    ],
)
def test_damaged_carvings_are_refused(values):
    with pytest.raises((ParameterError, UnknownNameError)):
        Carvings.from_json(Carvings().to_json() | values)


def test_changes_are_as_small_as_what_changed():
    lines = tuple(Line(i, ((1.0, 2.0),)) for i in range(4))
    before, after = Carvings(lines[:3]), Carvings((lines[0], lines[3], lines[2]))
    [made] = splices(before, after)
    assert (made.start, made.before, made.after) == (1, (lines[1],), (lines[3],))
    assert before.spliced((made,)) == after
    assert after.spliced((made.reversed(),)) == before
