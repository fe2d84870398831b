"""Several clicks are answered by the colours on both sides, too."""

import numpy as np
import pytest
from tests.prompts.test_engines import overlap

from stroma.prompts.choosing import best
from stroma.prompts.colours import SIDE, Colours
from stroma.prompts.contract import checked
from stroma.prompts.graph import RECENT, REPLAYED, Graph
from stroma.prompts.seeds import Seeds


def flag(shape=(120, 160)):
    """Return an image (3, y, x) of a disc of many patches on a ground of others, and the disc."""
    y, x = np.indices(shape)
    disc = (y - 60) ** 2 + (x - 80) ** 2 < 30**2
    patches = np.random.default_rng(1).integers(0, 2, (20, 27))[y // 6, x // 6]
    ground = np.array([[0.2, 0.2, 0.9], [0.5, 0.5, 0.5]])[patches]
    object_ = np.array([[0.8, 0.2, 0.2], [0.2, 0.5, 0.2]])[patches]
    image = np.moveaxis(np.where(disc[..., None], object_, ground), -1, 0)
    noise = np.random.default_rng(0).normal(0, 0.03, image.shape)
    return (image + noise).astype(np.float32), disc


@pytest.fixture(scope="module")
def scene():
    image, disc = flag()
    engine = Graph()
    engine.set_image(image, rgb=True)
    return engine, disc


CLICKS = [[60, 65], [60, 95], [20, 30], [100, 140], [60, 70]]
ON = [1, 1, 0, 0, 1]


def test_an_object_of_many_patches_is_whole_after_three_clicks_and_stays_so(scene):
    engine, disc = scene
    found = [
        overlap(engine.predict(points=CLICKS[:n], labels=ON[:n])[0][0], disc) for n in range(3, 6)
    ]
    assert min(found) > 0.9, np.round(found, 2)


def test_an_answer_does_not_depend_on_what_was_asked_before(scene):
    engine, _ = scene
    first, score = engine.predict(points=CLICKS, labels=ON)
    other = Graph()
    other.set_embedding(engine.embedding())
    for n in (5, 3, 4, 5):
        masks, again = other.predict(points=CLICKS[:n], labels=ON[:n])
        masks_kept = masks.copy()
        masks[:] = False  # what was answered is the caller's
    np.testing.assert_array_equal(masks_kept, first)
    assert again == score
    assert 0 < score[0] <= 1


def test_more_clicks_than_follow_on_each_other_are_all_kept(scene):
    engine, disc = scene
    angles = np.linspace(0, 2 * np.pi, 10, endpoint=False)
    ring = np.stack([60 + 22 * np.sin(angles), 80 + 22 * np.cos(angles)], axis=1)
    wide = np.stack([60 + 45 * np.sin(angles), 80 + 45 * np.cos(angles)], axis=1)
    mask = engine.predict(points=np.concatenate([ring, wide]), labels=[1] * 10 + [0] * 10)[0][0]
    assert mask[tuple(np.rint(ring).astype(int).T)].all()
    assert not mask[tuple(np.rint(wide).astype(int).T)].any()
    assert overlap(mask, disc) > 0.9


def test_each_click_costs_one_answer_however_many_came_before(scene, monkeypatch):
    engine, _ = scene
    asked, around = [], Colours.around
    monkeypatch.setattr(Colours, "around", lambda *a, **k: asked.append(1) or around(*a, **k))
    angles = np.linspace(0, 2 * np.pi, REPLAYED + RECENT + 3, endpoint=False)
    points = np.stack([60 + 22 * np.sin(angles), 80 + 22 * np.cos(angles)], axis=1)
    points[0] = 10, 10  # beside the object, so that each is answered by colours
    for n in range(2, len(points) + 1):
        engine.predict(points=points[:n], labels=np.arange(n) > 0)
    assert len(asked) == 2 * (len(points) - 1)  # near the object, and all of the plane


def test_a_first_click_may_lie_beside(scene):
    engine, disc = scene
    mask = engine.predict(points=[[20, 30], [60, 65], [60, 95]], labels=[0, 1, 1])[0][0]
    assert not mask[20, 30]
    assert overlap(mask, disc) > 0.9


@pytest.mark.parametrize("channels", [1, 2, 3, 5])
@pytest.mark.parametrize("shape", [(3, 2), (40, 50), (400, 90)])
def test_any_channels_and_sizes_are_cut(channels, shape):
    values = np.random.default_rng(0).normal(0, 0.05, (channels, *shape)).astype(np.float32)
    truth = np.zeros(shape, bool)
    truth[shape[0] // 4 : shape[0] // 2 + 1, : shape[1] // 2] = True
    values[0, truth] += 1
    on, beside = np.argwhere(truth)[[0, -1]], np.argwhere(~truth)[[-1]]
    colours = Colours.around(values, truth, np.concatenate([on, beside]))
    assert max(colours.picture.shape[:2]) <= SIDE
    found = colours.onwards(on, beside, truth)
    assert found.shape == truth[colours.box].shape == colours.afresh(on, beside).shape
    assert overlap(found, truth[colours.box]) > 0.8


def test_an_even_image_keeps_the_clicks():
    engine = Graph()
    engine.set_image(np.ones((1, 30, 30)))
    mask = engine.predict(points=[[3, 3], [25, 25], [12, 3]], labels=[1, 0, 1])[0][0]
    assert mask[3, 3]
    assert mask[12, 3]
    assert not mask[25, 25]


def test_a_first_click_gets_what_has_its_colours_though_parts_of_it_have_edges(scene):
    """The ground is of patches, too, so that edges alone find one of them."""
    engine, disc = scene
    masks, scores = engine.predict(points=[[60, 80]])
    assert max(overlap(mask, disc) for mask in masks) > 0.8
    assert (np.diff(scores) <= 0).all()


@pytest.mark.parametrize(("column", "meant"), [(50, 0), (61, 1)])
def test_a_click_means_what_it_lies_in_the_middle_of(column, meant):
    """A nucleus lies in a cell, off its middle; both pixels are of both."""
    y, x = np.indices((100, 100))
    cell, nucleus = (y - 50) ** 2 + (x - 50) ** 2 < 900, (y - 50) ** 2 + (x - 61) ** 2 < 169
    image = cell + 0.8 * nucleus + np.random.default_rng(0).normal(0, 0.03, y.shape)
    engine = Graph()
    engine.set_image(image[None].astype(np.float32))
    first, second, *_ = engine.predict(points=[[50, column]])[0]
    assert overlap(first, (cell, nucleus)[meant]) > 0.95
    assert overlap(second, (cell, nucleus)[1 - meant]) > 0.95


def test_a_click_beside_an_object_takes_a_part_of_it_and_leaves_the_rest():
    """Two discs joined by a bridge as bright: one click takes both, the next takes one away."""
    y, x = np.indices((90, 160))
    left, right = ((y - 45) ** 2 + (x - c) ** 2 < 22**2 for c in (45, 110))
    bridge = (np.abs(y - 45) < 4) & (x > 60) & (x < 95)
    image = np.where(left | right | bridge, 1.0, 0.0)
    image += np.random.default_rng(0).normal(0, 0.03, y.shape)
    engine = Graph()
    engine.set_image(image[None].astype(np.float32))
    found, _ = engine.predict(points=[[45, 45], [45, 110]], labels=[1, 0])
    assert overlap(found[0], left) > 0.8


def test_the_likeliest_answer_is_that_whose_change_the_last_click_lies_in_the_middle_of():
    shape = (60, 60)
    before, whole, other = np.zeros((3, *shape), bool)
    before[20:40, 10:30] = True
    whole[20:40, 10:50] = True  # the click lies in the middle of what it adds
    other[20:55, 10:59] = True
    given = checked(shape, points=[[30, 20], [30, 39]], labels=[1, 1])
    engine = Graph()
    engine.set_image(np.zeros((1, *shape)))
    seeds = Seeds.of(given, engine._image()[0])
    lost = np.zeros(shape, bool)
    lost[18:42, 30:50] = True  # so does it here, but nothing is left of the object
    masks = [other, lost, whole]
    assert best(masks, [0, 0.5, 0], before, given, seeds) == 2
    assert best(masks, [9, 0, 0], before, given, seeds) == 0
