"""SAM 2 on planes: against its authors' code, from files of both kinds."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from random_sam import SAM2, as_authors_of_sam2
from random_weights import random_tensors
from stroma.errors import FormatError
from stroma.prompts.contract import checked
from stroma.prompts.questions import questions
from stroma.prompts.sam2 import Sam2Tiny
from stroma.testing import check_prompted

sys.path.insert(0, str(Path(__file__).parent / "oracles"))
from make_sam import PROMPTS, image

ORACLE = Path(__file__).parent / "oracles" / "sam2.npz"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """As ``transformers`` saves a network."""
    path = tmp_path_factory.mktemp("sam2")
    save_file(random_tensors("sam2_hiera_tiny"), path / "model.safetensors")
    (path / "config.json").write_text(json.dumps(SAM2))
    return path


@pytest.fixture(scope="module")
def shown(folder):
    engine = Sam2Tiny(weights=folder)
    engine.set_image(image(), rgb=True)
    return engine


def test_an_engine_keeps_the_contract(folder):
    check_prompted(lambda: Sam2Tiny(weights=folder))


def test_the_encoder_is_that_of_the_authors(shown):
    with np.load(ORACLE) as known:
        found = shown.embedding()["0.2"][:, ::3, ::3]
        np.testing.assert_allclose(found, known["encoder"], atol=1e-4)


@pytest.mark.parametrize("name", PROMPTS)
def test_masks_and_scores_are_those_of_the_authors(shown, name):
    given = checked((90, 120), **PROMPTS[name])
    [question] = questions(given)
    logits, scores = shown.asked(shown._image, 0, question, None)
    with np.load(ORACLE) as known:
        y, x = known["places"].T
        assert known[f"{name}.logits"].std() > 0.1
        np.testing.assert_allclose(logits[:, y, x], known[f"{name}.logits"], atol=1e-4)
        np.testing.assert_allclose(scores, known[f"{name}.scores"], atol=1e-5)
        np.testing.assert_allclose((logits > 0).sum((1, 2)), known[f"{name}.pixels"], atol=3)


def test_a_checkpoint_of_the_authors_is_read(shown, tmp_path):
    named = as_authors_of_sam2(random_tensors("sam2_hiera_tiny"))
    state = {key: torch.tensor(value) for key, value in named.items()}
    state["memory_encoder.out_proj.weight"] = torch.ones(2)
    torch.save({"model": state}, tmp_path / "own.pt")
    (tmp_path / "own.json").write_text(json.dumps(SAM2))
    engine = Sam2Tiny(weights=tmp_path / "own.pt")
    engine.set_image(image(), rgb=True)
    assert engine.key == shown.key
    for found, expected in zip(
        engine.predict(boxes=[20, 30, 70, 100]), shown.predict(boxes=[20, 30, 70, 100]), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("backbone", "message"),
    [
        ({"blocks_per_stage": [1, 1, 10**9, 1]}, "1000000003 layers of"),
        ({"blocks_per_stage": [1, -(10**9), 10**9, 1]}, "2000000002 layers of"),
        ({"blocks_per_stage": "x"}, "describe no SAM 2"),
        ({"embed_dim_per_stage": {}}, "describe no SAM 2"),
    ],
)
def test_settings_that_describe_something_else_are_refused(folder, tmp_path, backbone, message):
    (tmp_path / "own.safetensors").write_bytes((folder / "model.safetensors").read_bytes())
    vision = SAM2["vision_config"]
    said = {**vision, "backbone_config": {**vision["backbone_config"], **backbone}}
    (tmp_path / "own.json").write_text(json.dumps({**SAM2, "vision_config": said}))
    with pytest.raises(FormatError, match=message):
        Sam2Tiny(weights=tmp_path / "own.safetensors").set_image(image())


def test_damaged_settings_are_refused_by_name(folder, tmp_path):
    (tmp_path / "own.safetensors").write_bytes((folder / "model.safetensors").read_bytes())
    for text in ("[" * 10**5, "[1]", "{"):
        (tmp_path / "own.json").write_text(text)
        with pytest.raises(FormatError, match=r"own\.json"):
            Sam2Tiny(weights=tmp_path / "own.safetensors").set_image(image())
