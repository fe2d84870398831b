"""FeatUp's joint bilateral upsampling: against the authors' code, by hand, and in a model."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from random_weights import random_tensors
from stroma import ConvpaintModel, weights
from stroma.backbones.featup import Doubling, neighbours
from stroma.backbones.loading import pretrained
from stroma.errors import ParameterError
from stroma.features.build import extractor, weights_of
from stroma.testing import check_extractor

NAME = "featup_dinov2_vits14"
FINE = (64, 80)
"""Sixteen times as many rows and columns as the tokens have."""

ORACLE = Path(__file__).parent / "oracles" / "featup.npz"


@pytest.fixture(scope="module")
def network(folder_of_weights):
    return pretrained(NAME, path=str(folder_of_weights), device=torch.device("cpu"))


def shown():
    random = np.random.default_rng(0)
    image = torch.tensor(random.standard_normal((1, 3, 56, 70), np.float32)[0])
    return image, torch.tensor(random.standard_normal((1, 384, 4, 5), np.float32)[0])


def test_features_of_pixels_are_those_of_the_authors(network) -> None:
    with torch.inference_mode():
        found = network(*shown(), FINE).numpy()
    with np.load(ORACLE) as known:
        made = found[:, known["rows"], known["columns"]].T
        np.testing.assert_allclose(made, known["features"], atol=1e-5)
        assert known["features"].std() > 0.1


def test_pixels_are_between_those_of_the_sixteenfold_resolution(network) -> None:
    with torch.inference_mode():
        fine, found = network(*shown(), FINE), network(*shown(), (56, 70))
    wanted = torch.nn.functional.interpolate(fine[None], (56, 70), mode="bilinear")[0]
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_neighbours_that_look_alike_count_more() -> None:
    """Two grey values, side by side: what is across the border has no weight."""
    doubling = Doubling()
    state = {key: torch.zeros(value.shape) for key, value in doubling.state_dict().items()}
    state |= {"sigma_spatial": torch.tensor(1e3), "range_temp": torch.tensor(3.0)}
    for layer in "03":
        state[f"range_proj.{layer}.weight"][0, 0] = 3
    doubling.load_state_dict(state)
    image = torch.ones(3, 8, 12)
    image[:, :, 6:] = -1
    with torch.inference_mode():
        found = doubling.weights(image)
        left = torch.stack(list(neighbours((image[:1] > 0).float())))[:, 0]
    assert (found * left).sum(0)[:, :6].min() > 0.999
    np.testing.assert_allclose(found.sum(0), 1, atol=1e-5)


def test_neighbours_are_mirrored_where_there_are_enough() -> None:
    row = torch.arange(5.0).expand(1, 5, 5)
    assert [float(x[0, 0, 0]) for x in list(neighbours(row))[21:28]] == [3, 2, 1, 0, 1, 2, 3]
    few = torch.arange(2.0).expand(1, 2, 2)
    assert [float(x[0, 0, 0]) for x in list(neighbours(few))[21:28]] == [0, 0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize("name", ["featup:dinov2_vits14", "dinov2_vits14"])
def test_the_contract_of_extractors_is_kept(name) -> None:
    check_extractor(extractor(name))


def test_a_model_learns_from_them() -> None:
    random = np.random.default_rng(0)
    truth = 1 + (np.indices((28, 42))[1] > 20)
    image = (truth * 60 + random.normal(0, 5, truth.shape)).astype(np.float32)
    model = ConvpaintModel(fe_name="featup:dinov2_vits14", clf="logistic")
    model.train(image, np.where(random.random(truth.shape) < 0.1, truth, 0).astype(np.uint8))
    assert (model.segment(image) == truth).mean() > 0.95
    assert model.get_feature_image(image).shape == (384, 28, 42)


def test_a_file_of_the_authors_is_read_without_the_transformer_in_it(tmp_path) -> None:
    ours = {key: torch.tensor(value) for key, value in random_tensors(NAME).items()}
    theirs = {
        f"model.1.{key}" if key.startswith("norm.") else f"upsampler.{key}": value
        for key, value in ours.items()
    }
    theirs |= {"model.0.model.cls_token": torch.zeros(1), "downsampler.weight": torch.zeros(2)}
    path = tmp_path / "featup.safetensors"
    save_file(theirs, path)
    loaded = weights.load(NAME, list(ours), path=str(path))
    assert set(loaded.values) == set(ours)


def test_it_is_for_the_transformer_that_it_was_made_for() -> None:
    assert weights_of("featup:dinov2_vits14") == ["dinov2_vits14", NAME]
    with pytest.raises(ParameterError, match="not those of 'dino_vits8'"):
        extractor("featup:dino_vits8")
