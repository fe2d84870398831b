"""Extractors of volumes: the recommended one, a plain one, and those of planes from three sides."""

from dataclasses import dataclass

import numpy as np
import pytest
from scipy import ndimage as ndi

from stroma import ConvpaintModel
from stroma.errors import ParameterError, ShapeError
from stroma.features.build import extractor, part_names, pipeline
from stroma.features.contract import FeatureMap, Wants
from stroma.features.filtering.gaussian3d import VolumeGaussian
from stroma.features.filtering.texture import Texture
from stroma.features.filtering.texture3d import VolumeTexture
from stroma.features.orthogonal import OrthogonalPlanes
from stroma.testing import check_extractor

PLAIN = Wants()


@dataclass(frozen=True)
class Slopes:
    """Differences along both axes of a plane, on cells of so many pixels."""

    step: int = 1
    wants: Wants = PLAIN

    @property
    def halo(self):
        return self.step

    @property
    def stride(self):
        return self.step

    def names(self, channels):
        return [f"{c}{axis}" for c in channels for axis in ("down", "across")]

    def __call__(self, block):
        h, s = self.halo, self.step
        core = block[:, h:-h, h:-h]
        down, across = core - block[:, : -2 * h, h:-h], core - block[:, h:-h, : -2 * h]
        both = np.stack([down, across], axis=1).reshape(-1, *core.shape[1:])
        return [FeatureMap(both[:, ::s, ::s].copy(), s)]


def test_a_gaussian_is_that_of_scipy_and_shrinks_where_planes_lie_apart():
    volume = np.random.default_rng(0).normal(size=(40, 42, 44)).astype(np.float32)
    [found] = VolumeGaussian(1.5)(volume[None])
    halo = VolumeGaussian(1.5).halo
    expected = ndi.gaussian_filter(volume, 1.5, radius=halo)
    inner = tuple(slice(h, -h) for h in halo)
    np.testing.assert_allclose(found.values[0], expected[inner], atol=1e-5)
    [flat] = VolumeGaussian(1.5).sized((3, 1, 1))(volume[None])
    halo = VolumeGaussian(1.5).sized((3, 1, 1)).halo
    assert halo[0] < halo[1]
    expected = ndi.gaussian_filter(volume, (0.5, 1.5, 1.5), radius=halo)
    inner = tuple(slice(h, -h) for h in halo)
    np.testing.assert_allclose(flat.values[0], expected[inner], atol=1e-5)
    with pytest.raises(ParameterError, match="above 0"):
        VolumeGaussian(-1.0)


def test_planes_are_shown_from_three_sides():
    volume = np.random.default_rng(1).normal(size=(1, 7, 8, 9)).astype(np.float32)
    made = OrthogonalPlanes(Slopes())
    xy, xz, yz = (m.values for m in made(volume))
    core = volume[0, 1:-1, 1:-1, 1:-1]
    dz, dy, dx = (
        core - volume[0, :-2, 1:-1, 1:-1],
        core - volume[0, 1:-1, :-2, 1:-1],
        core - volume[0, 1:-1, 1:-1, :-2],
    )
    np.testing.assert_array_equal(xy, [dy, dx])
    np.testing.assert_array_equal(xz, [dz, dx])
    np.testing.assert_array_equal(yz, [dz, dy])
    assert made.names(["c"]) == [
        f"{n}|{d}" for d in ("xy", "xz", "yz") for n in ("cdown", "cacross")
    ]


@pytest.mark.parametrize("step", [1, 2])
def test_planes_from_three_sides_keep_the_contract(step):
    check_extractor(OrthogonalPlanes(Slopes(step)))


def test_patches_from_three_sides_are_cells_of_their_planes():
    found = OrthogonalPlanes(Slopes(4))(np.zeros((1, 16, 20, 24), np.float32))
    assert [m.step for m in found] == [(1, 4, 4), (4, 1, 4), (4, 4, 1)]
    assert [m.values.shape[1:] for m in found] == [(8, 3, 4), (2, 12, 4), (2, 3, 16)]


def test_any_extractor_of_planes_is_wrapped_by_name():
    assert part_names("orthogonal:gaussian_features+texture_2d")[0] == (
        "orthogonal:gaussian_features"
    )
    made = extractor("orthogonal:ilastik_2d", layers=["hessian_s1.0"])
    assert made.names(["c"])[:2] == ["hessian_max_s1.0|xy", "hessian_min_s1.0|xy"]
    assert pipeline("orthogonal:gaussian_features").axes == "zyx"
    with pytest.raises(ParameterError, match="looks at volumes itself"):
        extractor("orthogonal:ilastik_3d")


def test_a_model_of_planes_from_three_sides_learns_a_volume():
    random = np.random.default_rng(0)
    volume = random.normal(size=(8, 30, 32)).astype(np.float32)
    volume[:, :, 16:] += 3
    strokes = np.zeros(volume.shape, np.uint8)
    strokes[3, :, :10], strokes[3, :, 22:] = 1, 2
    model = ConvpaintModel(fe_name="orthogonal:gaussian_features")
    model.train(volume, strokes)
    found = model.segment(volume)
    assert (found[:, :, :10] == 1).all()
    assert (found[:, :, 22:] == 2).all()


def test_texture_of_volumes_adds_what_is_narrow_in_planes_to_filters_along_all_axes():
    made, flat = VolumeTexture(), Texture()
    assert len(made.names(["c"])) == 60
    volume = np.random.default_rng(2).normal(size=(1, 38, 60, 62)).astype(np.float32)
    bank, narrow = made(volume)
    depth, rows, columns = made.halo
    assert bank.values.shape[1:] == narrow.values.shape[1:] == (2, 60 - 2 * rows, 62 - 2 * columns)
    cut = rows - flat.halo
    for z in range(2):
        plane = volume[:, z + depth, cut : 60 - cut, cut : 62 - cut]
        np.testing.assert_array_equal(narrow.values[:, z], flat(plane)[1].values)
    assert made.sized((4, 1, 1)).halo[0] < depth
    with pytest.raises(ShapeError, match="larger than its halo"):
        made(volume[:, :30])


def test_the_recommended_model_of_volumes_is_an_alias():
    model = ConvpaintModel("stroma-3d")
    assert model.ndim == 3
    assert ConvpaintModel("stroma").ndim == 2
