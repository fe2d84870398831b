"""``stroma features`` writes what it was asked for, and says what."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from stroma.io import read_image, write_image


@pytest.fixture
def image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    values = np.random.default_rng(0).integers(0, 255, (20, 30), dtype=np.uint8)
    return write_image(tmp_path / "cells.png", values, axes="yx")


def test_writes_a_colour_picture_named_after_the_image(stroma, image: Path) -> None:
    ended = stroma("features", image, "--alias", "ilastik")
    assert ended.code == 0
    assert read_image("cells_features.png").rgb
    assert "56 features per pixel" in ended.out


def test_writes_the_stack_with_parameters_set(stroma, image: Path) -> None:
    arguments = ("--stack", "f.npy", "--alias", "ilastik", "--set", "fe_scalings=[1, 2]", "--json")
    ended = stroma("features", image, *arguments)
    written = json.loads(ended.out)
    assert (written["features"], np.load("f.npy").shape) == (112, (112, 20, 30))


def test_a_file_in_the_way_is_wrong_usage_unless_it_may_be_replaced(stroma, image: Path) -> None:
    Path("f.npy").write_bytes(b"precious")
    refused = stroma("features", image, "--stack", "f.npy")
    assert (refused.code, Path("f.npy").read_bytes()) == (2, b"precious")
    assert "--overwrite" in refused.err
    assert stroma("features", image, "--stack", "f.npy", "--overwrite").code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing.png"], "no file nothing.png"),
        (["cells.png", "--alias", "stromma"], "Did you mean 'stroma'"),
        (["cells.png", "--set", "fe_scaling=1"], "Did you mean 'fe_scalings'"),
        (["cells.png", "--set", "fe_scalings=0"], "list of at most 16 whole numbers"),
        (["cells.png", "--set", "fe_scalings"], "KEY=VALUE"),
        (["cells.png", "--set", "fe_scalings=[1"], "Quote it"),
        (["cells.png", "--at", "y=3"], "z=3"),
    ],
)
def test_wrong_input_is_said_in_one_message(stroma, image: Path, arguments, said: str) -> None:
    ended = stroma("features", *arguments)
    assert ended.code == 2
    assert said in ended.err
    assert "Traceback" not in ended.err
