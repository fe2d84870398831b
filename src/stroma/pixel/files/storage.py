"""What a saved model consists of."""

from __future__ import annotations

import dataclasses
import platform
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from stroma.classify import CLASSIFIERS
from stroma.classify.contract import Classifier
from stroma.data.classes import MAX_LABEL, Class
from stroma.data.statistics import Statistics
from stroma.errors import FormatError, LabelError, MissingFileError, ParameterError
from stroma.features.part import Feed
from stroma.pixel.door import Points
from stroma.pixel.files import plain as files
from stroma.pixel.files.layout import PER_CHANNEL, STATE
from stroma.pixel.files.saved import Fitted, Saved
from stroma.pixel.files.schema import SHOWN, shortened
from stroma.pixel.param import Param
from stroma.pixel.predicting.recipe import Recipe
from stroma.pixel.training.learn import Entry

RECORDED = ("numpy", "scipy", "opencv-python-headless", "numba", "catboost", "scikit-learn")

MAX_POSITION = 2**40


def to_state(saved: Saved) -> dict[str, Any]:
    """Return a model as plain values and arrays."""
    return {
        "param": dict(saved.param.items()),
        "fitted": None if saved.fitted is None else _fitted_state(saved.fitted),
        "classes": [dataclasses.asdict(c) for c in saved.classes],
        "memory": {key: _entry_state(e) for key, e in saved.memory.items()},
        "versions": versions(),
    }


def from_state(state: Mapping[str, Any], source: str) -> Saved:
    """Rebuild a model from plain values, every one checked.

    Raises
    ------
    FormatError
        If something is missing, of the wrong kind or too large; the message names file and place.
    """
    try:
        checked = STATE(state, "the model")
        return Saved(
            _param(checked["param"]),
            None if checked["fitted"] is None else _fitted(checked["fitted"]),
            tuple(_class(c, i) for i, c in enumerate(checked["classes"])),
            _memory(checked["memory"]),
        )
    except FormatError as error:
        raise FormatError(f"{source} is not a sound model file: {error}.") from error


def _param(values: Mapping[str, Any]) -> Param:
    param = Param()
    try:
        param.set(**{key: value for key, value in values.items() if key in param})
    except ParameterError as error:
        raise FormatError(f"in the model's param: {shortened(str(error).rstrip('.'))}") from error
    return param


def _class(values: Mapping[str, Any], number: int) -> Class:
    try:
        return Class(**values)
    except LabelError as error:
        raise FormatError(f"the model.classes[{number}]: {str(error).rstrip('.')}") from error


def versions() -> dict[str, str]:
    """Return the versions of what a result depends on."""
    from stroma import __version__

    libraries = {name: metadata.version(name) for name in RECORDED}
    return {"stroma": __version__, "python": platform.python_version(), **libraries}


def _fitted_state(fitted: Fitted) -> dict[str, Any]:
    in_channels, statistics = fitted.in_channels, fitted.statistics
    return {
        "kind": fitted.kind,
        "params": fitted.classifier.params(),
        "arrays": fitted.classifier.arrays(),
        "channels": fitted.channels,
        "in_channels": None if in_channels is None else list(in_channels),
        "rgb": fitted.rgb,
        "feature_names": list(fitted.feature_names),
        "statistics": _statistics_state(statistics),
        "weights": list(fitted.weights),
    }


def _fitted(state: Mapping[str, Any]) -> Fitted:
    kind, channels, chosen = state["kind"], state["channels"], state["in_channels"]
    if kind not in CLASSIFIERS:
        raise FormatError(f"there is no classifier named {shortened(kind)}")
    classifier = _classifier(kind, state["params"], state["arrays"])
    names, statistics = tuple(state["feature_names"]), state["statistics"]
    if len(names) != classifier.n_features_in_:
        raise FormatError(
            f"{len(names)} feature names for a classifier of {classifier.n_features_in_} features"
        )
    if statistics is not None and len(statistics["mean"]) != channels:
        raise FormatError(f"statistics of {len(statistics['mean'])} channels, not of {channels}")
    if chosen is not None and len(chosen) != channels:
        raise FormatError(f"{len(chosen)} selected channels, not {channels}")
    return Fitted(
        kind,
        classifier,
        channels,
        None if chosen is None else tuple(chosen),
        names,
        _statistics(statistics),
        tuple(state["weights"]),
        rgb=state["rgb"],
    )


def _classifier(kind: str, params: Any, arrays: Any) -> Classifier:
    try:
        made: Classifier = CLASSIFIERS[kind].from_arrays(params, arrays)
        return made
    except ParameterError as error:
        raise FormatError(f"the model.fitted.params: {str(error).rstrip('.')}") from error
    except FormatError as error:
        raise FormatError(f"the model.fitted: {str(error).rstrip('.')}") from error


def _statistics_state(statistics: Statistics | None) -> dict[str, Any] | None:
    if statistics is None:
        return None
    numbers = {name: list(getattr(statistics, name)) for name in PER_CHANNEL}
    return {"count": statistics.count, **numbers, "lab": _statistics_state(statistics.lab)}


def _statistics(state: Mapping[str, Any] | None) -> Statistics | None:
    if state is None:
        return None
    numbers: dict[str, Any] = {name: tuple(state[name]) for name in PER_CHANNEL}
    return Statistics(count=state["count"], **numbers, lab=_statistics(state.get("lab")))


def _entry_state(entry: Entry) -> dict[str, Any]:
    return {
        "plane": entry.points.plane,
        "yx": entry.points.yx,
        "label": entry.points.label,
        "statistics": _statistics_state(entry.statistics),
        "made_by": entry.made_by,
        "X": entry.X,
        "y": entry.y,
        **({} if entry.at is None else {"at": entry.at}),
    }


def _memory(states: Mapping[str, Any]) -> dict[str, Entry]:
    entries = {key: _entry(key, state) for key, state in states.items()}
    lengths = {e.X.shape[1] for e in entries.values() if len(e.y)}
    if len(lengths) > 1:
        raise FormatError(f"the model.memory holds rows of {sorted(lengths)} features")
    return entries


def _entry(key: str, state: Mapping[str, Any]) -> Entry:
    plane, yx, label, X, y = (state[name] for name in ("plane", "yx", "label", "X", "y"))
    if not len(plane) == len(yx) == len(label) or len(X) != len(y):
        raise FormatError(f"the model.memory.{key[:SHOWN]} holds arrays that do not fit together")
    inside = all(bool(((a >= 0) & (a < MAX_POSITION)).all()) for a in (plane, yx))
    labels = all(bool(((a >= 1) & (a <= MAX_LABEL)).all()) for a in (label, y))
    if not inside or not labels or not np.isfinite(X).all():
        raise FormatError(f"the model.memory.{key[:SHOWN]} holds values out of range")
    points = Points(plane.astype(np.intp), yx.astype(np.intp), label.astype(np.uint16))
    known, at = _statistics(state["statistics"]), state.get("at")
    if at is not None and (at.shape != (len(y), 4) or not ((at >= 0) & (at < MAX_POSITION)).all()):
        raise FormatError(f"the model.memory.{key[:SHOWN]} holds places that do not fit its rows")
    return Entry(None, points, known, state["made_by"], X, y.astype(np.uint16), at)


def require_same_features(fitted: Fitted, recipe: Recipe, source: str) -> None:
    """Raise where a stored classifier is not of the features that its parameters describe.

    Raises
    ------
    FormatError
        Naming the file.
    """
    channels = tuple(f"ch{i}" for i in range(fitted.channels))
    colours = (True, False) if fitted.rgb is None else (fitted.rgb,)
    counts = {len(recipe.pipeline.names(Feed(channels, rgb=rgb))) for rgb in colours}
    networks = sum(hasattr(part.extractor, "provenance") for part in recipe.pipeline.parts)
    if len(fitted.feature_names) not in counts or len(fitted.weights) != networks:
        raise FormatError(
            f"{source} is not a sound model file: its classifier was trained on "
            f"{len(fitted.feature_names)} features of {len(fitted.weights)} networks, its "
            f"parameters describe {max(counts)} of {networks}."
        )


def load(path: Path) -> Saved:
    """Read a model file: ``.pkl`` (everything) or ``.yml`` (parameters only).

    Raises
    ------
    FormatError
        If the file has another ending, is damaged, or is not safe to load.
    MissingFileError
        If it does not exist.
    """
    if path.suffix not in (".pkl", ".yml"):
        raise FormatError(f"A model file ends in .pkl or .yml, got {str(path)!r}.")
    if not path.exists():
        raise MissingFileError(f"There is no model file {str(path)!r}.")
    if path.suffix == ".yml":
        return Saved(Param.load(path), None)
    return from_state(files.read(path), str(path))
