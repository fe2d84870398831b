"""SAM 2 on planes: from files of both kinds."""

import json

import numpy as np
import pytest
import torch
from tests.prompts.oracles.make_sam import image

from random_sam import SAM2, as_authors_of_sam2
from random_weights import random_tensors
from stroma.errors import FormatError
from stroma.prompts.sam.sam2 import Sam2Tiny


@pytest.fixture(scope="module")
def shown(sam2_folder):
    engine = Sam2Tiny(weights=sam2_folder)
    engine.set_image(image(), rgb=True)
    return engine


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
def test_settings_that_describe_something_else_are_refused(
    sam2_folder, tmp_path, backbone, message
):
    (tmp_path / "own.safetensors").write_bytes((sam2_folder / "model.safetensors").read_bytes())
    vision = SAM2["vision_config"]
    said = {**vision, "backbone_config": {**vision["backbone_config"], **backbone}}
    (tmp_path / "own.json").write_text(json.dumps({**SAM2, "vision_config": said}))
    with pytest.raises(FormatError, match=message):
        Sam2Tiny(weights=tmp_path / "own.safetensors").set_image(image())


def test_damaged_settings_are_refused_by_name(sam2_folder, tmp_path):
    (tmp_path / "own.safetensors").write_bytes((sam2_folder / "model.safetensors").read_bytes())
    for text in ("[" * 10**5, "[1]", "{"):
        (tmp_path / "own.json").write_text(text)
        with pytest.raises(FormatError, match=r"own\.json"):
            Sam2Tiny(weights=tmp_path / "own.safetensors").set_image(image())
