"""The parameters of a model that the page offers, with what it says about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from stroma.classify import CLASSIFIERS
from stroma.pixel.aliases import ALIASES
from stroma.pixel.param import Param


@dataclass(frozen=True)
class Choice:
    """A value to choose.

    Parameters
    ----------
    value : object
        The value, as `Param` takes it.
    title : str
        For people.
    missing : str
        Why it cannot be chosen here; empty where it can.
    """

    value: Any
    title: str
    missing: str = ""


@dataclass(frozen=True)
class Field:
    """A parameter as the page shows it.

    Parameters
    ----------
    name : str
        Of the parameter in `Param`.
    title, help : str
        For people.
    choices : sequence of Choice
        What there is to choose; empty for a number.
    low, high, step : float
        Bounds of a number.
    """

    name: str
    title: str
    help: str
    choices: Sequence[Choice] = ()
    low: float = 0
    high: float = 0
    step: float = 1


FEATURES = (
    Field(
        "fe_scalings",
        "Scales",
        "Also compute features on the image reduced by these factors: more context, more time.",
        tuple(
            Choice(scales, " / ".join(map(str, scales)))
            for scales in ([1], [1, 2], [1, 2, 4], [1, 2, 4, 8])
        ),
    ),
    Field(
        "image_downsample",
        "Reduce image by",
        "Work on a smaller image: faster, and less detail.",
        tuple(Choice(n, "full size" if n == 1 else f"{n}") for n in (1, 2, 3, 4, 6, 8)),
    ),
    Field(
        "normalize",
        "Normalise",
        "By which mean and deviation the values of an image are brought to a common scale.",
        (Choice(2, "over the whole image"), Choice(3, "plane by plane"), Choice(1, "not at all")),
    ),
    Field(
        "norm_from",
        "Statistics of",
        "The image at hand, or the training images where all were taken under equal conditions.",
        (Choice("image", "each image"), Choice("training", "the training images")),
    ),
    Field(
        "seg_smoothening",
        "Smoothing",
        "Radius, in pixels, in which the most frequent class wins. 1 is off.",
        low=1,
        high=20,
    ),
)
"""Parameters of features and of what is done with results."""

TITLES = {
    "ensemble": "Ensemble",
    "catboost": "CatBoost",
    "forest": "Random forest",
    "logistic": "Logistic regression",
}

CLASSIFIER = (
    Field(
        "clf",
        "Classifier",
        "What learns the classes from the features.",
        tuple(Choice(name, TITLES.get(name, name)) for name in CLASSIFIERS),
    ),
    Field("clf_iterations", "Trees", "Number of trees.", low=10, high=500, step=10),
    Field(
        "clf_learning_rate", "Learning rate", "How much a tree adds.", low=0.01, high=1, step=0.01
    ),
    Field("clf_depth", "Depth", "Questions asked in a tree.", low=1, high=10),
)
"""Parameters of the classifier; the last three are CatBoost's."""


def shown(param: Param) -> dict[str, list[dict[str, Any]]]:
    """Return what the page shows of parameters: features and classifier."""
    boosted = param.clf == "catboost"
    return {
        "features": [_as_json(f, param) for f in FEATURES],
        "classifier": [_as_json(f, param) for f in (CLASSIFIER if boosted else CLASSIFIER[:1])],
    }


def _as_json(field: Field, param: Param) -> dict[str, Any]:
    value = param.get(field.name)
    choices = [vars(c) for c in field.choices]
    if choices and value not in [c.value for c in field.choices]:
        choices.append(vars(Choice(value, str(value))))
    return {
        "name": field.name,
        "title": field.title,
        "help": field.help,
        "choices": choices,
        "low": field.low,
        "high": field.high,
        "step": field.step,
        "value": value,
    }


def alias_of(param: Param) -> str:
    """Return the configuration that parameters belong to; the extractor's name where none does."""
    for name, given in ALIASES.items():
        if all(param.get(key) == value for key, value in given.items()):
            return name
    return str(param.fe_name)


@lru_cache(maxsize=1)
def configurations() -> tuple[Choice, ...]:
    """Return the configurations a model can start from; looks at what is installed, once."""
    from stroma.pixel.catalogue import entries

    return tuple(
        Choice(e.name, f"{e.name} ({e.grey} features)" if e.grey else e.name, e.missing)
        for e in entries()
        if e.kind == "alias"
    )
