"""What every classifier promises, and equality with the libraries that fit them."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from threading import Barrier

import numpy as np
import pytest
from catboost import CatBoostClassifier, CatBoostError
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_info

from stroma.classify import CLASSIFIERS
from stroma.classify.catboost import CatBoost, _quantised
from stroma.classify.ensemble import Ensemble
from stroma.classify.families import FamilyEnsemble
from stroma.classify.forest import Forest
from stroma.classify.logistic import Logistic
from stroma.errors import FitError, FormatError, NotTrainedError, ParameterError, ShapeError

SMALL = {
    "catboost": CatBoost(iterations=12, depth=4),
    "forest": Forest(n_estimators=8, n_jobs=1),
    "logistic": Logistic(),
    "ensemble": Ensemble(n_estimators=8),
    "families": FamilyEnsemble(ends=(4,), shares=(0.625, 0.375)),
}
LABELS = (3, 40, 999, 65535)


def blobs(n, classes, *, features=7, seed=0):
    """Return n rows with one cloud per class; the last feature is constant."""
    rng = np.random.default_rng(seed)
    codes = np.arange(n) % classes
    X = rng.normal(size=(n, features)) + codes[:, None] * np.linspace(0, 1.5, features)
    X[:, -1] = 4.0
    return X.astype(np.float32), np.array(LABELS, np.uint16)[codes]


def library(name, classifier):
    if name == "catboost":
        options = {**classifier.options(), "rsm": 1.0}  # there are fewer than ten features here
        return OnOurBorders(**options, allow_writing_files=False, silent=True)
    if name == "forest":
        options = classifier.params()
        kind = ExtraTreesClassifier if options.pop("random_splits") else RandomForestClassifier
        return kind(bootstrap=True, **options)
    if name == "ensemble":
        return Mean(classifier)
    if name == "families":
        return WithAndWithout(classifier)
    return make_pipeline(
        StandardScaler(), LogisticRegression(class_weight="balanced", **classifier.params())
    )


class OnOurBorders(CatBoostClassifier):
    """The library, with the borders that we choose."""

    def fit(self, X, y):
        codes = np.unique(y, return_inverse=True)[1]
        pool = _quantised(np.asarray(X, np.float32), codes, self.get_params()["border_count"])
        return super().fit(pool)


class Mean:
    """The ensemble by hand: the mean of what the library says of its two members.

    The linear one has less to say the fewer rows of its own it tells beyond guessing. Where it has
    less than half of what it could have, splits are searched for in a third as many trees.
    """

    def __init__(self, classifier):
        self.classifier = classifier

    def fit(self, X, y):
        trees, linear = self.classifier._blank()
        linear = library("logistic", linear).fit(X, y)
        told = balanced_accuracy_score(y, linear.predict(X), adjusted=True)
        self.share = np.interp(told, [0.25, 0.5], [0.0, 0.5])
        if self.share < 0.25:
            trees = replace(trees, random_splits=False, n_estimators=-(-trees.n_estimators // 3))
        forest = library("forest", trees)
        forest.set_params(max_samples=min(len(X), max(50, round(0.3 * len(X)))))
        self.members = [forest.fit(X, y), linear]
        return self

    def predict_proba(self, X):
        said = [member.predict_proba(X) for member in self.members]
        return np.average(said, axis=0, weights=[1 - self.share, self.share])


class WithAndWithout:
    """Two ensembles by hand, of which one sees the first features only."""

    def __init__(self, classifier):
        self.end, self.shares = classifier.ends[0], classifier.shares
        self.members = [Mean(Ensemble()), Mean(Ensemble())]

    def fit(self, X, y):
        self.members[0].fit(X[:, : self.end], y)
        self.members[1].fit(X, y)
        return self

    def predict_proba(self, X):
        seen = X[:, : self.end], X
        said = [m.predict_proba(x) for m, x in zip(self.members, seen, strict=True)]
        return np.average(said, axis=0, weights=self.shares)


@pytest.fixture(params=SMALL)
def name(request):
    return request.param


@pytest.fixture
def classifier(name):
    return SMALL[name]


def test_every_registered_classifier_is_tested_here():
    assert set(SMALL) == set(CLASSIFIERS.paths)
    assert all(type(SMALL[name]) is CLASSIFIERS[name] for name in SMALL)


@pytest.mark.parametrize("classes", [2, 3, 4])
def test_probabilities_equal_those_of_the_library(name, classifier, classes):
    X, y = blobs(300, classes)
    new, _ = blobs(500, classes, seed=1)
    expected = library(name, classifier).fit(X.astype(float), y).predict_proba(new)
    mine = classifier.fit(X, y).predict_proba(new)
    assert mine.dtype == np.float32
    np.testing.assert_allclose(mine, expected, atol=1e-6)


def trees_of(classifier, classes):
    """Return how many trees are fitted to two rows of each of many classes."""
    y = np.arange(2 * classes) % classes
    X = np.random.default_rng(0).normal(size=(len(y), 7)).astype(np.float32)
    X[:, 0] += y
    arrays = classifier.fit(X, y).arrays()
    starts = [len(arrays[k]) - 1 for k in arrays if k.rpartition(".")[2] == "first"]
    return max([*starts, *(len(arrays[k]) for k in arrays if k == "border")], default=0)


@pytest.mark.parametrize(
    "many",
    [
        CatBoost(iterations=20, depth=1),
        Forest(n_estimators=20, n_jobs=1),
    ],
    ids=["catboost", "forest"],
)
def test_many_classes_have_fewer_trees(many):
    assert trees_of(many, 64) == 20
    assert trees_of(many, 128) == 10
    assert trees_of(many, 200) == 8


def test_many_classes_have_fewer_steps(caplog):
    y = np.arange(256) % 128
    X = np.random.default_rng(0).normal(size=(256, 5)).astype(np.float32)
    caplog.set_level("INFO", "stroma.classify.logistic")
    Logistic(C=1e6, max_iter=140).fit(X, y)
    assert "stopped after 70 steps" in caplog.text


def test_trees_that_decide_alone_are_those_of_the_library():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(900, 4)).astype(np.float32)
    y = 1 + (np.abs(X[:, 0]) < 0.5)  # a band, which no straight line parts
    expected = library("ensemble", Ensemble()).fit(X.astype(float), y)
    assert expected.share < 0.25
    assert len(expected.members[0].estimators_) == 10
    fitted = Ensemble().fit(X, y)
    np.testing.assert_allclose(fitted.predict_proba(X), expected.predict_proba(X), atol=1e-6)


@pytest.mark.parametrize("classes", [2, 3])
def test_values_on_a_threshold_go_where_the_library_sends_them(name, classifier, classes):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 4, (200, 3)).astype(np.float32) / 3
    y = np.minimum(X.sum(axis=1).astype(int), classes - 1)
    fitted = classifier.fit(X, y)
    trees = getattr(fitted, "learned_", None)
    cuts = getattr(trees, "border", getattr(trees, "threshold", X)).ravel()
    cuts = cuts[np.isfinite(cuts)]
    around = np.concatenate([cuts, np.nextafter(cuts, np.float32(-9)), np.nextafter(cuts, 9)])
    new = rng.choice(around, (400, 3)).astype(np.float32)
    expected = library(name, classifier).fit(X.astype(float), y).predict_proba(new)
    np.testing.assert_allclose(fitted.predict_proba(new), expected, atol=1e-6)


def test_classes_are_the_labels_and_probabilities_add_up(classifier):
    X, y = blobs(100, 4)
    fitted = classifier.fit(X, y)
    assert fitted.classes_.tolist() == list(LABELS)
    assert fitted.classes_.dtype == np.int64
    assert fitted.n_features_in_ == 7
    np.testing.assert_allclose(fitted.predict_proba(X).sum(axis=1), 1, atol=1e-6)


def test_clear_classes_are_learnt(classifier):
    X, y = blobs(200, 3)
    X[:, 2] += 8 * np.searchsorted(LABELS, y)
    fitted = classifier.fit(X, y)
    found = fitted.classes_[fitted.predict_proba(X).argmax(axis=1)]
    assert (found == y).mean() > 0.95


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_other_float_types_are_taken_as_float32(classifier, dtype):
    X, y = blobs(100, 2)
    fitted = classifier.fit(X.astype(dtype), y)
    expected = fitted.predict_proba(X.astype(dtype).astype(np.float32))
    np.testing.assert_array_equal(fitted.predict_proba(X.astype(dtype)), expected)


def test_rows_of_any_memory_layout_give_the_same(classifier):
    X, y = blobs(60, 3)
    fitted = classifier.fit(X, y)
    expected = fitted.predict_proba(X)
    np.testing.assert_array_equal(fitted.predict_proba(np.asfortranarray(X)), expected)
    np.testing.assert_array_equal(fitted.predict_proba(X[::-2]), expected[::-2])
    assert fitted.predict_proba(X[:0]).shape == (0, 3)


def test_importances_are_shares_and_name_the_useful_feature(classifier):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 5)).astype(np.float32)
    fitted = classifier.fit(X, 1 + (X[:, 3] > 0))
    importances = fitted.feature_importances_
    assert importances.shape == (5,)
    assert importances.sum() == pytest.approx(1)
    assert importances.argmax() == 3


def test_features_of_families_count_for_every_ensemble_that_sees_them():
    X, y = blobs(200, 2)
    fitted = FamilyEnsemble(ends=(2, 5), shares=(0.5, 0, 0.5)).fit(X, y)
    own = [0, 1, 5, 6]
    first, last = Ensemble().fit(X[:, :2], y), Ensemble().fit(X[:, own], y)
    expected = np.zeros(7)
    expected[:2] += first.feature_importances_ / 2
    expected[own] += last.feature_importances_ / 2
    np.testing.assert_allclose(fitted.feature_importances_, expected, atol=1e-6)


def test_families_without_a_say_are_neither_fitted_nor_stored():
    X, y = blobs(200, 2)
    fitted = FamilyEnsemble(ends=(2, 5), shares=(0, 0, 1)).fit(X, y)
    assert len(fitted.learned_.members) == 1
    assert not [name for name in fitted.arrays() if name.startswith(("first.", "every."))]
    again = FamilyEnsemble.from_arrays(fitted.params(), fitted.arrays())
    assert again.learned_.shares == (0, 0, 1)
    np.testing.assert_array_equal(fitted.predict_proba(X), again.predict_proba(X))


def test_the_first_family_decides_alone_unless_shares_are_given():
    X, y = blobs(200, 2)
    expected = Ensemble().fit(X[:, :4], y).predict_proba(X[:, :4])
    np.testing.assert_array_equal(FamilyEnsemble(ends=(4,)).fit(X, y).predict_proba(X), expected)
    whole = FamilyEnsemble().fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(whole, Ensemble().fit(X, y).predict_proba(X))


@pytest.mark.parametrize("first", [3, 7])
def test_families_of_before_shares_were_chosen_are_read_as_they_were(first):
    X, y = blobs(200, 3)
    members = Ensemble().fit(X[:, :first], y), Ensemble().fit(X, y)
    named = zip(("first.", "every."), members, strict=True)
    arrays = {f"{at}{name}": a for at, m in named for name, a in m.arrays().items()}
    again = FamilyEnsemble.from_arrays({"first": first, "random_state": 0}, arrays)
    expected = 2 / 3 * members[0].predict_proba(X[:, :first]) + members[1].predict_proba(X) / 3
    np.testing.assert_allclose(again.predict_proba(X), expected, atol=1e-6)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("name", ["catboost", "forest"])
def test_importances_equal_those_of_the_library(name, classes):
    X, y = blobs(300, classes)
    expected = library(name, SMALL[name]).fit(X, y).feature_importances_
    mine = SMALL[name].fit(X, y).feature_importances_
    np.testing.assert_allclose(mine, expected / expected.sum(), atol=1e-9)


def test_fit_leaves_the_classifier_it_is_called_on_alone(classifier):
    X, y = blobs(100, 2)
    first = classifier.fit(X, y)
    before = first.predict_proba(X)
    first.fit(*blobs(100, 4, seed=5))
    np.testing.assert_array_equal(first.predict_proba(X), before)
    with pytest.raises(NotTrainedError, match="train"):
        _ = classifier.classes_


def test_a_failed_fit_leaves_the_fitted_classifier_alone(classifier):
    X, y = blobs(100, 2)
    fitted = classifier.fit(X, y)
    before = fitted.predict_proba(X)
    with pytest.raises(FitError):
        fitted.fit(np.ones_like(X), y)
    np.testing.assert_array_equal(fitted.predict_proba(X), before)


def test_constant_features_say_what_to_do(classifier):
    with pytest.raises(FitError, match=r"All 5 features are the same at all 8 .*strokes"):
        classifier.fit(np.ones((8, 5), np.float32), np.arange(8) % 2 + 1)


def test_one_class_is_refused(classifier):
    X, y = blobs(20, 2)
    with pytest.raises(FitError, match=r"two classes, got \[7\]"):
        classifier.fit(X, np.full_like(y, 7))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(classifier, bad):
    X, y = blobs(20, 2)
    X[3, 1] = bad
    with pytest.raises(FitError, match="NaN or infinite"):
        classifier.fit(X, y)


def test_two_rows_are_enough(classifier):
    X = np.array([[0, 0], [1, 0]], np.float32)
    assert classifier.fit(X, np.array([1, 2])).predict_proba(X).shape == (2, 2)


def test_rows_of_another_length_are_refused(classifier):
    fitted = classifier.fit(*blobs(30, 2))
    with pytest.raises(ShapeError, match="trained on 7 features"):
        fitted.predict_proba(np.zeros((3, 6), np.float32))


def test_labels_that_do_not_fit_are_refused(classifier):
    X, y = blobs(30, 2)
    with pytest.raises(ShapeError, match="labels"):
        classifier.fit(X, y[:-1])
    with pytest.raises(ShapeError, match="float"):
        classifier.fit(X, y.astype(float))


def test_an_unfitted_classifier_says_so(classifier):
    for ask in (
        lambda: classifier.predict_proba(np.zeros((1, 1), np.float32)),
        lambda: classifier.feature_importances_,
        lambda: classifier.n_features_in_,
        classifier.arrays,
    ):
        with pytest.raises(NotTrainedError, match="train"):
            ask()


@pytest.mark.parametrize("classes", [2, 4])
def test_arrays_and_parameters_rebuild_the_classifier(classifier, classes):
    X, y = blobs(100, classes)
    fitted = classifier.fit(X, y)
    rebuilt = type(fitted).from_arrays(fitted.params(), fitted.arrays())
    assert rebuilt == fitted
    assert rebuilt.n_features_in_ == 7
    np.testing.assert_array_equal(rebuilt.predict_proba(X), fitted.predict_proba(X))
    np.testing.assert_array_equal(rebuilt.classes_, fitted.classes_)
    np.testing.assert_array_equal(rebuilt.feature_importances_, fitted.feature_importances_)


def test_a_missing_array_is_refused(classifier):
    fitted = classifier.fit(*blobs(40, 3))
    for name in fitted.arrays():
        if name.endswith("share"):  # that of an older file is known
            continue
        arrays = fitted.arrays()
        del arrays[name]
        with pytest.raises(FormatError, match=name.split(".")[-1]):
            type(fitted).from_arrays(fitted.params(), arrays)


def test_an_array_of_another_type_or_shape_is_refused(classifier):
    fitted = classifier.fit(*blobs(40, 3))
    for name, array in fitted.arrays().items():
        for wrong in (array.astype(np.complex64), array[..., None], np.array(["a"]), None):
            with pytest.raises(FormatError, match=name.split(".")[-1]):
                type(fitted).from_arrays(fitted.params(), {**fitted.arrays(), name: wrong})


def test_unknown_or_missing_parameters_are_refused(classifier):
    fitted = classifier.fit(*blobs(40, 2))
    for params in ({}, {**fitted.params(), "loss": "x"}):
        with pytest.raises(FormatError, match="parameters"):
            type(fitted).from_arrays(params, fitted.arrays())


DAMAGE = [
    ("catboost", "feature", 7, "out of range"),
    ("catboost", "feature", -1, "out of range"),
    ("catboost", "border", np.nan, "NaN"),
    ("catboost", "leaf", np.inf, "too large"),
    ("forest", "feature", 7, "out of range"),
    ("forest", "feature", -2, "out of range"),
    ("forest", "child", 0, "leads out"),
    ("forest", "child", 2**31 - 1, "leads out"),
    ("forest", "value", -1, "probability"),
    ("forest", "first", 1, "follow"),
    ("forest", "value", np.nan, "NaN"),
    ("logistic", "scale", 0, "positive"),
    ("logistic", "classes", 70000, "ascend"),
    ("ensemble", "trees.feature", 7, "out of range"),
    ("ensemble", "linear.classes", 1, "other features or classes"),
    ("ensemble", "share", 0.6, "share of 0.6"),
    ("ensemble", "share", -0.1, "share of -0.1"),
    ("families", "first.linear.classes", 1, "other features or classes"),
    ("families", "shares", 0.75, "not 1 together"),
    ("families", "shares", -0.5, "not 1 together"),
    ("families", "ends", 2, "other classes or features"),
    ("families", "ends", 7, "one share for each family"),
    ("families", "ends", -4, "one share for each family"),
    ("families", "n_features", 2**40, "features"),
]


@pytest.mark.parametrize(("name", "array", "value", "match"), DAMAGE)
def test_arrays_that_would_lead_astray_are_refused(name, array, value, match):
    fitted = SMALL[name].fit(*blobs(40, 3))
    arrays = {key: a.copy() for key, a in fitted.arrays().items()}
    arrays[array].flat[0] = value
    with pytest.raises(FormatError, match=match):
        type(fitted).from_arrays(fitted.params(), arrays)


def test_the_last_node_of_a_forest_must_be_a_leaf():
    fitted = SMALL["forest"].fit(*blobs(40, 3))
    arrays = {key: a.copy() for key, a in fitted.arrays().items()}
    arrays["feature"][-1] = 0
    with pytest.raises(FormatError, match="leads out"):
        Forest.from_arrays(fitted.params(), arrays)


def test_trees_alone_find_a_band_of_middle_brightness():
    """A straight line cannot part what is within from what is around it on both sides."""
    X = np.linspace(0, 1, 200, dtype=np.float32)[:, None]
    within = (X[:, 0] > 0.46) & (X[:, 0] < 0.54)
    band = Ensemble().fit(X, np.where(within, 2, 1))
    assert band.learned_.share == 0
    np.testing.assert_array_equal(band.predict_proba(X), band.learned_.trees.predict_proba(X))
    step = Ensemble().fit(X, np.where(X[:, 0] > 0.4, 2, 1))
    assert step.learned_.share == 0.5


def test_an_ensemble_of_before_members_had_shares_is_read_as_their_mean():
    fitted = SMALL["ensemble"].fit(*blobs(40, 3))
    arrays = {name: array for name, array in fitted.arrays().items() if name != "share"}
    assert type(fitted).from_arrays(fitted.params(), arrays).learned_.share == 0.5


@pytest.mark.parametrize("count", [1, 2, 4])
def test_an_ensemble_tells_apart_a_few_single_pixels(count):
    X = np.repeat(np.array([[0.0, 3.0], [1.0, 3.0]], np.float32), count, axis=0)
    classifier = Ensemble().fit(X, np.repeat([1, 2], count))
    probabilities = classifier.predict_proba(np.array([[-0.1, 3.0], [1.1, 3.0]], np.float32))
    assert classifier.learned_.share == 0.5  # however strong the penalty, a line parts them
    assert probabilities[0, 0] > 0.6
    assert probabilities[1, 1] > 0.6


@pytest.mark.parametrize("kind", [CatBoost, partial(Forest, min_samples_leaf=20)])
def test_a_rare_class_counts_as_much_as_a_frequent_one_where_it_is_to(kind):
    random = np.random.default_rng(0)
    y = np.repeat([1, 2], [1900, 100]).astype(np.uint16)
    X = random.normal((y == 2) * 1.5, 1).astype(np.float32)[:, None]
    # Between the classes as they were drawn, and where 19 times as many outweigh the distance.
    middle, outweighed = 0.75, 0.75 + np.log(19) / 1.5
    at = np.linspace(-1, 4, 101, dtype=np.float32)[:, None]

    def border(class_weight):
        told = kind(class_weight=class_weight).fit(X, y).predict_proba(at)[:, 1]
        return at[(told <= 0.5).sum() - 1, 0]

    assert border("balanced") == pytest.approx(middle, abs=0.4)
    assert border(None) == pytest.approx(outweighed, abs=0.6)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: CatBoost(depth=17), "depth is an integer from 1 to 16, got 17"),
        (lambda: CatBoost(iterations=0), "iterations"),
        (lambda: CatBoost(iterations=2.5), "iterations is an integer"),
        (lambda: CatBoost(learning_rate=0), "learning_rate"),
        (lambda: CatBoost(learning_rate="fast"), "learning_rate is a number"),
        (lambda: CatBoost(learning_rate=float("nan")), "learning_rate"),
        (lambda: CatBoost(border_count=256), "border_count"),
        (lambda: CatBoost(class_weight="heavy"), "class_weight is 'balanced' or None"),
        (lambda: Forest(n_estimators=True), "n_estimators"),
        (lambda: Forest(max_depth=0), "max_depth"),
        (lambda: Forest(class_weight="heavy"), "class_weight"),
        (lambda: Forest(n_jobs=0), "n_jobs"),
        (lambda: Logistic(C=0), "C is a number"),
        (lambda: FamilyEnsemble(ends=(5, 3)), "ends ascend"),
        (lambda: FamilyEnsemble(ends=(2.5,)), "ends is an integer"),
        (lambda: FamilyEnsemble(ends=(3,), shares=(0.5, 0.4)), "shares are 1 together"),
        (lambda: FamilyEnsemble(ends=(3,), shares=(1.5, -0.5)), "shares is a number"),
    ],
)
def test_wrong_parameters_are_refused(make, match):
    with pytest.raises(ParameterError, match=match):
        make()


def test_fitting_prints_nothing_and_leaves_no_files(classifier, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    classifier.fit(*blobs(100, 3)).predict_proba(np.zeros((4, 7), np.float32))
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")


def test_a_refusal_of_catboost_becomes_a_fit_error(monkeypatch):
    def refuse(*_):
        raise CatBoostError("no memory left")

    monkeypatch.setattr(CatBoostClassifier, "fit", refuse)
    with pytest.raises(FitError, match="no memory left"):
        CatBoost().fit(*blobs(20, 2))


@pytest.mark.parametrize("classes", [2, 3])
def test_linear_scores_may_be_taken_before_interpolation(classes):
    X, y = blobs(100, classes)
    X = X * 3 + 100
    fitted = Logistic().fit(X, y)
    linear = fitted.learned_
    between = (0.25 * X[:1] + 0.75 * X[1:2]).T
    scores = linear.scores(X[:2].T)
    after = linear.activate(0.25 * scores[:, :1] + 0.75 * scores[:, 1:])
    np.testing.assert_allclose(after, fitted.predict_proba(between.T).T, atol=1e-5)


def test_linear_scores_of_parts_add_up():
    X, y = blobs(100, 3)
    linear = Logistic().fit(X, y).learned_
    parts = linear.scores(X.T[:2], slice(0, 2)) + linear.scores(X.T[2:], slice(2, 7))
    np.testing.assert_allclose(parts, linear.scores(X.T), atol=1e-4)


@pytest.mark.parametrize("name", ["logistic", "ensemble", "families"])
def test_a_class_with_few_strokes_counts_as_much_as_one_with_many(name):
    random = np.random.default_rng(0)
    y = np.repeat(np.array([1, 2], np.uint16), (950, 50))
    X = random.normal(size=(1000, 7)) + (y[:, None] - 1) * 0.6
    fitted = replace(SMALL[name]).fit(X.astype(np.float32), y)
    asked = (random.normal(size=(400, 7)) + 0.6).astype(np.float32)
    assert (fitted.predict_proba(asked).argmax(axis=1) == 1).mean() > 0.5
    plain = LogisticRegression().fit(X, y)
    assert (plain.predict(asked) == 2).mean() < 0.4


def test_a_single_feature_is_learnt_by_few_trees():
    X = np.arange(40, dtype=np.float32)[:, None]
    y = np.where(X[:, 0] < 20, 1, 2)
    found = CatBoost(iterations=5).fit(X, y).predict_proba(X).argmax(axis=1) + 1
    assert (found == y).mean() > 0.95


def of_algebra():
    """Return how many threads each library of linear algebra has."""
    return [one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"]


def test_the_linear_member_is_fitted_in_one_thread_and_others_have_theirs_back(monkeypatch):
    X, y = np.random.default_rng(0).normal(size=(60, 5)).astype(np.float32), np.arange(60) % 2
    library, during, both = LogisticRegression.fit, [], Barrier(2)

    def fit(self, *args):
        during.extend(of_algebra())
        return library(self, *args)

    def one(_):
        both.wait()
        for _ in range(20):
            Logistic().fit(X, y)

    monkeypatch.setattr(LogisticRegression, "fit", fit)
    before = of_algebra()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(one, range(2)))
    assert set(during) == {1}
    assert of_algebra() == before
