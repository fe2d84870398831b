"""After any sequence of calls a model equals one trained afresh on the current strokes."""

import numpy as np
import pytest

from stroma import ConvpaintModel
from stroma.errors import ImageError, LabelError, ParameterError, ShapeError


def made(**params):
    model = ConvpaintModel("gaussian")
    model.set_params(clf="catboost", clf_iterations=10, **params)
    return model


@pytest.fixture
def other(disks):
    image, _, strokes = disks
    return image[::-1, ::-1] * 1.3 + 0.2, strokes[::-1, ::-1]


def fresh(images, labels, **params):
    model = made(**params)
    model.train(images, labels)
    return model


def only(strokes, label):
    return np.where(strokes == label, strokes, 0)


def test_memory_mode_accumulates_images_in_any_order(disks, other):
    image, _, strokes = disks
    remembering = made()
    remembering.train(other[0], other[1], memory_mode=True, img_ids="b")
    remembering.train(image, strokes, memory_mode=True, img_ids="a")
    expected = fresh([image, other[0]], [strokes, other[1]]).predict_probas(image)
    np.testing.assert_array_equal(remembering.predict_probas(image), expected)


def test_relabelled_and_erased_pixels_are_forgotten(disks):
    image, _, strokes = disks
    model = made()
    model.train(image, strokes, memory_mode=True)
    changed = strokes.copy()
    changed[5:8] = 0
    changed[40:43, 40:50] = 2
    changed[0, 0] = 1
    model.train(image, changed, memory_mode=True)
    expected = fresh(image, changed).predict_probas(image)
    np.testing.assert_array_equal(model.predict_probas(image), expected)


def test_erasing_all_strokes_forgets_them(disks):
    image, _, strokes = disks
    model = made()
    model.train(image, strokes, memory_mode=True)
    model.train(image[:, ::-1], strokes[:, ::-1], memory_mode=True, img_ids="second")
    model.train(image, np.zeros_like(strokes), memory_mode=True)
    expected = fresh(image[:, ::-1], strokes[:, ::-1]).predict_probas(image)
    np.testing.assert_array_equal(model.predict_probas(image), expected)


@pytest.mark.parametrize("kept", [0, 1])
def test_a_training_that_fails_changes_nothing_that_is_remembered(disks, other, kept):
    image, _, strokes = disks
    model = made()
    model.train(image, strokes, memory_mode=True)
    with pytest.raises(LabelError):
        model.train(image, only(strokes, kept), memory_mode=True)
    model.train(other[0], other[1], memory_mode=True, img_ids="b")
    expected = fresh([image, other[0]], [strokes, other[1]]).predict_probas(image)
    np.testing.assert_array_equal(model.predict_probas(image), expected)


def test_one_class_in_each_of_two_images_is_enough(disks, other):
    image, _, strokes = disks
    model = made()
    notes = [only(strokes, 1), only(other[1], 2)]
    model.train([image, other[0]], notes, memory_mode=True, img_ids=["a", "b"])
    expected = fresh([image, other[0]], [only(strokes, 1), only(other[1], 2)])
    np.testing.assert_array_equal(model.predict_probas(image), expected.predict_probas(image))


def test_an_unchanged_image_in_a_list_keeps_its_strokes(disks, other):
    image, _, strokes = disks
    model = made()
    both = {"memory_mode": True, "img_ids": ["a", "b"]}
    model.train([image, other[0]], [strokes, other[1]], **both)
    fewer = other[1].copy()
    fewer[:50] = 0
    model.train([image, other[0]], [strokes, fewer], **both)
    expected = fresh([image, other[0]], [strokes, fewer]).predict_probas(image)
    np.testing.assert_array_equal(model.predict_probas(image), expected)


@pytest.mark.parametrize(
    "names", [None, "ab", ["a"], ["a", "a"], ["a", "b", "b"], ["a", "b", "c"], [1, "1"]]
)
def test_images_of_a_list_need_a_name_each(disks, other, names):
    with pytest.raises(ParameterError, match="give 2 different names in a list, got"):
        made().train([disks[0], other[0]], [disks[2], other[1]], memory_mode=True, img_ids=names)
    with pytest.raises(ParameterError, match="give one name, got"):
        made().train(disks[0], disks[2], memory_mode=True, img_ids=["a", "b"])


def test_names_may_be_numbers(disks, other):
    model = made()
    model.train([disks[0], other[0]], [disks[2], other[1]], memory_mode=True, img_ids=(1, 2))
    model.train(other[0], np.zeros_like(other[1]), memory_mode=True, img_ids=np.int64(2))
    expected = fresh(disks[0], disks[2]).predict_probas(disks[0])
    np.testing.assert_array_equal(model.predict_probas(disks[0]), expected)


def test_a_failed_extraction_loses_no_strokes(disks, other, monkeypatch):
    image, _, strokes = disks
    model = made()
    model.train(image, strokes, memory_mode=True, img_ids="a")
    broken = other[0].copy()
    broken[0, 0] = np.inf
    with pytest.raises(ImageError):
        model.train(broken, other[1], memory_mode=True, img_ids="b")
    np.testing.assert_array_equal(
        model.predict_probas(image), fresh(image, strokes).predict_probas(image)
    )
    model.train(other[0], other[1], memory_mode=True, img_ids="b")
    expected = fresh([image, other[0]], [strokes, other[1]]).predict_probas(image)
    np.testing.assert_array_equal(model.predict_probas(image), expected)


def test_another_image_under_the_same_name_replaces_the_first(disks, other):
    image, _, strokes = disks
    model = made()
    model.train(image, strokes, memory_mode=True, img_ids="a")
    model.train(other[0][:70], strokes[:70], memory_mode=True, img_ids="a")
    expected = fresh(other[0][:70], strokes[:70]).predict_probas(image)
    np.testing.assert_array_equal(model.predict_probas(image), expected)


def test_an_image_changed_in_place_is_noticed(disks):
    image, _, strokes = disks
    image = image.copy()
    model = made()
    model.train(image, strokes, memory_mode=True)
    image[:50] *= -1
    model.train(image, strokes, memory_mode=True)
    expected = fresh(image, strokes).predict_probas(image)
    np.testing.assert_array_equal(model.predict_probas(image), expected)


def test_changed_channels_are_refused_until_all_images_have_them(disks, other):
    stack = np.stack([disks[0], other[0], disks[0] * other[0]])
    strokes = disks[2]
    model = made(channel_mode="multi")
    model.train(stack, strokes, memory_mode=True, img_ids="a", in_channels=[0, 1])
    with pytest.raises(ShapeError, match="different numbers of channels"):
        model.train(stack, strokes, memory_mode=True, img_ids="b", in_channels=[0])
    model.train(stack, strokes, memory_mode=True, img_ids="a", in_channels=[0])
    expected = fresh(stack[:1], strokes, channel_mode="multi").predict_probas(stack[:1])
    np.testing.assert_array_equal(model.predict_probas(stack), expected)


def test_another_downsampling_applies_to_remembered_images_too(disks, other):
    image, _, strokes = disks
    model = made()
    model.train(image, strokes, memory_mode=True, img_ids="a")
    model.set_param("image_downsample", 2)
    model.train(other[0], other[1], memory_mode=True, img_ids="b")
    expected = fresh([image, other[0]], [strokes, other[1]], image_downsample=2)
    np.testing.assert_array_equal(model.predict_probas(image), expected.predict_probas(image))


def test_training_statistics_are_pooled_over_remembered_images(disks, other):
    image, _, strokes = disks
    model = made(norm_from="training")
    model.train(image, strokes, memory_mode=True, img_ids="a")
    model.train(other[0], other[1], memory_mode=True, img_ids="b")
    expected = fresh([image, other[0]], [strokes, other[1]], norm_from="training")
    crop = image[10:60, 10:60]
    np.testing.assert_array_equal(model.predict_probas(crop), expected.predict_probas(crop))


def test_memory_survives_saving(disks, other, tmp_path):
    image, _, strokes = disks
    model = made()
    model.train(image, strokes, memory_mode=True, img_ids="a")
    model.save(tmp_path / "model")
    loaded = ConvpaintModel(model_path=tmp_path / "model.pkl")
    loaded.train(other[0], other[1], memory_mode=True, img_ids="b")
    expected = fresh([image, other[0]], [strokes, other[1]]).predict_probas(image)
    np.testing.assert_array_equal(loaded.predict_probas(image), expected)


def test_a_loaded_memory_that_would_need_its_images_says_so(disks, other, tmp_path):
    image, _, strokes = disks
    model = made()
    model.train(image, strokes, memory_mode=True, img_ids="a")
    model.save(tmp_path / "model")
    loaded = ConvpaintModel(model_path=tmp_path / "model.pkl")
    loaded.set_param("image_downsample", 2)
    with pytest.raises(ParameterError, match=r"remembered image 'a'.*reset_training"):
        loaded.train(other[0], other[1], memory_mode=True, img_ids="b")
    loaded.train([image, other[0]], [strokes, other[1]], memory_mode=True, img_ids=["a", "b"])
    assert loaded.segment(image).shape == image.shape


def test_reset_training_forgets_strokes_and_keeps_the_classifier(disks, other):
    image, _, strokes = disks
    model = made()
    model.train(image, strokes, memory_mode=True, img_ids="a")
    model.reset_training()
    before = model.predict_probas(image)
    np.testing.assert_array_equal(before, fresh(image, strokes).predict_probas(image))
    model.train(other[0], other[1], memory_mode=True, img_ids="b")
    expected = fresh(other[0], other[1]).predict_probas(image)
    np.testing.assert_array_equal(model.predict_probas(image), expected)


def test_without_memory_mode_earlier_strokes_do_not_count(disks, other):
    image, _, strokes = disks
    model = made()
    model.train(image, strokes, memory_mode=True, img_ids="a")
    model.train(other[0], other[1])
    expected = fresh(other[0], other[1]).predict_probas(image)
    np.testing.assert_array_equal(model.predict_probas(image), expected)
