"""Options that could do nothing as they are given are refused, in every command."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from random_network import random_network
from stroma import ConvpaintModel
from stroma.cli.recipes import written
from stroma.data.classes import Class
from stroma.io import write_image, write_labels


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with an image, models, objects, classes, probabilities and points."""
    here = tmp_path_factory.mktemp("files")
    objects, strokes = np.zeros((20, 40), np.uint16), np.zeros((20, 40), np.uint8)
    objects[2:8, 2:8], objects[12:18, 20:30] = 3, 7
    strokes[2:5, 2:8], strokes[12:15, 20:30] = 1, 2
    bright = (objects * 30 + np.arange(40)).astype(np.uint8)
    write_image(here / "a.png", bright, axes="yx", spacing={})
    write_labels(here / "cells.tif", objects, axes="yx")
    classes = [Class(1, "rim"), Class(2, "cell")]
    write_labels(here / "named.tif", np.sign(objects) * 2, axes="yx", classes=classes)
    chance = np.stack([objects == 3, objects == 7, objects == 0]).astype(np.float32)
    write_image(here / "chance.tif", chance, axes="cyx")
    write_image(here / "movie.tif", np.zeros((2, 40, 40), np.uint8), axes="tyx", spacing={})
    (here / "points.csv").write_text("y,x\n3,3\n")
    (here / "spots.csv").write_text("t,y,x\n0,3,3\n1,3,4\n")
    random_network(target="spots").save(here / "spots.safetensors")
    random_network(target="distances").save(here / "cells.safetensors")
    (here / "kinds.csv").write_text("label,class\n3,round\n7,long\n")
    learned = "target: classify\nobjects: cells.tif\n"
    (here / "sure.yml").write_text(learned + "confidence: 0.8\n")
    (here / "taught.yml").write_text(learned + "teacher: model.pkl\n")
    made = ConvpaintModel("gaussian")
    made.train(bright, strokes)
    made.save(here / "model.pkl", create_yml=False)
    return here


@pytest.fixture
def files(folder, monkeypatch):
    """The folder, to work in."""
    monkeypatch.chdir(folder)
    return folder


OBJECTS = ("objects", "cells.tif", "--table", "t.csv")
CHANCE = ("objects", "chance.tif", "--class", "2", "--table", "t.csv")
KINDS = ("learn", "a.png", "kinds.csv", "--objects", "cells.tif", "--target", "classify")
KINDS = (*KINDS, "--model", "l.safetensors")
CASES = [
    ((*OBJECTS, "--threshold", "0.7"), "goes with probabilities", "labels. Leave it out."),
    ((*OBJECTS, "--class", "3", "--core", "0.7"), "--core goes with", "labels. Leave it out."),
    ((*OBJECTS, "--rise", "0.1"), "--rise goes with --boundary", "leave it out"),
    ((*CHANCE, "--rise", "0.1"), "--rise goes with --boundary", "leave it out"),
    ((*OBJECTS, "--series", "0"), "--series goes with --image", "leave it out"),
    ((*OBJECTS, "--ring", "5"), "--ring goes with --image", "leave it out"),
    ((*OBJECTS, "--size-in", "um"), "--size-in goes with --min-size or --max-size", ""),
    ((*OBJECTS, "--classifier", "logistic"), "--classifier goes with --labels or --join", ""),
    (
        ("objects", "named.tif", "--class", "99", "--table", "t.csv"),
        "has no class '99'",
        "Known: rim, cell",
    ),
    (("segment", "model.pkl", "a.png", "--min-size", "5"), "--min-size goes with --table", ""),
    (("segment", "model.pkl", "a.png", "--trust", "12"), "--trust goes with model packages", ""),
    (("segment", "spots.safetensors", "a.png", "--format", "png"), "--format goes with images", ""),
    (("--trust", "12", "segment", "model.pkl", "a.png"), "--trust before the command", "--network"),
    (("features", "a.png", "--stack", "f.npy", "--pca", "2"), "--pca is of the picture", ""),
    (("features", "a.png", "--stack", "f.npy", "--out", "f.png"), "--out is of the picture", ""),
    (
        ("features", "a.png", "--bias", "--stack", "f.npy"),
        "--stack is of what is written",
        "--bias writes nothing",
    ),
    (("prompt", "a.png", "--out", "o.tif", "--carry-by", "memory"), "goes with --carry", ""),
    (("prompt", "a.png", "--out", "o.tif", "--by", "decoder"), "--by goes with --everything", ""),
    (
        ("prompt", "a.png", "--out", "o.tif", "--everything", "--decoder", "d.pt"),
        "--decoder goes with --by",
        "",
    ),
    (("track", "movie.tif", "--min-size", "3"), "--min-size goes with --model", ""),
    (("track", "movie.tif", "--class", "3"), "--class goes with --model", ""),
    (("track", "spots.csv", "--series", "0"), "--series goes with images", "table of points"),
    (
        ("track", "movie.tif", "--model", "cells.safetensors", "--min-size", "3"),
        "--min-size goes with models of classes",
        "",
    ),
    (("evaluate", "cells.tif", "cells.tif", "--cutoff", "5"), "--cutoff goes with points", ""),
    (
        ("evaluate", "cells.tif", "cells.tif", "--kind", "objects", "--tolerance", "5"),
        "--tolerance goes with classes",
        "the results are objects",
    ),
    (
        ("evaluate", "points.csv", "points.csv", "--kind", "points", "--ignore", "1"),
        "--ignore goes with classes or objects",
        "",
    ),
    (
        ("learn", ".", "--target", "links", "--model", "l.pkl", "--from", "model.pkl"),
        "--from is for networks",
        "",
    ),
    (
        ("learn", ".", ".", "--model", "l.safetensors", "--confidence", "0.5"),
        "--confidence goes with --from or --recipe",
        "",
    ),
    (
        (*KINDS, "--from", "model.pkl"),
        "A model of strokes teaches classes of pixels",
        "Leave --from out",
    ),
    (
        (*KINDS, "--recipe", "sure.yml"),
        "--confidence is that of a model of strokes",
        "Leave it out",
    ),
    (
        ("plan", "a.png", "kinds.csv", "--recipe", "taught.yml"),
        "A model of strokes teaches classes of pixels",
        "those of objects are learned",
    ),
    (
        ("export", "cells.safetensors", "--bioimageio", "p.zip", "--cite", "Us, 2020"),
        "--cite goes with --doi",
        "",
    ),
    (("import", "model.arff", "--diameter", "20"), "--diameter goes with a trained network", ""),
    (("paint", "--sample", "coins", "--series", "1"), "--series goes with images", ""),
]


@pytest.mark.parametrize(("given", "first", "then"), CASES, ids=[" ".join(c[0]) for c in CASES])
def test_an_option_without_effect_is_refused_and_nothing_written(
    stroma, files, given, first, then
) -> None:
    before = sorted(files.rglob("*"))
    ended = stroma(*given)
    said = " ".join(ended.err.replace("│", " ").split())
    assert ended.code == 2, ended
    assert first in said
    assert then in said
    assert sorted(files.rglob("*")) == before


def test_a_recipe_with_all_options_as_they_are_runs(stroma, files) -> None:
    given = {"segmentation": "cells.tif", "table": "all.csv"}
    values = {k: v for k, v in yaml.safe_load(written("objects")).items() if v not in (None, [])}
    (files / "all.yml").write_text(yaml.safe_dump(values | given))
    ended = stroma("run", "all.yml")
    assert ended.code == 0, ended.err
    assert "2 objects" in ended.out


def test_a_label_that_no_pixel_has_is_said_beside_the_empty_table(stroma, files) -> None:
    ended = stroma("objects", "cells.tif", "--class", "99", "--table", "none.csv")
    assert ended.code == 0, ended.err
    assert "No pixel of cells.tif has the label 99. It has 3, 7." in ended.err
    small = stroma(
        *("objects", "cells.tif", "--class", "3", "--min-size", "500", "--table", "u.csv")
    )
    assert "0 objects" in small.out
    assert "No pixel" not in small.err


def test_channels_without_names_are_said_to_be_counted(stroma, files) -> None:
    ended = stroma("objects", "chance.tif", "--class", "2", "--table", "counted.csv")
    assert ended.code == 0, ended.err
    assert "does not name its 3 classes, so 2 is taken for its channel 2" in ended.err


def test_a_result_is_not_done_before_where_mirror_images_are_asked_for(stroma, files) -> None:
    given = ("segment", "cells.safetensors", "a.png")
    assert stroma(*given, "--no-mirror").code == 0
    assert "done before" in stroma(*given, "--no-mirror").out
    assert "done before" not in stroma(*given, "--mirror").out
    assert Path("results/a_objects.tif").exists()
