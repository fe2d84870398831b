"""Rays reach to the border, and the best of the polygons that they make are the objects."""

import numpy as np
import pytest
from tests.targets.objects import made_for, of_classes, touching
from tests.training.test_stitch import stitched

from stroma.errors import LabelError, ParameterError, ShapeError
from stroma.metrics.instances import instance_scores
from stroma.targets.contract import Facts
from stroma.targets.instances import without_small
from stroma.targets.rays import Rays


def disk(shape, middle, radius):
    y, x = np.indices(shape)
    return (y - middle[0]) ** 2 + (x - middle[1]) ** 2 <= radius**2


def test_rays_end_at_the_border_of_the_object_and_of_the_image():
    labels = np.zeros((9, 20), np.int32)
    labels[:, 4:15] = 3
    rays = Rays(rays=8).encode(labels, shape=labels.shape).values[1:, 4, 9]
    # Right, down, left, up: to the outer edge of the last pixel.
    assert rays[::2].tolist() == [5.5, 4.5, 5.5, 4.5]
    assert rays[1::2] == pytest.approx(4.5 * np.sqrt(2), abs=0.5)


def test_rays_of_a_disk_have_its_radius():
    labels = disk((61, 61), (30, 30), 20).astype(np.int32)
    values = Rays().encode(labels, shape=labels.shape).values
    assert values[1:, 30, 30] == pytest.approx(20, abs=1)
    assert values[0, 30, 30] == 1
    assert not values[:, labels == 0].any()


def test_rays_into_what_nobody_knows_have_no_weight():
    labels = np.array([[0, 1, 1, 1, -1, 0]])
    known = Rays(rays=8).encode(labels, shape=(1, 6)).known[:, 0]
    assert known[0].tolist() == [1, 0, 0, 0, 0, 1]  # The object may go on, and be deeper.
    assert known[1].tolist() == [1, 0, 0, 0, 0, 1]  # To the right.
    assert known[5].tolist() == [1, 1, 1, 1, 0, 1]  # To the left.


def test_the_better_of_two_polygons_stays_where_they_overlap_and_a_copy_goes():
    values = np.zeros((33, 60, 60), np.float32)
    values[:, 30, 20] = values[:, 30, 24] = values[:, 30, 36] = 10.0
    values[0, 30, [20, 24, 36]] = 0.9, 0.8, 0.7
    found = Rays().decode(values)
    assert found.max() == 2
    assert found[30, 29] == found[30, 20] == 1
    assert found[30, 31] == 2
    assert (found == 1).sum() == pytest.approx(np.pi * 100, rel=0.05)
    assert Rays().decode(values, probability=0.75).max() == 1
    assert Rays().decode(values, overlap=0.05).max() == 1
    assert Rays().decode(values, overlap=1.0).max() == 3


def drawn(middle, lengths, shape):
    """Return the pixels of a polygon, and its area."""
    angles = 2 * np.pi * np.arange(len(lengths)) / len(lengths)
    ys = middle[0] + np.maximum(lengths, 0.5) * np.sin(angles).round(12)
    xs = middle[1] + np.maximum(lengths, 0.5) * np.cos(angles).round(12)
    mask = np.zeros(shape, bool)
    edges = list(zip(ys, xs, np.roll(ys, 1), np.roll(xs, 1), strict=True))
    for y in range(shape[0]):
        cuts = sorted(
            b + (y - a) / (c - a) * (d - b) for a, b, c, d in edges if (a <= y) != (c <= y)
        )
        for first, last in zip(cuts[::2], cuts[1::2], strict=True):
            mask[y, max(0, int(np.ceil(first))) : max(0, int(np.floor(last)) + 1)] = True
    return mask, abs((ys * np.roll(xs, -1) - xs * np.roll(ys, -1)).sum()) / 2


def chosen(values, draw, overlap):
    """Return what is drawn, the best first, unless it shares too much with something better."""
    places = np.argwhere(values[0] > 0.5)
    places = places[np.argsort(-values[0][tuple(places.T)], kind="stable")]
    out, areas = np.zeros(values.shape[1:], int), [0.0]
    for place in places:
        mask, area = draw(place, values[(slice(1, None), *place)], out.shape)
        shared = np.bincount(out[mask], minlength=len(areas))[1:]
        if (shared > overlap * np.minimum(area, areas[1:])).any():
            continue
        out[mask & (out == 0)] = len(areas)
        areas.append(area)
    return out


def drawn_at_random(shape, rays, seed, *, most):
    """Return depth in a quarter of all pixels, and rays of lengths that have nothing in common."""
    rng = np.random.default_rng(seed)
    depth = np.where(rng.random(shape) < 0.5, rng.random(shape), 0)
    lengths = rng.uniform(2, most, shape) * rng.uniform(0.8, 1.2, (rays, *shape))
    return np.concatenate([depth[None], lengths]).astype(np.float32)


@pytest.mark.parametrize("overlap", [0.2, 0.4, 0.8])
def test_those_that_stay_are_those_of_the_plain_way(overlap):
    shape = (48, 52)
    values = Rays().encode(touching(shape), shape=shape).values
    values += np.random.default_rng(0).normal(0, 1, values.shape) * (values > 0) * 0.12
    values[1:] *= 1 + np.random.default_rng(1).normal(0, 0.2, (1, *shape))
    found = Rays(smallest=1).decode(values, overlap=overlap)
    assert np.array_equal(found, without_small(chosen(values, drawn, overlap), 1))


@pytest.mark.parametrize("overlap", [0.2, 0.4, 0.8])
@pytest.mark.parametrize("seed", [0, 1])
def test_of_polygons_of_any_size_and_shape_those_stay_too(overlap, seed):
    values = drawn_at_random((30, 34), 32, seed, most=14)
    found = Rays(smallest=1).decode(values, overlap=overlap)
    assert np.array_equal(found, without_small(chosen(values, drawn, overlap), 1))


def test_polygons_over_the_border_and_without_rays_are_drawn_as_far_as_they_go():
    values = np.zeros((33, 20, 20), np.float32)
    values[0, 0, 0] = values[0, 10, 10] = 1
    values[1:, 0, 0] = 6
    found = Rays(smallest=1).decode(values)
    assert found[0, 5] == 1
    assert found.max() == 2
    assert (found == 2).sum() == 1
    assert Rays().decode(np.zeros_like(values)).max() == 0


def test_sizes_are_recorded():
    target = Rays.made_for(Facts(2, {}, (), (8.0, 10.0, 40.0)))
    assert (target.diameter, target.radius, target.context) == (40, 5, 60)


@pytest.mark.parametrize(("option", "value"), [("rays", 30), ("rays", 4), ("radius", 0.0)])
def test_options_that_cannot_be_are_refused(option, value):
    with pytest.raises(ParameterError, match=option):
        Rays(**{option: value})


def test_labels_with_other_axes_are_refused():
    with pytest.raises(ShapeError, match=r"2 axes .*, these labels have 3"):
        Rays().encode(np.zeros((4, 5, 6), int), shape=(4, 5, 6))


@pytest.mark.parametrize("side", [40, 64])
def test_blocks_give_the_objects_of_the_whole(side):
    target = Rays(diameter=24, smallest=20)
    values = target.encode(touching((150, 170)), shape=(150, 170)).values
    whole = target.decode(values)
    labels, count = stitched(values, target, side, target.context)
    assert count == whole.max()
    assert instance_scores(labels, whole)["ap 0.75"] == 1


def shared_borders(labels):
    """Return how many pixels touch the next one of another class, both of objects."""
    kinds = labels // 100
    pairs = [np.moveaxis(kinds, axis, 0) for axis in range(labels.ndim)]
    return sum(int(((p[1:] != p[:-1]) & (p[1:] > 0) & (p[:-1] > 0)).sum()) for p in pairs)


def classes_by_object(found, truth):
    """Return the classes that most pixels of every true object were given."""
    return {
        int(number): int(np.bincount(found[truth == number] // 100).argmax())
        for number in np.unique(truth[truth > 0])
    }


@pytest.mark.parametrize("shape", [(96, 110), (40, 44, 48)])
def test_touching_objects_of_two_classes_come_back_with_their_classes(shape):
    labels = of_classes(shape)
    assert shared_borders(labels) > 100
    target = made_for(Rays, labels)
    assert target.classes == (1, 3)
    assert target.channels()[-3:] == ("background", "class 1", "class 3")
    found = target.decode(target.encode(labels, shape=shape).values)
    assert instance_scores(found, labels)["ap 0.50"] >= 0.98
    assert target.score([found], [labels])["ap50"] >= 0.98
    assert all(n // 100 == kind for n, kind in classes_by_object(found, labels).items())
    for kind in target.classes:  # Numbers of a class go from 1.
        own = np.unique(found[found // 100 == kind]) % 100
        assert own.tolist() == list(range(1, len(own) + 1))


def test_an_object_has_the_class_of_the_largest_sum_over_its_pixels():
    labels = np.where(disk((40, 40), (20, 20), 12), 101, 0)
    target = Rays(divisor=100, classes=(1, 2))
    values = target.encode(labels, shape=labels.shape).values
    values[-3:] = [[[0.9]], [[0.06]], [[0.04]]]  # Background does not count.
    assert np.unique(target.decode(values)).tolist() == [0, 101]
    values[-1, :18] = 0.3  # Fewer pixels, which are surer.
    assert np.unique(target.decode(values)).tolist() == [0, 201]


def test_without_classes_all_is_as_it_was():
    labels = of_classes((60, 70))
    plain, classed = Rays(), Rays(divisor=100, classes=(1, 3))
    assert plain.channels() == ("depth", *(f"ray {k}" for k in range(32)))
    one, other = (t.encode(labels, shape=labels.shape) for t in (plain, classed))
    assert np.array_equal(one.values, other.values[:33])
    assert np.array_equal(one.known, other.known[:33])
    objects = plain.decode(one.values)
    assert sorted(np.unique(objects)) == list(range(int(objects.max()) + 1))


def test_pixels_of_a_class_that_was_not_learned_have_no_weight_for_classes_alone():
    labels = np.array([[101, 101, 0, 201, 201, 0]])
    known = Rays(rays=8, divisor=100, classes=(1,)).encode(labels, shape=(1, 6)).known[:, 0]
    assert known[-2:].tolist() == [[1, 1, 1, 0, 0, 1]] * 2
    assert known[0].all()


@pytest.mark.parametrize("options", [{"classes": (1, 2)}, {"divisor": 100}, {"divisor": -1}])
def test_classes_without_a_divisor_and_the_other_way_round_are_refused(options):
    with pytest.raises(ParameterError, match="divisor"):
        Rays(**options)


def test_labels_of_another_divisor_are_refused():
    with pytest.raises(LabelError, match="divisor of 10 "):
        Rays.made_for(Facts(2, dict.fromkeys(range(0, 2000, 10), 1)), divisor=10)
