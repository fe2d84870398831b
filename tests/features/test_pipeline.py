"""Combining extractors: names, order, series of channels, and what each is fed."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from stroma.blocks.box import Box
from stroma.data.statistics import Statistics
from stroma.errors import ImageError, ParameterError, ShapeError, UnknownNameError
from stroma.features.build import extractor, part_names, pipeline
from stroma.features.contract import FeatureMap, Wants
from stroma.features.networks.imagenet import DEVIATION, MEAN
from stroma.features.normalise import normalise
from stroma.features.part import Feed, Part, Piece
from stroma.features.pipeline import Pipeline, grid_step

PLAIN = Wants()
GREY = Feed(("grey",))


@dataclass(frozen=True)
class Echo:
    """Returns what it is fed: the plain pixels, and their block means on a coarser grid."""

    step: int = 1
    wants: Wants = PLAIN
    halo = 0

    @property
    def stride(self):
        return self.step

    @property
    def features_per_layer(self):
        return (2, 1)

    def names(self, channels):
        return [f"a{i}" for i in range(len(channels))] + ["b"]

    def __call__(self, block):
        coarse = block[:1, :: self.step, :: self.step]
        return [FeatureMap(np.array(block)), FeatureMap(coarse, self.step)]


@dataclass(frozen=True)
class Times:
    """Makes the feature of a pixel by a factor that its plane has."""

    factor: float
    features = 1
    nbytes = 8

    def __call__(self, values):
        return np.float32(self.factor) * values


class Window(Echo):
    """Sees whole windows; the feature of a pixel is its value times the largest of its plane."""

    halo = None

    def names(self, channels):
        return ["product"]

    def __call__(self, block):
        return [FeatureMap(np.array(block[:1]), mixes=(Times(float(block.max())),))]


def computed(pipe, image, feed, region=None):
    region = region or Box.of(image.shape[1:])
    [maps] = pipe.compute([Piece(image[:, None], Box.of(image.shape[1:]), region, region, feed)])
    return [replace(m, values=m.values[:, 0], step=m.step[1], origin=m.origin[1:]) for m in maps]


def statistics(mean, std, low=(0.0,), high=(1.0,)):
    return Statistics(9, mean, std, low, high, low, high, low)


def test_features_are_ordered_by_part_then_scale_then_channel():
    grey = Wants(channels=1)
    pipe = Pipeline((Part(Echo(), (1, 2)), Part(Echo(wants=grey))))
    feed = Feed(("r", "g"))
    expected = ["a0", "a1", "b", "a0@2", "a1@2", "b@2", "r:a0", "r:b", "g:a0", "g:b"]
    assert pipe.names(feed) == expected
    image = np.arange(32.0, dtype=np.float32).reshape(2, 4, 4)
    maps = computed(pipe, image, feed)
    assert sum(len(m.values) for m in maps) == len(expected)
    np.testing.assert_array_equal(maps[0].values, image)
    assert maps[2].step == 2
    np.testing.assert_array_equal(maps[2].values[0], [[2.5, 4.5], [10.5, 12.5]])
    np.testing.assert_array_equal(maps[6].values, image[1:])


def test_planes_cut_from_a_window_keep_what_makes_their_own_features():
    raw = np.arange(1.0, 61.0, dtype=np.float32).reshape(1, 5, 3, 4)
    window, region = Box.of((5, 3, 4)), Box(0, 0, 3, 4, 2, 4)
    [[found]] = Pipeline((Part(Window()),)).compute([Piece(raw, window, region, window, GREY)])
    expected = raw * raw.max(axis=(0, 2, 3))[:, None, None]
    np.testing.assert_array_equal(found.dense(Box.of((2, 3, 4))), expected[:, 2:4])


@pytest.mark.parametrize(
    ("wants", "channels", "rgb", "series"),
    [
        (Wants(channels=None), 4, False, 1),
        (Wants(channels=3), 3, False, 1),
        (Wants(channels=3), 1, False, 1),
        (Wants(channels=3), 2, False, 2),
        (Wants("imagenet", 3), 3, True, 1),
        (Wants("imagenet", 3), 3, False, 3),
    ],
)
def test_channels_go_through_together_or_one_by_one(wants, channels, rgb, series):
    pipe = Pipeline((Part(Echo(wants=wants)),))
    feed = Feed(tuple(f"ch{i}" for i in range(channels)), rgb=rgb)
    maps = computed(pipe, np.ones((channels, 4, 4), np.float32), feed)
    fed = [len(m.values) for m in maps[::2]]
    assert len(fed) == series
    if wants.channels is not None:
        assert set(fed) == {3}


def test_equal_layers_keep_as_many_features_as_the_smallest_layer_has():
    part = Part(Echo(), equal_layers=True)
    feed = Feed(("x", "y"))
    assert part.names(feed) == ["a0", "b"]
    maps = computed(Pipeline((part,)), np.ones((2, 4, 4), np.float32), feed)
    assert [len(m.values) for m in maps] == [1, 1]


def test_equal_layers_need_layers():
    with pytest.raises(ParameterError, match="needs an extractor with layers"):
        pipeline("gaussian_features", equal_layers=True)


def test_maps_share_a_grid_or_are_classified_at_every_pixel():
    fine, coarse = FeatureMap(np.zeros((1, 4, 4))), FeatureMap(np.zeros((1, 2, 2)), 2)
    assert grid_step([coarse, coarse]) == (1, 2, 2)
    assert grid_step([fine, coarse]) == (1, 1, 1)


def test_half_precision_is_used_when_asked_and_never_overflows():
    image = np.full((1, 4, 4), 1e6, np.float32)
    pipe = Pipeline((Part(Echo()),))
    half = computed(pipe, image, Feed(("x",), half=True))[0].values
    assert half.dtype == np.float16
    assert np.isfinite(half).all()
    assert computed(pipe, image, Feed(("x",)))[0].values.dtype == np.float32


def test_features_that_are_not_finite_are_refused():
    with pytest.raises(ImageError, match="NaN or infinite"):
        computed(Pipeline((Part(Echo()),)), np.full((1, 2, 2), np.inf, np.float32), Feed(("x",)))


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_features_in_half_precision_that_are_not_finite_are_refused(odd):
    class Half(Echo):
        def __call__(self, block):
            return [replace(m, values=m.values.astype(np.float16)) for m in super().__call__(block)]

    image, pipe = np.ones((1, 2, 3), np.float32), Pipeline((Part(Half()),))
    assert computed(pipe, image, Feed(("x",), half=True))[0].values.dtype == np.float16
    image[0, 1, 2] = odd
    with pytest.raises(ImageError, match="NaN or infinite"):
        computed(pipe, image, Feed(("x",), half=True))


def test_another_number_of_channels_is_refused():
    with pytest.raises(ShapeError, match="Expected 2 channels, got 1"):
        computed(Pipeline((Part(Echo()),)), np.ones((1, 2, 2), np.float32), Feed(("x", "y")))


def test_z_score_by_given_statistics():
    image = np.array([[[1.0, 3.0]], [[10.0, 30.0]]])
    known = statistics((2.0, 20.0), (1.0, 10.0))
    expected = [[[-1, 1]], [[-1, 1]]]
    np.testing.assert_allclose(normalise(image, known, "default", rgb=False), expected)
    constant = normalise(image, statistics((2.0, 20.0), (0.0, 0.0)), "default", rgb=False)
    assert np.isfinite(constant).all()


def test_percentiles_are_brought_to_0_and_1_and_clipped():
    known = statistics((0.0,), (1.0,), low=(10.0,), high=(20.0,))
    result = normalise(np.array([[[0.0, 10, 15, 20, 99]]]), known, "percentile", rgb=False)
    np.testing.assert_allclose(result, [[[0, 0, 0.5, 1, 1]]])


def test_colours_are_normalised_as_those_of_imagenet_and_others_by_z_score():
    image = np.full((3, 1, 1), 255, np.uint8)
    known = statistics((100.0,) * 3, (50.0,) * 3, (0.0,) * 3, (255.0,) * 3)
    expected = (1 - np.array(MEAN)) / np.array(DEVIATION)
    np.testing.assert_allclose(
        normalise(image, known, "imagenet", rgb=True)[:, 0, 0], expected, rtol=1e-5
    )
    np.testing.assert_allclose(normalise(image, known, "imagenet", rgb=False), 3.1, rtol=1e-6)


def test_names_of_the_original_stand_for_combinations():
    assert part_names("combo_dino_gauss") == ["gaussian_features", "dinov2_vits14_reg"]
    assert part_names("dinov2_small-reg") == ["dinov2_vits14_reg"]
    with pytest.raises(UnknownNameError, match="No feature extractor named 'x'"):
        part_names("gaussian_features+x")


def test_extractors_without_layers_refuse_them():
    with pytest.raises(ParameterError, match="has no layers"):
        extractor("gaussian_features", layers=[0])


def test_filters_of_the_bank_are_selectable_one_by_one_by_name_or_position():
    bank = extractor("ilastik_2d", layers=["hessian_s1.6", "gaussian_s0.3"])
    assert bank.names(["x"]) == ["gaussian_s0.3", "hessian_max_s1.6", "hessian_min_s1.6"]
    assert extractor("ilastik_2d", layers=[0]).names(["x"]) == ["gaussian_s0.3"]
    with pytest.raises(UnknownNameError, match=r"Did you mean 'hessian_s1\.6'"):
        extractor("ilastik_2d", layers=["hesian_s1.6"])
    with pytest.raises(ParameterError, match="layers 0 to 41"):
        extractor("ilastik_2d", layers=[42])
