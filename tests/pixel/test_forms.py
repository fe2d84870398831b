"""Forms of images and results: what goes in, and the shape of what comes out."""

import dask.array
import numpy as np
import pytest
import xarray
import zarr

from stroma import ConvpaintModel, Image
from stroma.data.classes import Class
from stroma.data.strokes import Strokes
from stroma.errors import ImageError, LabelError, ParameterError, ShapeError
from stroma.io import read_image, write_image, write_strokes

H, W = 21, 26


def halves(shape):
    """Strokes of two classes on the left and right of every plane."""
    labels = np.zeros(shape, np.uint8)
    labels[..., 3:15, 2:6], labels[..., 3:15, 20:24] = 1, 2
    return labels


def image_of(shape):
    values = np.random.default_rng(0).normal(size=shape)
    values[..., W // 2 :] += 5
    return values.astype(np.float32)


def model(mode="single", **params):
    made = ConvpaintModel("gaussian")
    made.set_params(channel_mode=mode, clf="logistic", **params)
    return made


@pytest.mark.parametrize(
    ("shape", "mode", "labels", "result", "features"),
    [
        ((H, W), "single", (H, W), (H, W), 1),
        ((H, W), "multi", (H, W), (H, W), 1),
        ((H, W), "rgb", (H, W), (H, W), 1),
        ((4, H, W), "single", (4, H, W), (4, H, W), 1),
        ((4, H, W), "multi", (H, W), (H, W), 4),
        ((4, H, W), "multi", (1, H, W), (H, W), 4),
        ((3, H, W), "rgb", (H, W), (H, W), 3),
        ((2, 5, H, W), "multi", (5, H, W), (5, H, W), 2),
        ((3, 5, H, W), "rgb", (5, H, W), (5, H, W), 3),
        ((2, 1, H, W), "multi", (1, H, W), (1, H, W), 2),
        ((1, 5, H, W), "single", (5, H, W), (5, H, W), 1),
        ((2, 5, H, W), "single", (5, H, W), (5, H, W), 2),
    ],
)
def test_every_form_of_image_gives_results_of_its_shape(shape, mode, labels, result, features):
    image, trained = image_of(shape), model(mode)
    trained.train(image, halves(labels))
    segmentation, probabilities = trained.segment(image), trained.predict_probas(image)
    assert segmentation.shape == result
    assert segmentation.dtype == np.uint8
    assert set(np.unique(segmentation)) == {1, 2}
    assert probabilities.shape == (2, *result)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(0), 1, atol=1e-5)
    assert (trained.classes_[probabilities.argmax(0)] == segmentation).all()
    assert trained.get_feature_image(image).shape == (features, *result)
    assert trained.get_param("channel_mode") == mode


@pytest.mark.parametrize("shape", [(1, 10), (3, 3), (5, 2), (61, 67), (2, 1)])
@pytest.mark.parametrize("alias", ["gaussian", "ilastik"])
def test_tiny_and_odd_sizes_work(shape, alias):
    image = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    labels = np.zeros(shape, np.uint8)
    labels.flat[: labels.size // 2], labels.flat[labels.size // 2 :] = 1, 2
    made = ConvpaintModel(alias)
    made.train(image, labels)
    assert made.segment(image).shape == shape


def test_lists_may_hold_images_of_different_sizes():
    images = [image_of((H, W)), image_of((H + 7, W))]
    labels = [halves((H, W)), halves((H + 7, W))]
    trained = model()
    trained.train(images, labels)
    results = trained.segment(tuple(images))
    assert isinstance(results, list)
    assert [r.shape for r in results] == [(H, W), (H + 7, W)]
    [single] = trained.segment(images[:1])
    assert (single == results[0]).all()


def test_a_list_with_an_empty_annotation_trains_as_without_it():
    images, labels = [image_of((H, W)), image_of((H, W))[::-1]], halves((H, W))
    with_empty, without = model(), model()
    with_empty.train(images, [labels, np.zeros_like(labels)])
    without.train(images[:1], [labels])
    with_none = model()
    with_none.train(images, [labels, None])
    expected = without.predict_probas(images[1])
    np.testing.assert_array_equal(with_empty.predict_probas(images[1]), expected)
    np.testing.assert_array_equal(with_none.predict_probas(images[1]), expected)


def test_array_likes_give_the_result_of_numpy(tmp_path):
    image, labels = image_of((3, H, W)), halves((3, H, W))
    stored = zarr.create_array(tmp_path / "a.zarr", data=image, chunks=(1, 8, 8))
    likes = [image, dask.array.from_array(image, chunks=9), stored, xarray.DataArray(image)]
    likes.append(Image(image, "zyx"))
    results = []
    for like in likes:
        trained = model()
        trained.train(like, labels)
        results.append(trained.predict_probas(like))
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])


ARRAYS = {
    "big-endian double": lambda a: a.astype(">f8"),
    "big-endian short": lambda a: a.astype(">i2"),
    "read-only": lambda a: np.frombuffer(a.tobytes(), a.dtype).reshape(a.shape),
    "column-major": np.asfortranarray,
    "negative strides": lambda a: a[::-1, ::-1].copy()[::-1, ::-1],
    "gaps": lambda a: a.repeat(2, 0).repeat(3, 1)[::2, ::3],
    "half": lambda a: a.astype(np.float16),
    "long double": lambda a: a.astype(np.longdouble),
    "nothing masked": np.ma.masked_array,
}


@pytest.mark.parametrize("kind", ARRAYS)
def test_the_layout_of_an_array_in_memory_changes_no_result(kind):
    image, labels = np.round(image_of((H, W)) * 50) + 40, halves((H, W))
    plain, other = model(), model()
    plain.train(image, labels)
    other.train(ARRAYS[kind](image), ARRAYS[kind](labels))
    expected = plain.predict_probas(image)
    np.testing.assert_allclose(other.predict_probas(ARRAYS[kind](image)), expected, atol=1e-6)


def test_large_offsets_are_exact_in_either_byte_order():
    image, labels = image_of((H, W)).astype(np.float64), halves((H, W))
    plain, far = model(), model()
    plain.train(image, labels)
    shifted = (image + 1e9).astype(">f8")
    far.train(shifted, labels)
    expected = plain.predict_probas(image)
    np.testing.assert_allclose(far.predict_probas(shifted), expected, atol=1e-4)


def test_boolean_images_are_zeros_and_ones():
    image, labels = image_of((H, W)) > 2, halves((H, W))
    boolean, number = model(), model()
    boolean.train(image, labels)
    number.train(image.astype(np.uint8), labels)
    expected = number.predict_probas(image.astype(np.uint8))
    np.testing.assert_array_equal(boolean.predict_probas(image), expected)


def test_masked_pixels_of_images_are_refused_and_of_strokes_are_unlabelled():
    image, labels = image_of((H, W)), halves((H, W))
    with pytest.raises(ImageError, match=r"masked pixels.*filled"):
        model().train(np.ma.masked_array(image, image > 6), labels)
    hidden, erased = model(), model()
    hidden.train(image, np.ma.masked_array(labels, np.indices(labels.shape)[0] < 8))
    erased.train(image, np.where(np.indices(labels.shape)[0] < 8, 0, labels))
    np.testing.assert_array_equal(hidden.predict_probas(image), erased.predict_probas(image))


@pytest.mark.parametrize("clf", ["catboost", "forest", "logistic", "ensemble", "families"])
def test_a_channel_without_content_does_no_harm(clf):
    image, labels = image_of((H, W)), halves((H, W))
    both = np.stack([np.full_like(image, 7), image])
    trained = model("multi")
    trained.set_param("clf", clf)
    trained.train(both, labels)
    painted = labels > 0
    assert (trained.segment(both)[painted] == labels[painted]).all()


def test_a_plane_without_content_does_no_harm_when_planes_are_normalised_alone():
    stack = np.stack([image_of((H, W)), np.full((H, W), 3.0)])
    labels = np.stack([halves((H, W)), np.zeros((H, W), np.uint8)])
    trained = model(normalize=3)
    trained.train(stack, labels)
    probabilities = trained.predict_probas(stack)
    assert np.isfinite(probabilities).all()
    assert np.ptp(probabilities[:, 1], axis=(1, 2)).max() < 1e-6


@pytest.mark.parametrize("scale", [1e-9, 1e9, 1e30])
def test_the_unit_of_pixel_values_changes_no_result(scale):
    image, labels = image_of((H, W)).astype(np.float64), halves((H, W))
    plain, scaled = model(), model()
    plain.train(image, labels)
    scaled.train(image * scale, labels)
    assert (scaled.segment(image * scale) == plain.segment(image)).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.longdouble])
def test_values_too_large_for_single_precision_are_refused(dtype):
    image, labels = image_of((H, W)).astype(dtype), halves((H, W))
    with pytest.raises(ImageError, match=r"values from .* to .*e\+37; allowed .* to 1e\+36"):
        model().train(image * dtype(1e37), labels)


def test_the_number_of_infinite_values_is_right():
    image = image_of((H, W))
    image[0, :3], image[1, 1] = np.inf, np.nan
    for normalize in (1, 2):
        with pytest.raises(ImageError, match="holds 3 values"):
            model(normalize=normalize).train(image, halves((H, W)))


def test_axes_that_an_array_names_are_believed_in_any_order():
    image, labels = image_of((2, 3, H, W)), halves((3, H, W))
    named = xarray.DataArray(image, dims=("c", "z", "y", "x")).transpose("y", "z", "x", "c")
    painted = xarray.DataArray(labels, dims=("Z", "Y", "X")).transpose("X", "Z", "Y")
    plain, trained = model("multi"), model()
    plain.train(image, labels)
    trained.train(named, painted)
    np.testing.assert_array_equal(trained.predict_probas(named), plain.predict_probas(image))


def test_annotations_may_be_images_and_strokes_that_were_read():
    image, labels = image_of((H, W)), halves((H, W)).astype(np.uint16)
    plain, named, read = model(), model(), model()
    plain.train(image, labels)
    named.train(image, Image(labels, "yx"))
    read.train(image, Strokes(labels, "yx", (Class(2, "right"),)))
    expected = plain.predict_probas(image)
    np.testing.assert_array_equal(named.predict_probas(image), expected)
    np.testing.assert_array_equal(read.predict_probas(image), expected)
    assert [c.name for c in read.classes] == ["class 1", "right"]


def test_a_class_name_has_the_same_label_in_all_files_of_strokes(tmp_path):
    image, labels = image_of((H, W)), halves((H, W)).astype(np.uint16)
    classes = (Class(1, "left"), Class(2, "right"))
    for name, kept in (("both", (1, 2)), ("right", (2,))):
        strokes = Strokes(np.where(np.isin(labels, kept), labels, 0).astype(np.uint16), "yx")
        strokes = Strokes(strokes.labels, "yx", tuple(c for c in classes if c.label in kept))
        write_strokes(tmp_path / f"{name}.geojson", strokes, Image(image, "yx"))
    both, right = tmp_path / "both.geojson", tmp_path / "right.geojson"
    trained = model()
    trained.train([image, image], [both, right])
    assert [(c.label, c.name) for c in trained.classes] == [(1, "left"), (2, "right")]
    painted = labels > 0
    assert (trained.segment(image)[painted] == labels[painted]).all()
    unnamed = model()
    unnamed.train(image, labels)
    unnamed.train(image, both)
    assert unnamed.classes == trained.classes
    again = model()
    again.classes = [Class(7, "right")]
    again.train(image, both)
    assert [(c.label, c.name) for c in again.classes] == [(1, "left"), (7, "right")]


def test_paths_are_read(tmp_path):
    image, labels = image_of((H, W)), halves((H, W))
    np.save(tmp_path / "image.npy", image)
    np.save(tmp_path / "labels.npy", labels)
    from_files, from_arrays = model(), model()
    from_files.train(tmp_path / "image.npy", str(tmp_path / "labels.npy"))
    from_arrays.train(image, labels)
    expected = from_arrays.segment(image)
    assert (from_files.segment(tmp_path / "image.npy") == expected).all()


def test_named_axes_are_kept_in_results():
    values = image_of((2, 3, 4, H, W))
    labels = halves((2, 4, H, W))
    trained = model()
    trained.train(Image(values, "tczyx"), labels)
    assert trained.segment(Image(values, "tczyx")).shape == (2, 4, H, W)
    assert trained.predict_probas(Image(values, "tczyx").at(t=1)).shape == (2, 4, H, W)


@pytest.mark.parametrize("shape", [(7,), (2, 2, 2, H, W)])
def test_a_wrong_number_of_dimensions_is_refused(shape):
    with pytest.raises(ShapeError, match="wrong number of dimensions"):
        model().train(np.zeros(shape), np.zeros((H, W), np.uint8))


@pytest.mark.parametrize(
    ("image", "labels"),
    [((H, W), (W, H)), ((4, H, W), (3, H, W)), ((4, H, W), (H, W)), ((H, W), (2, H, W))],
)
def test_annotations_of_another_shape_are_refused(image, labels):
    with pytest.raises(ShapeError, match=r"different .* dimensions.* Channels come first"):
        model().train(image_of(image), halves(labels))


def test_channels_of_an_image_must_not_be_annotated():
    with pytest.raises(ShapeError, match=r"different .* dimensions"):
        model("multi").train(image_of((4, H, W)), halves((4, H, W)))


def test_rgb_with_channels_last_is_recognised_and_explained():
    with pytest.raises(ShapeError, match="Channels come first"):
        model("rgb").train(np.zeros((H, W, 3)), halves((H, W)))


def test_lists_of_different_length_are_refused():
    with pytest.raises(ParameterError, match="2 images and 1"):
        model().train([image_of((H, W))] * 2, [halves((H, W))])


def test_images_with_different_channels_are_refused():
    images = [image_of((2, H, W)), image_of((3, H, W))]
    with pytest.raises(ShapeError, match="different number of channels"):
        model("multi").train(images, [halves((H, W))] * 2)


def test_a_model_refuses_images_with_other_channels_than_it_was_trained_on():
    trained = model("multi")
    trained.train(image_of((2, H, W)), halves((H, W)))
    with pytest.raises(ShapeError, match="trained on 2 channels, this image has 3"):
        trained.segment(image_of((3, H, W)))


@pytest.mark.parametrize("trained_on", ["colour.png", "plain.zarr"])
def test_the_same_pixels_are_read_as_in_training_whether_marked_as_colour_or_not(
    trained_on, tmp_path
):
    """Features of colours are others than those of three channels, and more of them."""
    values = np.random.default_rng(0).integers(0, 120, (3, H, W), np.uint8)
    values[0, :, W // 2 :] += 100
    write_image(tmp_path / "colour.png", values, axes="cyx", rgb=True)
    write_image(tmp_path / "plain.zarr", values, axes="cyx")
    images = {name: read_image(tmp_path / name) for name in ("colour.png", "plain.zarr")}
    assert [image.rgb for image in images.values()] == [True, False]
    made = ConvpaintModel(fe_name="texture_2d", clf="logistic")
    made.train(images[trained_on], halves((H, W)))
    colour, plain = (made.predict_probas(image) for image in images.values())
    np.testing.assert_array_equal(colour, plain)


def test_channels_chosen_in_training_are_remembered():
    image = image_of((4, H, W))
    trained, direct = model("multi"), model("multi")
    trained.train(image, halves((H, W)), in_channels=[2, 0])
    direct.train(image[[2, 0]], halves((H, W)))
    expected = direct.predict_probas(image[[2, 0]])
    np.testing.assert_array_equal(trained.predict_probas(image), expected)
    np.testing.assert_array_equal(trained.predict_probas(image, in_channels=[2, 0]), expected)


def test_features_are_named_after_the_channel_they_come_from():
    image = image_of((4, H, W))
    trained = model("multi")
    trained.train(image, halves((H, W)), in_channels=[2, 0])
    assert trained.feature_names_ == ["ch2:gaussian_s3.0", "ch0:gaussian_s3.0"]
    trained.train(Image(image, "cyx").at(c=slice(1, 4)), halves((H, W)), in_channels=[0, 2])
    assert trained.feature_names_ == ["ch1:gaussian_s3.0", "ch3:gaussian_s3.0"]


@pytest.mark.parametrize("channels", [(2, 0), np.array([2, 0]), range(2, -1, -2)])
def test_channels_may_come_in_any_sequence_of_whole_numbers(channels):
    image = image_of((4, H, W))
    trained, direct = model("multi"), model("multi")
    trained.train(image, halves((H, W)), in_channels=channels)
    direct.train(image[[2, 0]], halves((H, W)))
    np.testing.assert_array_equal(
        trained.predict_probas(image), direct.predict_probas(image[[2, 0]])
    )


@pytest.mark.parametrize("channels", [[4], [-1], [], [0.5], "0", 2, [True]])
def test_channels_that_do_not_exist_are_refused(channels):
    with pytest.raises(ParameterError, match="from 0 to 3"):
        model("multi").train(image_of((4, H, W)), halves((H, W)), in_channels=channels)


def test_channels_of_an_image_without_any_are_refused():
    with pytest.raises(ParameterError, match="needs an image with channels"):
        model().train(image_of((H, W)), halves((H, W)), in_channels=[0])


def test_labels_up_to_65535_keep_their_value():
    labels = halves((H, W)).astype(np.uint16)
    labels[labels == 2] = 65535
    trained = model()
    trained.train(image_of((H, W)), labels)
    segmentation = trained.segment(image_of((H, W)))
    assert segmentation.dtype == np.uint16
    assert set(np.unique(segmentation)) == {1, 65535}
    assert trained.classes_.tolist() == [1, 65535]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: a.astype(float) * 0.5, "whole numbers"),
        (lambda a: -a.astype(int), "1 to 65535"),
        (lambda a: a.astype(int) * 70000, "1 to 65535"),
        (lambda a: np.where(a > 0, np.nan, 0.0), "whole numbers"),
        (lambda a: a.astype(complex), "whole numbers"),
    ],
)
def test_annotations_that_are_not_labels_are_refused(change, message):
    with pytest.raises(LabelError, match=message):
        model().train(image_of((H, W)), change(halves((H, W))))


def test_whole_numbers_stored_as_floats_are_labels():
    labels = halves((H, W))
    trained = model()
    trained.train(image_of((H, W)), labels.astype(float))
    assert labels.dtype == np.uint8
    assert trained.classes_.tolist() == [1, 2]


class Read:
    """An array that remembers how many values were read of it at once, at most."""

    def __init__(self, values):
        self.values, self.shape, self.dtype, self.most = values, values.shape, values.dtype, 0

    def __getitem__(self, key):
        part = self.values[key]
        self.most = max(self.most, part.size)
        return part


@pytest.mark.parametrize("as_given", [lambda array: array, lambda array: Image(array, "zyx")])
def test_annotations_are_read_a_few_rows_at_a_time(as_given, monkeypatch):
    monkeypatch.setattr("stroma.pixel.door.BAND_PIXELS", 4 * W)
    image, labels = image_of((3, H, W)), halves((3, H, W))
    lazy, one, other = Read(labels), model(), model()
    one.train(image, as_given(lazy))
    other.train(image, labels)
    assert lazy.most == 4 * W
    np.testing.assert_array_equal(one.predict_probas(image), other.predict_probas(image))
