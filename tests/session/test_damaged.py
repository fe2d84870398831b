"""Projects damaged in many ways: they open with what can be had, or are refused in words."""

import re
import shutil

import numpy as np
import pytest
from tests.session.scene import paint_halves

from stroma.errors import StromaError
from stroma.session import Session

CASES = (*range(47), 1269)
PIECES = re.compile(rb"-?\d+(?:\.\d+)?|\"[^\"]*\"|null|true|false|[\[\]{}:,]")
OTHERS = (
    *(b"0", b"-1", b"1e999", b"NaN", b"null", b"true", b'""', b'"x"', b"[]", b"{}", b"[0]"),
    *(b"9" * 5000, b"0.5", b'"../../x"', b"4294967295", b'{"name":"x"}', b"[" * 2000, b""),
)
PYTHON = re.compile(
    r"Traceback|Error\b|NoneType|object has no|not subscriptable|out of range|<class|to unpack"
    r"|unexpected keyword|positional argument|not iterable|invalid literal|convert"
)


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """A closed project with journals, snapshots, an image of its own, and a step undone."""
    folder = tmp_path_factory.mktemp("sound") / "cells.stroma"
    with Session.create(folder, "gaussian", mode="demand") as session:
        key = session.add_image(np.arange(64 * 96, dtype=np.float32).reshape(64, 96))
        session.add_class("vessel", "#ff0000")
        paint_halves(session, key)
        session.save()
        session.fill(key, [(50, 50), (60, 50), (60, 60)], label=3)
        session.erase(key, [(10, 10)])
        session.undo()
        session.set_display(key, {"low": 3})
    with Session.open(folder) as session:
        session.paint("1", [(5, 5), (5, 90)], label=1)
    return folder


def token(data, rng):
    """Put something else in the place of a number, word or bracket."""
    found = list(PIECES.finditer(data))
    if not found:
        return data + b"x"
    spot = found[int(rng.integers(len(found)))]
    return data[: spot.start()] + OTHERS[int(rng.integers(len(OTHERS)))] + data[spot.end() :]


def flip(data, rng):
    changed = bytearray(data or b"x")
    changed[int(rng.integers(len(changed)))] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def cut(data, rng):
    return data[: int(rng.integers(len(data) + 1))]


def doubled(data, rng):
    """Write a line, or all, twice."""
    lines = data.splitlines(keepends=True)
    at = int(rng.integers(len(lines))) if lines else 0
    return b"".join([*lines[: at + 1], *lines[at:]])


def swapped(data, rng):
    lines = data.splitlines(keepends=True)
    return b"".join(lines[::-1])


def foreign(data, rng):
    return rng.bytes(200)


WAYS = (token, token, token, flip, cut, doubled, swapped, foreign)


def files_of(folder):
    found = {p.relative_to(folder): p for p in folder.rglob("*") if p.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if name.name != "lock"}


def damaged(sound, folder, number):
    """Damage or remove a file of a copy, the same for the same number, and return which."""
    rng = np.random.default_rng(number)
    shutil.copytree(sound, folder)
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != "lock")
    path = files[number % len(files)]
    if rng.random() < 0.1:
        path.unlink()
        return path
    data = path.read_bytes()
    path.write_bytes(WAYS[int(rng.integers(len(WAYS)))](data, rng))
    return path


def opened(folder, expected):
    """Open a damaged project, check what became of it, and tell whether it was refused."""
    before, session, why = files_of(folder), None, ""
    try:
        session = Session.open(folder)
    except StromaError as error:
        why = str(error)
    if session is None:
        assert folder.name in why
        assert not PYTHON.search(why)
        assert files_of(folder) == before
        return True
    with session:
        said = " ".join(notice.message for notice in session.notices)
        assert not PYTHON.search(said)
        there = {image.key: session.strokes(image.key) for image in session.images}
        assert said or np.array_equal(there["1"], expected)
        while session.undo():
            pass
        assert not any(session.strokes(key).any() for key in there)
    return False


def test_damaged_projects_open_with_what_was_painted_or_are_refused_by_name(sound, tmp_path):
    shutil.copytree(sound, tmp_path / "copy.stroma")
    with Session.open(tmp_path / "copy.stroma") as session:
        expected = session.strokes("1")
    refused = []
    for number in CASES:
        folder = tmp_path / f"{number}.stroma"
        path = damaged(sound, folder, number)
        try:
            refused.append(opened(folder, expected))
        except BaseException as error:
            error.add_note(f"Case {number}: {path.relative_to(folder)}")
            raise
    assert 5 < sum(refused) < len(CASES) - 5
