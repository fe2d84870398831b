"""Metrics are what they are of shapes whose distances are known."""

import numpy as np
import pytest

from stroma.errors import ShapeError
from stroma.metrics.semantic import confusion, dice, iou
from stroma.metrics.surface import border, hausdorff95, surface_dice


def square(left, side=10):
    mask = np.zeros((30, 40), bool)
    mask[5 : 5 + side, left : left + side] = True
    return mask


def test_overlap_of_half_a_square():
    found, true = square(5).astype(int), square(10).astype(int)
    assert iou(found, true, labels=[0, 1])[1] == pytest.approx(50 / 150)
    assert dice(found, true, labels=[0, 1])[1] == pytest.approx(100 / 200)


def test_classes_that_neither_image_has_do_not_count_and_those_of_one_are_0():
    found, true = np.array([[0, 2]]), np.array([[0, 1]])
    scores = iou(found, true, labels=[0, 1, 2, 3])
    assert scores[:3].tolist() == [1, 0, 0]
    assert np.isnan(scores[3])
    assert np.isnan(dice(found, true, labels=[0, 1, 2, 3])[3])


def test_truth_that_is_no_class_does_not_count():
    table = confusion(np.array([[1, 1, 5]]), np.array([[1, 255, 1]]), labels=[2, 1])
    assert table.tolist() == [[0, 0, 0], [0, 1, 1]]
    with pytest.raises(ShapeError, match="one shape"):
        confusion(np.zeros((2, 2)), np.zeros((2, 3)), labels=[0])


def test_the_border_is_what_has_a_neighbour_outside():
    assert border(square(5)).sum() == 4 * 9
    assert border(np.ones((3, 3), bool)).sum() == 8


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (2.0, 0.5)])
def test_distances_are_in_the_unit_of_the_spacing(spacing):
    # A line of pixels, moved along y by 4: every distance is 4 pixels.
    line, moved = np.zeros((20, 50), bool), np.zeros((20, 50), bool)
    line[5], moved[9] = True, True
    away = 4 * spacing[0]
    assert hausdorff95(moved, line, spacing=spacing) == pytest.approx(away)
    assert surface_dice(moved, line, spacing=spacing, tolerance=away) == 1
    assert surface_dice(moved, line, spacing=spacing, tolerance=away - 0.1) == 0


def test_95_of_100_pixels_decide():
    # 100 pixels of a line, 4 of which have a neighbour far away that is extra.
    true, found = np.zeros((60, 100), bool), np.zeros((60, 100), bool)
    true[5] = found[5] = True
    found[50, :4] = True
    assert hausdorff95(found, true, spacing=(1, 1)) == 0
    found[50, :40] = True
    assert hausdorff95(found, true, spacing=(1, 1)) == pytest.approx(45)


def test_empty_masks_are_told_apart():
    nothing, something = np.zeros((5, 5), bool), np.ones((5, 5), bool)
    how = {"spacing": (1, 1)}
    assert np.isnan(surface_dice(nothing, nothing, tolerance=1, **how))
    assert np.isnan(hausdorff95(nothing, nothing, **how))
    assert surface_dice(nothing, something, tolerance=1, **how) == 0
    assert hausdorff95(something, nothing, **how) == np.inf
    with pytest.raises(ShapeError, match="spacing per axis"):
        hausdorff95(nothing, nothing, spacing=(1, 1, 1))


def test_volumes_have_borders_too():
    ball, moved = np.zeros((12, 12, 12), bool), np.zeros((12, 12, 12), bool)
    ball[3:7, 3:7, 3:7], moved[4:8, 3:7, 3:7] = True, True
    assert hausdorff95(moved, ball, spacing=(3, 1, 1)) == pytest.approx(3)
