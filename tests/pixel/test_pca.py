"""Principal components block by block are those of all features at once."""

from __future__ import annotations

import numpy as np
import pytest

from stroma.errors import ParameterError
from stroma.features.cache import FeatureCache
from stroma.pixel.choices.aliases import extractor_defaults
from stroma.pixel.door import open_image
from stroma.pixel.predicting.plan import Plan, plan
from stroma.pixel.predicting.predict import dense
from stroma.pixel.predicting.recipe import Recipe
from stroma.pixel.showing.pca import as_colours, principal_components


def planned(image: np.ndarray, name: str = "ilastik_2d", **changed: object) -> Plan:
    param = extractor_defaults(name)
    param.set(**changed)
    source = open_image(image, str(param.channel_mode))
    return plan(source, source.positions[0], Recipe.of(param))


@pytest.fixture
def image() -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.normal(size=(270, 260)).astype(np.float32).cumsum(axis=0).cumsum(axis=1)


def test_components_of_many_blocks_equal_those_of_the_whole(image: np.ndarray) -> None:
    current, cache = planned(image), FeatureCache()
    assert len(current.blocks()) > 1
    stack = np.concatenate(
        [
            dense(current.features(b, cache), b.core.relative(current.region(b))).reshape(56, -1)
            for b in current.blocks()
        ],
        axis=1,
    ).astype(np.float64)
    stack = (stack - stack.mean(axis=1, keepdims=True)) / stack.std(axis=1, keepdims=True)
    _, singular, _ = np.linalg.svd(stack, full_matrices=False)
    expected = singular[:3] ** 2 / (singular**2).sum()

    picture, found = principal_components(current, cache)

    assert picture.shape == (3, *image.shape)
    np.testing.assert_allclose(found.share, expected, rtol=1e-6)
    np.testing.assert_allclose(picture.var(axis=(1, 2)), found.share * 56, rtol=1e-3)
    np.testing.assert_allclose(np.corrcoef(picture.reshape(3, -1)), np.eye(3), atol=1e-3)


@pytest.mark.parametrize("factor", [-2, 3])
def test_pictures_have_the_size_of_the_image(image: np.ndarray, factor: int) -> None:
    picture, _ = principal_components(planned(image, image_downsample=factor), FeatureCache())
    assert picture.shape == (3, *image.shape)
    assert np.isfinite(picture).all()


def test_a_constant_image_gives_a_flat_picture() -> None:
    picture, _ = principal_components(planned(np.ones((20, 30), np.float32)), FeatureCache())
    assert np.ptp(as_colours(picture)) == 0


def test_more_components_than_features_are_refused(image: np.ndarray) -> None:
    with pytest.raises(ParameterError, match="1 to 1, the features, got 3"):
        principal_components(planned(image, "gaussian_features"), FeatureCache())


def test_colours_span_the_bytes() -> None:
    values = np.linspace(-3, 5, 300, dtype=np.float32).reshape(3, 10, 10)
    colours = as_colours(values)
    assert colours.dtype == np.uint8
    assert (colours.min(axis=(1, 2)) == 0).all()
    assert (colours.max(axis=(1, 2)) == 255).all()


def test_progress_reaches_its_total(image: np.ndarray) -> None:
    seen: list[tuple[int, int]] = []
    current = planned(image, "gaussian_features")
    principal_components(
        current, FeatureCache(), count=1, progress=lambda done, total: seen.append((done, total))
    )
    assert seen[-1] == (2 * len(current.blocks()), 2 * len(current.blocks()))
