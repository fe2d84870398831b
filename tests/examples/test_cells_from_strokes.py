"""The recipe for cells learns from some images and is judged on the strokes of another."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from skimage.io import imsave

SCRIPT = Path(__file__).parents[2] / "examples" / "cells_from_strokes" / "recipe.py"


@pytest.fixture(scope="module")
def recipe():
    spec = importlib.util.spec_from_file_location("cells_from_strokes", SCRIPT)
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.fixture
def cells(tmp_path):
    """Three images of a bright disk on grey, with strokes inside and outside."""
    random = np.random.default_rng(0)
    for part in ("images", "scribbles"):
        (tmp_path / part).mkdir()
    for i in range(3):
        rows, columns = np.indices((40, 44))
        inside = np.hypot(rows - 18 - i, columns - 20 + i) < 10
        image = (90 + 80 * inside + random.normal(0, 10, inside.shape)).clip(0, 255)
        strokes = np.zeros(inside.shape, np.uint8)
        strokes[18 + i, 14:26], strokes[3:5, 4:40] = 2, 1
        imsave(tmp_path / "images" / f"cell{i}.png", image.astype(np.uint8), check_contrast=False)
        imsave(tmp_path / "scribbles" / f"cell{i}.png", strokes, check_contrast=False)
    return tmp_path


def test_strokes_of_an_image_left_out_are_recognised(recipe, cells, capsys):
    recipe.main([str(cells), "gaussian_features", "--set", "fe_scalings=[1]"])
    head, _, row = capsys.readouterr().out.strip().splitlines()
    assert head == "| model | cell0 | cell1 | cell2 | mean accuracy | mean overlap |"
    values = [float(cell) for cell in row.split("|")[2:-1]]
    assert len(values) == 5
    assert min(values) > 0.9


def test_what_is_left_out_is_not_learned_from(recipe, cells):
    _, images, strokes = zip(*recipe.scene(cells), strict=True)
    first = np.where(strokes[0] > 0, 3 - strokes[0].astype(int), 0)  # painted the wrong way round
    model = recipe.model_of("gaussian_features", {})
    found = recipe.recalls(recipe.confusions(model, images, (first, *strokes[1:])))
    assert found[0].max() < 0.1


def test_scores_are_those_of_the_counts(recipe):
    counts = np.array([[[8, 2], [0, 10]], [[0, 0], [5, 5]]])
    np.testing.assert_allclose(recipe.recalls(counts), [[0.8, 1], [np.nan, 0.5]])
    np.testing.assert_allclose(recipe.overlaps(counts), [8 / 15, 15 / 22])


def test_the_classifier_of_the_recipe_is_linear_and_aliases_keep_theirs(recipe):
    assert recipe.model_of("gaussian_features", {}).get_param("clf") == "logistic"
    assert recipe.model_of("stroma", {}).get_param("clf") == "ensemble"
    assert recipe.model_of("stroma", {"crf": 1.0}).get_param("crf") == 1.0


def test_a_folder_without_strokes_or_images_is_named(recipe, cells, tmp_path_factory):
    with pytest.raises(SystemExit, match="holds no strokes"):
        recipe.main([str(tmp_path_factory.mktemp("empty"))])
    (cells / "images" / "cell1.png").unlink()
    with pytest.raises(SystemExit, match=r"cell1\.png is missing"):
        recipe.main([str(cells)])
