"""Corrections of objects, one by one, on a label image that is easy to see through."""

import numpy as np
import pytest

from stroma.errors import ParameterError
from stroma.objects.correct import Given, corrected


def labels():
    """Two squares of which the first has a hole, and a bar that lies across."""
    made = np.zeros((1, 30, 40), np.int32)
    made[0, 4:14, 4:14] = 1
    made[0, 8:10, 8:10] = 0
    made[0, 4:14, 20:30] = 2
    made[0, 20:24, 4:36] = 5
    return made


def after(kind, *numbers, points=(), of=None, z=0):
    whole = labels() if of is None else of
    before = whole.copy()
    patch = corrected(whole, kind, Given(numbers, tuple(points), z))
    assert np.array_equal(whole, before)
    whole[patch.slices] = patch.values
    return whole


def counts(found):
    return {n: int((found == n).sum()) for n in np.unique(found[found > 0]).tolist()}


def test_merged_objects_have_the_number_of_the_first():
    assert counts(after("merge", 2, 1)) == {2: 196, 5: 128}


def test_deleted_objects_are_gone():
    assert counts(after("delete", 1, 5)) == {2: 100}


def test_holes_are_filled_and_nothing_else():
    assert counts(after("fill", 1, 2)) == {1: 100, 2: 100, 5: 128}
    ringed = labels()
    ringed[0, 8:10, 8:10] = 7
    assert counts(after("fill", 1, of=ringed)) == counts(ringed)


@pytest.mark.parametrize("line", [[(18, 10.5), (26, 10.5)], [(18, 8), (22, 10.2), (26, 13)]])
def test_a_line_across_an_object_parts_it_and_loses_no_pixel(line):
    found = after("split", 5, points=line)
    assert set(counts(found)) == {1, 2, 5, 6}
    assert counts(found)[5] + counts(found)[6] == 128
    assert counts(found)[5] > counts(found)[6]
    assert (found[0, 20:24, 20:36] == 5).all()


def test_a_line_parts_all_planes_of_a_volume():
    solid = np.zeros((5, 12, 12), np.int32)
    solid[:, 2:10, 2:10] = 3
    found = after("split", 3, points=[(0, 5.5), (11, 5.5)], of=solid, z=2)
    assert set(counts(found)) == {3, 4}
    assert len({tuple(np.unique(plane)) for plane in found}) == 1


def test_without_a_number_the_object_is_cut_that_most_of_the_line_lies_on():
    line = [(0, 8.5), (12.5, 8.5), (26, 8.5)]  # over eight pixels of the first, four of the bar
    assert counts(after("split", points=line)) == counts(after("split", 1, points=line))
    solid = np.concatenate([labels(), np.zeros_like(labels())])
    with pytest.raises(ParameterError, match="crosses no object"):
        after("split", points=line, of=solid, z=1)


def test_what_is_drawn_becomes_an_object_where_there_is_none():
    square = [(2, 30), (2, 38), (10, 38), (10, 28)]
    found = after("draw", points=square)
    assert found.max() == 6
    assert (found[0, 4:8, 29] == 2).all()
    assert found[0, 5, 34] == 6


def test_a_polygon_is_given_to_an_object_or_to_none():
    square = [(4, 20), (4, 25), (14, 25), (14, 20)]
    assert counts(after("reassign", 1, points=square))[1] == 96 + 50
    assert counts(after("reassign", 0, points=square))[2] == 50


@pytest.mark.parametrize(
    ("kind", "numbers", "points", "said"),
    [
        ("merge", [1], [], "at least 2 different objects"),
        ("merge", [1, 1], [], "at least 2 different objects"),
        ("merge", [1, 9], [], "no object 9"),
        ("delete", [9], [], "no object 9"),
        ("delete", [0], [], "no object 0"),
        ("split", [5], [(18, 10)], "at least 2 points"),
        ("split", [5], [(22, 10), (22, 12)], "right across"),
        ("split", [], [(1, 2), (1, 30)], "crosses no object"),
        ("split", [1, 2], [(1, 2), (1, 30)], "takes 1 object, got 2"),
        ("reassign", [], [(4, 20), (4, 25), (14, 25)], "takes 1 object, got 0"),
        ("draw", [1], [(4, 20), (4, 25), (14, 25)], "takes no objects, got 1"),
        ("draw", [], [(4, 20), (4, 25), (14, 25)], "of other objects"),
        ("draw", [], [(90, 90), (90, 99), (99, 99)], "outside"),
        ("draw", [], [(1, 1), (1.1, 1), (1.1, 1.1)], "no pixel"),
        ("reassign", [9], [(4, 20), (4, 25), (14, 25)], "no object 9"),
        ("marry", [1, 2], [], "No correction 'marry'"),
    ],
)
def test_what_does_not_fit_is_refused(kind, numbers, points, said):
    with pytest.raises(ParameterError, match=said):
        after(kind, *numbers, points=points)


def test_a_line_of_any_length_is_followed_only_near_the_object():
    steps = [(1e7 * (-1) ** i, 1e6 + i) for i in range(2000)]  # ends above
    line = [(18, 10.5), (26, 10.5)]
    found = after("split", 5, points=[*steps, *line])
    assert np.array_equal(found, after("split", 5, points=line))
    far = [(-1e7, 10.5), (1e7, 10.5)]
    assert counts(after("split", 5, points=far)) == counts(after("split", 5, points=line))
