"""Tables open in spreadsheets as what they say, and appear whole or not at all."""

from __future__ import annotations

import csv

import pytest

from stroma.io.cells import from_cell, write_table


def test_no_cell_or_head_is_a_formula_and_numbers_stay_numbers(tmp_path) -> None:
    rows = [["=1+1", -2.5], {"=name": "@now", "µm": "-3e4"}, {"=name": "plain"}]
    write_table(tmp_path / "a.csv", ["=name", "µm"], rows)
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        found = list(csv.reader(file))
    assert found == [["'=name", "µm"], ["'=1+1", "-2.5"], ["'@now", "-3e4"], ["plain", ""]]
    assert from_cell(found[1][0]) == "=1+1"


def test_a_table_that_fails_leaves_the_earlier_one(tmp_path) -> None:
    path = tmp_path / "a.csv"
    write_table(path, ["a"], [[1]])
    before = path.read_bytes()
    with pytest.raises(ZeroDivisionError):
        write_table(path, ["a"], ([1 / n] for n in (2, 0)))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
