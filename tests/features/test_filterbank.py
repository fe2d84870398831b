import pickle
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage as ndi

from stroma.errors import ParameterError, ShapeError, UnknownNameError
from stroma.features import EXTRACTORS
from stroma.features.filtering.filterbank import SIGMAS, FilterBank, grid
from stroma.features.filtering.filters import FILTERS
from stroma.features.filtering.kernels import gaussian_taps, reach


def correlate(image, sigma, y_order, x_order):
    for axis, order in enumerate((y_order, x_order)):
        taps = gaussian_taps(sigma, order, reach(sigma, order))
        kernel = np.concatenate([(-1 if order == 1 else 1) * taps[:0:-1], taps])
        image = ndi.correlate1d(image.astype(np.float64), kernel, axis=axis)
    return image


def eigenvalues(yy, xy, xx):
    matrices = np.moveaxis(np.array([[yy, xy], [xy, xx]]), (0, 1), (-2, -1))
    smaller, larger = np.moveaxis(np.linalg.eigvalsh(matrices), -1, 0)
    return [larger, smaller]


def plainly(image, name, sigma):
    """One filter by its definition, in double precision (borders are wrong)."""
    if name == "gaussian":
        return [correlate(image, sigma, 0, 0)]
    if name == "laplacian":
        return [correlate(image, sigma, 2, 0) + correlate(image, sigma, 0, 2)]
    if name == "gradient":
        return [np.hypot(correlate(image, sigma, 1, 0), correlate(image, sigma, 0, 1))]
    if name == "dog":
        return [correlate(image, sigma, 0, 0) - correlate(image, sigma / 2, 0, 0)]
    if name == "hessian":
        return eigenvalues(*(correlate(image, sigma, *o) for o in ((2, 0), (1, 1), (0, 2))))
    dy, dx = correlate(image, sigma / 2, 1, 0), correlate(image, sigma / 2, 0, 1)
    return eigenvalues(*(correlate(a * b, sigma, 0, 0) for a, b in ((dy, dy), (dy, dx), (dx, dx))))


def by_name(bank, block):
    (result,) = bank(block)
    return dict(zip(bank.names(["c"]), result.values, strict=True))


@pytest.mark.parametrize("raw", [False, True], ids=["z-scored", "raw"])
@pytest.mark.parametrize("name", FILTERS)
def test_every_filter_equals_its_definition(name, raw):
    rng = np.random.default_rng(3)
    image = rng.uniform(0, 65535, (131, 115)) if raw else rng.normal(size=(131, 115))
    image = image.astype(np.float32)
    found = by_name(FilterBank(), image[None])
    for sigma in SIGMAS:
        expected = np.array(plainly(image, name, sigma))[:, 48:-48, 48:-48]
        computed = [found[f"{output}_s{sigma}"] for output in FILTERS[name].outputs()]
        scale = abs(expected).max() + abs(image).max() * 1e-2
        np.testing.assert_allclose(computed, expected, atol=1e-5 * scale, err_msg=f"{sigma}")


def test_full_matrix_has_56_features_filter_by_filter():
    names = FilterBank().names(["gray"])
    assert len(names) == 56
    assert names[:2] == ["gaussian_s0.3", "gaussian_s0.7"]
    assert names[7] == "laplacian_s0.3"
    assert names[28:30] == ["structure_max_s0.3", "structure_min_s0.3"]
    assert names[-1] == "hessian_min_s10.0"


def test_names_carry_the_channel_where_there_are_several():
    names = FilterBank(grid(["dog"], [1.0])).names(["DAPI", "GFP"])
    assert names == ["DAPI:dog_s1.0", "GFP:dog_s1.0"]


def test_channels_are_computed_independently():
    rng = np.random.default_rng(4)
    block = rng.normal(size=(2, 100, 104)).astype(np.float32)
    bank = FilterBank()
    (both,) = bank(block)
    for i in range(2):
        (alone,) = bank(block[i : i + 1])
        np.testing.assert_array_equal(both.values[56 * i : 56 * (i + 1)], alone.values)


@pytest.mark.parametrize(
    ("name", "halo"),
    [("gaussian", 30), ("laplacian", 40), ("gradient", 35), ("dog", 30), ("structure", 48)],
)
def test_halo_is_that_of_what_is_selected(name, halo):
    assert FilterBank(((name, 10.0), ("hessian", 1.0))).halo == halo


def test_selected_features_are_those_of_the_full_matrix():
    block = np.random.default_rng(5).normal(size=(1, 110, 120)).astype(np.float32)
    full = by_name(FilterBank(), block)
    some = FilterBank((("hessian", 3.5), ("gaussian", 10.0), ("structure", 0.3), ("dog", 1.6)))
    cut = 48 - some.halo
    for name, values in by_name(some, block[:, cut:-cut, cut:-cut]).items():
        np.testing.assert_array_equal(values, full[name], err_msg=name)


@settings(max_examples=25, deadline=None)
@given(
    top=st.integers(0, 60),
    left=st.integers(0, 60),
    height=st.integers(1, 40),
    width=st.integers(1, 70),
)
def test_pixels_do_not_depend_on_their_block_to_the_last_bit(top, left, height, width):
    image = np.random.default_rng(6).normal(size=(1, 200, 240)).astype(np.float32)
    bank = FilterBank()
    (whole,) = bank(image)
    (part,) = bank(image[:, top : top + height + 96, left : left + width + 96])
    expected = whole.values[:, top : top + height, left : left + width]
    assert part.values.tobytes() == np.ascontiguousarray(expected).tobytes()


def test_blocks_beyond_the_size_of_a_tile_are_whole():
    image = np.random.default_rng(8).normal(size=(1, 300, 545)).astype(np.float32)
    bank = FilterBank(grid(["hessian", "structure"], [1.0]))
    halo = bank.halo
    (whole,) = bank(image)
    assert whole.values.shape == (4, 300 - 2 * halo, 545 - 2 * halo)
    (corner,) = bank(image[:, -50:, -60:])
    np.testing.assert_array_equal(
        whole.values[:, -50 + 2 * halo :, -60 + 2 * halo :], corner.values
    )
    (seam,) = bank(image[:, 240 : 270 + 2 * halo, 250 : 262 + 2 * halo])
    np.testing.assert_array_equal(whole.values[:, 240:270, 250:262], seam.values)


def test_blocks_computed_in_parallel_threads_equal_those_computed_in_turn():
    blocks = np.random.default_rng(7).normal(size=(4, 1, 130, 130)).astype(np.float32)
    bank, found = FilterBank(), {}
    work = [
        threading.Thread(target=lambda i=i: found.update({i: bank(blocks[i])[0].values}))
        for i in range(4)
    ]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join()
    for i in range(4):
        np.testing.assert_array_equal(found[i], bank(blocks[i])[0].values)


def test_step_edge_has_its_gradient_on_the_edge():
    image = np.zeros((1, 130, 130), np.float32)
    image[:, :, 65:] = 1
    found = by_name(FilterBank(grid(["gradient", "hessian"], [3.5])), image)
    halo = FilterBank(grid(["gradient", "hessian"], [3.5])).halo
    row = found["gradient_s3.5"][10]
    assert row.argmax() in (64 - halo, 65 - halo)
    assert row.max() == pytest.approx(1 / (3.5 * np.sqrt(2 * np.pi)), rel=0.02)
    assert found["hessian_max_s3.5"][10].argmax() < 65 - halo  # bends up on the dark side


def test_bright_blob_has_two_equal_negative_curvatures():
    y, x = np.mgrid[-60:61, -60:61]
    blob = np.exp(-(y**2 + x**2) / (2 * 4.0**2)).astype(np.float32)
    found = by_name(FilterBank(grid(["hessian", "laplacian"], [3.0])), blob[None])
    centre = tuple(n // 2 for n in found["laplacian_s3.0"].shape)
    curvature = -16 / 25 / 25  # amplitude 16 / 25 and width 5 after smoothing
    assert found["hessian_max_s3.0"][centre] == pytest.approx(curvature, rel=0.01)
    assert found["hessian_min_s3.0"][centre] == pytest.approx(curvature, rel=0.01)
    assert found["laplacian_s3.0"][centre] == pytest.approx(2 * curvature, rel=0.01)


def test_stripes_have_one_structure_eigenvalue():
    image = np.sin(np.arange(150) / 2).astype(np.float32)[None, None, :].repeat(150, axis=1)
    found = by_name(FilterBank(grid(["structure"], [5.0])), image)
    assert found["structure_max_s5.0"].min() > 0.02
    assert abs(found["structure_min_s5.0"]).max() < 1e-6


def test_parameters_survive_saving_as_lists():
    bank = FilterBank(grid(["gaussian", "structure"], [1.0, 3.5]))
    assert FilterBank([[name, sigma] for name, sigma in bank.matrix]) == bank
    assert pickle.loads(pickle.dumps(bank)) == bank
    assert hash(bank) == hash(FilterBank(bank.matrix))


def test_registered_under_the_name_of_the_reference():
    assert EXTRACTORS["ilastik_2d"]() == FilterBank()


def test_unknown_filter_is_an_error_with_a_suggestion():
    with pytest.raises(UnknownNameError, match=r"'hesian'.*Did you mean 'hessian'"):
        FilterBank((("hesian", 1.0),))


@pytest.mark.parametrize("sigma", [0, -1.0, float("nan"), float("inf")])
def test_scales_are_positive(sigma):
    with pytest.raises(ParameterError, match="above 0"):
        FilterBank((("gaussian", sigma),))


@pytest.mark.parametrize("matrix", [(), (("dog", 1), ("dog", 1.0))], ids=["nothing", "twice"])
def test_every_cell_is_selected_once(matrix):
    with pytest.raises(ParameterError, match="at least one filter, and each once"):
        FilterBank(matrix)


def test_block_without_a_core_is_an_error():
    with pytest.raises(ShapeError, match="halo of 48"):
        FilterBank()(np.zeros((1, 96, 200), np.float32))
