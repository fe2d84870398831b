from dataclasses import replace

import dask.array
import numpy as np
import pytest
import zarr
from napari.layers import Image as ImageLayer

from stroma.data.image import Image
from stroma.errors import ShapeError
from stroma.io import read_image, write_image
from stroma.napari.layers import pictures

VALUES = np.random.default_rng(0).integers(0, 255, (2, 3, 4, 8, 9), np.uint8)


@pytest.mark.parametrize("axes", ["yx", "zyx", "cyx", "tzyx", "czyx", "tcyx", "tczyx"])
def test_a_layer_becomes_an_image_with_the_axes_it_is_read_as(axes):
    values = VALUES[tuple(slice(None) if a in axes else 0 for a in "tczyx")]
    image = pictures.image_of(ImageLayer(values), axes)
    assert image.axes == axes
    np.testing.assert_array_equal(image.read(), values)


def test_channels_after_planes_are_put_in_order():
    values = VALUES[0].swapaxes(0, 1)
    image = pictures.image_of(ImageLayer(values), "zcyx")
    assert image.axes == "czyx"
    np.testing.assert_array_equal(image.at(c=1).read(), values[:, 1])


@pytest.mark.parametrize("channels", [3, 4])
def test_colours_come_first_and_alpha_is_left_out(channels):
    values = np.random.default_rng(0).integers(0, 255, (5, 8, 9, channels), np.uint8)
    image = pictures.image_of(ImageLayer(values, rgb=True), "zyx")
    assert (image.rgb, image.axes, image.sizes["c"]) == (True, "czyx", 3)
    np.testing.assert_array_equal(image.at(z=2).read(), np.moveaxis(values[2, ..., :3], -1, 0))


@pytest.mark.parametrize("store", [dask.array.from_array, zarr.array])
def test_lazy_layers_are_read_box_by_box(store):
    values = VALUES[0, 0]
    image = pictures.image_of(ImageLayer(store(values), contrast_limits=(0, 255)), "zyx")
    part = image.at(z=1).read({"y": slice(2, 5), "x": slice(1, 3)})
    np.testing.assert_array_equal(part, values[1, 2:5, 1:3])


def test_levels_of_a_multiscale_layer_are_kept():
    values = np.zeros((64, 64), np.uint8)
    image = pictures.image_of(ImageLayer([values, values[::2, ::2]], multiscale=True), "yx")
    assert [level.shape for level in (image, *image.levels)] == [(64, 64), (32, 32)]


def test_scale_and_unit_are_the_spacing():
    layer = ImageLayer(VALUES[0, 0], scale=(2, 0.5, 0.25), units=("um",) * 3)
    image = pictures.image_of(layer, "zyx")
    assert image.spacing == {"z": 2, "y": 0.5, "x": 0.25}
    assert image.unit == "µm"
    assert pictures.image_of(ImageLayer(VALUES[0, 0]), "zyx").spacing == {}


def test_layers_of_one_shape_are_channels_of_one_image():
    layers = [ImageLayer(v, name=n) for v, n in zip(VALUES[0, :2], "ab", strict=True)]
    image = pictures.image_of_channels(layers, "zyx")
    assert image.channels == ("a", "b")
    np.testing.assert_array_equal(image.read(), VALUES[0, :2])
    np.testing.assert_array_equal(image.at(z=1).read(), VALUES[0, :2, 1])
    np.testing.assert_array_equal(image.at(c=1, z=1).read(), VALUES[0, 1, 1])


def test_layers_of_different_shapes_are_not():
    layers = [ImageLayer(np.zeros((4, 4))), ImageLayer(np.zeros((4, 5)))]
    with pytest.raises(ShapeError, match="of one shape"):
        pictures.image_of_channels(layers, "yx")


def test_axes_are_guessed_from_labels_else_from_their_number():
    assert pictures.guessed_axes(ImageLayer(VALUES[0], axis_labels="czyx")) == "czyx"
    assert pictures.guessed_axes(ImageLayer(VALUES[0])) == "tzyx"
    with pytest.raises(ShapeError, match="6 axes"):
        pictures.guessed_axes(ImageLayer(VALUES[None]))


@pytest.mark.parametrize("rgb", [False, True])
def test_an_image_becomes_layers_and_comes_back(rgb):
    image = Image(VALUES[0], "czyx", spacing={"z": 3.0}, rgb=rgb)
    layers = [ImageLayer(d, **o) for d, o in pictures.layers_of(image, "name")]
    assert len(layers) == (1 if rgb else 3)
    assert layers[0].scale.tolist() == [3, 1, 1]
    whole = pictures.image_of(layers[0], "zyx")
    back = whole if rgb else pictures.image_of_channels(layers, "zyx")
    np.testing.assert_array_equal(back.read(), VALUES[0])


@pytest.mark.parametrize(
    ("axes", "shape", "rgb"),
    [("yx", (64, 48), False), ("cyx", (2, 64, 48), False), ("cyx", (3, 64, 48), True)],
)
def test_napari_takes_a_pyramid_from_a_file(tmp_path, axes, shape, rgb):
    levels = []
    for step in (1, 2):
        path = tmp_path / f"{step}.tif"
        write_image(path, np.zeros(shape, np.uint8)[..., ::step, ::step], axes=axes, rgb=rgb)
        levels.append(read_image(path))
    image = replace(levels[0], levels=(levels[1],))
    for data, options in pictures.layers_of(image, "a"):
        layer = ImageLayer(data, **options)
        assert layer.multiscale
        assert [tuple(one[:2]) for one in layer.level_shapes] == [(64, 48), (32, 24)]
        assert [level.size for level in data] == [np.asarray(level).size for level in data]
