"""Model files and parameter files of strangers are refused by name, or work; nothing else."""

import importlib.util
import os
import re
from pathlib import Path

import numpy as np
import pytest

from stroma import ConvpaintModel, Param
from stroma.classify.limits import MAX_CLASSES, MAX_TREES
from stroma.errors import FileError, FitError, FormatError, ParameterError
from stroma.pixel.files.plain import dumps

_SCRIPT = Path(__file__).parents[2] / "benchmarks" / "hostile_models.py"
_SPEC = importlib.util.spec_from_file_location("hostile_models", _SCRIPT)
hostile = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(hostile)

ALLOWED = {"refused", "works", "opened"}


@pytest.mark.filterwarnings("ignore:.*parameters of another version")
@pytest.mark.parametrize("kind", ["models", "parameters"])
def test_damaged_files_are_refused_by_name_or_work(kind, tmp_path):
    found = set()
    for name, data in getattr(hostile, kind)(160):
        (tmp_path / name).write_bytes(data)
        found.add(hostile.outcome(tmp_path / name))
    assert found <= ALLOWED
    assert len(found) > 1, "some must open, or nothing beyond the first check is tried"


@pytest.fixture(scope="module")
def states():
    return {kind: hostile.sound(kind) for kind in hostile.KINDS}


def opened(tmp_path, state):
    path = tmp_path / "model.pkl"
    path.write_bytes(dumps(state))
    return ConvpaintModel(model_path=path)


def changed(states, kind, /, **arrays):
    state = states[kind]
    fitted = {**state["fitted"], "arrays": {**state["fitted"]["arrays"], **arrays}}
    return {**state, "fitted": fitted}


def test_sound_files_open(states, tmp_path):
    for state in states.values():
        assert opened(tmp_path, state).segment(hostile.image()).shape == (24, 30)


@pytest.mark.parametrize(("kind", "part"), [("forest", ""), ("ensemble", "trees.")])
@pytest.mark.parametrize(
    "middle", [[2**63 - 1, -2], [-(2**63), 2**63 - 1], [2**62, -(2**62)], [5, 5], [7, 5]]
)
def test_starts_of_trees_that_overflow_are_refused(kind, part, middle, states, tmp_path):
    nodes = len(states[kind]["fitted"]["arrays"][f"{part}feature"])
    state = changed(states, kind, **{f"{part}first": np.array([0, *middle, nodes])})
    with pytest.raises(FormatError, match=r"model\.pkl.*do not follow"):
        opened(tmp_path, state)


def test_classes_whose_differences_overflow_are_refused(states, tmp_path):
    state = changed(states, "logistic", classes=np.array([2**63 - 1, -(2**63), 3]))
    with pytest.raises(FormatError, match=r"model\.pkl.*ascend"):
        opened(tmp_path, state)


def leaves(trees, classes):
    """Return a forest of trees of one leaf each."""
    return {
        "feature": np.full(trees, -1, np.int32),
        "threshold": np.zeros(trees, np.float32),
        "child": np.zeros(trees, np.int32),
        "first": np.arange(trees + 1),
        "value": np.full((1, classes), 1 / classes, np.float32),
        "classes": np.arange(1, classes + 1),
    }


def test_numbers_of_classes_and_trees_are_limited_and_said(states, tmp_path):
    with pytest.raises(FormatError, match="tells 65535 classes apart"):
        opened(tmp_path, changed(states, "forest", **leaves(1, 65535)))
    with pytest.raises(FormatError, match="has 1000000 trees"):
        opened(tmp_path, changed(states, "forest", **leaves(1_000_000, 2)))


def test_the_most_trees_and_classes_take_little_memory(states, tmp_path):
    model = opened(tmp_path, changed(states, "forest", **leaves(MAX_TREES, MAX_CLASSES)))
    assert model.classifier.learned_.shallow is None
    small = hostile.image()[:4, :5]
    np.testing.assert_allclose(model.predict_probas(small), 1 / MAX_CLASSES, rtol=5e-3)


def test_many_classes_make_blocks_smaller(states, tmp_path):
    from stroma.pixel.predicting.plan import MAX_PROBABILITIES
    from stroma.pixel.predicting.run import tasks_of

    model = opened(tmp_path, changed(states, "forest", **leaves(1, MAX_CLASSES)))
    source = model.open(np.zeros((700, 900), np.float32))
    tasks = tasks_of(source, model.trained())
    assert max(t.block.core.area for t in tasks) * MAX_CLASSES <= MAX_PROBABILITIES
    assert sum(t.block.core.area for t in tasks) == 700 * 900


def test_a_path_that_never_ends_is_refused(states, tmp_path):
    nodes = 20_001
    chain = {
        "feature": np.append(np.zeros(nodes - 1, np.int32), np.int32(-1)),
        "threshold": np.zeros(nodes, np.float32),
        "child": np.append(np.arange(1, nodes, dtype=np.int32), np.int32(0)),
        "first": np.array([0, nodes]),
    }
    chain["child"][-3:] = [nodes - 2, 0, 0]
    chain["feature"][-2:] = -1
    with pytest.raises(FormatError, match="a path asks 19999 questions"):
        opened(tmp_path, changed(states, "forest", **chain))


def test_trees_that_ask_nothing_predict_the_same_everywhere(states, tmp_path):
    border = states["catboost"]["fitted"]["arrays"]["border"]
    model = opened(tmp_path, changed(states, "catboost", border=np.full_like(border, np.inf)))
    assert len(np.unique(model.segment(hostile.image()))) == 1


@pytest.mark.parametrize("name", ["coef", "mean", "intercept", "scale"])
@pytest.mark.parametrize("value", [np.inf, -np.inf, 1e300, np.nan])
def test_linear_maps_without_finite_scores_are_refused(name, value, states, tmp_path):
    array = states["logistic"]["fitted"]["arrays"][name].copy()
    array.flat[0] = value
    if name == "scale" and value == 1e300:
        array.flat[0] = 1e-300
    with pytest.raises(FormatError, match=r"model\.pkl"):
        opened(tmp_path, changed(states, "logistic", **{name: array}))


PLACES = [
    (("fitted", "params"), np.zeros(3), r"model\.fitted\.params"),
    (("fitted", "arrays"), [1], r"model\.fitted\.arrays"),
    (("fitted", "weights"), [{}], r"model\.fitted\.weights\[0\] has no 'name'"),
    (("fitted", "statistics", "mean"), [], r"model\.fitted\.statistics\.mean"),
    (("fitted", "statistics", "std"), [[1.0]], r"model\.fitted\.statistics\.std\[0\]"),
    (("fitted", "statistics", "std"), [1.0, 2.0], "different numbers of channels"),
    (("fitted", "statistics", "count"), -1, r"model\.fitted\.statistics\.count"),
    (("fitted", "channels"), 3, "statistics of 1 channels, not of 3"),
    (("fitted", "feature_names"), ["a", "b"], "2 feature names"),
    (("param", "fe_scalings"), [[1] * 900] * 2, r"model's param.*fe_scalings"),
    (("param", "fe_scalings"), [[[[[1]]]]], "model's param"),
    (("param", "fe_scalings"), [1, 2, 4, 8, 16], "classifier was trained on"),
    (("classes",), {"label": 1}, r"model\.classes"),
    (("classes",), [{"label": 0, "name": "", "color": ""}], r"model\.classes\[0\]\.label"),
    (("memory", "a", "X"), np.full((3, 2), np.nan), "memory"),
    (("memory", "a", "yx"), np.array([[2**63, 1]], np.uint64), "memory"),
    (("memory",), [], r"model\.memory"),
]


@pytest.mark.parametrize(("place", "value", "match"), PLACES)
def test_the_message_names_file_and_place(place, value, match, states, tmp_path):
    state = changed(states, "forest")
    inner = state
    for key in place[:-1]:
        inner[key] = dict(inner[key])
        inner = inner[key]
    inner[place[-1]] = value
    with pytest.raises(FormatError, match=rf"model\.pkl.*{match}") as caught:
        opened(tmp_path, state)
    assert len(str(caught.value).replace(str(tmp_path), "")) < 600


YML = [
    ("fe_scalings: !!int abc", "no plain value"),
    ("use_dask: !!bool abc", "no plain value"),
    ("fe_name: !!timestamp abc", "no plain value"),
    (f"normalize: {'9' * 5000}", "5000 characters"),
    ("clf_learning_rate: 1e999", "too large"),
    ("fe_scalings: &a [1, *a]", "refers to another place"),
    ("a: &a [1, 1]\nb: &b [*a, *a]\nfe_scalings: [*b, *b]", "refers to another place"),
    ("channel_mode: []", "channel_mode"),
    ("channel_mode: {a: 1}", "names with values"),
    ("fe_scalings: [[[[[[1]]]]]]", "nested"),
    ("fe_scalings: " + "[" * 1500, r"nested|YAML"),
    ("normalize: 2\nnormalize: 3", "there already"),
    ("normalize: 2\n---\nnormalize: 3", "one document"),
    ("fe_name: " + "x" * 70_000, "larger than a parameter file"),
    ("fe_name: nonsense", "nonsense"),
    ("normalize: 2001-01-01", "normalize"),
    ("\x00", "YAML"),
]


@pytest.mark.parametrize(("text", "match"), YML)
def test_parameter_files_hold_plain_values_only(text, match, tmp_path):
    path = tmp_path / "param.yml"
    path.write_text(text)
    with pytest.raises((FormatError, ParameterError), match=match) as caught:
        ConvpaintModel(model_path=path)
    assert "param.yml" in str(caught.value)
    assert len(str(caught.value).replace(str(path), "")) < 600


def test_what_yaml_writes_comes_back(tmp_path):
    param = ConvpaintModel("stroma").get_params()
    param.set(clf_learning_rate=1e-3, fe_layers=["1", "features.0 Conv2d(3, 64)", "null"])
    param.save(tmp_path / "p.yml")
    assert Param.load(tmp_path / "p.yml") == param


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
@pytest.mark.parametrize("name", ["model.pkl", "param.yml"])
def test_a_pipe_is_no_model(name, tmp_path):
    os.mkfifo(tmp_path / name)
    with pytest.raises(FileError, match=f"{re.escape(name)}.*not a file"):
        ConvpaintModel(model_path=tmp_path / name)


def test_more_classes_than_a_model_tells_apart_are_said_in_training():
    labels = np.zeros((40, 40), np.uint16)
    labels.flat[: MAX_CLASSES + 1] = np.arange(1, MAX_CLASSES + 2)
    image = np.random.default_rng(0).normal(size=labels.shape)
    with pytest.raises(FitError, match=f"1001 classes; a model tells at most {MAX_CLASSES}"):
        ConvpaintModel("gaussian").train(image, labels)
