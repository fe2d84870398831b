"""Several targets learn from label images of their own: classes of pixels beside objects."""

import numpy as np
import pytest
from scipy import ndimage
from tests.training.conftest import SMALL, scene

import stroma
from stroma.errors import MissingFileError, ParameterError, ShapeError
from stroma.io import write_image
from stroma.targets.several import Several
from stroma.training.learning.learner import Learner
from stroma.workflow.learning.layers import has_layers, layered
from stroma.workflow.learning.planning import preview

TARGET = "semantic+distances"


@pytest.fixture
def learner():
    return Learner(target=TARGET, **SMALL)


@pytest.fixture
def apart():
    """Return classes of which one has no objects, and objects of which one has two classes."""
    classes = np.zeros((64, 64), np.uint8)
    classes[:, :20] = 3
    classes[30:, 20:40] = 1
    objects = np.zeros((64, 64), np.uint16)
    objects[20:40, 25:35] = 7
    objects[50:60, 45:60] = 2
    return classes, objects


def test_each_head_sees_the_labels_that_are_its_own(learner, apart):
    classes, objects = apart
    image = np.zeros((64, 64), np.float32)
    ready, data = layered(learner, [image], {"semantic": [classes], "distances": [objects]})
    task = ready.without(data.ignore).task(data.images, data.labels)
    target = task.target
    assert isinstance(target, Several)
    truth = task.cases[0].truth(task.cases[0].area)
    np.testing.assert_array_equal(target.seen_by("semantic", truth), classes)
    np.testing.assert_array_equal(target.seen_by("distances", truth), objects)
    assert target.targets["semantic"].labels == (0, 1, 3)
    expected = [2 * np.sqrt(n / np.pi) for n in (150, 200)]
    np.testing.assert_allclose(task.facts.diameters, expected)


def test_what_one_ignores_is_ignored_by_all(apart):
    classes, objects = (one.copy() for one in apart)
    classes[:5], objects[60:] = 255, 255
    learner = Learner(target=TARGET, ignore=255, **SMALL)
    labels = {"semantic": [classes], "distances": [objects]}
    ready, data = layered(learner, [np.zeros((64, 64), np.float32)], labels)
    task = ready.without(data.ignore).task(data.images, data.labels)
    unknown = task.cases[0].labels == -1
    assert unknown[:5].all()
    assert unknown[60:].all()
    assert not unknown[5:60].any()
    encoded = task.target.encode(task.cases[0].labels, shape=(64, 64))
    assert not encoded.known[:, unknown].any()


def test_folders_that_have_the_names_of_targets_are_learned_from(tmp_path):
    for name in ("images", "labels/semantic", "labels/distances"):
        (tmp_path / name).mkdir(parents=True)
    for number in range(3):
        image, labels = scene(number)
        write_image(tmp_path / "images" / f"i{number}.tif", image, axes="yx")
        folder = tmp_path / "labels"
        objects = ndimage.label(labels)[0].astype(np.uint16)
        write_image(folder / "semantic" / f"i{number}.tif", labels + np.uint8(4), axes="yx")
        write_image(folder / "distances" / f"i{number}.tif", objects, axes="yx")
    images, labels = tmp_path / "images", tmp_path / "labels"
    shown = preview(images, labels, Learner(target=TARGET, **SMALL))
    assert [name for name in shown.outputs if name.startswith("semantic")] == [
        "semantic 4",
        "semantic 5",
    ]
    assert 0 < shown.gigabytes < 1
    assert "GB" in str(shown)
    network = stroma.learn(images, labels, target=TARGET, steps=2, network="unet", **SMALL)
    found = network.segment(scene(3)[0])
    assert set(np.unique(found["semantic"])) <= {4, 5}
    assert "semantic mean iou" in network.scores_


def test_labels_of_one_kind_alone_are_told(learner, apart, tmp_path):
    classes, objects = apart
    image = np.zeros((64, 64), np.float32)
    with pytest.raises(ParameterError, match="no labels of objects"):
        layered(learner, [image], {"semantic": [classes]})
    with pytest.raises(ParameterError, match="none of the targets learns"):
        layered(Learner(target="distances+counts"), [image], {"distances": [objects]})
    with pytest.raises(ParameterError, match="2 labels of 'semantic'"):
        layered(learner, [image], {"semantic": [classes] * 2, "distances": [objects]})
    with pytest.raises(ShapeError, match="differ"):
        layered(learner, [image], {"semantic": [classes[:9]], "distances": [objects]})


def test_a_plain_folder_of_labels_is_none_of_layers(learner, tmp_path):
    assert not has_layers(learner, tmp_path)
    assert not has_layers(Learner(**SMALL), {"semantic": []})
    (tmp_path / "distances").mkdir()
    assert has_layers(learner, tmp_path)
    write_image(tmp_path / "image.tif", np.zeros((8, 8), np.float32), axes="yx")
    with pytest.raises(ParameterError, match="no labels of classes"):
        layered(learner, [tmp_path / "image.tif"], tmp_path)
    (tmp_path / "semantic").mkdir()
    with pytest.raises(MissingFileError, match="no labels for image"):
        layered(learner, [tmp_path / "image.tif"], tmp_path)
