import numpy as np
import pytest
from scipy import ndimage

from stroma import ConvpaintModel
from stroma.errors import ParameterError


@pytest.fixture
def image():
    return np.random.default_rng(0).normal(size=(30, 34)).astype(np.float32)


@pytest.fixture
def labels():
    made = np.zeros((3, 30, 34), np.uint8)
    made[0, 3, 4:9], made[2, 20, 4:9] = 1, 2
    return made


def raw():
    model = ConvpaintModel("gaussian")
    model.set_param("normalize", 1)
    return model


def test_features_are_those_of_the_extractor(image):
    expected = ndimage.gaussian_filter(image, 3, mode="mirror", truncate=4)
    np.testing.assert_allclose(raw().get_feature_image(image)[0], expected, atol=1e-5)


def test_features_are_named_and_in_that_order(image):
    model = ConvpaintModel(fe_name="gaussian_features+ilastik_2d", fe_scalings=[[1, 2], [1]])
    strokes = np.zeros(image.shape, np.uint8)
    strokes[:5], strokes[-5:] = 1, 2
    model.train(image, strokes)
    names, features = model.feature_names_, model.get_feature_image(image)
    assert len(names) == len(features) == len(set(names))
    single = ConvpaintModel("gaussian").get_feature_image(image)[0]
    np.testing.assert_array_equal(features[0], single)
    assert names[1].endswith("@2")


@pytest.mark.parametrize("factor", [-2, 1, 2, 7])
def test_restored_features_have_the_shape_of_the_image(image, factor):
    model = raw()
    model.set_param("image_downsample", factor)
    assert model.get_feature_image(image).shape == (1, 30, 34)


def test_native_features_are_those_of_the_working_grid(image):
    model = raw()
    model.set_param("image_downsample", 2)
    [native] = model.get_feature_image(image, restore_input_form=False)
    assert native.shape == (1, 1, 15, 17)
    small = image.reshape(15, 2, 17, 2).mean((1, 3))
    np.testing.assert_allclose(native[0, 0], raw().get_feature_image(small)[0], atol=1e-4)


def test_features_of_annotated_planes_come_with_their_labels(image, labels):
    stack = np.stack([image, image * 2, image * 3])
    features, notes = raw().get_feature_image(stack, labels, restore_input_form=False)
    assert [f.shape for f in features] == [(1, 1, 30, 34)] * 2
    assert (notes[0][0] == labels[0]).all()
    assert (notes[1][0] == labels[2]).all()
    np.testing.assert_allclose(features[1][0, 0], raw().get_feature_image(image * 3)[0], atol=1e-4)


def test_memory_mode_adds_coordinates_names_and_scale(image, labels):
    stack, model = np.stack([image] * 3), raw()
    _, _, coordinates, names, scale = model.get_feature_image(
        stack, labels, restore_input_form=False, memory_mode=True, img_ids="a"
    )
    assert coordinates[1].shape == (3, 1, 30, 34)
    assert coordinates[1][:, 0, 20, 4].tolist() == [2, 20, 4]
    assert names == ["a", "a"]
    assert scale == 1


def test_memory_mode_needs_annotations(image):
    with pytest.raises(ParameterError, match="give annotations"):
        raw().get_feature_image(image, memory_mode=True)


def test_lists_give_lists(image):
    made = raw().get_feature_image([image, image[:20]])
    assert [m.shape for m in made] == [(1, 30, 34), (1, 20, 34)]
