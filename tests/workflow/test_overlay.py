"""Overlays mix picture and colours as asked."""

import numpy as np
import pytest

from stroma.data.classes import Class
from stroma.data.image import Image
from stroma.errors import ParameterError, ShapeError
from stroma.workflow.applying.overlay import outlined, overlay, picture, sampled


def test_colours_are_mixed_with_their_weight_and_0_shows_the_picture():
    below = np.full((1, 3, 3), 100, np.uint8)
    labels = np.array([[0, 1, 2]], np.uint16)
    classes = [Class(1, color="#ff0000"), Class(2, color="#00ff00")]
    mixed = overlay(below, labels, classes, alpha=0.5)
    assert mixed.tolist() == [[[100, 100, 100], [178, 50, 50], [50, 178, 50]]]
    assert (overlay(below, labels, classes, alpha=0) == below).all()
    assert overlay(below, labels, classes, alpha=1)[0, 1].tolist() == [255, 0, 0]
    assert overlay(below, labels * 6, [], alpha=1)[0, 2].tolist() == list(Class(12).rgb)
    assert overlay(below, labels, [], alpha=1)[0, 2].tolist() == list(Class(2).rgb)


def test_overlay_says_what_does_not_fit():
    below = np.zeros((2, 3, 3), np.uint8)
    with pytest.raises(ParameterError, match=r"got 1\.5"):
        overlay(below, np.zeros((2, 3), np.uint8), [], alpha=1.5)
    with pytest.raises(ShapeError, match="do not fit"):
        overlay(below, np.zeros((3, 2), np.uint8), [])


def test_grey_is_stretched_and_colours_are_kept():
    values = np.arange(1000, dtype=np.uint16).reshape(25, 40) + 5000
    grey = picture(Image(values, "yx"))
    assert (grey.min(), grey.max()) == (0, 255)
    assert (grey[..., 0] == grey[..., 2]).all()
    colours = np.random.default_rng(0).integers(0, 256, (3, 5, 6)).astype(np.uint8)
    shown = picture(Image(colours, "cyx", rgb=True))
    np.testing.assert_array_equal(shown, colours.transpose(1, 2, 0))
    shown = picture(Image(colours.astype(np.uint16) * 257, "cyx", rgb=True))
    np.testing.assert_array_equal(shown, colours.transpose(1, 2, 0))


def test_a_constant_plane_is_black():
    assert not picture(Image(np.full((4, 5), 7), "yx")).any()


def test_large_planes_are_reduced_the_same_way_with_and_without_levels():
    values = np.repeat(np.repeat(np.arange(64).reshape(8, 8), 4, 0), 4, 1)
    plain = picture(Image(values, "yx"), side=8)
    assert plain.shape == (8, 8, 3)
    levels = (Image(values[::2, ::2], "yx"), Image(values[::4, ::4], "yx"))
    np.testing.assert_array_equal(picture(Image(values, "yx", levels=levels), side=8), plain)


def test_samples_are_the_nearest_to_each_centre_across_bands(monkeypatch):
    monkeypatch.setattr("stroma.workflow.applying.overlay.BAND", 3)
    values = np.arange(70).reshape(7, 10)
    found = sampled(Image(values, "yx"), (3, 5))
    np.testing.assert_array_equal(found, values[[1, 3, 5]][:, [1, 3, 5, 7, 9]])


def test_outlines_of_all_objects_are_seen_on_black():
    objects = np.kron(np.arange(1, 49).reshape(6, 8), np.ones((4, 4), int))
    shown = outlined(np.zeros((*objects.shape, 3), np.uint8), objects)
    edges = shown[shown.any(2)]
    assert len(edges) > 48 * 4
    assert edges.max(1).min() > 128
    assert (shown[0, 3] != shown[0, 4]).any()
