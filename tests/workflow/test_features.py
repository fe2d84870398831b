"""Feature pictures and stacks are what the model computes, with the image's facts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stroma import ConvpaintModel
from stroma.errors import ParameterError, ShapeError
from stroma.io import read_image, write_image
from stroma.workflow.unlabelled.features import feature_picture, feature_stack


@pytest.fixture
def stack_file(tmp_path: Path) -> Path:
    values = np.random.default_rng(0).integers(0, 255, (2, 3, 20, 30), dtype=np.uint8)
    spacing = {"z": 2.0, "y": 0.5, "x": 0.5}
    return write_image(tmp_path / "a.ome.tif", values, axes="czyx", spacing=spacing, unit="µm")


def test_a_stack_of_features_equals_that_of_the_model(stack_file: Path, tmp_path: Path) -> None:
    model = ConvpaintModel("gaussian")
    written = feature_stack(model, stack_file, tmp_path / "features.ome.tif")
    again = read_image(written.path)
    assert (written.features, again.kept_axes) == (2, "czyx")
    assert again.spacing["y"] == 0.5
    assert list(again.channels) == ["ch0:gaussian_s3.0", "ch1:gaussian_s3.0"]
    np.testing.assert_array_equal(again.read(), model.get_feature_image(read_image(stack_file)))


def test_three_components_become_colours_of_the_images_size(
    stack_file: Path, tmp_path: Path
) -> None:
    model = ConvpaintModel("ilastik")
    written = feature_picture(model, stack_file, tmp_path / "colours.png", at={"z": 1})
    picture = read_image(written.path)
    assert picture.rgb
    assert picture.shape == (3, 20, 30)
    assert written.features == 112
    assert 1 >= sum(written.share) > 0


def test_one_component_is_a_grey_picture(stack_file: Path, tmp_path: Path) -> None:
    model = ConvpaintModel("gaussian")
    target = tmp_path / "grey.png"
    written = feature_picture(model, stack_file, target, components=1, at={"z": 0})
    assert read_image(written.path).shape == (20, 30)


def test_a_stack_without_a_chosen_plane_says_how_to_choose(
    stack_file: Path, tmp_path: Path
) -> None:
    with pytest.raises(ShapeError, match="z=1"):
        feature_picture(ConvpaintModel("gaussian"), stack_file, tmp_path / "a.png")


def test_more_components_than_features_are_refused(stack_file: Path, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="1 to 2"):
        feature_picture(
            ConvpaintModel("gaussian"), stack_file, tmp_path / "a.png", at={"z": 0}, components=3
        )
    assert not (tmp_path / "a.png").exists()
