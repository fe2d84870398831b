"""The parameters of a model that the page offers, with what it says about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stroma.classify import CLASSIFIERS
from stroma.pixel.choices.aliases import ALIASES
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
    """

    value: Any
    title: str


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


SCALES = "fe_scalings"


def written(scales: Sequence[Any]) -> str:
    """Write [1, 2] as "1 / 2", and one such for every part of a combination."""
    if scales and isinstance(scales[0], list):
        return " + ".join(written(part) for part in scales)
    return " / ".join(map(str, scales))


FEATURES = (
    Field(
        SCALES,
        "Scales",
        "Also compute features on the image reduced by these factors: more context, more time.",
        tuple(Choice(scales, written(scales)) for scales in ([1], [1, 2], [1, 2, 4], [1, 2, 4, 8])),
    ),
    Field(
        "image_downsample",
        "Reduce by",
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
        "edge_smoothing",
        "Follow edges",
        "Radius, in pixels, of smoothing that stops at the edges of the image. 0 is off.",
        high=64,
    ),
    Field(
        "unpatch_guided",
        "Sharpen cells",
        "Networks that see in cells of several pixels: pixels get the classes of the cells near "
        "them that look like them.",
        (Choice(False, "off"), Choice(True, "on")),
    ),
    Field(
        "crf",
        "Alike and near",
        "Pixels that look alike and lie near each other get the same class (a dense random "
        "field). About a second for every million pixels.",
        (
            Choice(0.0, "off"),
            Choice(0.5, "weak"),
            Choice(1.0, "usual"),
            Choice(2.0, "strong"),
        ),
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

EXTRACTOR_TITLES = {
    "stroma": "Stroma: texture and colour",
    "vgg": "VGG16, first layer",
    "vgg-m": "VGG16, three layers",
    "vgg-l": "VGG16, five layers",
    "dino": "DINOv2",
    "dinov3": "DINOv3",
    "dino-jafar": "DINOv2 at every pixel (JAFAR)",
    "dinov3-jafar": "DINOv3 at every pixel (JAFAR)",
    "hr-dino": "DINOv2, shifted and flipped",
    "hr-dino-hybrid": "DINOv2, shifted and flipped, and filters",
    "lite": "EfficientNet-Lite",
    "cellpose": "Cellpose, its encoder",
    "gaussian": "Gaussian blur only",
    "ilastik": "Filters of ilastik",
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
        choices.append(vars(Choice(value, written(value) if field.name == SCALES else str(value))))
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


def configurations(param: Param) -> tuple[str, list[dict[str, Any]]]:
    """Return which configuration parameters belong to, and all there are to choose."""
    seen: dict[str, Choice] = {}
    for name, given in ALIASES.items():
        title = EXTRACTOR_TITLES.get(name, name)
        seen.setdefault(_extractor(given), Choice(name, title))
    own = _extractor(dict(param.items()))
    seen.setdefault(own, Choice(str(param.fe_name), str(param.fe_name)))
    return str(seen[own].value), [vars(choice) for choice in seen.values()]


def _extractor(given: Mapping[str, Any]) -> str:
    """Return what tells extractors apart: name and layers."""
    return repr((given.get("fe_name"), given.get("fe_layers")))
