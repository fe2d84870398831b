"""Classes of objects are learnt from a few labelled ones."""

from __future__ import annotations

import numpy as np
import pytest

from stroma.data.classes import Class
from stroma.data.objects import ObjectTable, stacked
from stroma.errors import FormatError, LabelError, NotTrainedError, ShapeError, UnknownNameError
from stroma.objects.classes import ObjectClassifier, features_of
from stroma.objects.telling import telling


def table(n: int = 60, seed: int = 0) -> tuple[ObjectTable, np.ndarray]:
    """Return small and large objects, and which of the two they are."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(1, 3, n)
    area = rng.normal(np.where(truth == 1, 100, 300), 20)
    noise = rng.normal(size=n)
    noise[3] = np.nan
    columns = {"label": np.arange(1, n + 1), "top": area, "area_px": area, "ring_mean": noise}
    return ObjectTable(columns), truth


def five_each(truth: np.ndarray) -> np.ndarray:
    labels = np.zeros(len(truth), int)
    for cls in np.unique(truth):
        labels[np.flatnonzero(truth == cls)[:5]] = cls
    return labels


@pytest.mark.parametrize("kind", ["ensemble", "forest", "logistic"])
def test_ten_labelled_objects_class_the_others(kind) -> None:
    measured, truth = table()
    labels = five_each(truth)
    fitted = ObjectClassifier(kind).fit(measured, labels)
    assert fitted.columns_ == ("area_px", "ring_mean")
    assert (fitted.predict(measured) == truth).mean() >= 0.95
    chance = fitted.predict_proba(measured)
    assert chance.shape == (60, 2)
    assert np.allclose(chance.sum(axis=1), 1, atol=1e-5)


def test_leaving_one_out_tells_what_can_be_learnt_from_what_cannot() -> None:
    measured, truth = table()
    labels = five_each(truth)
    own = ObjectClassifier("logistic")
    assert own.leave_one_out(measured, labels) == 1
    chance = ObjectClassifier("logistic", ["ring_mean"])
    assert chance.leave_one_out(measured, labels) < 0.9
    alone = {1: int(truth[0]), int(np.flatnonzero(truth != truth[0])[0]) + 1: 3}
    assert np.isnan(own.leave_one_out(measured, alone))
    assert own.leave_one_out(measured, truth) > 0.9


def test_the_next_to_label_is_the_least_sure_that_is_free() -> None:
    measured, truth = table()
    labels = five_each(truth)
    fitted = ObjectClassifier("logistic").fit(measured, labels)
    order = fitted.next_to_label(measured, labels, count=60)
    assert len(order) == 50
    assert not labels[order].any()
    unsure = fitted.uncertainty(measured)
    assert unsure[order[0]] == unsure[labels == 0].max()
    assert unsure.min() >= 0
    assert unsure.max() <= 1


def test_several_images_share_one_classifier() -> None:
    (a, y), (b, z) = table(seed=1), table(seed=2)
    both = ObjectClassifier("forest").fit([a, b], [five_each(y), five_each(z)])
    joined = ObjectClassifier("forest").fit(
        stacked([a, b]), np.concatenate([five_each(y), five_each(z)])
    )
    assert np.array_equal(both.predict_proba(b), joined.predict_proba(b))


def test_a_stored_classifier_says_the_same() -> None:
    measured, truth = table()
    names = (Class(1, "small"), Class(2, "large"))
    fitted = ObjectClassifier(classes=names).fit(measured, five_each(truth))
    again = ObjectClassifier.from_state(fitted.state())
    assert np.array_equal(again.predict_proba(measured), fitted.predict_proba(measured))
    classed = again.classed(measured)
    assert set(classed["class_name"]) == {"small", "large"}
    assert again.fit(classed, five_each(truth)).columns_ == ("area_px", "ring_mean")
    for damage in ({"usual": np.zeros(1)}, {"columns": ["area_px"]}, {"arrays": {}}):
        with pytest.raises(FormatError):
            ObjectClassifier.from_state({**fitted.state(), **damage})


def test_columns_in_pixels_are_left_out_where_there_are_those_in_micrometres() -> None:
    one = np.ones(2)
    names = ("area_px", "area_um2", "feret_px", "surface_px2", "surface_um2", "orientation_rad")
    assert features_of(ObjectTable({"label": one, **dict.fromkeys(names, one)})) == (
        "area_um2",
        "feret_px",
        "surface_um2",
    )


def test_wrong_labels_are_told() -> None:
    measured, truth = table()
    own = ObjectClassifier()
    with pytest.raises(LabelError, match="two classes"):
        own.fit(measured, {1: 1, 2: 1})
    with pytest.raises(LabelError, match="No object has the number 77"):
        own.fit(measured, {77: 1})
    with pytest.raises(ShapeError, match="each of 60 objects"):
        own.fit(measured, truth[:5])
    with pytest.raises(NotTrainedError, match="Label one of each class"):
        own.predict(measured)
    with pytest.raises(UnknownNameError, match="Did you mean 'area_px'"):
        ObjectClassifier(columns=["area_p"]).fit(measured, truth)
    with pytest.raises(ShapeError, match="columns of one length"):
        ObjectTable({"label": np.zeros(2), "a": np.zeros(3)})


def test_few_labelled_objects_choose_the_columns_that_tell_them_apart() -> None:
    random = np.random.default_rng(0)
    truth = np.repeat([1, 2], 60)
    columns = {f"noise_{i}": random.normal(size=120) for i in range(40)}
    columns |= {f"meant_{i}": truth + random.normal(0, 0.1, 120) for i in range(2)}
    table = ObjectTable({"label": np.arange(1, 121), **columns})
    labels = np.where(np.isin(np.arange(120), [0, 1, 2, 3, 4, 60, 61, 62, 63, 64]), truth, 0)
    fitted = ObjectClassifier().fit(table, labels)
    assert {"meant_0", "meant_1"} <= set(fitted.columns_)
    assert len(fitted.columns_) == 5
    assert (fitted.predict(table) == truth).mean() > 0.95
    assert len(ObjectClassifier().fit(table, truth).columns_) == 42


@pytest.mark.parametrize(("first", "second", "few"), [(1, 1, False), (1, 4, False), (1, 5, True)])
def test_columns_are_chosen_from_six_labelled_objects_on_whatever_their_classes(
    first: int, second: int, few: bool
) -> None:
    random = np.random.default_rng(0)
    y = np.r_[np.repeat(1, first), np.repeat(2, second), np.zeros(30, int)]
    X = random.normal(size=(len(y), 20))
    X[y == 2, 7] += 20
    chosen = telling(X, y).tolist()
    assert 7 in chosen
    assert len(chosen) == (4 if few else 20)


def test_every_pair_of_classes_has_columns_of_its_own() -> None:
    random = np.random.default_rng(0)
    y = np.repeat([1, 2, 3, 0], 5)
    X = random.normal(size=(20, 30))
    X[y == 1, 3] += 20
    X[y == 2, 11] += 20
    chosen = telling(X, y)
    assert {3, 11} <= set(chosen.tolist())
    assert sorted(chosen.tolist()) == chosen.tolist()
    assert len(chosen) < 16


def test_columns_do_not_depend_on_how_they_are_scaled() -> None:
    random = np.random.default_rng(0)
    X, y = np.exp(random.normal(size=(60, 12))), np.r_[np.repeat([1, 2], 5), np.zeros(50, int)]
    assert telling(X, y).tolist() == telling(np.log(X) * 7 + 3, y).tolist()
