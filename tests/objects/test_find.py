"""Objects are the connected parts of pixels, of the right size, parted at their necks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage
from skimage.draw import disk

from stroma.data.image import Image
from stroma.errors import ImageError, LabelError, ParameterError, ShapeError
from stroma.objects.find import objects_of
from stroma.objects.finding.frame import kept
from stroma.objects.finding.how import Finding

QUICK = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def scene() -> np.ndarray:
    """Return class 1 twice, class 2 touching the first, and a pixel at a corner."""
    labels = np.zeros((12, 16), np.uint8)
    labels[2:5, 2:6] = 1
    labels[2:5, 6:9] = 2
    labels[7:10, 10:14] = 1
    labels[11, 15] = 1
    return labels


def test_parts_of_classes_are_objects_that_never_join_two_classes() -> None:
    found = objects_of(scene())
    assert [int(found[p]) for p in ((3, 3), (3, 7), (8, 11), (11, 15))] == [1, 2, 3, 4]
    assert found.max() == 4
    assert found.dtype == np.int32
    one = objects_of(scene(), label=1)
    assert one.max() == 3
    assert one[3, 7] == 0


def test_size_and_border_leave_objects_out() -> None:
    assert objects_of(scene(), min_size=2).max() == 3
    assert objects_of(scene(), max_size=9).max() == 2
    assert objects_of(scene(), border=False).max() == 3
    physical = Image(scene(), "yx", spacing={"y": 0.5, "x": 0.5}, unit="µm")
    assert objects_of(physical, min_size=2.3, size_in="um").max() == 2
    assert objects_of(scene(), spacing=(0.5, 0.5), min_size=2.3, size_in="um").max() == 2
    solid = np.stack([scene(), scene()])  # each object has twice the voxels, of 2 x 0.5 x 0.5 µm
    deep = Image(solid, "zyx", spacing={"z": 2000.0, "y": 500.0, "x": 500.0}, unit="nm")
    assert objects_of(deep, min_size=9.2, size_in="um").max() == 2
    assert objects_of(deep, min_size=0.9, size_in="um").max() == 4
    with pytest.raises(ParameterError, match="size of a pixel is not known"):
        objects_of(scene(), min_size=2.3, size_in="um")


def test_what_is_left_out_keeps_the_numbers_of_others_if_wanted() -> None:
    labels = np.array([[7, 7, 0, 9, 0, 2, 2]], np.int64)
    assert kept(labels, min_size=2, renumber=False).tolist() == [[7, 7, 0, 0, 0, 2, 2]]
    assert kept(labels, min_size=2).tolist() == [[1, 1, 0, 0, 0, 2, 2]]


def test_hysteresis_keeps_objects_that_reach_the_core_somewhere() -> None:
    chance = np.array([[0.5, 0.7, 0.5, 0.1, 0.5, 0.5, 0.1, 0.9]], np.float32)
    assert objects_of(chance, threshold=0.4, core=0.6).tolist() == [[1, 1, 1, 0, 0, 0, 0, 2]]
    assert objects_of(chance, threshold=0.4).max() == 3
    with pytest.raises(ImageError, match="from 0 to 1"):
        objects_of(chance * 3)
    with pytest.raises(ParameterError, match="core"):
        objects_of(chance, threshold=0.4, core=0.2)


def dumbbell(distance: int) -> np.ndarray:
    mask = np.zeros((40, 60), np.uint8)
    for x in (20, 20 + distance):
        mask[disk((20, x), 10)] = 1
    return mask


def test_touching_discs_are_parted_in_their_middle() -> None:
    labels = objects_of(dumbbell(17), split=1)
    assert labels.max() == 2
    sizes = np.bincount(labels.ravel())[1:]
    assert abs(int(sizes[0]) - int(sizes[1])) <= 20
    assert (labels > 0).sum() == dumbbell(17).sum()
    edge = np.flatnonzero(labels[20] == 1).max()
    assert 27 <= edge <= 29


def test_discs_with_a_shallow_neck_and_single_ones_stay_whole() -> None:
    assert objects_of(dumbbell(4), split=1).max() == 1
    assert objects_of(dumbbell(0), split=1).max() == 1
    assert np.array_equal(objects_of(scene(), split=1), objects_of(scene()))


def test_two_tops_of_one_height_are_parted_by_a_neck_alone() -> None:
    bar = np.zeros((15, 40), bool)
    bar[2:13, 3:37] = True
    bar[2, 20] = False  # a dent, which makes the pass lower by one
    assert objects_of(bar, split=1.5).max() == 1
    assert objects_of(bar, split=0.5).max() == 2


def test_volumes_split_by_distances_in_their_own_spacing() -> None:
    z, y, x = np.ogrid[:9, :40, :40]
    balls = [((z - 4) * 3) ** 2 + (y - 20) ** 2 + (x - at) ** 2 <= 81 for at in (12, 27)]
    mask = (balls[0] | balls[1]).astype(np.uint8)
    assert objects_of(mask).max() == 1
    assert objects_of(mask, split=1, spacing=(3, 1, 1)).max() == 2


def test_frames_are_counted_each_for_itself() -> None:
    movie = np.stack([scene(), np.zeros_like(scene()), scene()])
    found = objects_of(movie, axes="tyx")
    assert [int(f.max()) for f in found] == [4, 0, 4]
    assert np.array_equal(found[0], objects_of(scene()))


def test_wrong_input_is_told() -> None:
    with pytest.raises(ShapeError, match="Name its axes"):
        objects_of(np.zeros((2, 2, 2, 2), np.uint8))
    with pytest.raises(LabelError, match="negative"):
        objects_of(np.array([[-1, 2]]))
    with pytest.raises(ParameterError, match="Did you mean 'min_size'"):
        objects_of(scene(), min_sise=3)
    with pytest.raises(ShapeError, match="one channel"):
        objects_of(Image(np.zeros((2, 4, 4), np.uint8), "cyx"))
    for shape, axes in (((0, 4), "yx"), ((0, 4, 4), "tyx"), ((2, 4, 0), "zyx")):
        with pytest.raises(ImageError, match="no pixels to find objects in"):
            objects_of(np.zeros(shape, np.uint8), axes=axes)
    with pytest.raises(ParameterError, match="not above the greatest"):
        Finding(min_size=5, max_size=2)


@QUICK
@given(
    hnp.arrays(
        np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.integers(0, 3)
    )
)
def test_objects_are_all_pixels_once_and_each_is_connected(labels) -> None:
    for split in (0, 1):
        found = objects_of(labels, split=split)
        assert np.array_equal(found > 0, labels > 0)
        assert set(np.unique(found)) - {0} == set(range(1, int(found.max()) + 1))
        for number in range(1, int(found.max()) + 1):
            mask = found == number
            assert ndimage.label(mask, np.ones((3, 3)))[1] == 1
            assert len(np.unique(labels[mask])) == 1
