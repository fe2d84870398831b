"""``stroma compare`` shows which configuration predicts strokes best."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from stroma.data.classes import Class
from stroma.io import read_image, write_image, write_labels


@pytest.fixture
def textures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two textures of the same mean brightness, with three strokes each."""
    rng = np.random.default_rng(0)
    image = rng.normal(0, 1, (64, 96)).astype(np.float32)
    image[:, 48:] = np.repeat(np.repeat(rng.normal(0, 1, (16, 12)), 4, 0), 4, 1)
    labels = np.zeros(image.shape, np.uint8)
    for top in (5, 25, 45):
        labels[top : top + 6, 5:35], labels[top : top + 6, 60:90] = 1, 2
    monkeypatch.chdir(tmp_path)
    write_image("image.tif", image, axes="yx")
    write_labels("strokes.png", labels)


def test_the_better_configuration_comes_first(stroma, textures: None) -> None:
    ended = stroma(
        "compare", "image.tif", "strokes.png", "--alias", "gaussian", "--alias", "ilastik"
    )
    assert ended.code == 0
    head, first, second = (line.split() for line in ended.out.splitlines())
    assert head[:2] == ["alias", "accuracy"]
    assert (first[0], second[0]) == ("ilastik", "gaussian")
    assert float(first[1]) > float(second[1])


def test_json_holds_confusions_and_says_what_is_untested(stroma, textures: None) -> None:
    [said] = json.loads(
        stroma("compare", "image.tif", "strokes.png", "--alias", "gaussian", "--json").out
    )
    assert said["labels"] == [1, 2]
    assert np.sum(said["confusion"]) == 2 * 3 * 6 * 30
    assert said["untested"] == []


def test_too_few_strokes_end_with_what_is_needed(stroma, textures: None) -> None:
    labels = np.zeros((64, 96), np.uint8)
    labels[5:9, 5:9], labels[5:9, 80:85] = 1, 2
    write_labels("few.png", labels)
    ended = stroma("compare", "image.tif", "few.png", "--alias", "gaussian")
    assert ended.code == 2
    assert "at least 3 strokes, apart from one another" in ended.err


def test_classes_are_told_by_their_names(stroma, textures: None) -> None:
    labels = read_image("strokes.png").read().copy()
    labels[40:44, 40:44] = 3
    named = (Class(1, "fibre"), Class(2, "pore"), Class(3, "crack"))
    write_labels("named.ome.tif", labels, classes=named)
    ended = stroma("compare", "image.tif", "named.ome.tif", "--alias", "gaussian")
    assert ended.code == 0
    assert "crack has too few separate strokes to tell" in ended.out
