import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stroma import Image
from stroma.data import statistics
from stroma.data.statistics import measure, pool
from stroma.errors import ImageError


@pytest.fixture
def stack():
    random = np.random.default_rng(0)
    return random.gamma(2, 100, size=(2, 5, 30, 40)).astype(np.uint16)


def test_statistics_are_those_of_each_channel_over_all_planes(stack, monkeypatch):
    monkeypatch.setattr(statistics, "READ_PIXELS", 300)
    known = measure(Image(stack, "czyx"))
    flat = stack.reshape(2, -1).astype(float)
    assert known.count == flat.shape[1]
    np.testing.assert_allclose(known.mean, flat.mean(1))
    np.testing.assert_allclose(known.std, flat.std(1))
    assert known.minimum == tuple(flat.min(1))
    assert known.maximum == tuple(flat.max(1))
    np.testing.assert_allclose(known.low, np.percentile(flat, 1, axis=1))
    np.testing.assert_allclose(known.high, np.percentile(flat, 99, axis=1))


def test_a_large_offset_costs_no_precision():
    values = np.random.default_rng(0).normal(size=(50, 50)) + 1e9
    np.testing.assert_allclose(measure(Image(values, "yx")).std[0], values.std(), rtol=1e-6)


def test_statistics_are_measured_once_per_image(stack):
    class Once:
        shape, dtype = stack.shape, stack.dtype

        def __init__(self):
            self.reads = 0

        def __getitem__(self, key):
            self.reads += 1
            return stack[key]

    array = Once()
    image = Image(array, "czyx")
    first = measure(image)
    reads = array.reads
    assert measure(image) is first
    assert array.reads == reads


@given(st.lists(st.integers(1, 40), min_size=1, max_size=4))
def test_pooled_mean_and_deviation_are_those_of_all_values_together(sizes):
    random = np.random.default_rng(0)
    parts = [random.normal(i, 1 + i, size=(2, n, 3)) for i, n in enumerate(sizes)]
    together = np.concatenate(parts, axis=1)
    known = pool(measure(Image(p, "cyx")) for p in parts)
    np.testing.assert_allclose(known.mean, together.mean((1, 2)), atol=1e-9)
    np.testing.assert_allclose(known.std, together.std((1, 2)), atol=1e-9)


def test_large_images_are_sampled_with_a_seed(monkeypatch):
    monkeypatch.setattr(statistics, "SAMPLE_ABOVE", 10_000)
    monkeypatch.setattr("stroma.data.content.LARGEST", 10_000)
    monkeypatch.setattr(statistics, "SAMPLE_SIDE", 16)
    values = np.random.default_rng(0).normal(5, 2, size=(300, 300))
    known, again = measure(Image(values, "yx")), measure(Image(values, "yx"))
    assert known == again
    assert known.count == statistics.SAMPLE_BLOCKS * 16 * 16
    assert abs(known.mean[0] - 5) < 0.1
    assert measure(Image(values, "yx"), rng=1) != known


@pytest.mark.parametrize("bad", [-np.inf, np.inf])
def test_infinite_values_are_counted(bad):
    values = np.zeros((9, 9))
    values[3, :2], values[5, 5] = bad, np.nan
    with pytest.raises(ImageError, match="2 values that are infinite"):
        measure(Image(values, "yx"))


@pytest.mark.parametrize("rgb", [False, True])
def test_pixels_without_data_are_left_out(rgb):
    values = np.random.default_rng(0).random((3, 40, 50)).astype(np.float32)
    whole = measure(Image(values, "cyx"), rgb=rgb)
    framed = np.full((3, 60, 70), np.nan, np.float32)
    framed[:, 10:50, 10:60] = values
    framed[0, 5, 5] = 9  # of a pixel that lacks the other channels
    found = measure(Image(framed, "cyx"), rgb=rgb)
    assert found.count == whole.count == 2000
    for name in ("mean", "std", "minimum", "maximum"):
        assert getattr(found, name) == pytest.approx(getattr(whole, name), rel=1e-5)
        if rgb:
            lab = getattr(whole.lab, name)
            assert getattr(found.lab, name) == pytest.approx(lab, rel=1e-5, abs=1e-5)
    assert found.noise == pytest.approx(whole.noise, rel=0.1)
    assert found.low == pytest.approx(whole.low, abs=0.01)


def test_an_image_without_data_has_zeros():
    found = measure(Image(np.full((2, 8, 9), np.nan), "cyx"))
    assert (found.count, found.mean, found.std, found.high) == (0, (0, 0), (0, 0), (0, 0))
    other = measure(Image(np.ones((2, 8, 9)), "cyx"))
    assert statistics.pool([found, other]) == other
    assert statistics.pool([found]).mean == (0, 0)


def test_truth_values_are_numbers():
    assert measure(Image(np.eye(4, dtype=bool), "yx")).mean == (0.25,)


def test_an_array_given_again_is_not_measured_again(stack, monkeypatch):
    first = measure(Image(stack, "czyx"))
    monkeypatch.setattr(statistics, "_measure", lambda *_: None)
    assert measure(Image(stack.copy(), "czyx")) is first


def test_the_same_values_with_other_axes_have_their_own_statistics(stack):
    assert len(measure(Image(stack, "czyx")).mean) == 2
    assert len(measure(Image(stack, "tzyx")).mean) == 1
