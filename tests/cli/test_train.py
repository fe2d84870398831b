"""``stroma train`` writes the model that Python would have made."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from stroma import ConvpaintModel
from stroma.io import read_image, write_image


def test_a_trained_model_equals_the_one_made_in_python(stroma, halves: Path) -> None:
    ended = stroma("train", "a.png", "a_strokes.png", "--model", "m.pkl", "--alias", "gaussian")
    assert ended.code == 0
    assert "classes: 1 class 1, 2 class 2" in ended.out
    here = ConvpaintModel("gaussian")
    here.train("a.png", "a_strokes.png")
    there = ConvpaintModel(model_path="m.pkl")
    np.testing.assert_array_equal(there.predict_probas("b.png"), here.predict_probas("b.png"))


def test_parameters_and_names_are_kept_and_said(stroma, halves: Path) -> None:
    ended = stroma(
        *("train", "a.png", "a_strokes.png", "b.png", "a_strokes.png", "-m", "m.pkl", "--json"),
        *("--alias", "gaussian", "--set", "fe_scalings=[1,2]", "--set", "clf=forest"),
        *("--class", "1=nucleus"),
    )
    said = json.loads(ended.out)
    assert said["features"] == 2
    assert [c["name"] for c in said["classes"]] == ["nucleus", "class 2"]
    model = ConvpaintModel(model_path="m.pkl")
    assert (model.get_param("fe_scalings"), model.get_param("clf")) == ([1, 2], "forest")
    assert model.classes[0].name == "nucleus"


def test_what_does_not_fit_is_said_in_sizes_and_not_in_python(stroma, halves: Path) -> None:
    write_image("two.tif", np.zeros((2, 60, 80), np.uint8), axes="zyx")
    write_image("drawn.tif", np.eye(60, 80, dtype=np.uint8), axes="yx")
    refused = stroma("train", "two.tif", "drawn.tif", "-m", "m.pkl")
    assert refused.code == 2
    assert "drawn.tif has shape 60 x 80, but its image two.tif has 2 planes of 60" in refused.err
    assert "say so with --axes cyx." in refused.err
    assert "axes=" not in refused.err


def test_strokes_are_found_in_a_folder_by_name(stroma, halves: Path) -> None:
    Path("painted").mkdir()
    Path("a_strokes.png").rename("painted/a_strokes.png")
    arguments = ("train", "a.png", "--strokes", "painted", "-m", "m.pkl", "--alias", "gaussian")
    assert stroma(*arguments).code == 0
    assert ConvpaintModel(model_path="m.pkl").classes_.tolist() == [1, 2]


def test_an_existing_model_stays_unless_it_may_be_replaced(stroma, model: Path) -> None:
    before = model.read_bytes()
    arguments = ("train", "a.png", "a_strokes.png", "--model", "model.pkl", "--alias", "ilastik")
    refused = stroma(*arguments)
    assert (refused.code, model.read_bytes()) == (2, before)
    assert "--overwrite" in refused.err
    assert stroma(*arguments, "--overwrite").code == 0
    assert model.read_bytes() != before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["a.png"], "come in pairs; got 1"),
        (["a.png", "no.png"], "no file no.png"),
        (["a.png", "b.png", "--set", "clf=svm"], "one of 'catboost', 'forest'"),
        (["a.png", "a_strokes.png", "--class", "nucleus"], "LABEL=NAME"),
        (["a.png", "a_strokes.png", "--set", "normalize=7"], "one of 1, 2, 3"),
        (["b.png", "a_strokes.png", "--axes", "zy"], "axes"),
    ],
)
def test_wrong_input_is_said_and_writes_nothing(stroma, halves, arguments, said: str) -> None:
    ended = stroma("train", *arguments, "--model", "m.pkl", "--alias", "gaussian")
    assert ended.code == 2
    assert said in ended.err
    assert "Traceback" not in ended.err
    assert not Path("m.pkl").exists()


def test_a_model_file_has_its_ending(stroma, halves: Path) -> None:
    ended = stroma("train", "a.png", "a_strokes.png", "--model", "m.yml")
    assert ended.code == 2
    assert ".pkl" in ended.err


def test_channels_are_chosen_and_remembered(stroma, halves: Path) -> None:
    grey = read_image("a.png").read()
    write_image("two.tif", np.stack([grey * 0, grey]), axes="cyx", spacing={})
    ended = stroma(
        "train", "two.tif", "a_strokes.png", "--model", "m.pkl", "--alias", "gaussian",
        "--channels", "1",
    )  # fmt: skip
    assert ended.code == 0
    loaded = ConvpaintModel(model_path="m.pkl")
    assert loaded.feature_names_ == ["gaussian_s3.0"]
    assert loaded.segment("two.tif")[10, 35] == 2
    wrong = stroma("train", "two.tif", "a_strokes.png", "--model", "n.pkl", "--channels", "x")
    assert wrong.code == 2
    assert "Channels are numbers from 0" in wrong.err
