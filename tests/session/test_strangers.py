"""Projects that a stranger made, or that somebody meddles with while they are open."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.session.scene import SECONDS, paint_halves

from stroma.errors import FileError, FormatError, ParameterError
from stroma.session import Session
from stroma.session.core import operations as ops
from stroma.session.core.disk.journal import read_json
from stroma.session.events import SaveFailed

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links and FIFOs")

SECRET = b"a letter to my aunt\n"

MAKER = """
import os, sys
from pathlib import Path
from stroma.session.core.disk import project
project.write_json = lambda path, values: os._exit(9)
project.create(Path(sys.argv[1]), print)
"""


@pytest.fixture
def folder(tmp_path, halves):
    """A closed project."""
    made = tmp_path / "cells.stroma"
    with Session.create(made, "gaussian", mode="demand") as session:
        paint_halves(session, session.add_image(halves))
    return made


def link(path, target):
    path.symlink_to(target)


def second_name(path, target):
    os.link(target, path)


def fifo(path, target):
    os.mkfifo(path)


def directory(path, target):
    path.mkdir()


def loop(path, target):
    path.symlink_to(path.name)


@pytest.mark.parametrize("make", [link, fifo, directory, loop])
@pytest.mark.parametrize(
    "place",
    [
        "project.json",
        "settings.json",
        "lock",
        "model.pkl",
        "events/0000000001.jsonl",
        "events/0000009999.jsonl",
        "snapshots/0000009999.json",
    ],
)
def test_only_regular_files_are_opened_and_nothing_elsewhere_is_touched(
    folder, tmp_path, place, make
):
    own = tmp_path / "letter.txt"
    own.write_bytes(SECRET)
    (folder / place).unlink(missing_ok=True)
    make(folder / place, own)
    if (place, make) == ("model.pkl", directory):
        with Session.open(folder) as session:  # it can be trained again
            assert session.notices
        return
    with pytest.raises(FormatError, match=Path(place).name.split(".")[0]):
        Session.open(folder)
    assert own.read_bytes() == SECRET


def test_a_file_that_is_no_journal_is_not_cut(folder, tmp_path):
    other = folder / "events" / "0000009999.jsonl"
    other.write_bytes(SECRET)
    with pytest.raises(FormatError, match="no journal"):
        Session.open(folder)
    assert other.read_bytes() == SECRET


def test_a_journal_that_has_another_name_elsewhere_is_not_cut(folder, tmp_path):
    own = tmp_path / "letter.txt"
    own.write_bytes(b'{"n":99')
    second_name(folder / "events" / "0000009999.jsonl", own)
    with pytest.raises(FormatError, match="0000009999"):
        Session.open(folder)
    assert own.read_bytes() == b'{"n":99'


@pytest.mark.parametrize("key", ["../../data/x", "a/b", "..", "", "a" * 65, "é", "a\\b", "a b"])
def test_keys_of_images_are_no_paths(key):
    with pytest.raises(ParameterError, match="key"):
        ops.AddImage(key, "cells", {"y": 5, "x": 5})


@pytest.mark.parametrize(
    "value", [float("inf"), float("nan"), {1, 2}, np.float32(3), b"x", object()]
)
@pytest.mark.parametrize("begin", [Session.create, None])
def test_what_cannot_be_saved_is_refused_and_leaves_no_hole(tmp_path, halves, value, begin):
    folder = tmp_path / "cells.stroma"
    session = Session("gaussian", mode="demand") if begin is None else begin(folder, "gaussian")
    with session:
        key = session.add_image(halves)
        with pytest.raises(ParameterError, match="cannot be saved"):
            session.set_display(key, {"low": value})
        assert dict(session.image(key).display) == {}
        session.paint(key, [(5, 5)], label=1)
        if begin is None:
            session.save_as(folder)
    for path in (folder / "snapshots").iterdir():
        if begin is not None:
            path.unlink()
    with Session.open(folder) as session:
        assert session.painted_pixels(key)


def test_a_label_that_json_does_not_know_is_refused_before_it_is_done(folder):
    with Session.open(folder) as session:
        before = session.painted_pixels("1")
        with pytest.raises(ParameterError, match="cannot be saved"):
            session.remove_class(np.int64(1))
        assert session.painted_pixels("1") == before
    with Session.open(folder) as session:
        assert session.painted_pixels("1") == before


@pytest.mark.parametrize("text", ["[1e999]", "[-1e400]", "[NaN]", "[Infinity]"])
def test_numbers_in_a_project_are_finite(text):
    with pytest.raises(ValueError, match="the number"):
        read_json(text)


def test_a_project_that_was_killed_while_it_was_made_can_be_made_again(tmp_path):
    folder = tmp_path / "cells.stroma"
    killed = subprocess.run([sys.executable, "-c", MAKER, str(folder)], timeout=SECONDS)
    assert killed.returncode == 9
    assert not folder.exists()
    assert list(tmp_path.iterdir())
    Session.create(folder).close()
    assert [path.name for path in tmp_path.iterdir()] == ["cells.stroma"]


def test_what_was_being_written_when_the_program_stopped_is_removed(folder):
    left = folder / ".0123456789ab.settings.json"
    room = folder / "images" / ".0123456789ab.2.zarr"
    left.write_text("{")
    room.mkdir(parents=True)
    other = folder / ".directory"
    other.write_text("of the desktop")
    Session.open(folder).close()
    assert not left.exists()
    assert not room.exists()
    assert other.exists()


def test_a_child_of_the_process_does_not_keep_the_project(folder):
    session = Session.open(folder)
    ready, go = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover
        os.write(ready[1], b"x")
        os.read(go[0], 1)
        os._exit(0)
    os.read(ready[0], 1)
    try:
        session.close()
        Session.open(folder).close()
    finally:
        os.write(go[1], b"x")
        os.waitpid(child, 0)


@pytest.mark.parametrize("gone", ["lock", "events", ""])
def test_a_project_that_is_taken_away_is_noticed_before_anything_is_lost(folder, tmp_path, gone):
    heard = []
    session = Session.open(folder)
    session.listen(heard.append)
    session.paint("1", [(30, 30)], label=1)
    assert session.flush(SECONDS)
    (folder / gone).rename(tmp_path / "elsewhere")
    session.paint("1", [(50, 50)], label=1)
    assert not session.flush(2.0)
    assert "still in memory" in session.unsaved
    assert [e for e in heard if isinstance(e, SaveFailed)]
    with pytest.raises(FileError, match="still in memory"):
        session.save()
    painted = session.painted_pixels("1")
    session.save_as(tmp_path / "rescued.stroma")
    assert session.unsaved == ""
    session.close()
    with Session.open(tmp_path / "rescued.stroma") as session:
        assert session.painted_pixels("1") == painted


def test_two_writers_cannot_both_go_on(folder):
    first = Session.open(folder)
    (folder / "lock").unlink()
    second = Session.open(folder)
    first.paint("1", [(30, 30)], label=1)
    second.paint("1", [(50, 50)], label=2)
    assert second.flush(SECONDS)
    assert not first.flush(2.0)
    with pytest.raises(FileError):
        first.close()
    count = second.painted_pixels("1")
    second.close()
    with Session.open(folder) as session:
        assert session.painted_pixels("1") == count


def test_snapshots_hold_json_that_any_program_reads(folder):
    for path in (folder / "snapshots").iterdir():
        json.loads(path.read_text(), parse_constant=pytest.fail)


def test_objects_of_an_image_that_is_said_to_be_huge_are_refused_by_name(folder):
    large = {"op": "open", "image": "9", "name": "x", "sizes": {"y": 2**19, "x": 2**19}}
    made = [
        {**large, "reference": {}},
        {"op": "objects", "image": "9", "source": "", "frames": []},
        {"op": "correct objects", "image": "9", "kind": "delete", "plane": 0, "objects": [1]},
    ]
    with_steps(folder, made)
    for _ in range(2):  # which does not lock it
        with pytest.raises(FormatError, match=r"operation \d+ in .*\.jsonl .*pixels"):
            Session.open(folder)


HUGE = 2**31 - 1
LONG = {"image": "9", "plane": 0, "label": 1}
SQUARE = [[0, 0], [1e7, 0], [1e7, 1e7], [0, 1e7]]


@pytest.mark.parametrize(
    ("sizes", "step", "said"),
    [
        ({"y": HUGE, "x": HUGE}, {"op": "paint", "points": SQUARE, "radius": 512}, "several steps"),
        ({"y": HUGE, "x": HUGE}, {"op": "fill", "points": SQUARE}, "several steps"),
        (
            {"z": 2**20, "y": 10, "x": HUGE},  # on a plane across y, where each row is a tile
            {"op": "paint", "points": [[0, 0], [1e6, 1e6]], "radius": 2, "plane": 2**20},
            "several steps",
        ),
        (
            {"z": 2**20, "y": 10, "x": HUGE},
            {"op": "fill", "points": [[0, 0], [9e3, 0], [9e3, 9e3]], "plane": 2**20},
            "several steps",
        ),
        ({"t": 2**20, "z": 2**10, "y": HUGE, "x": HUGE}, None, "sizes are damaged"),
    ],
)
def test_steps_on_images_that_are_said_to_be_huge_are_refused_by_name(folder, sizes, step, said):
    made = [{"op": "open", "image": "9", "name": "x", "sizes": sizes, "reference": {}}]
    made += [] if step is None else [{**LONG, **step}]
    with pytest.raises(FormatError, match=rf"operation .* in .*\.jsonl .*{said}"):
        Session.open(with_steps(folder, made))


def test_a_huge_image_opens_with_a_short_stroke_on_it(folder):
    made = [
        {"op": "open", "image": "9", "name": "x", "sizes": {"y": HUGE, "x": HUGE}, "reference": {}},
        {"op": "paint", "points": [[9e6, 9e6]], "radius": 2, **LONG},
    ]
    with Session.open(with_steps(folder, made)) as session:
        assert 0 < session.painted_pixels("9") < 20


@pytest.mark.parametrize("number", ["1e999", "-1e999", "NaN"])
def test_a_number_that_is_not_finite_is_damage_wherever_it_stands(folder, number):
    made = [{"op": "display", "image": "1", "display": {"low": 0}}] * 2
    journal = with_steps(folder, made)
    [path] = (folder / "events").iterdir()
    first, last = path.read_text().rsplit('{"low": 0}', 2)[0], path.read_text()
    path.write_text(first + f'{{"low": {number}}}' + last[len(first) + len('{"low": 0}') :])
    with pytest.raises(FormatError, match=r"Line \d+ of .*\.jsonl is damaged"):
        Session.open(journal)


def with_steps(folder, made):
    """Append operations to the journal of a project that has no snapshot; return the folder."""
    for path in (folder / "snapshots").iterdir():
        path.unlink()
    [journal] = (folder / "events").iterdir()
    first = len(journal.read_text().splitlines()) + 1
    with journal.open("a") as file:
        for n, values in enumerate(made, first):
            file.write(json.dumps({"n": n, **values}) + "\n")
    return folder
