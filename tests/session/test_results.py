import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stroma.blocks.box import Box
from stroma.errors import ParameterError
from stroma.session.core.results import Results
from stroma.session.strokes.blocks import Block, Samples, show, uncertainty


def block(box, value, *, revision=1, step=1):
    height, width = -(-box.shape[0] // step), -(-box.shape[1] // step)
    labels = np.full((height, width), value, np.uint8)
    probabilities = np.zeros((2, height, width), np.uint8)
    probabilities[1] = 255
    return Block(box, step, revision, (1, 2), labels, probabilities, labels * 0)


def test_a_finer_or_newer_block_takes_the_place_of_those_inside_it():
    results = Results(10**6)
    for corner in (0, 8):
        results.put(("1", 0), block(Box(0, corner, 8, corner + 8), 1, step=4))
    results.put(("1", 0), block(Box(0, 0, 8, 16), 2, revision=2))
    assert [b.box for b in results.blocks(("1", 0))] == [Box(0, 0, 8, 16)]


def test_what_was_not_used_for_longest_goes_first():
    one = block(Box(0, 0, 10, 10), 1).nbytes
    results = Results(2 * one)
    for top in (0, 10, 20):
        results.put(("1", 0), block(Box(top, 0, top + 10, 10), 1))
        results.blocks(("1", 0), Box(0, 0, 1, 1))  # the first one stays in use
    assert [b.box.top for b in results.blocks(("1", 0))] == [0, 20]
    assert results.nbytes == 2 * one


def test_planes_count_as_long_as_there_is_a_result():
    results = Results(10**6)
    for plane in (0, 1):
        results.put(("1", plane), block(Box(0, 0, 10, 10), 1))
    assert (results.planes("1"), results.planes("2")) == (2, 0)
    results.drop_older(("1", 0), 2)
    assert results.planes("1") == 1


def test_forgetting_an_image_frees_its_bytes():
    results = Results(10**6)
    results.put(("1", 0), block(Box(0, 0, 10, 10), 1))
    results.put(("2", 3), block(Box(0, 0, 10, 10), 1))
    results.drop(image="1")
    assert results.blocks(("1", 0)) == []
    assert results.nbytes == results.blocks(("2", 3))[0].nbytes


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 5),
    st.tuples(st.integers(0, 20), st.integers(0, 20), st.integers(1, 20), st.integers(1, 20)),
)
def test_a_reduced_view_shows_the_middle_pixel_of_every_square(step, given_box):
    top, left, height, width = given_box
    box = Box(top, left, top + height, left + width)
    values = np.arange(1, 1601).reshape(40, 40).astype(np.uint16)
    parts = [
        Block(b, 1, 1, (1,), values[b.slices], values[None, *b.slices], values[b.slices])
        for b in (Box(y, x, y + 13, x + 13) for y in (0, 13, 26) for x in (0, 13, 26))
    ]
    shown = show(parts, box, step=step, revision=1)
    for i, j in np.ndindex(shown.values.shape):
        y = min(top + i * step + step // 2, box.bottom - 1)
        x = min(left + j * step + step // 2, box.right - 1)
        assert shown.values[i, j] == (values[y, x] if max(y, x) < 39 else 0)
    assert shown.missing == bool((shown.values == 0).any())


def test_stale_and_missing_speak_of_what_is_seen():
    old, new = block(Box(0, 0, 8, 8), 1), block(Box(0, 8, 8, 16), 2, revision=2)
    assert show([old, new], Box(0, 8, 8, 16), revision=2).stale is False
    assert show([old, new], Box(0, 0, 8, 16), revision=2).stale is True
    assert show([old, new], Box(0, 0, 8, 17), revision=2).missing is True
    assert np.isnan(show([old], Box(0, 0, 8, 16), layer="uncertainty").values[:, 8:]).all()


def test_where_there_is_no_data_nothing_is_uncertain():
    p = np.array([[0.9, 0.5, 0.0], [0.1, 0.5, 0.0]], np.float32)
    np.testing.assert_allclose(uncertainty(p), [0.2, 1, 0], atol=1e-6)
    assert uncertainty(p).dtype == np.float32


def test_the_probability_of_a_class_the_model_does_not_know_is_zero():
    shown = show([block(Box(0, 0, 4, 4), 1)], Box(0, 0, 4, 4), layer="probability", label=9)
    assert not shown.values.any()
    with pytest.raises(ParameterError, match="A layer is one of"):
        show([], Box(0, 0, 4, 4), layer="colour")


def test_uncertainty_is_one_minus_the_margin_of_the_two_best():
    probabilities = np.array([[0.5, 0.2], [0.3, 0.2], [0.2, 0.6]])
    np.testing.assert_allclose(uncertainty(probabilities), [0.8, 0.6])
    assert uncertainty(np.ones((1, 3))).tolist() == [0, 0, 0]


@settings(deadline=None)
@given(
    start=st.integers(0, 40),
    size=st.integers(1, 90),
    step=st.integers(1, 33),
    low=st.integers(0, 120),
    length=st.integers(1, 60),
    block_step=st.sampled_from([1, 2, 4, 8]),
)
def test_samples_are_the_middle_pixels_that_lie_in_a_block(
    start, size, step, low, length, block_step
):
    samples = Samples(start, start + size, step)
    pixels = [min(p + step // 2, start + size - 1) for p in range(start, start + size, step)]
    inside = [i for i, p in enumerate(pixels) if low <= p < low + length]
    chosen = samples.within(low, low + length)
    assert list(range(samples.count))[chosen] == inside
    found = samples.indices(chosen, low, block_step)
    taken = np.arange(length)[found] if isinstance(found, slice) else found
    assert list(taken) == [(pixels[i] - low) // block_step for i in inside]
