import pickle
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage as ndi

from stroma.errors import ImageError, ParameterError, ShapeError, UnknownNameError
from stroma.features.build import extractor
from stroma.features.filtering.derivatives import planes
from stroma.features.filtering.filterbank import FilterBank, grid
from stroma.features.filtering.filterbank3d import VolumeFilterBank, solid
from stroma.features.filtering.filters import FILTERS
from stroma.features.filtering.kernels import gaussian_taps, reach
from stroma.features.filtering.pointwise import eigenvalues
from stroma.features.filtering.texture3d import VolumeTexture

PAIRS = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]


def correlate(volume, sigma, orders, units=(1, 1, 1)):
    """One derivative by the unit of length, in double precision (borders are wrong)."""
    for axis, (order, unit) in enumerate(zip(orders, units, strict=True)):
        own = sigma * unit
        taps = gaussian_taps(own, order, reach(own, order)) * unit**order
        kernel = np.concatenate([(-1 if order == 1 else 1) * taps[:0:-1], taps])
        volume = ndi.correlate1d(volume.astype(np.float64), kernel, axis=axis)
    return volume


def unit(*axes):
    return tuple(axes.count(axis) for axis in range(3))


def spectrum(entries):
    zz, zy, zx, yy, yx, xx = entries
    matrices = np.moveaxis(np.array([[zz, zy, zx], [zy, yy, yx], [zx, yx, xx]]), (0, 1), (-2, -1))
    return list(np.moveaxis(np.linalg.eigvalsh(matrices), -1, 0)[::-1])


def plainly(volume, name, sigma, units):
    """One filter by its definition, in double precision (borders are wrong)."""

    def part(scale, *axes):
        return correlate(volume, scale, unit(*axes), units)

    if name == "gaussian":
        return [part(sigma)]
    if name == "laplacian":
        return [sum(part(sigma, axis, axis) for axis in range(3))]
    if name == "gradient":
        return [np.sqrt(sum(part(sigma, axis) ** 2 for axis in range(3)))]
    if name == "dog":
        return [part(sigma) - part(sigma / 2)]
    if name == "hessian":
        return spectrum([part(sigma, a, b) for a, b in PAIRS])
    slopes = [part(sigma / 2, axis) for axis in range(3)]
    return spectrum([correlate(slopes[a] * slopes[b], sigma, (0, 0, 0), units) for a, b in PAIRS])


@pytest.mark.parametrize("voxel", [(1, 1, 1), (3.0, 1.0, 1.0), (0.7, 0.5, 1.0)])
@pytest.mark.parametrize("name", FILTERS)
def test_every_filter_equals_its_definition(name, voxel):
    volume = np.random.default_rng(0).normal(size=(31, 37, 41)).astype(np.float32)
    for sigma in (0.3, 1.6):
        bank = VolumeFilterBank(((name, sigma, 3),)).sized(voxel)
        [found] = bank(volume[None])
        inner = tuple(slice(h, -h) for h in bank.halo)
        expected = [e[inner] for e in plainly(volume, name, sigma, bank.units)]
        assert len(found.values) == len(expected)
        scale = max(abs(e).max() for e in expected) + 0.01 * abs(volume).max()
        np.testing.assert_allclose(found.values, expected, atol=1e-5 * scale)


def test_filters_are_those_of_scipy():
    volume = np.random.default_rng(1).normal(size=(40, 44, 48)).astype(np.float32)
    bank = VolumeFilterBank(solid(grid(["gaussian", "gradient", "laplacian"], [1.6])))
    [found] = bank(volume[None])
    expected = [
        ndi.gaussian_filter(volume, 1.6),
        ndi.gaussian_gradient_magnitude(volume, 1.6),
        ndi.gaussian_laplace(volume, 1.6),
    ]
    for values, other in zip(found.values, expected, strict=True):
        core = other[tuple(slice(h, -h) for h in bank.halo)]
        assert np.corrcoef(values.ravel(), core.ravel())[0, 1] > 0.9999
        np.testing.assert_allclose(values, core, atol=0.02 * abs(core).max())


def test_a_sheet_a_tube_and_a_ball_differ_in_how_many_eigenvalues_are_large():
    z, y, x = np.mgrid[-20:21, -20:21, -20:21]
    bank = VolumeFilterBank(solid(grid(["hessian"], [3.5])))
    cut = 20 - max(bank.halo)
    assert cut > 0
    for squares, many in ((x**2, 1), (x**2 + y**2, 2), (x**2 + y**2 + z**2, 3)):
        bright = np.exp(-squares / (2 * 2.0**2)).astype(np.float32)
        [found] = bank(bright[None])
        values = found.values[:, cut, cut, cut]
        assert (values < -0.005).sum() == many
        assert (np.abs(values) < 1e-4).sum() == 3 - many
        assert (np.diff(values) <= 1e-7).all()


def test_a_blob_smoothed_in_micrometres_is_as_wide_as_in_the_sample():
    voxel = (1.5, 0.5, 0.5)
    z, y, x = (v * n for v, n in zip(voxel, np.mgrid[-14:15, -30:31, -30:31], strict=True))
    blob = np.exp(-(z**2 + y**2 + x**2) / (2 * 2.5**2)).astype(np.float32)
    bank = VolumeFilterBank((("gaussian", 2.0, 3),), "µm").sized(voxel)
    [found] = bank(blob[None])
    wide = 2.5**2 + 2.0**2
    expected = (2.5**2 / wide) ** 1.5 * np.exp(-(z**2 + y**2 + x**2) / (2 * wide))
    inner = tuple(slice(h, n - h) for h, n in zip(bank.halo, blob.shape, strict=True))
    np.testing.assert_allclose(found.values[0], expected[inner], atol=5e-3)
    assert bank.names(["c"]) == ["gaussian_s2.0um"]


def test_eigenvalues_are_exact_where_they_are_equal_or_nearly_so():
    rng = np.random.default_rng(0)
    entries = planes(6, 7, 70)
    entries[:] = rng.normal(size=entries.shape)
    entries[:, 0] = 0
    entries[[1, 2, 4], 1:4] = 0
    entries[0, 1], entries[3, 1], entries[5, 1] = 2, 2, 3
    entries[[1, 2, 4], 4] *= 1e-4
    entries[3, 4] = entries[5, 4]
    entries[:, 5] *= 1e-8
    entries[:, 6] *= 1e9
    out = np.empty((3, 7, 70), np.float32)
    eigenvalues(*entries, out=out)
    expected = np.array(spectrum(entries.astype(np.float64)))
    size = np.abs(expected).max(axis=0)
    assert (np.abs(out - expected).max(axis=0) <= 1e-6 * size).all()


@cache
def filtered():
    """A bank with kernels of all lengths, a volume of several tiles, and what comes out."""
    bank = VolumeFilterBank((*solid(grid(sigmas=(0.7,))), ("hessian", 4.7, 3))).sized((2, 1, 1))
    shape = [n + 2 * h for n, h in zip((44, 40, 180), bank.halo, strict=True)]
    volume = np.random.default_rng(6).normal(size=(1, *shape)).astype(np.float32)
    [whole] = bank(volume)
    return bank, volume, whole.values


def test_half_precision_is_that_of_the_features_rounded():
    bank, volume, whole = filtered()
    [half] = bank.halved(volume)
    np.testing.assert_array_equal(half.values, whole.astype(np.float16))
    made = VolumeTexture()
    block = volume[:, :44, :60, :62]
    for found, single in zip(made.halved(block), made(block), strict=True):
        np.testing.assert_array_equal(found.values, single.values.astype(found.values.dtype))


def test_half_precision_of_what_is_not_finite_is_refused():
    volume = np.full((1, 20, 20, 20), np.nan, np.float32)
    for cells in (solid(grid(["hessian"], [0.7])), solid(grid(["hessian"], [0.7]), 2)):
        with pytest.raises(ImageError, match="NaN or infinite"):
            VolumeFilterBank(cells).halved(volume)


@settings(max_examples=15, deadline=None)
@given(
    corner=st.tuples(st.integers(0, 8), st.integers(0, 20), st.integers(0, 40)),
    sides=st.tuples(st.integers(1, 36), st.integers(1, 20), st.integers(1, 140)),
)
def test_voxels_do_not_depend_on_their_block_to_the_last_bit(corner, sides):
    bank, volume, whole = filtered()
    margins = [2 * h for h in bank.halo]
    cut = [slice(c, c + n + m) for c, n, m in zip(corner, sides, margins, strict=True)]
    [part] = bank(volume[(slice(None), *cut)])
    inner = [slice(c, c + n) for c, n in zip(corner, sides, strict=True)]
    expected = np.ascontiguousarray(whole[(slice(None), *inner)])
    assert part.values.tobytes() == expected.tobytes()


def test_filters_chosen_together_are_those_chosen_alone():
    volume = np.random.default_rng(3).normal(size=(1, 22, 23, 40)).astype(np.float32)
    cells = solid(grid(["dog", "structure", "gradient", "gaussian"], [0.7, 1.0]))
    bank = VolumeFilterBank(cells)
    [together] = bank(volume)
    first = 0
    for cell in cells:
        alone = VolumeFilterBank((cell,))
        cut = [a - b for a, b in zip(bank.halo, alone.halo, strict=True)]
        inner = [slice(c, n - c) for c, n in zip(cut, volume.shape[1:], strict=True)]
        [found] = alone(volume[(slice(None), *inner)])
        same = together.values[first : first + len(found.values)]
        np.testing.assert_allclose(same, found.values, atol=1e-6)
        first += len(found.values)


def test_filters_of_two_axes_are_those_of_each_plane():
    volume = np.random.default_rng(2).normal(size=(1, 12, 50, 60)).astype(np.float32)
    cells = (("hessian", 1.6), ("gaussian", 3.5))
    bank = VolumeFilterBank((*solid(cells, 2), ("gradient", 0.7, 3)))
    assert bank.names(["c"]) == [
        "hessian_max_s1.6_2d",
        "hessian_min_s1.6_2d",
        "gaussian_s3.5_2d",
        "gradient_s0.7",
    ]
    [found] = bank(volume)
    depth, rows, _ = bank.halo
    flat = FilterBank(cells)
    cut = rows - flat.halo
    inner = volume[:, :, cut : 50 - cut, cut : 60 - cut]
    for z in range(found.values.shape[1]):
        [plane] = flat(inner[:, z + depth])
        np.testing.assert_array_equal(found.values[:3, z], plane.values)


def test_full_matrix_has_70_features_and_its_parts_are_chosen_by_name():
    names = VolumeFilterBank().names(["gray"])
    assert len(names) == 70
    assert names[-3:] == ["hessian_max_s10.0", "hessian_mid_s10.0", "hessian_min_s10.0"]
    some = VolumeFilterBank.from_layers(["hessian_s1.6", "dog_s0.3_2d"])
    assert some.matrix == (("hessian", 1.6, 3), ("dog", 0.3, 2))
    assert pickle.loads(pickle.dumps(some)) == some


def test_filters_of_any_sigma_in_pixels_or_micrometres_are_chosen_by_name():
    some = extractor("ilastik_3d", layers=["gaussian_s2.50um_2d", "hessian_s0.5µm"])
    assert some.matrix == (("gaussian", 2.5, 2), ("hessian", 0.5, 3))
    assert some.unit == "µm"
    assert some.names(["c"])[:2] == ["gaussian_s2.5um_2d", "hessian_max_s0.5um"]
    mixed = extractor("ilastik_3d", layers=["hessian_s2.5", "hessian_s1.60"])
    assert mixed.matrix == (("hessian", 1.6, 3), ("hessian", 2.5, 3))
    assert mixed.unit == "px"
    flat = extractor("ilastik_2d", layers=["dog_s2.5", "dog_s1.0"])
    assert flat.matrix == (("dog", 1.0), ("dog", 2.5))
    for name, layer in (("ilastik_2d", "dog_s2.5um"), ("ilastik_3d", "dog_s2.5nm")):
        with pytest.raises(UnknownNameError, match="has no layer"):
            extractor(name, layers=[layer])
    with pytest.raises(ParameterError, match="all in pixels or all in µm"):
        extractor("ilastik_3d", layers=["dog_s1.0", "dog_s1.0um"])


def test_filters_in_micrometres_see_structures_of_one_size_at_any_resolution():
    """A ball is as bright, smoothed, in voxels of 0.5 µm as in voxels of 1 µm."""
    found = []
    for voxel in (0.5, 1.0):
        sizes = [round(24 / voxel) + 1] * 3
        places = np.stack(np.meshgrid(*[voxel * np.arange(n) - 12 for n in sizes]))
        ball = (np.square(places).sum(axis=0) < 4**2).astype(np.float32)
        made = extractor("ilastik_3d", layers=["gaussian_s2.0um"]).sized((voxel,) * 3)
        values = made(ball[None])[0].values[0]
        found.append(values[tuple(n // 2 for n in values.shape)])
    assert found[0] == pytest.approx(found[1], rel=0.03)


@pytest.mark.parametrize(
    ("made", "error", "match"),
    [
        (lambda: VolumeFilterBank((("gausian", 1.0, 3),)), UnknownNameError, "Did you mean"),
        (lambda: VolumeFilterBank((("gaussian", 0.0, 3),)), ParameterError, "above 0"),
        (lambda: VolumeFilterBank((("gaussian", 1.0, 4),)), ParameterError, "2 or 3 axes"),
        (lambda: VolumeFilterBank(()), ParameterError, "at least one"),
        (lambda: VolumeFilterBank(unit="nm"), ParameterError, "'px' or 'µm'"),
        (lambda: VolumeFilterBank().sized((1, 0, 1)), ParameterError, "three lengths above 0"),
        (lambda: VolumeFilterBank(unit="µm").sized(None), ParameterError, "voxel_size"),
        (lambda: VolumeFilterBank().sized((0.001, 1, 1)), ParameterError, "along z; 2000 are"),
        (lambda: FilterBank((("dog", 1e5),)), ParameterError, "smaller sigma"),
        (lambda: VolumeFilterBank()(np.zeros((1, 9, 9, 9), np.float32)), ShapeError, "larger"),
    ],
)
def test_what_cannot_be_is_refused(made, error, match):
    with pytest.raises(error, match=match):
        made()
