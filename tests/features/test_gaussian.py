import numpy as np
import pytest
from scipy import ndimage as ndi

from stroma.errors import ParameterError, ShapeError
from stroma.features import EXTRACTORS
from stroma.features.filtering.gaussian import GaussianFeatures


def test_features_are_those_of_scipy_with_four_sigmas():
    image = np.random.default_rng(0).normal(size=(2, 60, 71)).astype(np.float32)
    (result,) = GaussianFeatures()(image)
    expected = [ndi.gaussian_filter(c.astype(np.float64), 3, truncate=4) for c in image]
    np.testing.assert_allclose(result.values, np.array(expected)[:, 12:-12, 12:-12], atol=1e-6)


def test_one_feature_per_channel():
    assert GaussianFeatures().names(["gray"]) == ["gaussian_s3.0"]
    assert GaussianFeatures(1).names(["a", "b"]) == ["a:gaussian_s1.0", "b:gaussian_s1.0"]


def test_halo_is_four_sigmas():
    assert GaussianFeatures().halo == 12
    assert GaussianFeatures(0.05).halo == 1


def test_registered_under_the_name_of_the_reference():
    assert EXTRACTORS["gaussian_features"]() == GaussianFeatures(sigma=3.0)


@pytest.mark.parametrize("sigma", [0, -2, float("nan")])
def test_width_is_positive(sigma):
    with pytest.raises(ParameterError, match="above 0"):
        GaussianFeatures(sigma)


def test_block_without_a_core_is_an_error():
    with pytest.raises(ShapeError, match="halo of 12"):
        GaussianFeatures()(np.zeros((1, 24, 24), np.float32))
