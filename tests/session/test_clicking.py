"""Objects that are clicked: proposed, committed, undone, and kept when the program is killed."""

import subprocess
import sys
import threading

import numpy as np
import pytest
from tests.patience import PATIENCE
from tests.session.scene import settle

from stroma.blocks.box import Box
from stroma.data.image import Image
from stroma.errors import Cancelled, LabelError, ParameterError
from stroma.session import Session
from stroma.session.objects import carrying, prompting, windows
from stroma.session.objects.everything import beside
from stroma.session.objects.operations import MOST_NUMBER, CommitObject, ObjectsChanged
from stroma.session.objects.prompting import _apart, _is_cut
from stroma.session.objects.said import Said, Stroke
from stroma.session.objects.windows import SIDE, window_of

KILLED = """
import os, sys
from stroma.session import Session
session = Session.open(sys.argv[1])
for at in ((10, 10), (10, 40), (40, 10)):
    session.commit_object(session.propose("1", points=[at]))
session.undo()
assert session.flush(10)
os._exit(0)  # without closing: the journal must do
"""


PLACES = ((10, 10), (10, 40), (40, 10), (40, 40))


def discs(places=PLACES, shape=(56, 56)):
    """Return bright discs of radius 6 on dark ground, with a little noise."""
    y, x = np.indices(shape)
    made = np.random.default_rng(0).normal(20, 1, shape)
    for cy, cx in places:
        made[(y - cy) ** 2 + (x - cx) ** 2 < 36] += 100
    return made.astype(np.float32)


def disc(cy, cx, shape=(56, 56)):
    y, x = np.indices(shape)
    return (y - cy) ** 2 + (x - cx) ** 2 < 36


def overlap(found, truth):
    return (found & truth).sum() / (found | truth).sum()


@pytest.fixture
def key(session):
    made = session.add_image(discs(), name="discs.tif")
    session.look(made)
    return made


def labels(session, key):
    settle(session)
    return session.object_labels(key)


def test_a_click_on_an_image_alone_becomes_an_object(session, key, heard):
    proposal = session.propose(key, points=[(10.5, 10.5)])
    assert overlap(placed(proposal), disc(10, 10)) > 0.9
    assert 0 <= proposal.score <= 1
    assert not proposal.cut
    assert not session.object_source(key).used
    assert session.commit_object(proposal) == 1
    assert session.object_source(key).kept
    assert np.array_equal(labels(session, key) == 1, placed(proposal))
    assert [e for e in heard if isinstance(e, ObjectsChanged)]
    assert session.undoable.kind == "commit object"
    session.undo()
    assert not session.object_source(key).used
    assert not session.objects(key).found
    session.redo()
    assert overlap(labels(session, key) == 1, disc(10, 10)) > 0.9


def placed(proposal, shape=(56, 56)):
    made = np.zeros(shape, bool)
    made[proposal.box.slices] = proposal.mask
    return made


def test_boxes_strokes_and_clicks_beside_say_what_is_meant(session, key):
    boxed = session.propose(key, boxes=[(47, 47, 33, 33)])
    assert overlap(placed(boxed), disc(40, 40)) > 0.9
    drawn = Stroke(((8.0, 8.0), (12.0, 12.0)))
    assert overlap(placed(session.propose(key, strokes=[drawn])), disc(10, 10)) > 0.8
    both = Stroke(((10.5, 10.5), (10.5, 40.5)))
    beside = Stroke(((20.5, 5.5), (20.5, 50.5)), on=False)
    two = placed(session.propose(key, strokes=[both, beside]))
    assert two[10, 10]
    assert two[10, 40]
    assert not two[20, 20]
    clicks = [(10.5, 10.5), (25.5, 25.5)]
    one = placed(session.propose(key, points=clicks, labels=[1, 0]))
    assert one[10, 10]
    assert not one[25, 25]


def test_other_answers_and_earlier_ones_can_be_gone_on_from(session, key):
    first = session.propose(key, points=[(10.5, 10.5)])
    assert session.propose(key, points=[(10.5, 10.5)], choice=first.choices).choice == 0
    other = session.propose(key, points=[(10.5, 10.5)], choice=1)
    assert other.choice == 1 % first.choices
    points = [(10.5, 10.5), (9.5, 9.5)]
    refined = session.propose(key, points=points, after=first.number)
    assert overlap(placed(refined), disc(10, 10)) > 0.9
    part = session.propose(key, points=points, after=other.number)
    assert overlap(placed(part), placed(other)) > 0.9
    assert overlap(placed(other), placed(refined)) < 0.5


def test_earlier_objects_keep_their_pixels(session, key):
    again = session.propose(key, points=[(10.5, 10.5)])
    session.commit_object(session.propose(key, points=[(10.5, 10.5)]))
    with pytest.raises(ParameterError, match="Other objects have all of these pixels"):
        session.commit_object(again)
    second = session.commit_object(session.propose(key, points=[(10.5, 40.5)]).number)
    assert second == 2
    replaced = session.propose(key, boxes=[(33, 33, 47, 47)])
    assert session.commit_object(replaced, replaces=2) == 2
    found = labels(session, key)
    assert found[10, 40] == 0
    assert found[40, 40] == 2
    with pytest.raises(LabelError, match="no object 7"):
        session.commit_object(session.propose(key, points=[(40.5, 10.5)]), replaces=7)


def test_what_is_proposed_keeps_off_objects_that_are_there(session, key):
    two = Stroke(((10.5, 10.5), (10.5, 40.5)))
    assert placed(session.propose(key, strokes=[two]))[10, 10]
    first = session.propose(key, points=[(10.5, 10.5)])
    session.commit_object(first)
    rest = placed(session.propose(key, strokes=[two]))
    assert rest[10, 40]
    assert not (rest & placed(first)).any()
    with pytest.raises(ParameterError, match="Object 1 is here already"):
        session.propose(key, points=[(10.5, 10.5)])
    with pytest.raises(ParameterError, match="Object 1 is here already"):
        session.propose(key, strokes=[Stroke(((10.0, 9.0), (10.0, 12.0)))])
    again = session.propose(key, points=[(10.5, 10.5)], replaces=1)
    assert session.commit_object(again, replaces=1) == 1
    session.undo()
    session.undo()
    assert overlap(placed(session.propose(key, points=[(10.5, 10.5)])), disc(10, 10)) > 0.9


def test_of_parts_that_others_cut_off_those_that_were_clicked_on_are_proposed():
    mask, taken = np.ones((3, 7), bool), np.zeros((3, 7), np.int32)
    taken[:, 3] = 5
    assert np.array_equal(np.flatnonzero(_apart(mask, taken, [(1, 1)])[0]), [0, 1, 2])
    assert np.array_equal(np.flatnonzero(_apart(mask, taken, [])[0]), [0, 1, 2, 4, 5, 6])
    with pytest.raises(ParameterError, match="Object 5 is here"):
        _apart(mask, taken, [(1, 1), (1, 3)])
    mask[1] = False
    assert _apart(mask, taken * 0, [(0, 1)])[2].all()


def test_objects_that_follow_the_segmentation_are_held_first(session, key):
    session.follow_objects(key, label=2)
    session.paint(key, [(10, 10), (11, 11)], label=2, radius=2)
    session.paint(key, [(25, 2), (25, 50)], label=1, radius=1)
    settle(session)
    before = session.objects(key).found.table.rows
    assert before >= 3
    free = ~(session.object_labels(key) > 0)
    y, x = np.argwhere(free & ~disc(10, 10) & ~disc(10, 40) & ~disc(40, 10) & ~disc(40, 40))[0]
    proposal = session.propose(key, boxes=[(y, x, y + 6, x + 6)])
    said = session.undoable
    with pytest.raises(LabelError, match="no object 99"):
        session.commit_object(proposal, replaces=99)
    assert session.object_source(key).how is not None  # what is refused changes nothing
    assert session.undoable == said
    session.commit_object(proposal)
    settle(session)
    assert session.object_source(key).kept
    assert session.objects(key).found.table.rows == before + 1
    session.undo()
    assert session.object_source(key).how is not None


def test_planes_of_volumes_and_frames_of_movies_have_objects_of_their_own(session):
    volume = session.add_image(np.stack([discs()] * 3), name="volume.tif")
    proposal = session.propose(volume, points=[(10.5, 10.5)], plane={"z": 1})
    session.commit_object(proposal)
    with pytest.raises(ParameterError, match="Object 1 is here"):
        session.propose(volume, points=[(1.5, 10.5)], plane={"y": 10})
    cut = session.propose(volume, points=[(1.5, 40.5)], plane={"y": 40})
    assert session.commit_object(cut) == 2
    frame = session.core.bench(session_bench()).books[volume].frame(0)
    assert [int((plane == 1).any()) for plane in frame] == [0, 1, 0]
    assert (frame[:, 40] == 2).any()
    assert not (frame[:, 41] == 2).any()
    movie = session.add_image(Image(np.stack([discs()] * 3), "tyx"), name="movie.tif")
    session.commit_object(session.propose(movie, points=[(10.5, 10.5)], plane={"t": 0}))
    assert session.commit_object(session.propose(movie, points=[(10.5, 10.5)], plane={"t": 2})) == 2


def session_bench():
    from stroma.session.objects.bench import ObjectBench

    return ObjectBench


def test_a_killed_program_loses_no_committed_object(tmp_path):
    with Session.create(tmp_path / "discs.stroma") as session:
        session.add_image(discs(), name="discs.tif")
    folder = str(tmp_path / "discs.stroma")
    subprocess.run([sys.executable, "-c", KILLED, folder], check=True)
    with Session.open(folder) as session:
        session.look("1")
        settle(session)
        assert session.objects("1").found.table.rows == 2
        session.redo()
        settle(session)
        assert session.objects("1").found.table.rows == 3


def test_large_planes_are_looked_at_in_windows():
    whole = Box(0, 0, 5000, 300)
    window = window_of(whole, Box(2500, 100, 2501, 101), Box(2400, 0, 2800, 300))
    assert (window.step, window.box.shape) == (1, (SIDE, 300))
    assert window.box.top + SIDE // 4 <= 2500 <= window.box.bottom - SIDE // 4
    same = window_of(whole, Box(2540, 100, 2541, 101), Box(2400, 0, 2800, 300))
    assert same == window
    far = window_of(whole, Box(0, 0, 4000, 100), None)
    assert far.step == 8
    assert far.box == whole
    assert far.shape == (625, 38)
    small = Box(0, 0, 600, 900)
    assert window_of(small, Box(0, 0, 1, 1), small).box == small


def test_a_coarse_look_gives_objects_of_the_right_size(session):
    large = discs().repeat(56, 0).repeat(56, 1)
    key = session.add_image(large, name="large.tif")
    view = Box(0, 0, *large.shape)
    proposal = session.propose(key, points=[(588, 588)], view=view)
    truth = disc(10, 10).repeat(56, 0).repeat(56, 1)
    assert overlap(placed(proposal, large.shape), truth) > 0.9


class Meanwhile:
    """A lock that one waits for while something else is done."""

    def __init__(self, do):
        self._do = do

    def __enter__(self):
        do, self._do = self._do, lambda: None
        do()

    def __exit__(self, *exception):
        pass


def test_only_what_was_asked_for_last_is_prepared(session, key, monkeypatch):
    view, embedded = Box(0, 0, 56, 56), session._parts["Prompting"]._embedded
    later = []

    def prepared(meanwhile):
        monkeypatch.setattr(embedded, "lock", Meanwhile(meanwhile))
        return session.prepare_prompts(key, view, who="tab")

    assert prepared(lambda: None)
    assert not prepared(lambda: session.leave_prompts("tab"))
    assert prepared(lambda: session.leave_prompts("another tab"))
    assert not prepared(lambda: later.append(session.prepare_prompts(key, view, who="tab")))
    assert later == [True]


def test_what_was_proposed_long_ago_is_forgotten(session, key, monkeypatch):
    monkeypatch.setattr(prompting, "KEPT", 1)
    first, second = (session.propose(key, points=[at]).number for at in ((10, 10), (40, 40)))
    with pytest.raises(LabelError, match="too long ago"):
        session.commit_object(first)
    assert session.commit_object(second) == 1


def test_what_reaches_beyond_what_was_looked_at_is_told(session, monkeypatch):
    monkeypatch.setattr(windows, "SIDE", 32)
    band = discs()
    band[24:32] += 100
    key = session.add_image(band, name="band.tif")
    assert session.propose(key, points=[(28, 28)]).cut
    assert not session.propose(key, points=[(10, 10)]).cut


def test_channels_that_are_not_chosen_and_earlier_pixels_are_not_looked_at(session):
    both = np.stack([discs([(10, 10)]), discs([(40, 40)])])
    key = session.add_image(Image(both, "cyx"), name="two.tif")
    assert overlap(placed(session.propose(key, points=[(40, 40)])), disc(40, 40)) > 0.9
    session.set_channels([0])
    assert overlap(placed(session.propose(key, points=[(40, 40)])), disc(40, 40)) < 0.5
    session.set_channels(None)
    both[1] = discs([(30, 30)])
    session.core.pixels_changed(key)
    assert overlap(placed(session.propose(key, points=[(30, 30)])), disc(30, 30)) > 0.9


def test_where_no_number_is_free_that_is_said(session, key):
    session.set_objects(key, np.where(disc(40, 40), MOST_NUMBER, 0))
    with pytest.raises(LabelError, match="no free numbers"):
        session.commit_object(session.propose(key, points=[(10, 10)]))


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({}, "Click on an object"),
        ({"points": [(99, 3)]}, "lies outside the image 'discs.tif'"),
        ({"points": [(float("nan"), 3)]}, "finite"),
        ({"points": [(3, 3)], "labels": [0]}, "where the object is"),
        ({"points": [(3, 3)], "labels": [2]}, "1 on the object"),
        ({"points": [(3, 3)], "labels": [1, 0]}, "one label for each"),
        ({"boxes": [(-9, -9, -1, -1)]}, "box or stroke lies outside"),
        ({"points": [(3, 3)], "engine": "grahp"}, "Did you mean 'graph'"),
        ({"points": [(3, 3)], "after": 99}, "too long ago"),
    ],
)
def test_what_cannot_be_meant_is_said(session, key, given, match):
    with pytest.raises((ParameterError, LabelError, KeyError), match=match):
        session.propose(key, **given)


def test_what_is_no_committed_object_is_refused():
    with pytest.raises(ParameterError, match="Mark the pixels"):
        CommitObject("1", 0, ())
    with pytest.raises(ParameterError, match="whole number"):
        CommitObject("1", 0, (((0, (0, 0, 0, 1, 1, -1), b"")),))
    assert Said(points=((0.5, 0.5),)).hull() == Box(0, 0, 1, 1)


def test_an_object_is_carried_to_neighbouring_planes_and_frames(session):
    stack = np.stack([discs(places) for places in ((), ((20, 20),), ((20, 21),), ((20, 22),), ())])
    volume = session.add_image(stack, name="volume.tif")
    session.look(volume, plane={"z": 2})
    session.commit_object(session.propose(volume, points=[(20.5, 21.5)], plane={"z": 2}))
    settle(session)
    assert session.carry_object(volume, 1, plane={"z": 2}).result(PATIENCE) == 2
    settle(session)
    found = session.objects(volume, plane={"z": 2}).found
    assert found.table.rows == 1
    assert [bool((plane == 1).any()) for plane in found.labels] == [False, True, True, True, False]
    assert overlap(found.labels[3] == 1, disc(20, 22)) > 0.9
    session.undo()
    settle(session)
    assert not session.object_labels(volume, plane={"z": 3}).any()
    with pytest.raises(ParameterError, match="not on this plane"):
        session.carry_object(volume, 1, plane={"z": 3})
    movie = session.add_image(Image(stack[1:4], "tyx"), name="movie.tif")
    session.look(movie, plane={"t": 0})
    session.commit_object(session.propose(movie, points=[(20.5, 20.5)], plane={"t": 0}))
    settle(session)
    assert session.carry_object(movie, 1, plane={"t": 0}).result(PATIENCE) == 2
    session.look(movie, plane={"t": 2})
    settle(session)
    assert overlap(session.object_labels(movie, plane={"t": 2}) == 1, disc(20, 22)) > 0.9


def test_a_plane_alone_carries_nothing(session, key):
    session.commit_object(session.propose(key, points=[(10.5, 10.5)]))
    with pytest.raises(ParameterError, match="one plane"):
        session.carry_object(key, 1)


def test_an_object_is_carried_no_further_than_it_may_and_not_once_it_is_cancelled(
    session, monkeypatch
):
    volume = session.add_image(np.stack([discs()] * 3), name="volume.tif")
    session.look(volume, plane={"z": 0})
    session.commit_object(session.propose(volume, points=[(10.5, 10.5)], plane={"z": 0}))
    settle(session)
    before, go, real = session.undoable, threading.Event(), carrying.carried

    def held(*args, **values):
        assert go.wait(PATIENCE)
        return real(*args, **values)

    monkeypatch.setattr(carrying, "carried", held)
    task = session.carry_object(volume, 1, plane={"z": 0})
    task.cancel()
    go.set()
    with pytest.raises(Cancelled):
        task.result(PATIENCE)
    assert session.undoable == before
    assert session.carry_object(volume, 1, plane={"z": 0}, reach=1).result(PATIENCE) == 1


def test_an_object_that_changes_while_it_is_carried_stays_as_it_became(session, monkeypatch):
    volume, plane = session.add_image(np.stack([discs()] * 3), name="volume.tif"), {"z": 0}
    session.look(volume, plane=plane)
    session.commit_object(session.propose(volume, points=[(10.5, 10.5)], plane=plane))
    settle(session)
    moved, real = [], carrying.carried

    def moving(*args, **values):
        if not moved:
            other = session.propose(volume, points=[(40.5, 40.5)], plane=plane)
            moved.append(session.commit_object(other, replaces=1))
        return real(*args, **values)

    monkeypatch.setattr(carrying, "carried", moving)
    with pytest.raises(ParameterError, match="changed while it was carried"):
        session.carry_object(volume, 1, plane=plane).result(PATIENCE)
    settle(session)
    found = session.object_labels(volume, plane=plane)
    assert (found[40, 40], found[10, 10]) == (1, 0)


@pytest.mark.parametrize(
    ("edges", "cut"),
    [
        ((10, 12, 20, 20), True),
        ((12, 10, 20, 20), True),
        ((12, 12, 30, 20), True),
        ((12, 12, 20, 30), True),
        ((12, 12, 20, 20), False),
    ],
)
def test_an_object_is_cut_where_it_reaches_a_side_and_the_plane_goes_on(edges, cut):
    window = Box(10, 10, 30, 30)
    assert _is_cut(Box(*edges), window, Box(0, 0, 40, 40)) == cut
    assert not _is_cut(Box(*edges), window, window)


def test_all_objects_are_found_without_clicks_and_that_is_undone(session, key):
    assert session.find_everything(key).result(PATIENCE) == 4
    found = labels(session, key)
    best = [max(overlap(found == n, disc(y, x)) for n in range(1, 5)) for y, x in PLACES]
    assert min(best) > 0.85
    session.undo()
    assert labels(session, key) is None or not labels(session, key).any()


def test_all_objects_are_found_beside_those_that_are_held(session, key):
    session.commit_object(session.propose(key, points=[(10.5, 40.5)]))
    first = labels(session, key) == 1
    assert session.find_everything(key, keep=True).result(PATIENCE) == 3
    found = labels(session, key)
    assert np.array_equal(found == 1, first)
    assert sorted(np.unique(found)) == [0, 1, 2, 3, 4]
    assert all(found[at] > 1 for at in PLACES if tuple(at) != (10, 40))
    assert session.find_everything(key, keep=True).result(PATIENCE) == 0
    session.undo()
    session.undo()
    assert np.array_equal(labels(session, key) > 0, first)


def test_all_objects_are_found_beside_those_that_follow_the_segmentation(session, key):
    session.follow_objects(key, label=2)
    session.paint(key, [(10, 10), (11, 11)], label=2, radius=2)
    session.paint(key, [(25, 2), (25, 50)], label=1, radius=1)
    session.set_region(key, Box(0, 0, 56, 28))  # half of them
    before = labels(session, key)
    assert before[10, 10]
    assert before[40, 10]
    assert not before[:, 28:].any()
    count = session.find_everything(key, keep=True).result(PATIENCE)
    found = labels(session, key)
    assert count >= 2
    assert np.array_equal(found[before > 0], before[before > 0])
    assert min(found[10, 40], found[40, 40]) > before.max()
    assert session.object_source(key).kept
    session.undo()
    assert session.object_source(key).how is not None
    assert np.array_equal(labels(session, key), before)


def test_objects_that_lie_mostly_in_others_do_not_come():
    held, found = np.zeros((2, 6), np.int32), np.zeros((2, 6), np.int32)
    held[:, :2], found[0, :3], found[1, 1:] = 7, 4, 2
    made, count = beside(held, found, least=0.5)
    assert count == 1
    assert made.tolist() == [[7, 7, 0, 0, 0, 0], [7, 7, 8, 8, 8, 8]]


def test_an_object_that_is_there_is_taken_up_again_by_a_click(session, key):
    session.commit_object(session.propose(key, points=[(10.5, 10.5)]))
    session.commit_object(session.propose(key, points=[(10.5, 40.5)]))
    before = labels(session, key)
    again = session.propose(key, points=[(10.5, 10.5)], reopen=True)
    assert (again.replaces, again.choices) == (1, 1)
    assert np.array_equal(placed(again), before == 1)
    both = {"points": [(10.5, 10.5), (40.5, 10.5)], "labels": [1, 1]}
    more = session.propose(key, **both, after=again.number, reopen=True)
    assert more.replaces == 1
    assert session.commit_object(more) == 1
    now = labels(session, key)
    assert now[10, 10] == now[40, 10] == 1
    assert np.array_equal(now == 2, before == 2)
    less = session.propose(key, points=[(40.5, 10.5)], reopen=True)
    both["labels"] = [0, 1]
    session.commit_object(session.propose(key, **both, after=less.number))
    now = labels(session, key)
    assert (now[10, 10], now[40, 10]) == (0, 1)
    session.undo()
    session.undo()
    assert np.array_equal(labels(session, key), before)
    new = session.propose(key, points=[(40.5, 40.5)], reopen=True)  # where there is none
    assert session.commit_object(new) == 3


def test_a_change_on_one_plane_leaves_an_object_on_the_others(session):
    volume = session.add_image(np.stack([discs()] * 3), name="volume.tif")
    frame = np.stack([np.where(disc(10, 10), 1, 0)] * 3)
    session.set_objects(volume, frame)
    plane = {"z": 1}
    again = session.propose(volume, points=[(10.5, 10.5)], plane=plane, reopen=True)
    clicks = {"points": [(10.5, 10.5), (10.5, 40.5)], "plane": plane}
    session.commit_object(session.propose(volume, **clicks, after=again.number))
    found = session.core.bench(session_bench()).books[volume].frame(0)
    assert np.array_equal(found[[0, 2]], frame[[0, 2]])
    assert found[1, 10, 40] == found[1, 10, 10] == 1
