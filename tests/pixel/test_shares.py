"""How much a network has to say beside filters is told by strokes that were left out."""

from itertools import permutations

import numpy as np
import pytest

from stroma import ConvpaintModel
from stroma.classify.families import FamilyEnsemble
from stroma.pixel.door import labelled_points, open_image
from stroma.pixel.guidance.validate import validate
from stroma.pixel.training.learn import Labelled
from stroma.pixel.training.pieces import pieces
from stroma.pixel.training.shares import weighed

SIDE = 12
"""Pixels between the strokes of `drawn`, more than lie within one of its cells."""


def drawn(useful, *, strokes=8, classes=2, seed=0):
    """Return features, labels and places of short strokes, and where the networks begin.

    Of three families with three features each, one tells the classes apart in every stroke; the
    others tell strokes apart, whatever their class is.
    """
    rng = np.random.default_rng(seed)
    stroke = np.repeat(np.arange(strokes * classes), 10)
    y = (stroke % classes + 1).astype(np.uint16)
    X = 3 * rng.normal(size=(strokes * classes, 9))[stroke] + rng.normal(size=(len(y), 9))
    own = slice(3 * useful, 3 * useful + 3)
    X[:, own] = 2.0 * y[:, None] + rng.normal(size=(len(y), 3))
    at = np.column_stack(
        [np.zeros((len(y), 2), int), 5 * SIDE * stroke, np.tile(range(10), y.size // 10)]
    )
    return X.astype(np.float32), y, at.astype(np.int32), (3, 6)


def shares(X, y, places, ends):
    return weighed(FamilyEnsemble(), X, y, places, ends).shares


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("useful", [0, 1, 2])
def test_the_network_that_tells_left_out_strokes_apart_has_a_say(useful, classes):
    X, y, at, ends = drawn(useful, classes=classes)
    found = shares(X, y, [(at, len(y))], ends)
    assert sum(found) == pytest.approx(1)
    assert found[0] >= 1 / 2
    assert np.argmax(found) == 0 if useful == 0 else found[useful] >= 1 / 3


def test_features_that_know_strokes_but_no_classes_have_no_say():
    """Fitted to all strokes they tell every pixel, of strokes not seen they know nothing."""
    X, y, at, _ = drawn(0)
    stroke = at[:, 2] // (5 * SIDE)
    noise = np.random.default_rng(1).normal(size=(len(y), 3))
    X = np.column_stack([noise, 5 * np.eye(stroke.max() + 1)[stroke]]).astype(np.float32)
    assert shares(X, y, [(at, len(y))], (3,)) == (1, 0)


def test_shares_do_not_depend_on_the_order_of_pixels_or_images():
    X, y, at, ends = drawn(1, strokes=12, seed=3)
    X[:, :3] += y[:, None]
    thirds = np.array_split(np.arange(len(y)), 3)
    images = [(X[i], y[i], at[i] - [0, 0, at[i[0], 2], 0]) for i in thirds]
    found = set()
    for order in permutations(images):
        rows = [np.concatenate(part) for part in zip(*order, strict=True)]
        found.add(shares(rows[0], rows[1], [(o[2], len(o[1])) for o in order], ends))
    mixed_up = [np.random.default_rng(2).permutation(len(one[1])) for one in images]
    order = [tuple(part[p] for part in one) for one, p in zip(images, mixed_up, strict=True)]
    rows = [np.concatenate(part) for part in zip(*order, strict=True)]
    found.add(shares(rows[0], rows[1], [(o[2], len(o[1])) for o in order], ends))
    assert len(found) == 1


def test_filters_decide_alone_where_no_two_classes_have_strokes_to_leave_out():
    X, y, at, ends = drawn(1)
    one_of_each = np.concatenate([np.flatnonzero(y == 1)[:10], np.flatnonzero(y == 2)[:10]])
    one_of_one = np.concatenate([np.flatnonzero(y == 1)[:10], np.flatnonzero(y == 2)])
    for few in (one_of_each, one_of_one):
        assert shares(X[few], y[few], [(at[few], len(few))], ends) == ()
    assert shares(X, y, [(None, len(y))], ends) == ()
    assert shares(X, y, [(at, len(y))], ()) == ()


def test_strokes_without_which_all_pixels_are_alike_leave_filters_alone():
    X, y, at, ends = drawn(1, strokes=2)
    X[at[:, 2] > at[:, 2].min()] = 1
    assert shares(X, y, [(at, len(y))], ends) == ()


def test_near_strokes_are_one_piece_and_long_ones_several():
    near = [(0, 0, 10, x) for x in range(10)] + [(0, 0, 18, x) for x in range(10)]
    long = [(0, 0, 100, x) for x in range(96)]
    plane = [(1, 0, 10, x) for x in range(10)]
    at = np.array(near + long + plane)
    found = pieces(at, np.ones(len(at), np.uint16))
    assert len(set(found[:20])) == 1
    assert [len(set(found[20:][i : i + 48])) for i in (0, 48)] == [1, 1]
    assert len(set(found)) == 4
    other = np.where(np.arange(len(at)) < 10, 2, 1)
    assert len(set(pieces(at, other))) == 5


def test_a_stroke_through_a_volume_is_one_piece():
    along_z = np.array([(0, z, 5, 5) for z in range(40)])
    assert len(set(pieces(along_z, np.ones(40, np.uint16)))) == 1


def textured(seed=0, size=128):
    """Return an image of two textures of the same mean, with strokes on either side."""
    rng = np.random.default_rng(seed)
    fine, coarse = rng.normal(size=(size, size)), rng.normal(size=(size // 4, size // 4))
    coarse = np.kron(coarse, np.ones((4, 4)))
    image = np.where(np.arange(size) < size // 2, fine, coarse).astype(np.float32)
    strokes = np.zeros(image.shape, np.uint8)
    for top in range(4, size - 8, 24):
        strokes[top : top + 4, 8:40], strokes[top : top + 4, 80:112] = 1, 2
    return image, strokes


def model(name="gaussian_features+strokenet"):
    return ConvpaintModel(fe_name=name, clf="families")


def test_a_network_that_helps_has_a_say_that_is_saved_with_the_model(tmp_path):
    image, strokes = textured()
    one = model()
    one.train(image, strokes)
    assert one.classifier.shares[1] > 0
    one.save(tmp_path / "model.pkl")
    again = ConvpaintModel(model_path=tmp_path / "model.pkl")
    assert again.classifier.shares == one.classifier.shares
    assert again.shares_ == dict(
        zip(("gaussian_features", "strokenet"), one.classifier.shares, strict=True)
    )
    np.testing.assert_array_equal(one.predict_probas(image), again.predict_probas(image))


def test_families_part_where_a_network_begins():
    image, strokes = textured()
    ends = {}
    for name in ("gaussian_features+strokenet", "strokenet", "gaussian_features"):
        one = model(name)
        one.train(image, strokes)
        ends[name] = one.classifier.ends
        assert list(one.shares_) == name.split("+")
    assert ends == {"gaussian_features+strokenet": (1,), "strokenet": (), "gaussian_features": ()}


def test_a_model_taught_image_by_image_equals_one_trained_afresh(tmp_path):
    images = {f"{seed}": textured(seed) for seed in range(3)}
    fresh = model()
    fresh.train(*zip(*images.values(), strict=True), memory_mode=True, img_ids=list(images))
    grown = model()
    for key in ("2", "0", "1"):
        image, strokes = images[key]
        half = np.where(np.arange(128)[:, None] < 60, strokes, 0)
        grown.train(image, half, memory_mode=True, img_ids=key)
        grown.train(image, strokes, memory_mode=True, img_ids=key)
        grown.save(tmp_path / "model.pkl")
        grown = ConvpaintModel(model_path=tmp_path / "model.pkl")
    assert fresh.classifier.shares == grown.classifier.shares != ()
    image = images["0"][0]
    np.testing.assert_array_equal(fresh.predict_probas(image), grown.predict_probas(image))


def test_families_are_validated_as_they_are_trained(monkeypatch):
    image, strokes = textured()
    source = open_image(image, "single")
    given = {"image": Labelled(source, labelled_points(strokes, source))}
    one, told = model(), []
    one.train(image, strokes)

    def noting(*given):
        told.append(weighed(*given))
        return told[-1]

    monkeypatch.setattr("stroma.pixel.guidance.validate.weighed", noting)
    validate(given, one.get_params(), one.cache)
    assert [found.shares for found in told] == [one.classifier.shares]


def test_other_classifiers_have_no_families():
    image, strokes = textured()
    one = ConvpaintModel(fe_name="gaussian_features", clf="ensemble")
    one.train(image, strokes)
    assert one.shares_ == {}
