"""Results do not depend on how they are computed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.filters.rank import majority as reference_majority
from skimage.morphology import disk

from stroma import ConvpaintModel, Image
from stroma.blocks.box import Box
from stroma.blocks.grid import Block
from stroma.features.cache import FeatureCache
from stroma.features.pipeline import Pipeline
from stroma.pixel.door import open_image
from stroma.pixel.predicting.plan import plan
from stroma.pixel.predicting.predict import dense, majority, most_probable
from stroma.pixel.predicting.recipe import Recipe
from stroma.pixel.predicting.run import predict_blocks

settings.register_profile("few", deadline=None, max_examples=12)


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(Pipeline, "block_side", property(lambda self: 16))


def texture(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32).cumsum(-1)


def trained(image, **params):
    model = ConvpaintModel(fe_name=params.pop("fe_name", "ilastik_2d"))
    model.set_params(clf="forest", **params)
    strokes = np.zeros(image.shape[-2:], np.uint8)
    strokes[2:6, 2:-2], strokes[-6:-2, 2:-2] = 1, 2
    model.train(image, strokes)
    return model


@pytest.mark.parametrize("factor", [-3, -2, -1, 0, 1, 2, 3, 7, 20])
@pytest.mark.parametrize("scalings", [[1], [1, 2, 4]])
def test_small_blocks_give_what_one_block_gives(factor, scalings, monkeypatch):
    shrunk = max(1, -factor)  # pixels that become several are fewer, for as many blocks
    image = texture((64 // shrunk, 50 // shrunk))
    model = trained(image, image_downsample=factor, fe_scalings=scalings, seg_smoothening=3)
    whole, labels = model.predict_probas(image), model.segment(image)
    assert labels.shape == image.shape
    monkeypatch.setattr(Pipeline, "block_side", property(lambda self: 16))
    assert len(list(predict_blocks(model, image))) > 1 or factor > 4
    np.testing.assert_allclose(model.predict_probas(image), whole, atol=1e-5)
    assert (model.segment(image) == labels).mean() > 0.999


@settings(settings.get_profile("few"))
@given(
    shape=st.tuples(st.integers(1, 70), st.integers(1, 70)),
    channels=st.integers(1, 3),
    factor=st.sampled_from([-2, 1, 2, 3]),
    scalings=st.sampled_from([(1,), (1, 2), (4,), (1, 3)]),
    order=st.sampled_from([0, 1, 3]),
    side=st.integers(8, 40),
)
def test_features_of_a_block_are_those_of_the_whole_image(
    shape, channels, factor, scalings, order, side
):
    image = texture((channels, *shape))
    param = ConvpaintModel(fe_name="gaussian_features").get_params()
    param.set(fe_scalings=list(scalings), fe_order=order, image_downsample=factor)
    current = plan(open_image(image, "multi"), {}, Recipe.of(param))
    cache, grid = FeatureCache(0), current.grid
    everything = Block(Box.of(grid.shape), Box.of(grid.shape).aligned(current.stride))
    region = current.region(everything)
    whole = dense(current.features(everything, cache), Box.of(grid.shape).relative(region))
    for y in range(0, grid.shape[1], -(-side // current.stride[1]) * current.stride[1]):
        core = Box(y, 0, min(y + side, grid.shape[1]), grid.shape[2])
        block = Block(core, core.aligned(current.stride))
        maps = current.features(block, cache)
        part = dense(maps, core.relative(current.region(block)))
        np.testing.assert_allclose(part, whole[(..., *core.index)], atol=5e-3)


@pytest.mark.parametrize("key", ["tile_image", "tile_annotations", "clf_use_gpu"])
def test_options_kept_for_compatibility_change_no_result(disks, key):
    image, _, strokes = disks
    results = []
    for value in (True, False):
        model = ConvpaintModel("gaussian")
        model.set_param(key, value)
        model.train(image, strokes)
        results.append(model.predict_probas(image))
    np.testing.assert_array_equal(*results)


@pytest.mark.parametrize("size", [256, 512, 257])
def test_images_of_exactly_whole_blocks_and_one_pixel_more_work(size):
    image = texture((size, 40))
    model = ConvpaintModel("gaussian")
    strokes = np.zeros(image.shape, np.uint8)
    strokes[:5], strokes[-5:] = 1, 2
    model.train(image, strokes)
    assert model.segment(image).shape == image.shape


def test_a_plane_of_a_stack_is_segmented_as_in_the_stack():
    stack = Image(texture((3, 40, 44)) * np.array([1, 5, 20])[:, None, None], "zyx")
    strokes = np.zeros(stack.shape, np.uint8)
    strokes[0, :4], strokes[2, -4:] = 1, 2
    model = ConvpaintModel("ilastik")
    model.train(stack, strokes)
    whole = model.predict_probas(stack)
    np.testing.assert_array_equal(model.predict_probas(stack.at(z=1)), whole[:, 1])


def test_a_crop_of_an_image_is_normalised_as_the_image():
    image = Image(texture((60, 60)), "yx")
    model = trained(image.read(), fe_name="gaussian_features")
    crop = model.predict_probas(image.at(y=slice(10, 50), x=slice(10, 50)))
    inner = model.predict_probas(image)[:, 10:50, 10:50]
    np.testing.assert_allclose(crop[:, 13:-13, 13:-13], inner[:, 13:-13, 13:-13], atol=1e-6)


def test_statistics_of_training_images_are_used_when_asked():
    image = texture((60, 60))
    own, stored = trained(image), trained(image, norm_from="training")
    np.testing.assert_array_equal(own.predict_probas(image), stored.predict_probas(image))
    np.testing.assert_allclose(
        own.predict_probas(3 * image + 7), own.predict_probas(image), atol=0.02
    )
    assert not np.allclose(
        stored.predict_probas(3 * image + 7), own.predict_probas(image), atol=0.1
    )


@pytest.mark.parametrize("normalize", [2, 3])
def test_normalisation_is_the_z_score_of_the_stack_or_the_plane(normalize):
    stack = texture((3, 20, 24)) * np.array([1, 5, 20])[:, None, None]
    model = ConvpaintModel("gaussian")
    model.set_param("normalize", normalize)
    axes = (1, 2) if normalize == 3 else (0, 1, 2)
    mean, std = stack.mean(axes, keepdims=True), stack.std(axes, keepdims=True)
    raw = ConvpaintModel("gaussian")
    raw.set_param("normalize", 1)
    expected = raw.get_feature_image(((stack - mean) / std).astype(np.float32))
    np.testing.assert_allclose(model.get_feature_image(stack), expected, atol=1e-4)


@pytest.mark.parametrize("radius", [2, 5])
def test_smoothing_is_a_majority_in_a_disk(disks, radius, small_blocks):
    image, _, strokes = disks
    model = ConvpaintModel("gaussian")
    model.train(image, strokes)
    plain = model.segment(image)
    model.set_param("seg_smoothening", radius)
    assert (model.segment(image) == reference_majority(plain, disk(radius))).all()
    assert (model.segment(image) != plain).any()


def test_ties_of_a_majority_go_to_the_smallest_class():
    assert (majority(np.array([[[1, 0]]]), (0, 2, 2)) == 0).all()
    assert (majority(np.array([[[1]], [[0]]]), (2, 2, 2)) == 0).all()
    assert (majority(np.array([[[1]], [[0]]]), (0, 2, 2)).ravel() == [1, 0]).all()


def test_smoothing_does_not_change_probabilities(disks):
    image, _, strokes = disks
    model = ConvpaintModel("gaussian")
    model.train(image, strokes)
    plain = model.predict_probas(image)
    model.set_param("seg_smoothening", 5)
    np.testing.assert_allclose(model.predict_probas(image), plain, atol=1e-6)


def test_coarse_results_are_those_of_the_pixels_at_their_centres(disks, small_blocks):
    image, _, strokes = disks
    model = ConvpaintModel("gaussian")
    model.train(image, strokes)
    fine = model.predict_probas(image)
    for block in predict_blocks(model, image, coarse=4):
        rows = np.minimum(np.arange(block.y.start, block.y.stop, 4) + 2, block.y.stop - 1)
        columns = np.minimum(np.arange(block.x.start, block.x.stop, 4) + 2, block.x.stop - 1)
        expected = fine[:, rows[:, None], columns]
        np.testing.assert_allclose(block.probabilities, expected, atol=1e-6)


def test_a_region_gives_only_the_blocks_that_touch_it(disks, small_blocks):
    image, _, strokes = disks
    model = ConvpaintModel("gaussian")
    model.train(image, strokes)
    blocks = list(predict_blocks(model, image, region=Box(20, 20, 30, 40)))
    assert {(b.y.start, b.x.start) for b in blocks} == {(16, 16), (16, 32)}
    assert [b.done for b in blocks] == [1, 2]
    assert {b.total for b in blocks} == {2}


def test_cancelling_stops_before_the_next_block(disks, small_blocks):
    from stroma.errors import Cancelled

    image, _, strokes = disks
    model = ConvpaintModel("gaussian")
    model.train(image, strokes)
    asked = []
    blocks = predict_blocks(model, image, cancel=lambda: asked.append(1) or len(asked) > 6)
    assert next(blocks).done == 1
    with pytest.raises(Cancelled):
        list(blocks)
    assert len(asked) == 7


def test_a_new_stroke_computes_no_features_where_they_are_known(disks, monkeypatch):
    image, _, strokes = disks
    model = ConvpaintModel("gaussian")
    model.train(image, strokes)
    model.segment(image)

    def refuse(*_):
        raise AssertionError("features were computed again")

    monkeypatch.setattr(Pipeline, "compute", refuse)
    strokes = strokes.copy()
    strokes[80:85, 80:85] = 1
    model.train(image, strokes)
    model.segment(image)


def test_cached_and_uncached_runs_agree(disks):
    image, _, strokes = disks
    results = []
    for size in (0, None):
        model = ConvpaintModel("ilastik")
        model.cache = FeatureCache(size)
        model.train(image, strokes)
        model.segment(image)
        results.append(model.predict_probas(image))
    np.testing.assert_array_equal(*results)


@given(st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_the_most_probable_class_is_the_first_of_the_greatest(classes, seed):
    probabilities = np.random.default_rng(seed).integers(0, 3, (classes, 5, 7)).astype(np.float32)
    np.testing.assert_array_equal(most_probable(probabilities), probabilities.argmax(axis=0))


def test_more_classes_than_a_byte_counts_are_told_apart():
    probabilities = np.eye(300, dtype=np.float32)[:, None]
    np.testing.assert_array_equal(most_probable(probabilities), np.arange(300)[None])
