"""Engines for prompts: the contract, and what the one without download finds."""

import numpy as np
import pytest
from scipy import ndimage

from stroma.errors import ContractError, ImageError, ParameterError, ShapeError
from stroma.prompts import ENGINES
from stroma.prompts.contract import checked
from stroma.prompts.graph import Graph
from stroma.testing import check_prompted


def ellipses(shape=(96, 120), count=12, seed=0):
    """Return an image (1, y, x) of bright ellipses that do not touch, and their numbers."""
    rng = np.random.default_rng(seed)
    labels = np.zeros(shape, int)
    grid = np.indices(shape)
    while labels.max() < count:
        centre, axes = rng.uniform(12, np.array(shape) - 12), rng.uniform(5, 10, 2)
        away = (grid - centre[:, None, None]) / axes[:, None, None]
        inside = (away**2).sum(0) < 1
        if not labels[ndimage.binary_dilation(inside, iterations=2)].any():
            labels[inside] = labels.max() + 1
    values = rng.uniform(0.5, 1, count + 1)[labels] * (labels > 0)
    image = ndimage.gaussian_filter(values, 0.8) + rng.normal(0, 0.05, shape)
    return image[None].astype(np.float32), labels


def overlap(found, truth):
    return (found & truth).sum() / (found | truth).sum()


@pytest.fixture(scope="module")
def scene():
    image, labels = ellipses()
    engine = Graph()
    engine.set_image(image)
    return engine, labels


@pytest.mark.parametrize("name", ["graph", "carve"])
def test_an_engine_keeps_the_contract(name):
    check_prompted(ENGINES[name])


def test_what_is_carved_is_bounded_all_around(scene):
    _, labels = scene
    engine = ENGINES["carve"]()
    engine.set_image(ellipses()[0])
    overlaps = []
    for number in range(1, labels.max() + 1):
        rows, columns = np.nonzero(labels == number)
        masks, scores = engine.predict(points=[[rows.mean(), columns.mean()]])
        overlaps.append(overlap(masks[0], labels == number))
        assert 0 < scores[0] <= 1
    assert np.median(overlaps) > 0.7


def test_a_mask_alone_says_where_to_carve(scene):
    _, labels = scene
    engine = ENGINES["carve"]()
    engine.set_image(ellipses()[0])
    truth = labels == 1
    [found], _ = engine.predict(mask=ndimage.binary_erosion(truth, iterations=2))
    assert overlap(found, truth) > 0.6


class Forgetful(Graph):
    def predict(self, **prompts):
        masks, scores = super().predict(**prompts)
        return np.zeros_like(masks), scores


def test_a_click_that_is_not_in_its_mask_breaks_the_contract():
    with pytest.raises(ContractError, match="not in the mask"):
        check_prompted(Forgetful)


def test_one_click_finds_each_object(scene):
    engine, labels = scene
    found = []
    for number, middle in enumerate(ndimage.center_of_mass(labels > 0, labels, range(1, 13)), 1):
        masks, _ = engine.predict(points=[middle])
        found.append(overlap(masks[0], labels == number))
    assert np.mean(np.array(found) >= 0.8) >= 0.9, np.round(found, 2)


def test_a_box_finds_each_object(scene):
    engine, labels = scene
    found = []
    for number, (y, x) in enumerate(ndimage.find_objects(labels), 1):
        box = [y.start - 2, x.start - 2, y.stop + 1, x.stop + 1]
        found.append(overlap(engine.predict(boxes=[box])[0][0], labels == number))
    assert min(found) >= 0.7, np.round(found, 2)


def test_a_click_elsewhere_adds_and_a_click_beside_takes_away(scene):
    engine, labels = scene
    first, second = ndimage.center_of_mass(labels > 0, labels, [1, 2])
    one = engine.predict(points=[first])[0][0]
    both = engine.predict(points=[first, second])[0][0]
    again = engine.predict(points=[first, second], labels=[1, 0])[0][0]
    assert overlap(both, (labels == 1) | (labels == 2)) > 0.7
    assert overlap(again, one) > 0.8


def test_a_click_in_a_volume_finds_a_ball():
    grid = np.indices((16, 32, 32)) - np.array([8, 15, 16])[:, None, None, None]
    ball = (grid**2).sum(0) < 49
    image = ball + np.random.default_rng(0).normal(0, 0.05, ball.shape)
    engine = Graph()
    engine.set_image(image[None])
    assert overlap(engine.predict(points=[[8, 15, 16]])[0][0], ball) > 0.8


def test_the_answer_to_colours_does_not_depend_on_their_range():
    image, labels = ellipses(count=3)
    rgb = np.repeat(np.clip(image, 0, 1.2), 3, 0)
    middle = ndimage.center_of_mass(labels == 1)
    answers = []
    for factor in (1, 200):
        engine = Graph()
        engine.set_image(rgb * factor, rgb=True)
        answers.append(engine.predict(points=[middle])[0][0])
    assert overlap(*answers) > 0.95
    assert overlap(answers[0], labels == 1) > 0.8


@pytest.mark.parametrize(
    "image", [np.zeros((1, 20, 30)), np.ones((2, 1, 1)), np.ones((1, 1, 9, 9))]
)
def test_an_image_without_edges_gives_a_mask_with_the_click(image):
    engine = Graph()
    engine.set_image(image)
    place = (0,) * (image.ndim - 1)
    assert engine.predict(points=[place])[0][0][place]


def test_values_that_are_no_numbers_are_told():
    with pytest.raises(ImageError, match="NaN or infinite"):
        Graph().set_image(np.full((1, 9, 9), np.nan))


def test_strokes_part_what_touches():
    image = np.zeros((1, 40, 60), np.float32)
    image[:, 10:30, 10:50] = 1
    strokes = np.zeros((40, 60), np.uint8)
    strokes[12:28, 15], strokes[12:28, 45] = 1, 2
    engine = Graph()
    engine.set_image(image + np.random.default_rng(0).normal(0, 0.03, image.shape))
    mask = engine.predict(strokes=strokes)[0][0]
    assert mask[strokes == 1].all()
    assert not mask[strokes == 2].any()


@pytest.mark.parametrize(
    ("prompts", "error", "match"),
    [
        ({}, ParameterError, "Nothing says where"),
        ({"points": [[1, 1]], "labels": [0]}, ParameterError, "Nothing says where"),
        ({"points": [[1, 1, 1]]}, ShapeError, "2 numbers each"),
        ({"points": [[1, 40]]}, ParameterError, "lie in the image, which is 20 x 30"),
        ({"points": [[1, float("nan")]]}, ParameterError, "finite"),
        ({"points": [["a", 1]]}, ParameterError, "are numbers"),
        ({"points": [[1, 1]], "labels": [1, 1]}, ShapeError, "1 points and 2 labels"),
        ({"points": [[1, 1]], "labels": [3]}, ParameterError, "1 on the object and 0 beside"),
        ({"boxes": [[1, 2, 3]]}, ShapeError, "4 numbers|numbers each"),
        ({"mask": np.ones((3, 3))}, ShapeError, "differ"),
        ({"strokes": np.full((20, 30), 7)}, ParameterError, "up to 7"),
    ],
)
def test_wrong_prompts_are_told(prompts, error, match):
    with pytest.raises(error, match=match):
        checked((20, 30), **prompts)
