"""Carving: regions between boundaries, their graph flooded from strokes, objects kept by name."""

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial import cKDTree

from stroma.data.image import Image
from stroma.errors import ImageError, LabelError, ParameterError, ShapeError, UnknownNameError
from stroma.objects import Carving
from stroma.objects.basins import basins, edges_by_region, flood, touching
from stroma.objects.carving import Priority
from stroma.objects.merging import merged
from stroma.objects.supervoxels import boundaries


def overlap(found, truth):
    return (found & truth).sum() / (found | truth).sum()


def plain_flood(pairs, weights, seeds, *, favoured, bias, least):
    """Look at every edge that leads on, again and again."""
    state = seeds.copy()
    while True:
        ahead = []
        for edge, (a, b) in enumerate(pairs):
            if (state[a] > 0) != (state[b] > 0):
                label = max(state[a], state[b])
                eased = label == favoured and weights[edge] >= least
                ahead.append((weights[edge] * (bias if eased else 1), edge, label))
        if not ahead:
            return state
        _, edge, label = min(ahead)
        state[pairs[edge]] = label


@pytest.mark.parametrize("seed", range(20))
def test_a_graph_is_flooded_as_by_the_plain_way(seed):
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 25))
    every = np.array([(a, b) for a in range(count) for b in range(a + 1, count)], np.int32)
    pairs = every[rng.random(len(every)) < 0.25]
    weights = rng.integers(0, 12, len(pairs)) * 20.0  # some are equal
    seeds = np.zeros(count, np.uint8)
    chosen = rng.permutation(count)[: int(rng.integers(2, 6))]
    seeds[chosen] = rng.integers(1, 3, len(chosen))
    found = seeds.copy()
    flood(pairs, weights, edges_by_region(pairs, count), found, 1, 0.7, 64.0)
    assert np.array_equal(
        found, plain_flood(pairs, weights, seeds, favoured=1, bias=0.7, least=64.0)
    )


def test_background_is_favoured_only_at_boundaries_that_count():
    pairs = np.array([[0, 1], [1, 2]], np.int32)

    def of(weights, bias, least):
        state = np.array([1, 0, 2], np.uint8)
        flood(pairs, np.array(weights), edges_by_region(pairs, 3), state, 1, bias, least)
        return state[1]

    assert of([100.0, 97.0], 1.0, 64.0) == 2
    assert of([100.0, 97.0], 0.95, 64.0) == 1
    assert of([100.0, 97.0], 0.95, 101.0) == 2
    assert of([100.0, 90.0], 0.95, 64.0) == 2


def test_basins_are_one_for_each_bottom_and_hold_together():
    rng = np.random.default_rng(0)
    for shape in ((1, 9, 11), (5, 6, 7)):
        heights = rng.integers(0, 5, shape).astype(np.float32)  # much level ground
        labels, count = basins(heights)
        assert set(np.unique(labels)) == set(range(count))
        for region in range(count):
            inside = labels == region
            assert ndimage.label(inside)[1] == 1
        assert count == bottoms(heights)


def bottoms(heights):
    """Count the level places from which no neighbour is lower."""
    found = 0
    for value in np.unique(heights):
        level, n = ndimage.label(heights == value)
        for one in range(1, n + 1):
            rim = ndimage.binary_dilation(level == one) & (level != one)
            found += not (heights[rim] < value).any()
    return found


def test_level_ground_is_shared_out_halfway():
    line = np.array([0, 2, 2, 2, 2, 2, 2, 1], np.float32).reshape(1, 1, -1)
    labels, count = basins(line)
    assert count == 2
    assert labels.ravel().tolist() == [0, 0, 0, 0, 1, 1, 1, 1]


def test_borders_are_as_high_as_the_higher_pixels_along_them():
    labels = np.array([[[0, 0, 1], [0, 2, 1]]], np.int32)
    heights = np.array([[[1, 4, 2], [3, 8, 5]]], np.float32)
    pairs, weights, lengths = touching(labels, heights, 3)
    borders = zip(weights.tolist(), lengths.tolist(), strict=True)
    found = dict(zip(map(tuple, pairs.tolist()), borders, strict=True))
    assert found == {(0, 1): (4.0, 1), (0, 2): (8.0, 2), (1, 2): (8.0, 1)}


@pytest.mark.parametrize("seed", range(5))
def test_joined_regions_have_the_borders_of_their_pixels(seed):
    heights = np.random.default_rng(seed).random((4, 12, 13)).astype(np.float32)
    labels, count = basins(heights)
    pairs, weights, lengths = touching(labels, heights, count)
    new, *left, sizes = merged(pairs, weights, lengths, np.bincount(labels.ravel()), count // 3)
    assert len(sizes) == count // 3
    assert np.array_equal(sizes, np.bincount(new[labels].ravel()))
    for region in range(len(sizes)):
        assert ndimage.label(new[labels] == region)[1] == 1
    plain = touching(new[labels], heights, len(sizes))
    by_pair = [
        {tuple(p): (w, n) for p, w, n in zip(*map(np.ndarray.tolist, of), strict=True)}
        for of in (left, plain)
    ]
    assert by_pair[0].keys() == by_pair[1].keys()
    for pair, borders in by_pair[0].items():
        assert borders == pytest.approx(by_pair[1][pair])


def test_regions_join_across_the_lowest_borders_first():
    pairs = np.array([[0, 1], [1, 2], [2, 3]], np.int32)
    weights, one = np.array([9.0, 1.0, 5.0]), np.ones(3)
    new, pairs, weights, _, sizes = merged(pairs, weights, one, np.ones(4, np.int64), 3)
    assert new.tolist() == [0, 1, 1, 2]
    assert (pairs.tolist(), weights.tolist(), sizes.tolist()) == (
        [[0, 1], [1, 2]],
        [9.0, 5.0],
        [1, 2, 1],
    )
    alone = merged(np.empty((0, 2), np.int32), one[:0], one[:0], np.ones(2, np.int64), 1)
    assert len(alone[-1]) == 2


def membranes(side=96, spacing=24, seed=0):
    """Return cells with bright membranes in noise, and their numbers."""
    rng = np.random.default_rng(seed)
    k = side // spacing
    centres = (np.indices((k, k, k)).reshape(3, -1).T + 0.5) * spacing
    centres += rng.uniform(-0.25, 0.25, centres.shape) * spacing
    places = np.indices((side,) * 3, np.float32).reshape(3, -1).T
    away, cell = cKDTree(centres).query(places, k=2)
    image = np.exp(-(((away[:, 1] - away[:, 0]) / 2) ** 2)) + rng.normal(0, 0.2, len(places))
    return image.astype(np.float32).reshape((side,) * 3), cell[:, 0].reshape((side,) * 3)


def two_strokes(inside):
    """Draw along the middle of a cell, and around it on one plane."""
    strokes = np.zeros(inside.shape, np.uint8)
    z, y, x = (round(c) for c in ndimage.center_of_mass(inside))
    wide, near = (ndimage.binary_dilation(inside[z], iterations=n) for n in (9, 8))
    strokes[z][wide & ~near] = 1
    strokes[z, y, x - 3 : x + 4] = 2
    return strokes


@pytest.fixture(scope="module")
def tissue():
    image, cells = membranes()
    return Carving.of(image, boundary="bright"), image, cells


def test_two_strokes_find_a_cell_among_others_if_background_has_priority(tissue):
    carving, _, cells = tissue
    plain = Carving(carving.regions, carving.shape, priority=Priority(bias=1.0))
    inner = (21, 22, 25, 26, 37, 38, 41, 42)
    strokes = [two_strokes(cells == cell) for cell in inner]
    found, without = (
        [overlap(c.carve(s), cells == n) for n, s in zip(inner, strokes, strict=True)]
        for c in (carving, plain)
    )
    assert np.mean(found) >= 0.8
    assert np.mean(without) <= np.mean(found) - 0.3


def blobs(channels=False):
    """Return a plane with two bright squares that touch a dim one, and points to carve with."""
    plane = np.full((40, 60), 10.0, np.float32)
    plane[10:30, 10:25], plane[10:30, 25:40] = 100, 60
    return np.stack([plane, plane[::-1]]) if channels else plane


LEFT = {1: [(2, 2), (20, 32), (35, 50)], 2: [(20, 17)]}
RIGHT = {1: [(2, 2), (20, 17), (35, 50)], 2: [(20, 32)]}


def test_points_and_strokes_find_the_same_in_a_plane():
    carving = Carving.of(blobs(), sigma=1.0)
    strokes = np.zeros((40, 60), np.int64)
    for label, points in LEFT.items():
        strokes[tuple(np.transpose(points))] = label
    truth = blobs() == 100
    assert overlap(carving.carve(LEFT), truth) > 0.9
    assert np.array_equal(carving.carve(LEFT), carving.carve(strokes))


@pytest.mark.parametrize("kind", ["edges", "bright", "dark"])
def test_slabs_leave_no_trace(kind, monkeypatch):
    values = np.random.default_rng(0).normal(0, 1, (12, 14, 10)).astype(np.float32)
    whole = boundaries(Image(values, "zyx"), kind, 1.0)
    monkeypatch.setattr("stroma.objects.supervoxels.DEPTH", 5)
    assert np.allclose(boundaries(Image(values, "zyx"), kind, 1.0), whole, atol=1e-5)
    assert whole.std() > 0


def test_a_given_map_and_the_highest_of_channels_bound_objects():
    wall = np.ones((20, 30), np.float32)
    wall[:, 15] = 7
    carving = Carving.of(np.zeros((20, 30)), boundary=wall)
    found = carving.carve({1: [(5, 3)], 2: [(5, 25)]})
    assert found[:, 16:].all()
    assert not found[:, :15].any()
    both = boundaries(Image(blobs(channels=True), "cyx"), "edges", 1.0)
    each = [boundaries(Image(c, "yx"), "edges", 1.0) for c in blobs(channels=True)]
    assert np.array_equal(both, np.maximum(*each))


def test_a_region_with_both_strokes_is_shared_out():
    carving = Carving.of(np.zeros((9, 20)))
    assert carving.regions.count == 1
    found = carving.carve({1: [(4, 2)], 2: [(4, 17)]})
    assert found[:, 10:].all()
    assert not found[:, :10].any()


def test_locked_objects_are_background_until_reopened():
    carving = Carving.of(blobs(), sigma=1.0)
    left = carving.commit("left", LEFT)
    again = carving.carve({1: [(2, 2), (35, 50)], 2: [(20, 32)]})
    assert not (again & left).any()
    assert overlap(again, blobs() == 60) > 0.9
    with pytest.raises(ParameterError, match="lie in objects that are locked"):
        carving.carve(LEFT)
    for refused in (lambda: carving.commit("left", RIGHT), lambda: carving.remove("left")):
        with pytest.raises(ParameterError, match="'left' is locked"):
            refused()
    strokes = carving.reopen("left")
    assert not carving.locked("left")
    assert np.array_equal(carving.carve(strokes), left)
    carving.lock("left")
    assert carving.locked("left")


def test_objects_keep_their_numbers_in_the_label_image():
    carving = Carving.of(blobs(), sigma=1.0)
    left, right = carving.commit("left", LEFT), carving.commit("right", RIGHT)
    labels = carving.labels()
    assert labels.dtype == np.int32
    assert np.array_equal(labels, np.where(left, 1, np.where(right, 2, 0)))
    carving.commit("left", carving.reopen("left"))
    assert np.array_equal(carving.labels(), labels)
    assert carving.names == ("right", "left")
    carving.reopen("right")
    carving.remove("right")
    assert np.array_equal(carving.labels(), np.where(left, 1, 0))
    assert (carving.number("left"), carving.names) == (1, ("left",))


def test_an_object_that_is_not_locked_lies_below():
    carving = Carving.of(blobs(), sigma=1.0)
    carving.commit("right", RIGHT, lock=True)
    carving.reopen("right")
    both = {1: [(2, 2), (35, 50)], 2: [(20, 17), (20, 32)]}
    wide = carving.commit("both", both)
    assert (carving.labels()[wide] == 2).all()
    assert overlap(wide, blobs() > 50) > 0.9


@pytest.mark.parametrize(
    ("seeds", "error", "match"),
    [
        (np.zeros((40, 59), int), ShapeError, r"\(40, 60\); got \(40, 59\)"),
        ({2: [(1, 1)]}, LabelError, "no stroke on background"),
        ({1: [(1, 1)], 2: []}, LabelError, "no stroke on the object"),
        ({}, LabelError, "no stroke on background"),
        (np.full((40, 60), 3), LabelError, "1 .background. and 2 .the object., got 3"),
        ({1: [(1, 1)], 2: [(1, 60)]}, ParameterError, r"\(1, 60\) lies outside"),
        ({1: [(1, 1, 1)], 2: [(1, 1)]}, ShapeError, r"\(n, 2\), got shape \(1, 3\)"),
    ],
)
def test_strokes_that_do_not_fit_are_said(seeds, error, match):
    carving = Carving.of(blobs(), sigma=1.0)
    with pytest.raises(error, match=match):
        carving.carve(seeds)


@pytest.mark.parametrize(
    ("given", "error", "match"),
    [
        ({"boundary": "lines"}, ParameterError, "No boundaries 'lines'. Known: edges"),
        ({"boundary": np.zeros((3, 3))}, ShapeError, r"\(40, 60\); got \(3, 3\)"),
        ({"boundary": np.full((40, 60), np.nan)}, ImageError, "map of boundaries has values"),
        ({"sigma": 0}, ParameterError, "sigma above 0"),
    ],
)
def test_boundaries_that_cannot_be_are_said(given, error, match):
    with pytest.raises(error, match=match):
        Carving.of(blobs(), **given)


def test_images_names_and_priorities_that_cannot_be_are_said():
    with pytest.raises(ShapeError, match="choose a time"):
        Carving.of(np.zeros((2, 5, 5)), axes="tyx")
    with pytest.raises(ImageError, match="image has values that are NaN"):
        Carving.of(np.full((5, 5), np.inf))
    with pytest.raises(ParameterError, match="bias is above 0"):
        Priority(bias=0)
    carving = Carving.of(blobs(), sigma=1.0)
    with pytest.raises(ParameterError, match="needs a name"):
        carving.commit(" ", LEFT)
    with pytest.raises(UnknownNameError, match="There are none yet"):
        carving.reopen("left")
    carving.commit("left", LEFT)
    with pytest.raises(UnknownNameError, match="Did you mean 'left'"):
        carving.number("lfet")
