"""Every command can be written as a file, which runs as the command does."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
import yaml
from tests.random_network import random_network
from tests.zoo.programs import seeing

from stroma import ConvpaintModel
from stroma.cli import COMMANDS
from stroma.cli.recipes import ALONE, NETWORKS, argv_of, given_to
from stroma.errors import FormatError
from stroma.features import EXTRACTORS
from stroma.io import read_image, write_image

VERBS = [name for name in COMMANDS if name not in ALONE]


@pytest.mark.parametrize("name", VERBS)
def test_every_command_has_a_recipe_with_everything_that_it_takes(stroma, tmp_path, name):
    path = tmp_path / "a.yml"
    assert stroma("recipe", path, "--of", name).code == 0
    values = yaml.safe_load(path.read_text())
    assert values["command"] == name
    assert set(values) == {"command", NETWORKS, *(one.key for one in given_to(name))}
    assert all(f"\n{one.key}:" in path.read_text() for one in given_to(name))
    assert argv_of(path)[0] == name


def test_a_recipe_runs_as_its_command(stroma, tmp_path):
    image = np.zeros((40, 50), np.uint8)
    image[:, 25:] = 200
    write_image(tmp_path / "cells.tif", image, axes="yx")
    strokes = np.zeros_like(image)
    strokes[5:9, 3:20], strokes[5:9, 30:45] = 1, 2
    write_image(tmp_path / "strokes.png", strokes, axes="yx")
    train = {
        "command": "train",
        "files": ["cells.tif", "strokes.png"],
        "model": "cells.pkl",
        "alias": "gaussian",
        "class": ["1=dark", "2=bright"],
    }
    (tmp_path / "train.yml").write_text(yaml.safe_dump(train))
    segment = {"images": ["cells.tif"], "model": "cells.pkl", "out": "results", "table": True}
    segment |= {"command": "segment", "mirror": None, "overwrite": False}
    (tmp_path / "segment.yml").write_text(yaml.safe_dump(segment))
    for name in ("train", "segment"):
        ended = stroma("run", tmp_path / f"{name}.yml")
        assert ended.code == 0, ended.err
    found = read_image(tmp_path / "results" / "cells_labels.tif").read()
    assert (found[:, 30:] == 2).all()
    assert (tmp_path / "results" / "summary.csv").exists()
    shown = stroma("run", tmp_path / "segment.yml", "--show").out
    assert shown.startswith("stroma segment --out=")
    assert shown.strip().endswith(f"-- {tmp_path / 'cells.pkl'} {tmp_path / 'cells.tif'}")


def test_addresses_ids_and_flags_are_told_as_they_are(tmp_path):
    path = tmp_path / "a.yml"
    values = {"command": "segment", "model": "affable-shark", "images": ["s3://b/a.zarr"]}
    path.write_text(yaml.safe_dump({**values, "mirror": False, "min-size": 3}))
    assert argv_of(path) == [
        *("segment", "--min-size=3", "--no-mirror", "--"),
        *("affable-shark", "s3://b/a.zarr"),
    ]


def test_programs_are_trusted_by_who_runs_a_recipe_alone(stroma, tmp_path):
    path = tmp_path / "a.yml"
    path.write_text("command: segment\nmodel: affable-shark\nimages: [a.tif]")
    shown = stroma("run", path, "--show", "--trust", "0" * 32).out
    assert shown.startswith(f"stroma segment --trust={'0' * 32} -- affable-shark ")
    path.write_text(f"{path.read_text()}\nsee-with: {{n: s3://b/n.zip}}")
    shown = stroma("run", path, "--show", "--trust", "0" * 32).out.split(" --")
    assert shown.count(f"trust={'0' * 32} segment") == shown.count(f"trust={'0' * 32}") == 1


def test_a_recipe_names_networks_that_models_see_with(stroma, halves, monkeypatch):
    monkeypatch.setattr(EXTRACTORS, "_added", dict(EXTRACTORS._added))
    random_network().save(halves / "network.safetensors")
    train = {"command": "train", "files": ["a.png", "a_strokes.png"], "model": "seen.pkl"}
    train |= {"set": {"fe_name": "seen", "fe_scalings": [1]}}
    train |= {"see-with": {"seen:inner": "network.safetensors"}}
    (halves / "train.yml").write_text(yaml.safe_dump(train))
    shown = stroma("run", "train.yml", "--show", "--trust", "0" * 32).out
    assert shown.startswith(f"stroma --network=seen:inner=network.safetensors --trust={'0' * 32} ")
    ended = stroma("run", "train.yml", "--trust", "0" * 32)
    assert ended.code == 0, ended.err
    assert EXTRACTORS.added["seen"].which == "inner"
    assert ConvpaintModel(model_path=halves / "seen.pkl").get_param("fe_name") == "seen"
    (halves / "train.yml").write_text("command: train\nsee-with: [a.zip]")
    assert "see-with is files by name" in stroma("run", "train.yml").err
    for value, got in (("", "nothing"), ("[1]", "[1]"), ("''", "nothing"), ("3", "3")):
        (halves / "train.yml").write_text(f"command: train\nsee-with: {{nuclei: {value}}}")
        said = stroma("run", "train.yml", "--show").err
        assert f"train.yml: nuclei under see-with is a file or an id, got {got}." in said


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("command: segment\ntrust: ['0123']", "no 'trust'"),
        ("command: segmnt", "Did you mean 'segment'"),
        ("command: run", "no recipe of 'run'"),
        ("images: [a.tif]", "names no command"),
        ("command: segment\nimagse: [a.tif]", "no 'imagse'. Did you mean 'images'"),
        ("command: segment\ntable: perhaps", "table is true or false, got perhaps"),
        ("command: segment\nout: [a, b]", "out is one value"),
        ("command: segment\nimages: [null]", "images is a file or folder, got nothing"),
        ("command: segment\nmodel: {a: b}", "model is a file or folder, got {'a': 'b'}"),
        ("command: segment\nmodel: true", "model is a file or folder, got True"),
        ("[", "is no recipe"),
        ("3", "has no keys"),
    ],
)
def test_recipes_that_cannot_be_meant_are_refused_by_name(tmp_path, text, message):
    path = tmp_path / "odd.yml"
    path.write_text(text)
    with pytest.raises(FormatError, match=message):
        argv_of(path)


def test_a_model_package_runs_on_images_as_segment_does(stroma, halves):
    pytest.importorskip("onnxruntime")
    seeing(halves / "package.zip")
    given = ("package.zip", "a.png", "b.png")
    shown = stroma("run", *given, "--out", "ran", "--show").out
    assert shown == "stroma segment package.zip a.png b.png --out ran\n"
    for command, folder in (("run", "ran"), ("segment", "segmented")):
        ended = stroma(command, *given, "--out", folder)
        assert ended.code == 0, ended.err
    for name in ("a_channels.tif", "b_channels.tif"):
        one, other = (read_image(halves / f / name).read() for f in ("ran", "segmented"))
        np.testing.assert_array_equal(one, other)


def test_options_of_segment_are_named_where_a_package_is_run(stroma, halves):
    pytest.importorskip("onnxruntime")
    seeing(halves / "package.zip")
    with tifffile.TiffWriter(halves / "two.ome.tif") as file:
        for _ in range(2):
            file.write(np.zeros((64, 64), np.uint8), metadata={"axes": "YX"})
    ended = stroma("run", "package.zip", "two.ome.tif", "--out", "ran")
    assert ended.code == 0, ended.err
    assert "holds 2 images" in ended.err
    assert "choose another with --series" in ended.err


def test_a_program_in_a_package_runs_with_consent_that_run_passes_on(stroma, halves):
    shown = stroma("run", "affable-shark", "a.png", "--trust", "0" * 32, "--show").out
    assert shown == f"stroma segment --trust={'0' * 32} affable-shark a.png\n"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["a.png", "b.png"], "neither a recipe (.yml or .yaml) nor a model package"),
        (["nothing.txt"], "There is no recipe or model package nothing.txt"),
        (["nothing.yml"], "There is no recipe nothing.yml"),
        (["seg.yml", "a.png"], "names its own images; got a.png too"),
        (["seg.yml", "--shwo"], "No such option: --shwo. Did you mean '--show'?"),
        (["--shwo", "seg.yml"], "No such option: --shwo. Did you mean '--show'?"),
        (["--overwrite", "pkg.zip", "a.png"], "segment come after the package, got --overwrite"),
        (["cluster.yml", "--trust", "5"], "stroma cluster takes none. Leave --trust out."),
    ],
)
def test_what_cannot_be_run_is_refused_with_what_can(stroma, halves, given, message):
    (halves / "seg.yml").write_text("command: segment\nmodel: m.pkl\nimages: [a.png]")
    (halves / "cluster.yml").write_text("command: cluster\nimages: [a.png]")
    ended = stroma("run", *given)
    assert ended.code in (2, 3)
    assert message in ended.err
