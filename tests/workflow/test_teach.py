"""What a model of strokes is certain of becomes the labels of a network."""

import numpy as np
import pytest
from tests.random_network import random_network
from tests.workflow.conftest import scene

from stroma.errors import LabelError, ParameterError
from stroma.io import write_image
from stroma.workflow.learning import teach
from stroma.workflow.learning.learn import followed, learn
from stroma.workflow.learning.recipe import recipe_of
from stroma.workflow.learning.teach import TRUST, lesson

pytest.importorskip("torch")

SMALL = {"network_options": {"features": [4, 8]}, "patch": [32, 32], "steps": 2, "device": "cpu"}


def test_of_pixels_that_the_model_is_certain_of_its_probabilities_are_learned(model, monkeypatch):
    monkeypatch.setattr(teach, "COMMON", 0.0)
    image = scene(seed=3)[0]
    found = lesson(model, image, confidence=0.77)
    shares = np.asarray(model.predict_probas(image))
    certain = shares.max(0) >= 0.77
    assert 0 < certain.mean() < 1
    [said] = found.labels
    assert said.labels == tuple(model.classes_)
    assert np.array_equal(said.values.any(0), certain)
    assert said.values[:, certain] == pytest.approx(TRUST * shares[:, certain], rel=2e-3)
    assert found.certain == (pytest.approx(certain.mean()),)
    assert [c.name for c in found.classes] == ["ground", "square"]


def test_strokes_count_more_than_the_model_and_images_may_have_none(model, tmp_path):
    (tmp_path / "strokes").mkdir()
    paths = [write_image(tmp_path / f"{i}.tif", scene(seed=i)[0], axes="yx") for i in range(2)]
    strokes = np.zeros((60, 80), np.uint8)
    strokes[12:20, 12:20] = 1  # Against what the model says.
    write_image(tmp_path / "strokes" / "1_strokes.tif", strokes, axes="yx")
    plain = lesson(model, paths, confidence=0.77)
    found = lesson(model, paths, strokes=tmp_path / "strokes", confidence=0.77)
    assert np.array_equal(found.labels[0].values, plain.labels[0].values)
    inside = found.labels[1].values[:, 12:20, 12:20]
    assert (inside[0] == 1).all()
    assert (inside[1] == 0).all()
    rest = strokes == 0
    assert np.array_equal(found.labels[1].values[:, rest], plain.labels[1].values[:, rest])


def test_what_is_rare_in_all_images_together_is_said_less_often(model, monkeypatch):
    images = [scene(seed=3)[0], scene(seed=4)[0]]
    found = lesson(model, images).labels
    monkeypatch.setattr(teach, "COMMON", 0.0)
    plain = lesson(model, images).labels
    common = np.mean([one.values.mean((1, 2)) for one in plain], 0)
    for said, as_it_was in zip(found, plain, strict=True):
        assert said.values.sum(0) == pytest.approx(as_it_was.values.sum(0), rel=2e-3)
        rare = said.values[common.argmin()], as_it_was.values[common.argmin()]
        assert (rare[0] <= rare[1]).all()
        assert rare[0].sum() < rare[1].sum()


def test_a_rare_class_is_not_lost_by_what_is_taken_from_it(model, monkeypatch):
    image = scene(seed=3)[0]
    said = np.full((2, *image.shape), 0.03, np.float32)
    said[0], said[1, :2, :2] = 0.97, 0.7
    said[0, :2, :2] = 0.3
    monkeypatch.setattr(type(model), "predict_probas", lambda self, image: said)
    [found] = lesson(model, image).labels
    assert found.values[1, 0, 0] > found.values[0, 0, 0]
    assert found.values[0, 5, 5] > found.values[1, 5, 5]


def test_a_class_that_is_painted_alone_is_learned_too(model):
    image = scene(seed=3)[0]
    strokes = np.zeros(image.shape, np.uint8)
    strokes[:5, :5] = 7
    [said] = lesson(model, image, strokes=[strokes]).labels
    assert said.labels == (1, 2, 7)
    assert np.array_equal(said.values[2] > 0, strokes == 7)
    assert (said.values[:2, :5, :5] == 0).all()


def test_a_network_is_learned_from_a_model_in_a_file_and_knows_its_classes(model, tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    for i in range(2):
        write_image(folder / f"{i}.tif", scene(seed=i)[0], axes="yx")
    model.save(tmp_path / "model.pkl", create_yml=False)
    recipe = recipe_of(
        {
            "images": str(folder),
            "teacher": str(tmp_path / "model.pkl"),
            "confidence": 0.77,
            "model": str(tmp_path / "network.safetensors"),
            **SMALL,
        }
    )
    network = followed(recipe)
    assert [c.name for c in network.classes] == ["ground", "square"]
    assert network.classes_.tolist() == [1, 2]
    assert (tmp_path / "network.safetensors").exists()


def test_a_class_without_a_certain_pixel_is_named(model):
    with pytest.raises(LabelError, match="certain of no pixel of square"):
        lesson(model, np.full((30, 30), 50, np.uint8), confidence=0.7)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"confidence": 1.5}, "between 0 and 1"),
        ({"labels": [None, None]}, "images is 1, got strokes for 2"),
        ({"labels": np.zeros((3, 3), int)}, "shape of their image"),
        ({"target": "distances"}, "learns instances"),
        ({"validation": 0.4}, "no truth: all are learned from"),
    ],
)
def test_what_cannot_teach_is_refused(model, wrong, said):
    with pytest.raises(ParameterError, match=said):
        learn(scene()[0], teacher=model, **SMALL, **wrong)


@pytest.mark.parametrize("target", ["semantic", "distances"])
def test_a_network_is_no_teacher(target):
    with pytest.raises(ParameterError, match="from a model of strokes"):
        lesson(random_network(target=target), scene()[0])


def test_fractions_are_no_strokes(model):
    image = scene()[0]
    with pytest.raises(LabelError, match=r"image of the strokes holds 0\.5"):
        lesson(model, image, strokes=[np.full(image.shape, 0.5)])
