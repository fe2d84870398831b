"""What any bench may rely on, shown with one that is not part of Stroma."""

import json
import subprocess
import sys

import numpy as np
import pytest
from tests.session.dots import DOTS, DotsChanged, add, dots, learning
from tests.session.scene import paint_halves, settle

from stroma.blocks.box import Box
from stroma.errors import FormatError, ParameterError
from stroma.session import Session
from stroma.session.events import BlockReady, ModelTrained, RoundFailed, RoundFinished, Undone

KILLED = """
import os, sys
from pathlib import Path
from stroma.session import Session
from tests.session.dots import DOTS, add, remove
session = Session.open(Path(sys.argv[1]), benches=[DOTS])
add(session, "1", 1, 2)
add(session, "1", 3, 4)
remove(session, "1", 0)
session.undo()
assert session.flush(10)
os._exit(0)  # without closing: the journal must do
"""


@pytest.fixture
def session():
    with Session("gaussian", benches=[DOTS]) as made:
        made.set_params(clf_iterations=40)
        yield made


@pytest.fixture
def project(tmp_path, halves):
    folder = tmp_path / "cells.stroma"
    with Session.create(folder, "gaussian", mode="demand", benches=[DOTS]) as made:
        made.add_image(halves)
    return folder


def test_steps_of_all_benches_are_undone_in_the_order_in_which_they_were_done(session, halves):
    key = session.add_image(halves)
    add(session, key, 1, 2)
    paint_halves(session, key)
    add(session, key, 3, 4)
    assert [e.bench for e in session.core.document.done] == ["dots", "strokes", "strokes", "dots"]
    session.undo()
    assert dots(session, key) == ((1, 2),)
    session.undo()
    session.undo()
    assert session.painted_pixels(key) == 0
    assert dots(session, key) == ((1, 2),)
    session.undo()
    assert dots(session, key) == ()
    for _ in range(4):
        session.redo()
    assert dots(session, key) == ((1, 2), (3, 4))
    assert session.painted_pixels(key)


def test_what_is_refused_changes_nothing_and_is_no_step(session, halves):
    key = session.add_image(halves)
    with pytest.raises(ParameterError, match="outside"):
        add(session, key, 10**6, 0)
    assert dots(session, key) == ()
    assert session.undoable is None


def test_one_worker_learns_for_all_benches_and_shows_block_by_block(session, heard, halves):
    key = session.add_image(halves)
    session.look(key)
    add(session, key, 1, 2)
    paint_halves(session, key)
    settle(session)
    ours = learning(session)
    assert ours.shown(key) == {(1, ours.bench.revision)}
    assert not session.result(key).missing
    for kind in (ModelTrained, RoundFinished, BlockReady):
        assert {e.bench for e in heard if isinstance(e, kind)} == {"dots", "strokes"}
    assert [e.image for e in heard if isinstance(e, DotsChanged)] == [key]


def test_a_change_on_one_bench_does_not_train_the_other(session, heard, halves):
    key = session.add_image(halves)
    session.look(key)
    paint_halves(session, key)
    settle(session)
    del heard[:]
    add(session, key, 1, 2)
    settle(session)
    assert {e.bench for e in heard if isinstance(e, ModelTrained)} == {"dots"}


def test_a_bench_that_fails_says_so_and_the_others_go_on(session, heard, halves):
    key = session.add_image(halves)
    session.look(key)
    learning(session).broken = "No dots today."
    add(session, key, 1, 2)
    paint_halves(session, key)
    settle(session)
    failed = [(e.bench, e.message) for e in heard if isinstance(e, RoundFailed)]
    assert failed == [("dots", "No dots today.")]
    assert session.status.trained == session.revision
    assert not session.result(key).missing


def test_an_image_that_is_closed_takes_its_part_of_every_bench_along(session, halves):
    first, second = session.add_image(halves), session.add_image(halves)
    add(session, first, 1, 2)
    add(session, second, 3, 4)
    session.close_image(first)
    session.undo()
    assert session.undoable is None
    assert dots(session, second) == ()


def test_a_bench_comes_back_from_a_project_with_its_steps_and_its_model(project):
    with Session.open(project, benches=[DOTS]) as session:
        add(session, "1", 1, 2)
        add(session, "1", 3, 4)
        session.look("1")
        settle(session)
    assert json.loads((project / "settings.json").read_text())["dots"] == {"side": 16}
    with Session.open(project, benches=[DOTS]) as session:
        ours = learning(session)
        assert ours.counts == {"1": 2}
        assert ours.answered == ours.bench.revision
        session.undo()
        assert dots(session, "1") == ((1, 2),)


def test_what_was_done_on_a_bench_survives_a_kill(project):
    subprocess.run([sys.executable, "-c", KILLED, str(project)], check=True)
    with Session.open(project, benches=[DOTS]) as session:
        assert dots(session, "1") == ((1, 2), (3, 4))
        session.redo()
        assert dots(session, "1") == ((3, 4),)


def test_a_project_with_a_bench_that_is_not_there_is_refused_whole(project):
    with Session.open(project, benches=[DOTS]) as session:
        add(session, "1", 1, 2)
    with pytest.raises(FormatError, match="dot"):
        Session.open(project)
    with Session.open(project, benches=[DOTS]) as session:
        assert dots(session, "1") == ((1, 2),)


def test_undo_says_what_and_where(session, heard, halves):
    first = session.add_image(np.stack([halves, halves]), name="cells")
    session.paint(first, [(10, 10)], label=1, plane={"z": 1})
    add(session, first, 1, 2)
    for wanted in ("Undone: add dot on cells, z = 1.", "Undone: paint on cells, z = 2."):
        assert session.undo()[-1].message == wanted
    undone = [e for e in heard if isinstance(e, Undone)]
    assert [(e.image, e.plane, e.again) for e in undone] == [
        (first, {"z": 0}, False),
        (first, {"z": 1}, False),
    ]
    assert undone[0].box is None
    assert undone[1].box.clipped(Box(10, 10, 11, 11)).area == 1
    assert session.redo()[-1].again
    session.add_class("vessel")
    assert session.undo()[-1].image == ""


def test_of_many_files_every_one_that_cannot_be_opened_is_told(session, tmp_path, halves):
    np.save(tmp_path / "good.npy", halves)
    (tmp_path / "bad.npy").write_bytes(b"no image")
    wanted = [tmp_path / n for n in ("gone.npy", "good.npy", "bad.npy")]
    added = session.add_images(wanted)
    assert [one.name for one in session.images] == ["good.npy"]
    assert added.keys == (session.images[0].key,)
    assert [path for path, _ in added.failed] == [wanted[0], wanted[2]]
    assert all(reason for _, reason in added.failed)
    assert str(added).startswith("1 of 3 opened\n")
