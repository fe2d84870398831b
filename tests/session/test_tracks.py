"""Tracks of a movie are corrected in steps that can be undone, and stay when it is solved again."""

import gc
import subprocess
import sys
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stroma.errors import MissingFileError, ParameterError, ShapeError, UnknownNameError
from stroma.io.write import write_image
from stroma.session import Session
from stroma.session.tracks.bench import TrackBench
from stroma.session.tracks.book import KINDS, Book, corrected, fits
from stroma.session.tracks.operations import CorrectTracks, SetTracks, TracksChanged
from stroma.tracking.track import Linking

FRAMES = 5


def labels():
    """Three objects side by side that stay where they are; each is called 1, 2, 3 from the left."""
    made = np.zeros((FRAMES, 40, 60), np.uint8)
    for k in range(3):
        made[:, 14:22, 6 + 16 * k : 14 + 16 * k] = k + 1
    return made


def links(tracks):
    """Return links as (frame, label, frame, label)."""
    found = tracks.detections
    name = list(zip(found.frame.tolist(), found.label.tolist(), strict=True))
    return {(*name[i], *name[j]) for i, j in tracks.links.tolist()}


@pytest.fixture
def movie(session):
    key = session.add_image(np.zeros((FRAMES, 40, 60), np.uint8))
    session.track(key, labels())
    return key


def plain():
    return {(t, k, t + 1, k) for t in range(FRAMES - 1) for k in (1, 2, 3)}


CORRECTIONS = {
    "link": ([(1, 1), (2, 2)], {(1, 1, 2, 1), (1, 2, 2, 2)}, {(1, 1, 2, 2)}),
    "unlink": ([(1, 1), (2, 1)], {(1, 1, 2, 1)}, set()),
    "divide": ([(1, 1), (2, 1), (2, 2)], {(1, 2, 2, 2)}, {(1, 1, 2, 2)}),
    "merge": ([(1, 1), (1, 2), (2, 2)], {(1, 1, 2, 1)}, {(1, 1, 2, 2)}),
    "swap": (
        [(1, 1), (1, 2)],
        {(1, 1, 2, 1), (1, 2, 2, 2)},
        {(1, 1, 2, 2), (1, 2, 2, 1)},
    ),
    "delete": ([(1, 1)], {(0, 1, 1, 1), (1, 1, 2, 1)}, set()),
}


@pytest.mark.parametrize("kind", CORRECTIONS)
def test_a_correction_does_what_it_says_and_is_undone(session, movie, heard, kind):
    objects, gone, come = CORRECTIONS[kind]
    assert links(session.tracks(movie)) == plain()
    session.correct_tracks(movie, kind, objects)
    wanted = (plain() - gone) | come
    assert links(session.tracks(movie)) == wanted
    session.undo()
    assert links(session.tracks(movie)) == plain()
    session.redo()
    assert links(session.tracks(movie)) == wanted
    assert len([e for e in heard if isinstance(e, TracksChanged)]) >= 3


@pytest.mark.parametrize("solver", ["lap", "greedy", "ilp"])
@pytest.mark.parametrize("kind", CORRECTIONS)
def test_what_was_corrected_stays_when_it_is_solved_again(session, movie, kind, solver):
    objects, gone, come = CORRECTIONS[kind]
    session.correct_tracks(movie, kind, objects)
    again = links(session.solve_tracks(movie, how=Linking(solver=solver, max_gap=0)))
    assert come <= again
    if kind in ("unlink", "delete", "swap"):
        assert not gone & again
    if kind == "delete":
        assert (1, 1) not in {row[:2] for row in again} | {row[2:] for row in again}
    assert links(session.tracks(movie)) == again
    session.undo()
    session.undo()
    assert links(session.tracks(movie)) == plain()


def test_the_last_word_counts(session, movie):
    session.correct_tracks(movie, "unlink", [(1, 1), (2, 1)])
    session.correct_tracks(movie, "link", [(1, 1), (2, 1)])
    assert links(session.solve_tracks(movie)) == plain()
    session.correct_tracks(movie, "link", [(1, 1), (2, 2)])
    session.correct_tracks(movie, "link", [(1, 1), (2, 3)])
    found = links(session.solve_tracks(movie))
    assert (1, 1, 2, 3) in found
    assert (1, 1, 2, 2) not in found


@pytest.mark.parametrize(
    ("frames", "kinds"),
    [
        ((), set()),
        ((1,), {"delete"}),
        ((2, 1), {"link", "unlink"}),
        ((1, 1), {"swap"}),
        ((1, 2, 2), {"divide"}),
        ((2, 1, 1), {"merge"}),
        ((3, 1, 2), {"divide", "merge"}),
        ((1, 1, 1), set()),
        ((1, 2, 3, 4), set()),
    ],
)
def test_which_corrections_fit_objects_of_some_frames(frames, kinds):
    assert {kind for kind in KINDS if fits(kind, frames)} == kinds


@pytest.mark.parametrize(
    ("kind", "objects", "said"),
    [
        ("link", [(1, 1), (1, 2)], "later frame"),
        ("link", [(1, 1), (2, 9)], "no object 9 in frame 2"),
        ("link", [(1, 1)], "takes 2 different objects"),
        ("unlink", [(1, 1), (2, 2)], "are not linked"),
        ("swap", [(1, 1), (2, 1)], "of one frame"),
        ("swap", [(4, 1), (4, 2)], "nothing to swap"),
        ("marry", [(1, 1)], "No correction 'marry'"),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(session, movie, kind, objects, said):
    step = session.undoable
    with pytest.raises(ParameterError, match=said):
        session.correct_tracks(movie, kind, objects)
    assert links(session.tracks(movie)) == plain()
    assert session.undoable is step


def test_a_deleted_object_is_not_corrected_further(session, movie):
    session.correct_tracks(movie, "delete", [(1, 1)])
    with pytest.raises(ParameterError, match="was deleted"):
        session.correct_tracks(movie, "link", [(0, 1), (1, 1)])


def test_labels_are_those_of_the_movie(session, movie):
    with pytest.raises(ShapeError, match="5 frames, its labels 4"):
        session.track(movie, labels()[:4])
    with pytest.raises(UnknownNameError):
        session.tracks("nowhere")
    other = session.add_image(np.zeros((FRAMES, 40, 60), np.uint8))
    with pytest.raises(ParameterError, match="no tracks yet"):
        session.tracks(other)


def test_label_images_are_let_go_with_their_movie(session):
    given = labels()
    key = session.add_image(np.zeros(given.shape, np.uint8))
    session.track(key, given)
    alive = weakref.ref(given)
    session.close_image(key)
    del given
    gc.collect()
    assert alive() is None


def test_objects_that_are_others_forget_the_corrections(session, movie):
    session.correct_tracks(movie, "unlink", [(1, 1), (2, 1)])
    other = labels()
    other[other == 3] = 7
    session.track(movie, other)
    session.track(movie, labels())
    assert links(session.tracks(movie)) == plain()


def test_tracks_are_those_of_the_labels_they_were_made_from_also_after_undo(session, tmp_path):
    where, fewer = tmp_path / "labels.npy", labels()
    fewer[fewer == 3] = 0
    np.save(where, labels())
    key = session.add_image(np.zeros((FRAMES, 40, 60), np.uint8))
    session.track(key, where)
    session.track(key, fewer)
    assert links(session.tracks(key)) == {row for row in plain() if row[1] != 3}
    session.undo()
    assert links(session.tracks(key)) == plain()
    assert len(session.tracks(key).detections) == 3 * FRAMES
    session.redo()
    with pytest.raises(MissingFileError, match="in memory"):
        session.tracks(key)
    session.undo()
    session.undo()
    with pytest.raises(ParameterError, match="no tracks yet"):
        session.tracks(key)


def test_a_tracking_that_fails_changes_nothing(session, movie):
    fewer = labels()
    fewer[fewer == 3] = 0
    with pytest.raises(UnknownNameError):
        session.track(movie, fewer, how=Linking(cost="colour"))
    assert links(session.tracks(movie)) == plain()
    assert len(session.tracks(movie).detections) == 3 * FRAMES


KILLED = """
import os, sys
from stroma.session import Session
session = Session.open(sys.argv[1])
key = session.images[0].key
session.correct_tracks(key, "swap", [(1, 1), (1, 2)])
session.correct_tracks(key, "delete", [(3, 3)])
session.correct_tracks(key, "unlink", [(0, 3), (1, 3)])
session.undo()
assert session.flush(60)
os.kill(os.getpid(), 9)
"""


def test_corrections_survive_a_kill_and_go_on(tmp_path):
    folder, where = tmp_path / "cells.stroma", tmp_path / "labels.npy"
    np.save(where, labels())
    write_image(tmp_path / "movie.tif", np.zeros((FRAMES, 40, 60), np.uint8), axes="tyx")
    with Session.create(folder, "gaussian", mode="paused") as session:
        key = session.add_image(tmp_path / "movie.tif")
        session.track(key, where)
        session.correct_tracks(key, "unlink", [(3, 1), (4, 1)])
    done = subprocess.run([sys.executable, "-c", KILLED, str(folder)], check=False)
    assert done.returncode == -9
    with Session.open(folder) as session:
        found = links(session.tracks(key))
        assert {(1, 1, 2, 2), (1, 2, 2, 1), (0, 3, 1, 3)} <= found
        assert not {(3, 1, 4, 1), (2, 3, 3, 3), (3, 3, 4, 3)} & found
        again = links(session.solve_tracks(key, how=Linking(solver="ilp")))
        assert {(1, 1, 2, 2), (1, 2, 2, 1)} <= again
        assert (3, 1, 4, 1) not in again
        session.undo()
        session.redo()
        session.redo()
        assert (0, 3, 1, 3) in links(session.tracks(key))
        written = session.export_tracks(key, tmp_path / "out", formats=("ctc", "trackmate"))
        assert all(path.stat().st_size for path in written)
    where.unlink()
    with Session.open(folder) as session, pytest.raises(MissingFileError, match="Put them back"):
        session.tracks(key)


NODES = st.tuples(st.integers(0, 2), st.integers(1, 3))


@given(st.lists(st.tuples(st.sampled_from(sorted(CORRECTIONS)), st.lists(NODES, max_size=3))))
def test_any_corrections_leave_tables_that_agree_and_are_undone(steps):
    book, nodes = Book(), [(t, k) for t in range(3) for k in (1, 2, 3)]
    rows = {(t, k, t + 1, k) for t in range(2) for k in (1, 2, 3)}
    book.change(book.to("1", 0, {"objects": set(nodes), "links": rows}, ""))
    whole = None
    for kind, objects in steps:
        before = {table: set(known) for table, known in book.tables.items()}
        try:
            wanted = corrected(book, kind, tuple(objects))
        except ParameterError:
            assert book.tables == before
            continue
        delta = book.to("1", 0, wanted, "")
        book.change(delta)
        whole = delta if whole is None else whole.followed_by(delta)
        assert book.tables["pinned"] <= book.tables["links"]
        assert not book.tables["links"] & book.tables["forbidden"]
        book.change(delta.reversed())
        assert book.tables == before
        book.change(delta)
    if whole is not None:
        book.change(type(whole).from_json(whole.to_json()).reversed())
        assert book.tables["links"] == rows


def test_operations_come_back_from_their_plain_values():
    for one in (
        SetTracks("1", "", ((0, 1), (1, 1)), ((0, 1, 1, 1),)),
        CorrectTracks("1", "link", ((0, 1), (1, 1))),
    ):
        assert type(one).from_json(one.to_json()) == one
    for wrong in ({"objects": [[0]]}, {"objects": [[0, "x"]]}, {"kind": "marry"}):
        values = CorrectTracks("1", "link", ((0, 1), (1, 1))).to_json() | wrong
        with pytest.raises(ParameterError):
            CorrectTracks.from_json(values)


@pytest.mark.parametrize(
    ("links", "said"),
    [
        ([[1, 1, 0, 1]], "later frames"),
        ([[0, 1, 0, 1]], "later frames"),
        ([[0, 1, 1, 9]], "from objects to objects"),
        ([[0, 1, 1]], "4 numbers"),
        ([[0, 1, 1, -1]], "a number of tracks"),
    ],
)
def test_links_of_a_project_lead_from_objects_to_later_ones(session, movie, links, said):
    bench = session.core.bench(TrackBench)
    kept = bench.to_json()
    kept["movies"][movie]["links"] = links
    with pytest.raises(ParameterError, match=said):
        bench.read(kept)
