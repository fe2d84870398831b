import numpy as np
import pytest

from stroma.data.image import Image
from stroma.data.statistics import black_and_white, measure
from stroma.errors import ShapeError
from stroma.features.networks.imagenet import like_imagenet


def picture(seed=0):
    """Return a colourful uint8 image that uses its full scale."""
    random = np.random.default_rng(seed)
    image = random.integers(0, 256, (3, 40, 50)).astype(np.uint8)
    image[1] //= 2
    image[0, 0, :2] = 0, 255
    return image


def statistics(values):
    return measure(Image(values, "cyx", rgb=True))


def test_uint8_is_divided_by_255_and_standardised():
    found = like_imagenet(picture(), statistics(picture()))
    mean, deviation = np.array([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])[:, :, None, None]
    np.testing.assert_allclose(found, (picture() / 255 - mean) / deviation, atol=1e-5)
    assert found.dtype == np.float32


@pytest.mark.parametrize(
    "stored",
    [
        picture() / 255,
        (picture() / 255).astype(np.float32),
        picture().astype(np.float64),
        picture().astype(np.int64),
        picture().astype(np.int16),
        picture().astype(np.uint16) * 257,
        picture().astype(np.uint16) * 16,  # 12 bits in 16
        picture().astype(np.float32) * 1e-7,
        picture().astype(np.int32) - 30_000,
        (picture() - 128.0).astype(np.int8),
    ],
    ids=lambda a: f"{a.dtype} to {a.max():g}",
)
def test_the_same_picture_in_another_type_gives_the_same_values(stored):
    expected = like_imagenet(picture(), statistics(picture()))
    # 255 x 16 is 4080, and white is 4095: four parts in a thousand
    close = 2e-2 if stored.max() == 4080 else 2e-3
    np.testing.assert_allclose(like_imagenet(stored, statistics(stored)), expected, atol=close)


def test_a_hot_pixel_does_not_make_the_rest_dark():
    values = picture().astype(np.uint16) * 16
    clean = black_and_white(statistics(values))
    values = np.tile(values, (1, 10, 10))
    values[0, 3, 3] = 65535
    black, white = black_and_white(statistics(values))
    assert black == 0
    assert white < 1.3 * clean[1]


def test_a_dark_image_uses_its_own_range():
    dark = picture() // 16
    assert black_and_white(statistics(dark)) == (0, 15)


def test_colours_keep_their_proportions():
    values = picture().astype(np.uint16) * 16
    black, white = black_and_white(statistics(values))
    assert (black, white) == (0, 4095)  # of all channels, though green is half as bright


def test_a_constant_image_gives_finite_values():
    values = np.full((3, 8, 8), 1000, np.uint16)
    assert np.isfinite(like_imagenet(values, statistics(values))).all()


def test_a_crop_is_normalised_like_the_whole():
    values = picture().astype(np.uint16) * 16
    whole = like_imagenet(values, statistics(values))
    crop = like_imagenet(values[:, 5:9, 5:9], statistics(values))
    np.testing.assert_array_equal(crop, whole[:, 5:9, 5:9])


def test_other_numbers_of_channels_are_refused():
    values = np.zeros((2, 4, 4))
    with pytest.raises(ShapeError, match="3 channels, got 2"):
        like_imagenet(values, statistics(values))
