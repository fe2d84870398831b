"""Touching objects are parted where a class between them is probable."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as drawn
from hypothesis import strategies as st
from scipy import ndimage
from scipy.spatial import cKDTree

from stroma.data.image import Image
from stroma.errors import ParameterError, ShapeError
from stroma.objects.find import objects_of
from stroma.objects.finding import parting
from stroma.objects.finding.how import Finding

BODY, RIM = 1, 2


def touching(shape: tuple[int, ...], count: int, *, radius: float) -> np.ndarray:
    """Return discs or balls, numbered, that are flat where they touch each other."""
    random = np.random.default_rng(0)
    middles: list[np.ndarray] = []
    while len(middles) < count:
        one = random.uniform(radius / 2, np.array(shape) - radius / 2)
        if all(np.linalg.norm(one - other) > 1.1 * radius for other in middles):
            middles.append(one)
    far, nearest = cKDTree(middles).query(np.moveaxis(np.indices(shape), 0, -1))
    return np.where(far < radius, nearest + 1, 0)


def rims(truth: np.ndarray, *, outer: bool) -> np.ndarray:
    """Return the pixels of objects next to another; to the outside, too, where ``outer``."""
    low = truth if outer else np.where(truth > 0, truth, truth.max() + 1)
    changes = (ndimage.maximum_filter(truth, 3) != truth) | (ndimage.minimum_filter(low, 3) < truth)
    return (truth > 0) & changes


def classes(truth: np.ndarray, *, outer: bool, gaps: float = 0) -> np.ndarray:
    """Return bodies and rims as classes; a share of the pixels of rims is of bodies."""
    random = np.random.default_rng(1)
    rim = rims(truth, outer=outer) & (random.random(truth.shape) >= gaps)
    return np.where(rim, RIM, np.where(truth > 0, BODY, 0)).astype(np.uint8)


def overlap(found: np.ndarray, truth: np.ndarray) -> float:
    """Return the mean IoU of each true object with what covers most of it."""
    ious = []
    for number in range(1, truth.max() + 1):
        mask = truth == number
        best = found == max(1, np.bincount(found[mask], minlength=2)[1:].argmax() + 1)
        ious.append((mask & best).sum() / (mask | best).sum())
    return float(np.mean(ious))


PHANTOMS = {
    "plane": ((160, 160), 30, 15.0, 0.05),
    "volume": ((40, 52, 52), 8, 14.0, 0.05),
}


@pytest.mark.parametrize("outer", [False, True])
@pytest.mark.parametrize(("shape", "count", "radius", "gaps"), PHANTOMS.values(), ids=PHANTOMS)
def test_touching_objects_are_parted_along_a_class_with_gaps(shape, count, radius, gaps, outer):
    truth = touching(shape, count, radius=radius)
    given = classes(truth, outer=outer, gaps=gaps)
    together, alone = objects_of(given > 0), objects_of(given, label=BODY)
    found = objects_of(given, label=BODY, boundary=RIM)
    assert together.max() < count / 2
    assert overlap(together, truth) < overlap(found, truth)
    assert overlap(alone, truth) < overlap(found, truth) - 0.1
    assert count - 1 <= found.max() <= count
    assert overlap(found, truth) > 0.95


@pytest.mark.parametrize(("shape", "count", "radius", "_"), PHANTOMS.values(), ids=PHANTOMS)
def test_where_rims_are_hardly_more_than_probable_probabilities_part(shape, count, radius, _):
    truth, random = touching(shape, count, radius=radius), np.random.default_rng(2)
    rim, inside = (
        ndimage.gaussian_filter(one.astype(np.float32), 0.7)
        for one in (rims(truth, outer=False), truth > 0)
    )
    chance = np.clip(
        0.8 * rim / np.maximum(inside, 0.1) + random.normal(0, 0.1, shape), 0, 1
    ).astype(np.float32)
    both = np.stack([np.where(truth > 0, 1 - chance, 0), np.where(truth > 0, chance, 0)])
    axes = "c" + "zyx"[3 - len(shape) :]
    alone = objects_of(both, axes=axes, label=BODY)
    found = objects_of(both, axes=axes, label=BODY, boundary=RIM, rise=0.12)
    assert overlap(alone, truth) < 0.75
    assert found.max() == count
    assert overlap(found, truth) > 0.95
    mask, how = np.where(truth > 0, BODY, 0), {"label": BODY, "boundary": RIM, "rise": 0.12}
    known = objects_of(mask, **how, boundary_probability=both[1])
    assert known.max() == count
    assert overlap(known, truth) > 0.95


def test_with_necks_rims_of_which_half_is_missing_part() -> None:
    truth = touching((160, 160), 30, radius=15)
    given = classes(truth, outer=False, gaps=0.5)
    found = objects_of(given, label=BODY, boundary=RIM, split=1)
    assert overlap(objects_of(given, label=BODY, boundary=RIM), truth) < 0.8
    assert overlap(objects_of(given > 0, split=1), truth) < 0.8
    assert overlap(found, truth) > 0.9
    assert abs(int(found.max()) - 30) <= 3


def test_rims_of_one_pixel_part() -> None:
    truth = touching((160, 160), 30, radius=15)
    thin = rims(truth, outer=False) & (ndimage.maximum_filter(truth, 3) != truth)
    given = np.where(thin, RIM, np.where(truth > 0, BODY, 0))
    found = objects_of(given, label=BODY, boundary=RIM)
    assert found.max() == 30
    assert overlap(found, truth) > 0.9


def test_a_boundary_beside_no_object_is_none_and_no_object_is_lost() -> None:
    given = np.zeros((30, 40), np.uint8)
    given[5:15, 5:30] = BODY
    given[5:15, 17] = RIM
    given[20:25, 5:12] = RIM  # of nothing
    given[22, 30] = BODY  # one pixel, all around it boundary
    given[21:24, 29:32][given[21:24, 29:32] == 0] = RIM
    found = objects_of(given, label=BODY, boundary=RIM)
    assert found.max() == 3
    assert not found[20:25, 5:12].any()
    assert found[22, 30] == 3
    assert found[5, 5] != found[5, 29]
    assert (found > 0).sum() == 250 + 9


def test_pixels_that_share_a_corner_are_apart_where_sides_connect() -> None:
    given = np.zeros((12, 12), np.uint8)
    given[1:6, 1:6] = given[6:11, 6:11] = BODY
    assert objects_of(given, label=BODY, boundary=RIM, connectivity="side").max() == 2
    assert objects_of(given, label=BODY, boundary=RIM).max() == 1


def test_frames_size_core_and_border_hold_for_parted_objects() -> None:
    truth = touching((80, 80), 8, radius=14)
    given = classes(truth, outer=False)
    movie = objects_of(np.stack([given, given]), axes="tyx", label=BODY, boundary=RIM)
    single = objects_of(given, label=BODY, boundary=RIM)
    assert np.array_equal(movie, np.stack([single, single]))
    sizes = np.bincount(single.ravel())[1:]
    large = objects_of(given, label=BODY, boundary=RIM, min_size=float(np.median(sizes)))
    assert large.max() == (sizes >= np.median(sizes)).sum()
    inner = objects_of(given, label=BODY, boundary=RIM, border=False)
    assert 0 < inner.max() < single.max()
    assert not inner[[0, -1]].any()
    chance = np.zeros((2, 20, 40), np.float32)
    chance[0, 2:8, 2:20] = chance[0, 12:18, 2:20] = 0.6
    chance[0, 4, 4] = 0.9
    chance[:, 2:8, 11] = chance[:, 12:18, 11] = [[0.1], [0.8]]
    how = {"axes": "cyx", "label": BODY, "boundary": RIM}
    assert objects_of(chance, **how).max() == 4
    assert objects_of(chance, **how, core=0.8).max() == 2


def test_what_lacks_is_told() -> None:
    with pytest.raises(ParameterError, match="name both"):
        Finding(boundary=2)
    with pytest.raises(ParameterError, match="between 0 and 1"):
        Finding(rise=0)
    with pytest.raises(ParameterError, match="name both"):
        Finding(label=2, boundary=2)
    one = np.zeros((4, 4), np.float32)
    with pytest.raises(ShapeError, match="both classes"):
        objects_of(one, label=1, boundary=2)
    with pytest.raises(ParameterError, match="classes 1 to 2, not of 3"):
        objects_of(np.stack([one, one]), axes="cyx", label=1, boundary=3)
    with pytest.raises(ShapeError, match="name the class of objects"):
        objects_of(Image(np.stack([one, one]), "cyx"))
    with pytest.raises(ParameterError, match="have numbers already"):
        objects_of(np.ones((4, 4), int), label=1, boundary=2, numbered=True)
    with pytest.raises(ParameterError, match="goes with labels"):
        objects_of(one, boundary_probability=one)
    with pytest.raises(ShapeError, match="boundary_probability"):
        objects_of(np.ones((4, 4), int), label=1, boundary=2, boundary_probability=one[:2])


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@drawn(st.data())
def test_what_cannot_be_parted_is_left_as_if_each_were_looked_at_by_itself(data) -> None:
    axes = data.draw(st.sampled_from(["yx", "zyx"]))
    shape = tuple(data.draw(st.integers(1, 40 if axes == "yx" else 12)) for _ in axes)
    random = np.random.default_rng(data.draw(st.integers(0, 10**6)))
    blur = data.draw(st.sampled_from([0.4, 0.8, 1.5]))
    rough = ndimage.gaussian_filter(random.normal(size=shape), blur)
    given = np.where(rough > np.quantile(rough, 0.4), np.where(rough > 0.2, RIM, BODY), 0)
    how = {
        "split": data.draw(st.sampled_from([0, 0.5, 1.0, 1.3])),
        "min_size": data.draw(st.sampled_from([0, 1, 5])),
        "connectivity": data.draw(st.sampled_from(["corner", "side"])),
        "spacing": data.draw(st.sampled_from([(), (2.0, 1.0, 1.5)[-len(shape) :]])),
    }
    if data.draw(st.booleans()):
        how |= {"label": BODY, "boundary": RIM, "rise": data.draw(st.sampled_from([0.1, 0.3]))}
        how["boundary_probability"] = random.random(shape).astype(np.float32)
    found = objects_of(given, **how)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("too_thin", "_level"):
            patch.setattr(parting, name, lambda found, *_: np.zeros(len(found), bool))
        patch.setattr(parting, "one_hill", lambda _found, rows, *_: np.zeros(len(rows), bool))
        plain = objects_of(given, **how)
    assert np.array_equal(found, plain)


@pytest.mark.parametrize(
    "how", [{"split": 1}, {"label": 1, "boundary": 2}, {"label": 1, "boundary": 2, "split": 1}]
)
@pytest.mark.parametrize("side", [1, 2])
def test_specks_are_not_looked_at_one_by_one(monkeypatch, how, side) -> None:
    specks = np.zeros((80, 80), np.uint8)
    for y, x in np.ndindex(side, side):
        specks[y::4, x::4] = 1
    if "boundary" in how and "split" in how and side > 1:
        how = how | {"split": 2}

    def never(*_):
        raise AssertionError("one speck by itself")

    monkeypatch.setattr(parting, "cut", never)
    assert objects_of(specks, **how).max() == 400


def test_objects_that_are_left_out_as_too_small_are_not_parted(monkeypatch) -> None:
    given = classes(touching((160, 160), 30, radius=15.0), outer=False)
    seen, cut = [], parting.cut

    def counted(labels, code, box):
        seen.append(int((labels == code).sum()))
        return cut(labels, code, box)

    monkeypatch.setattr(parting, "cut", counted)
    for how in ({"label": BODY, "boundary": RIM}, {"split": 0.5}):
        seen.clear()
        objects_of(given, **how, min_size=200)
        assert seen
        assert min(seen) >= 200
