"""Configurations of BiaPy become recipes, and what has no counterpart is said."""

from __future__ import annotations

import json

import pytest
import yaml
from tests.zoo import commands

from stroma.errors import FormatError
from stroma.zoo.biapy import is_biapy, take

CONFIG = {
    "SYSTEM": {"NUM_CPUS": -1, "SEED": 7},
    "PROBLEM": {
        "TYPE": "INSTANCE_SEG",
        "NDIM": "3D",
        "INSTANCE_SEG": {"DATA_CHANNELS": "BCD"},
    },
    "DATA": {
        "PATCH_SIZE": "(20, 128, 128, 1)",
        "TRAIN": {"PATH": "train/x", "GT_PATH": "train/y"},
        "VAL": {"SPLIT_TRAIN": 0.2},
    },
    "MODEL": {"ARCHITECTURE": "resunet"},
    "TRAIN": {"OPTIMIZER": "ADAMW", "LR": 1e-4, "BATCH_SIZE": 2, "EPOCHS": 300},
    "AUGMENTOR": {"ENABLE": True},
}


def written(path, **changes):
    path.write_text(yaml.safe_dump({**CONFIG, **changes}))
    return path


def test_what_is_the_same_here_is_taken_and_the_rest_is_said(tmp_path):
    taken = take(written(tmp_path / "a.yaml"))
    assert taken.values == {
        "target": "distances",
        "ndim": 3,
        "images": "train/x",
        "labels": "train/y",
        "patch": [20, 128, 128],
        "validation": 0.2,
        "network": "resenc",
        "optimiser": "adamw",
        "rate": 1e-4,
        "batch": 2,
        "augment": True,
        "seed": 7,
    }
    assert any(line.startswith("TRAIN.EPOCHS 300: a training here") for line in taken.left)
    assert any(line.startswith("SYSTEM.NUM_CPUS") for line in taken.left)
    other = take(written(tmp_path / "b.yaml", MODEL={"ARCHITECTURE": "unetr"}))
    assert "network" not in other.values
    assert "MODEL.ARCHITECTURE unetr: nothing here is the same" in other.left


@pytest.mark.parametrize(
    ("problem", "target"),
    [("SEMANTIC_SEG", "semantic"), ("DETECTION", "spots"), ("DENOISING", "denoise")],
)
def test_problems_are_targets(tmp_path, problem, target):
    taken = take(written(tmp_path / "a.yaml", PROBLEM={"TYPE": problem, "NDIM": "2D"}))
    assert taken.values["target"] == target
    assert ("labels" in taken.values) == (target != "denoise")


@pytest.mark.parametrize(
    ("channels", "target"),
    [("BC", "boundary"), (["A"], "affinities"), (["P", "R"], "rays"), ("P", "centres")],
)
def test_channels_of_instances_are_targets(tmp_path, channels, target):
    problem = {"TYPE": "INSTANCE_SEG", "INSTANCE_SEG": {"DATA_CHANNELS": channels}}
    assert take(written(tmp_path / "a.yaml", PROBLEM=problem)).values["target"] == target


def test_problems_that_are_not_solved_are_refused_by_name(tmp_path):
    path = written(tmp_path / "a.yaml", PROBLEM={"TYPE": "SUPER_RESOLUTION"})
    with pytest.raises(FormatError, match=r"a\.yaml is of the problem SUPER_RESOLUTION"):
        take(path)
    (tmp_path / "b.yml").write_text("[1, 2")
    assert not is_biapy(tmp_path / "b.yml")
    assert is_biapy(path)


@pytest.mark.parametrize(
    "text",
    ["PROBLEM: &a\n  TYPE: *a\n", "A: &a {B: 1}\nC:\n  <<: *a\n", "A: &a [1]\nB: [*a, *a]\n"],
)
def test_parts_that_refer_to_others_are_refused(tmp_path, text):
    """So few bytes could unfold to many, or never end."""
    path = tmp_path / "a.yaml"
    path.write_text(text)
    with pytest.raises(FormatError, match="refers to another"):
        take(path)


def test_the_command_writes_a_recipe_that_learn_takes(tmp_path, capsys):
    pytest.importorskip("pydantic")
    from stroma.workflow.learning.recipe import read_recipe

    path = written(tmp_path / "cells.yaml")
    said = commands.run(capsys, "import", path)
    assert "taken: TRAIN.LR: rate 0.0001" in said
    assert "left:  TRAIN.EPOCHS 300" in said
    recipe = read_recipe(tmp_path / "cells_recipe.yml")
    assert (recipe["target"], recipe["batch"], recipe["network"]) == ("distances", 2, "resenc")
    assert recipe["labels"] == str(tmp_path / "train" / "y")
    told = json.loads(commands.run(capsys, "import", path, "--overwrite", "--json"))
    assert told["program"] == "BiaPy"
