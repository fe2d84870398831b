"""Progress is a line now and then where nobody watches a terminal."""

from __future__ import annotations

import pytest

from stroma.cli import show


def test_lines_say_how_much_is_done_and_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = iter([0.0, 1.0, 4.0, 5.0])
    monkeypatch.setattr(show.time, "monotonic", lambda: next(clock))
    with show.progress() as report:
        for done in (0, 1, 2, 3):
            report("cells.tif", done, 8)
    written = capsys.readouterr()
    assert (written.out, written.err) == ("", "cells.tif: 2/8 blocks, 12 s left\n")


def test_time_left_is_counted_for_each_file_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = iter([0.0, 100.0, 103.0])
    monkeypatch.setattr(show.time, "monotonic", lambda: next(clock))
    with show.progress() as report:
        report("a.tif", 1, 1)
        report("b.tif", 1, 4)
        report("b.tif", 2, 4)
    assert capsys.readouterr().err == "b.tif: 2/4 blocks, 3 s left\n"


def test_bytes_are_counted_in_their_unit(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = iter([0.0, 10.0])
    monkeypatch.setattr(show.time, "monotonic", lambda: next(clock))
    with show.progress("MB", size=10**6) as report:
        report("vgg16", 0, 4_500_000)
        report("vgg16", 2_500_000, 4_500_000)
    assert capsys.readouterr().err == "vgg16: 2/5 MB, 15 s left\n"


def test_a_terminal_gets_a_bar(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(show.sys.stderr, "isatty", lambda: True, raising=False)
    with show.progress() as report:
        report("cells.tif", 1, 2)
    written = capsys.readouterr()
    assert written.out == ""
    assert "cells.tif" in written.err
    assert "1/2" in written.err


def test_columns_are_as_wide_as_they_need_to_be(capsys: pytest.CaptureFixture[str]) -> None:
    show.table(("a", "name"), [("long", "x"), (1, "")])
    assert capsys.readouterr().out == "a     name\nlong  x\n1\n"
