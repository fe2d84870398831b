"""Several clicks are answered by the colours on both sides, too."""

import numpy as np
import pytest
from tests.prompts.test_engines import overlap

from stroma.prompts.colours import SIDE, Colours
from stroma.prompts.graph import RECENT, REPLAYED, Graph


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
    monkeypatch.setattr(Colours, "around", lambda *args: asked.append(1) or around(*args))
    angles = np.linspace(0, 2 * np.pi, REPLAYED + RECENT + 3, endpoint=False)
    points = np.stack([60 + 22 * np.sin(angles), 80 + 22 * np.cos(angles)], axis=1)
    points[0] = 10, 10  # beside the object, so that each is answered by colours
    for n in range(2, len(points) + 1):
        engine.predict(points=points[:n], labels=np.arange(n) > 0)
    assert len(asked) == len(points) - 1


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
