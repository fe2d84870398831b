"""Small networks that answer prompts, as files of weights."""

import json

import pytest
from safetensors.numpy import save_file

from random_sam import SAM2, SAM2_MEMORY, SAM3
from random_weights import random_tensors, remembering_tensors


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


@pytest.fixture(scope="session")
def sam2_memory_folder(tmp_path_factory):
    """As ``transformers`` saves a network for movies."""
    path = tmp_path_factory.mktemp("sam2_memory")
    save_file(remembering_tensors(), path / "model.safetensors")
    (path / "config.json").write_text(json.dumps(SAM2_MEMORY))
    return path


@pytest.fixture(scope="session")
def sam_hq_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("sam_hq") / "model.safetensors"
    save_file(random_tensors("sam_hq_vit_b"), path)
    return path


@pytest.fixture(scope="session")
def sam3_folder(tmp_path_factory):
    """As ``transformers`` saves that part of it."""
    path = tmp_path_factory.mktemp("sam3")
    save_file(random_tensors("sam3"), path / "model.safetensors")
    (path / "config.json").write_text(json.dumps(SAM3))
    return path
