"""Tiles show what is in the image, whatever level and rectangle they are read from."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Picture

from stroma.blocks.box import Box
from stroma.data.classes import Class
from stroma.data.image import Image
from stroma.errors import ParameterError
from stroma.web import tiles
from stroma.web.contrast import automatic
from stroma.web.tiles import Shown


def decoded(png: bytes) -> np.ndarray:
    return np.asarray(Picture.open(io.BytesIO(png)).convert("RGBA"))


def plain_means(values: np.ndarray, factor: int) -> np.ndarray:
    whole = np.pad(values, [(0, -n % factor) for n in values.shape], mode="edge").astype(float)
    h, w = whole.shape
    return whole.reshape(h // factor, factor, w // factor, factor).mean(axis=(1, 3))


@settings(max_examples=40, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 70), st.integers(1, 70)),
    factor=st.sampled_from([1, 2, 4, 8]),
    band=st.sampled_from([1, 100, 10_000]),
)
def test_a_reduced_plane_is_the_mean_of_squares(shape, factor, band) -> None:
    values = np.random.default_rng(0).integers(0, 200, shape).astype(np.uint8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiles, "BAND_PIXELS", band)
        found = tiles.reduced(Image(values, "yx"), Box.of(shape), factor=factor, channels=[0])
    np.testing.assert_allclose(found[0], plain_means(values, factor), rtol=1e-5)


def test_tiles_of_a_plane_fit_together(monkeypatch) -> None:
    monkeypatch.setattr(tiles, "SIDE", 16)
    values = np.random.default_rng(0).integers(0, 255, (75, 50)).astype(np.uint8)
    plane = Image(values, "yx")
    rows = [
        np.hstack(
            [
                tiles.reduced(
                    plane, tiles.tile_box((75, 50), 2, row, column), factor=2, channels=[0]
                )[0]
                for column in range(2)
            ]
        )
        for row in range(3)
    ]
    np.testing.assert_allclose(np.vstack(rows), plain_means(values, 2), rtol=1e-5)


def test_tiles_outside_the_plane_are_refused() -> None:
    for factor, row, column in [(1, 0, 1), (1, -1, 0), (3, 0, 0), (4096, 0, 0)]:
        with pytest.raises(ParameterError, match=r"[Tt]ile"):
            tiles.tile_box((512, 512), factor, row, column)


def test_a_coarse_tile_is_read_from_the_pyramid_of_the_file() -> None:
    class Unreadable:
        shape, dtype = (64, 64), np.dtype(np.uint8)

        def __getitem__(self, key):
            raise AssertionError("the finest level was read")

    level = Image(np.full((16, 16), 7, np.uint8), "yx")
    image = Image(Unreadable(), "yx", levels=(level,))
    plane = tiles.plane_of(image, {})
    found = tiles.reduced(plane, Box(0, 0, 64, 64), factor=8, channels=[0])
    np.testing.assert_array_equal(found, np.full((1, 8, 8), 7))


def test_a_plane_of_a_stack_is_cut_from_every_level() -> None:
    stack = np.arange(4, dtype=np.uint8)[:, None, None] * np.ones((4, 8, 8), np.uint8)
    image = Image(stack, "zyx", levels=(Image(stack[::2, ::2, ::2], "zyx"),))
    plane = tiles.plane_of(image, {"z": 2})
    assert tiles.reduced(plane, Box(0, 0, 8, 8), factor=1, channels=[0]).max() == 2
    assert tiles.reduced(plane, Box(0, 0, 8, 8), factor=2, channels=[0]).min() == 2


def test_contrast_maps_low_to_black_and_high_to_the_colour_of_the_channel() -> None:
    values = np.array([[[10, 20, 30]], [[0, 50, 100]]], np.uint16)
    plane = Image(values, "cyx")
    grey = tiles.intensity(plane, Box(0, 0, 1, 3), factor=1, shown=[Shown(0, 10, 30)])
    assert grey.tolist() == [[0, 128, 255]]
    both = [Shown(0, 10, 30, (255, 0, 0)), Shown(1, 0, 100, (0, 255, 0))]
    mixed = tiles.intensity(plane, Box(0, 0, 1, 3), factor=1, shown=both)
    assert mixed.tolist() == [[[0, 0, 0], [128, 128, 0], [255, 255, 0]]]


def test_nothing_shown_is_black_and_nan_is_black() -> None:
    plane = Image(np.array([[np.nan, 1.0]], np.float32), "yx")
    box = Box(0, 0, 1, 2)
    assert tiles.intensity(plane, box, factor=1, shown=[]).tolist() == [[0, 0]]
    assert tiles.intensity(plane, box, factor=1, shown=[Shown(0, 0, 1)]).tolist() == [[0, 255]]


def test_reduced_tiles_and_contrast_come_from_what_has_data() -> None:
    values = np.arange(64, dtype=np.float32).reshape(8, 8)
    values[:2, :3] = values[4:6, 4:6] = np.nan
    plane = Image(values, "yx")
    found = tiles.reduced(plane, Box(0, 0, 8, 8), factor=2, channels=[0])[0]
    assert np.isnan(found[0, 0])
    assert np.isnan(found[2, 2])
    assert found[0, 1] == (values[0, 3] + values[1, 3]) / 2
    assert found[1, 1] == values[2:4, 2:4].mean()
    channel = automatic(plane)[0]
    assert (channel.minimum, channel.maximum) == (3, 63)
    assert channel.minimum <= channel.low < channel.high <= channel.maximum
    nothing = automatic(Image(np.full((8, 8), np.nan), "yx"))[0]
    assert nothing.low < nothing.high


def test_labels_are_shown_in_the_colours_of_their_classes() -> None:
    classes = [Class(1, color="#ff0000"), Class(300, color="#00ff00")]
    shown = decoded(tiles.labels_png(np.array([[0, 1, 300, 7]], np.uint16), classes))
    assert shown.tolist() == [[[0, 0, 0, 0], [255, 0, 0, 255], [0, 255, 0, 255], [0, 0, 0, 0]]]


def test_a_ramp_runs_from_transparent_to_the_colour_and_skips_what_is_unknown() -> None:
    ramp = tiles.probability_ramp(Class(1, color="#ff8000"))
    shown = decoded(tiles.ramp_png(np.array([[0, 1, np.nan, 0.5]], np.float32), ramp))
    assert shown[0, 0, 3] == 0
    assert shown[0, 1].tolist() == [255, 128, 0, 255]
    assert shown[0, 2].tolist() == [0, 0, 0, 0]
    assert abs(int(shown[0, 3, 3]) - 128) <= 1


def test_a_picture_survives_as_png() -> None:
    values = np.random.default_rng(0).integers(0, 255, (5, 7, 3)).astype(np.uint8)
    np.testing.assert_array_equal(decoded(tiles.picture_png(values))[..., :3], values)
    np.testing.assert_array_equal(
        decoded(tiles.picture_png(values[..., 0]))[..., 0], values[..., 0]
    )


def test_cutting_keeps_what_the_image_was_cut_from() -> None:
    image = Image(np.zeros((2, 4, 4)), "tyx")
    assert tiles.plane_of(replace(image), {"t": 1}).kept_axes == "yx"
