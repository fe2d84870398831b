"""What a saved model consists of."""

from __future__ import annotations

import dataclasses
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from stroma.classify import CLASSIFIERS
from stroma.classify.contract import Classifier
from stroma.data.classes import Class
from stroma.data.statistics import Statistics
from stroma.errors import FormatError, MissingFileError, StromaError, WeightsError
from stroma.pixel.door import Points
from stroma.pixel.files import plain as files
from stroma.pixel.param import Param
from stroma.pixel.training.learn import Entry

RECORDED = ("numpy", "scipy", "opencv-python-headless", "numba", "catboost", "scikit-learn")

_PER_CHANNEL = ("mean", "std", "minimum", "maximum", "low", "high", "noise")


@dataclass(frozen=True, eq=False)
class Fitted:
    """Everything that training leaves behind; replaced as a whole, or not at all.

    Parameters
    ----------
    kind : str
        Registered name of the classifier.
    classifier : Classifier
        Fitted.
    channels : int
        Channels of the training images in use.
    in_channels : tuple of int or None
        Channels that were selected from them.
    feature_names : tuple of str
        One per column of the classifier.
    statistics : Statistics or None
        Of the training images together, where the model normalises by them.
    weights : tuple of dict
        What identifies the pretrained weights the features came from.
    """

    kind: str
    classifier: Classifier
    channels: int
    in_channels: tuple[int, ...] | None
    feature_names: tuple[str, ...]
    statistics: Statistics | None
    weights: tuple[dict[str, str], ...] = ()

    def require_same_weights(self, present: Sequence[dict[str, str]]) -> None:
        """Raise where the features would come from other weights than in training.

        Raises
        ------
        WeightsError
            Naming the weights of the training and those that are here.
        """
        for known, now in zip(self.weights, present, strict=True):
            if known["digest"] != now["digest"]:
                raise WeightsError(
                    f"The model was trained with other weights of {known['name']!r}: "
                    f"{_described(known)}; here are {_described(now)}. Put the former where they "
                    f"are looked for (STROMA_WEIGHTS), or train again."
                )


@dataclass(frozen=True, eq=False)
class Saved:
    """A model as it is stored."""

    param: Param
    fitted: Fitted | None
    classes: tuple[Class, ...] = ()
    memory: Mapping[str, Entry] = field(default_factory=dict)


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
    """Rebuild a model from plain values, checking them.

    Raises
    ------
    FormatError
        If something is missing or of the wrong kind; the message names the file.
    """
    try:
        param = Param()
        param.set(**{key: value for key, value in state["param"].items() if key in param})
        fitted = state["fitted"]
        return Saved(
            param,
            None if fitted is None else _fitted(fitted),
            tuple(Class(c["label"], c["name"], c["color"]) for c in state["classes"]),
            {str(key): _entry(e) for key, e in state["memory"].items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        if isinstance(error, StromaError) and not isinstance(error, FormatError | ValueError):
            raise
        reason = f"{type(error).__name__}: {error}"
        raise FormatError(f"{source} is not a complete model file ({reason}).") from error


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
        "feature_names": list(fitted.feature_names),
        "statistics": _statistics_state(statistics),
        "weights": list(fitted.weights),
    }


def _described(weights: Mapping[str, str]) -> str:
    return ", ".join(str(weights[key]) for key in ("repository", "revision", "file", "digest"))


def _fitted(state: Mapping[str, Any]) -> Fitted:
    kind = str(state["kind"])
    classifier = CLASSIFIERS[kind].from_arrays(state["params"], state["arrays"])
    names = tuple(str(name) for name in state["feature_names"])
    if len(names) != classifier.n_features_in_:
        raise FormatError(
            f"{len(names)} feature names for a classifier of {classifier.n_features_in_} features."
        )
    chosen = state["in_channels"]
    return Fitted(
        kind,
        classifier,
        int(state["channels"]),
        None if chosen is None else tuple(int(c) for c in chosen),
        names,
        _statistics(state["statistics"]),
        tuple({str(k): str(v) for k, v in known.items()} for known in state["weights"]),
    )


def _statistics_state(statistics: Statistics | None) -> dict[str, Any] | None:
    if statistics is None:
        return None
    numbers = {name: list(getattr(statistics, name)) for name in _PER_CHANNEL}
    return {"count": statistics.count, **numbers, "lab": _statistics_state(statistics.lab)}


def _statistics(state: Mapping[str, Any] | None) -> Statistics | None:
    if state is None:
        return None
    numbers = {name: tuple(float(v) for v in state[name]) for name in _PER_CHANNEL}
    return Statistics(count=int(state["count"]), **numbers, lab=_statistics(state["lab"]))


def _entry_state(entry: Entry) -> dict[str, Any]:
    return {
        "plane": entry.points.plane,
        "yx": entry.points.yx,
        "label": entry.points.label,
        "statistics": _statistics_state(entry.statistics),
        "made_by": entry.made_by,
        "X": entry.X,
        "y": entry.y,
    }


def _entry(state: Mapping[str, Any]) -> Entry:
    plane, yx, label = (np.asarray(state[key]) for key in ("plane", "yx", "label"))
    X, y = np.asarray(state["X"]), np.asarray(state["y"])
    whole = all(a.dtype.kind in "iu" for a in (plane, yx, label, y)) and X.dtype.kind == "f"
    shapes = (plane.shape, yx.shape, y.shape) == ((len(label),), (len(label), 2), (len(X),))
    if not whole or not shapes or X.ndim != 2:
        raise FormatError("the training memory holds arrays that do not fit together")
    points = Points(plane.astype(np.intp), yx.astype(np.intp), label.astype(np.uint16))
    return Entry(
        None,
        points,
        _statistics(state["statistics"]),
        str(state["made_by"]),
        X,
        y.astype(np.uint16),
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
