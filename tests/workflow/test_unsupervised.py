import numpy as np
import pytest

from stroma import ConvpaintModel, Image
from stroma.errors import Cancelled, ParameterError
from stroma.workflow.unlabelled.unsupervised import cluster_image, component_image

HALVES = np.zeros((40, 60), np.uint8)
HALVES[:, 30:] = 200


@pytest.fixture(scope="module")
def model():
    return ConvpaintModel("gaussian")


def test_groups_follow_the_features_and_are_numbered_from_1(model):
    found = cluster_image(model, Image(HALVES, "yx"), clusters=2)
    assert found.dtype == np.uint8
    assert len(np.unique(found[:, :25])) == len(np.unique(found[:, 35:])) == 1
    assert set(np.unique(found)) == {1, 2}
    np.testing.assert_array_equal(found, cluster_image(model, Image(HALVES, "yx"), clusters=2))


def test_there_are_no_more_components_than_features(model):
    colour = Image(np.stack([HALVES, HALVES.T.reshape(40, 60), HALVES[::-1, ::-1]]), "cyx")
    assert component_image(model, Image(HALVES, "yx"), components=3).shape == (1, 40, 60)
    assert component_image(model, colour, components=3).shape == (3, 40, 60)
    assert component_image(model, colour, components=3, channels=[0, 2]).shape == (2, 40, 60)


def test_it_can_be_cancelled(model):
    with pytest.raises(Cancelled, match="cancelled"):
        component_image(model, Image(HALVES, "yx"), cancel=lambda: True)


def test_one_group_is_none(model):
    with pytest.raises(ParameterError, match="2 to 64, got 1"):
        cluster_image(model, Image(HALVES, "yx"), clusters=1)


def test_groups_are_those_that_the_model_finds_which_stays_as_it_was(model):
    steps = []
    image = Image(np.random.default_rng(0).integers(0, 99, (50, 70), np.uint8), "yx")
    found = cluster_image(model, image, clusters=3, progress=lambda *step: steps.append(step))
    assert model.classifier is None
    assert steps[-1][0] == steps[-1][1] == len(steps)
    own = ConvpaintModel("gaussian")
    own.cluster(image, classes=3)
    np.testing.assert_array_equal(found, own.segment(image))
    with pytest.raises(Cancelled):
        cluster_image(model, image, cancel=lambda: True)


def test_components_of_a_stack_are_the_same_directions_on_all_planes(model):
    noisy = np.random.default_rng(0).normal(0, 5, (2, 40, 60)) + HALVES
    stack = noisy.astype(np.float32)
    found = component_image(model, Image(stack, "zyx"), components=1)
    assert found.shape == (1, 2, 40, 60)
    same = component_image(model, Image(np.stack([stack[0]] * 2), "zyx"), components=1)
    np.testing.assert_allclose(same[0, 0], same[0, 1], atol=1e-5)
    alone = component_image(model, Image(stack[0], "yx"), components=1)
    np.testing.assert_allclose(same[0, 0], alone[0], atol=1e-3)
