"""Objects of several classes by their middles."""

import numpy as np
import pytest
from tests.targets.objects import made_for, of_classes

from stroma.errors import LabelError, ParameterError
from stroma.targets.centres import Centres
from stroma.targets.contract import Facts
from stroma.targets.rays import Rays
from stroma.testing import check_target
from stroma.training.feeding.windows import around, lattice
from stroma.training.predicting.stitch import Stitching


def test_classes_come_from_the_numbers_of_objects():
    target = made_for(Centres, of_classes((80, 90)))
    assert target.classes == (1, 3)
    assert target.channels()[:4] == ("background", "class 1", "class 3", "centre")
    few = of_classes((40, 45))
    assert {1, 3} <= set((few // 100).ravel().tolist())
    check_target(target, few)


def test_an_object_has_the_class_of_all_its_pixels_together():
    labels = np.zeros((20, 20), np.int32)
    labels[4:16, 4:16] = 101
    target = Centres(divisor=100, classes=(1, 2), diameter=12)
    values = target.encode(labels, shape=labels.shape).values
    values[1:3, 4:8, 4:16] = values[1:3, 4:8, 4:16][::-1].copy()
    assert np.unique(target.decode(values)).tolist() == [0, 101]
    values[1:3, 4:12, 4:16] = [[[0.1]], [[0.9]]]
    assert np.unique(target.decode(values)).tolist() == [0, 201]


def test_foreground_without_a_middle_is_objects_by_its_parts():
    values = np.zeros((5, 12, 24), np.float32)
    values[0] = 1
    values[0, 2:8, 2:8] = values[0, 2:8, 12:20] = 0
    assert Centres().decode(values).max() == 2


def test_scores_are_of_classes_by_themselves():
    truth = np.zeros((10, 20), int)
    truth[2:8, 2:8], truth[2:8, 12:18] = 101, 201
    target = Centres(divisor=100, classes=(1, 2))
    assert target.score([truth], [truth])["ap50"] == 1
    swapped = np.where(truth == 101, 205, np.where(truth == 201, 101, 0))
    assert target.score([swapped], [truth])["ap50"] == 0


@pytest.mark.parametrize("kind", [Centres, Rays])
def test_blocks_give_the_objects_and_classes_of_the_whole(kind):
    labels = of_classes((150, 170))
    target = made_for(kind, labels)
    values = target.encode(labels, shape=labels.shape).values
    whole = target.decode(values)
    found = np.zeros(labels.shape, np.uint32)
    stitching = Stitching(found, divisor=100)
    for core in lattice(labels.shape, (64, 64), (1, 1)):
        window = around(core, target.context, labels.shape)
        stitching.add(core, window, target.decode(values[(slice(None), *window)]))
    stitching.finish()
    assert (found // 100 == whole // 100).all()
    assert len(np.unique(found)) == len(np.unique(whole))
    assert target.score([found], [whole])["ap50"] == 1


def test_numbers_of_a_class_go_on_from_plane_to_plane():
    found = np.zeros((2, 4, 8), np.uint32)
    count, core = 0, (slice(0, 4), slice(0, 8))
    for plane in found:
        stitching = Stitching(plane, divisor=100)
        stitching.add(core, core, np.repeat([[101, 101, 0, 0, 202, 202, 102, 102]], 4, 0))
        count = stitching.finish(after=count)
    assert np.unique(found).tolist() == [0, 101, 102, 103, 104, 201, 203]


def test_more_objects_than_numbers_and_labels_of_another_divisor_are_refused():
    core = (slice(0, 1), slice(0, 12))
    stitching = Stitching(np.zeros((1, 12), np.uint32), divisor=10)
    stitching.add(core, core, np.arange(11, 23)[None] % 10 + 10 * np.arange(1, 13)[None])
    stitching.finish()
    with pytest.raises(LabelError, match="divisor"):
        stitching.finish(after=9)
    with pytest.raises(LabelError, match="divisor of 10 "):
        Centres.made_for(Facts(2, dict.fromkeys(range(0, 2000, 10), 1)), divisor=10)
    with pytest.raises(ParameterError, match="divisor"):
        Centres(classes=(1, 2))
