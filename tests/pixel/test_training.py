"""What training promises, also when it fails."""

import numpy as np
import pytest

from stroma import ConvpaintModel
from stroma.errors import FitError, ImageError, LabelError, NotTrainedError


def made(clf="logistic", alias="gaussian", **params):
    model = ConvpaintModel(alias)
    model.set_params(clf=clf, **params)
    return model


@pytest.mark.parametrize("clf", ["catboost", "forest", "logistic"])
def test_disks_are_found_from_a_few_strokes(disks, clf):
    image, truth, strokes = disks
    model = made(clf, "ilastik")
    classifier = model.train(image, strokes)
    result = model.segment(image)
    for label in (1, 2):
        found, true = result == label, truth == label
        assert (found & true).sum() / found.sum() > 0.9
        assert (found & true).sum() / true.sum() > 0.85
    assert classifier is model.classifier
    assert classifier.classes_.tolist() == [1, 2]


def test_use_rf_fits_a_forest_whatever_the_parameters_say(disks):
    image, _, strokes = disks
    model = made("catboost")
    model.train(image, strokes, use_rf=True)
    assert model.get_param("classifier") == "RandomForest"
    model.train(image, strokes)
    assert model.get_param("classifier") == "CatBoost"


@pytest.mark.parametrize("clf", ["catboost", "forest"])
def test_nothing_is_printed_or_written(disks, clf, capfd, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    image, _, strokes = disks
    model = made(clf)
    model.train(image, strokes)
    model.segment(image)
    assert capfd.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == []


def test_no_strokes_and_one_class_are_explained(disks):
    image, _, strokes = disks
    with pytest.raises(LabelError, match="No annotations"):
        made().train(image, np.zeros_like(strokes))
    with pytest.raises(LabelError, match="At least two classes"):
        made().train(image, (strokes == 1).astype(np.uint8))


@pytest.mark.parametrize("bad", [np.inf, -np.inf])
@pytest.mark.parametrize("normalize", [1, 2])
def test_infinite_values_are_refused(disks, bad, normalize):
    image, _, strokes = disks
    image = image.copy()
    image[50, 50] = bad
    with pytest.raises(ImageError, match=r"1 values that are infinite.*nan_to_num"):
        made(normalize=normalize).train(image, strokes)


def test_a_constant_image_is_explained(disks):
    image, _, strokes = disks
    with pytest.raises(FitError, match=r"same at all .* labelled pixels"):
        made("catboost").train(np.full_like(image, 3), strokes)


def test_complex_images_are_refused(disks):
    image, _, strokes = disks
    with pytest.raises(ImageError, match="complex64"):
        made().train(image.astype(np.complex64), strokes)


def test_a_failed_training_changes_nothing(disks):
    image, _, strokes = disks
    model = made("catboost")
    model.train(image, strokes)
    before, classifier = model.predict_probas(image), model.classifier
    for bad_image, labels in [
        (np.full_like(image, 3), strokes),
        (image, np.zeros_like(strokes)),
        (image * np.nan, strokes),
    ]:
        with pytest.raises((FitError, LabelError, ImageError)):
            model.train(bad_image, labels)
    assert model.classifier is classifier
    np.testing.assert_array_equal(model.predict_probas(image), before)


def test_without_training_there_are_no_results(disks):
    image, _, _ = disks
    for ask in (made().segment, made().predict_probas):
        with pytest.raises(NotTrainedError, match="No trained classifier"):
            ask(image)
    with pytest.raises(NotTrainedError):
        _ = made().classes_


def test_training_does_not_change_what_it_is_given(disks):
    image, _, strokes = disks
    images, labels = [image.copy()], [strokes.astype(np.float64)]
    made().train(images, labels)
    assert (images[0] == image).all()
    assert labels[0].dtype == np.float64


def test_training_again_gives_the_same_model(disks):
    image, _, strokes = disks
    first, second = made("catboost", "ilastik"), made("catboost", "ilastik")
    first.train(image, strokes)
    second.train(image, strokes)
    second.train(image, strokes)
    np.testing.assert_array_equal(first.predict_probas(image), second.predict_probas(image))


def test_a_cap_on_training_pixels_keeps_the_same_ones_however_strokes_came_about(disks):
    image, _, strokes = disks
    at_once, in_steps = made(clf_max_pixels=50), made(clf_max_pixels=50)
    at_once.train(image, strokes)
    first = strokes.copy()
    first[:, 50:] = 0
    in_steps.train(image, first, memory_mode=True, img_ids="a")
    in_steps.train(image, strokes, memory_mode=True, img_ids="a")
    np.testing.assert_array_equal(in_steps.predict_probas(image), at_once.predict_probas(image))
    uncapped = made()
    uncapped.train(image, strokes)
    assert not np.array_equal(uncapped.predict_probas(image), at_once.predict_probas(image))


def test_classes_of_very_different_size_are_balanced_by_the_cap(disks):
    image, truth, _ = disks
    model = made(clf_max_pixels=30)
    model.train(image, truth)
    from stroma.pixel.door import labelled_points, open_image, thinned

    points = thinned(labelled_points(truth, open_image(image, "single")), 30)
    assert np.bincount(points.label).tolist() == [0, 30, 30]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.int64, np.float64, bool])
def test_every_real_type_of_pixel_works(disks, dtype):
    image, _, strokes = disks
    scaled = image > 1 if dtype is bool else ((image + 3) * 20).astype(dtype)
    model = made()
    model.train(scaled, strokes)
    assert set(np.unique(model.segment(scaled))) == {1, 2}


def test_large_integers_do_not_lose_their_differences(disks):
    image, _, strokes = disks
    steps = ((image + 3) * 20).astype(np.int64)
    plain, shifted = made(), made()
    plain.train(steps, strokes)
    shifted.train(steps + 10**9, strokes)
    np.testing.assert_allclose(
        plain.predict_probas(steps), shifted.predict_probas(steps + 10**9), atol=1e-3
    )


def test_skip_norm_takes_values_as_they_are(disks):
    image, _, strokes = disks
    skipped, off = made(normalize=2), made(normalize=1)
    skipped.train(image, strokes, skip_norm=True)
    off.train(image, strokes)
    np.testing.assert_array_equal(
        skipped.predict_probas(image, skip_norm=True), off.predict_probas(image)
    )


def test_a_class_without_a_working_pixel_of_its_own_is_named(disks):
    image, _, strokes = disks
    crowded = strokes.copy()
    crowded[8:16, 0:8], crowded[11, 3] = 1, 3
    model = ConvpaintModel("gaussian")
    model.set_param("image_downsample", 8)
    model.train(image, strokes)
    with pytest.raises(LabelError, match=r"image_downsample=8, the strokes of \[3\] lie in"):
        model.train(image, crowded)
    assert model.classes_.tolist() == [1, 2]
    model.set_param("image_downsample", 1)
    model.train(image, crowded)
    assert model.classes_.tolist() == [1, 2, 3]
