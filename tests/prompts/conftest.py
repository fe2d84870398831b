"""Small networks that answer prompts, as files of weights."""

import json

import pytest
from safetensors.numpy import save_file

from random_sam import SAM2
from random_weights import random_tensors


@pytest.fixture(scope="session")
def sam_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("sam") / "model.safetensors"
    save_file(random_tensors("sam_vit_b"), path)
    return path


@pytest.fixture(scope="session")
def sam2_folder(tmp_path_factory):
    """As ``transformers`` saves a network."""
    path = tmp_path_factory.mktemp("sam2")
    save_file(random_tensors("sam2_hiera_tiny"), path / "model.safetensors")
    (path / "config.json").write_text(json.dumps(SAM2))
    return path
