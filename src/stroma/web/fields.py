"""The parameters of a model that the page offers, with what it says about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stroma.classify import CLASSIFIERS
from stroma.pixel.choices.aliases import ALIASES
from stroma.pixel.param import Param
from stroma.workflow.exchange.seeing_networks import title_of


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
        "Features are also computed on the image reduced by these factors. More of them see "
        "further around a pixel, which tells large structures apart, and take more time and "
        "memory; too many blur small ones.",
        tuple(Choice(scales, written(scales)) for scales in ([1], [1, 2], [1, 2, 4], [1, 2, 4, 8])),
    ),
    Field(
        "image_downsample",
        "Reduce by",
        "Works on a smaller image. By 2 is about four times faster, and structures thinner than "
        "2 pixels are lost.",
        tuple(Choice(n, "full size" if n == 1 else f"{n}") for n in (1, 2, 3, 4, 6, 8)),
    ),
    Field(
        "normalize",
        "Normalise",
        "By which mean and deviation the values of an image are brought to a common scale. Plane "
        "by plane evens out planes that fade; not at all keeps brightness that means something, "
        "as in tomography. Costs nothing.",
        (Choice(2, "over the whole image"), Choice(3, "plane by plane"), Choice(1, "not at all")),
    ),
    Field(
        "norm_from",
        "Statistics of",
        "Where that mean and deviation come from. Each image: images that are brighter or darker "
        "than others look alike to the model. The training images: brightness is compared between "
        "images, for those taken under equal conditions.",
        (Choice("image", "each image"), Choice("training", "the training images")),
    ),
    Field(
        "edge_smoothing",
        "Follow edges",
        "Radius, in pixels, of smoothing that stops at the edges of the image. Removes specks and "
        "keeps borders; large values swallow thin structures. Costs little. 0 is off.",
        high=64,
    ),
    Field(
        "unpatch_guided",
        "Sharpen cells",
        "Networks that see in cells of several pixels: pixels get the classes of the cells near "
        "them that look like them. Finer borders for little time; without effect on others.",
        (Choice(False, "off"), Choice(True, "on")),
    ),
    Field(
        "crf",
        "Alike and near",
        "Pixels that look alike and lie near each other get the same class (a dense random "
        "field). Cleaner areas and borders, at about a second for every million pixels; thin "
        "structures may go.",
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
        "Radius, in pixels, in which the most frequent class wins. Removes specks and rounds "
        "corners; structures narrower than the radius go. Costs little. 1 is off.",
        low=1,
        high=20,
    ),
)
"""Parameters of features and of what is done with results."""

TITLES = {
    "ensemble": "Ensemble",
    "families": "Ensembles with and without networks",
    "catboost": "CatBoost",
    "forest": "Random forest",
    "logistic": "Logistic regression",
}

EXTRACTOR_TITLES = {
    "stroma": "Stroma: texture and colour",
    "stroma-lite": "Stroma, with networks where they help",
    "stroma-3d": "Stroma: texture in volumes",
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

GOOD_FOR = {
    "stroma": "Begin here: what differs in brightness, colour or texture. Fast.",
    "stroma-lite": "Photographs, streets, rock, steel: networks beside texture and colour that "
    "have a say where your strokes tell that they help. Several times slower at first.",
    "stroma-3d": "Volumes: looks at the planes above and below too. Slower than on planes.",
    "vgg": "Edges, colours and fine texture. Fast.",
    "vgg-m": "Texture of up to about 20 pixels. Slower, more memory.",
    "vgg-l": "Coarse texture and small structures. Slow, much memory.",
    "dino": "What is told by its look as a whole and not by texture, in tissue for instance. "
    "Coarse borders; slow without a graphics processor.",
    "dinov3": "As DINOv2, newer and larger. The licence has to be accepted.",
    "dino-jafar": "DINOv2 with finer borders. Slower still.",
    "dinov3-jafar": "DINOv3 with finer borders. Slower still.",
    "hr-dino": "DINOv2 with finer borders, by looking several times. Several times slower.",
    "hr-dino-hybrid": "The look as a whole and fine edges together. The slowest, often the best "
    "where textures are alike.",
    "lite": "Texture and small structures, by a small network. Quick for a network.",
    "cellpose": "Cells and nuclei: what a network for cells sees.",
    "gaussian": "What differs in brightness alone. The fastest.",
    "ilastik": "The edges, blobs and textures that ilastik computes: for habits from there. Fast.",
}
"""What configurations are good for, and what they cost, by alias."""

CLASSIFIER = (
    Field(
        "clf",
        "Classifier",
        "What learns the classes from the features. The ensemble (trees and a linear model "
        "together) is usually the best with few strokes; two of them, one without the network, are "
        "safer where a network follows filters; the forest is fast; CatBoost is what "
        "Convpaint uses; logistic regression draws the smoothest borders and suits networks. "
        "Changing it trains anew, and computes no features.",
        tuple(Choice(name, TITLES.get(name, name)) for name in CLASSIFIERS),
    ),
    Field(
        "clf_iterations",
        "Trees",
        "Number of trees. More are slower, and beyond a hundred rarely better.",
        low=10,
        high=500,
        step=10,
    ),
    Field(
        "clf_learning_rate",
        "Learning rate",
        "How much a tree adds. Smaller needs more trees; larger learns strokes by heart.",
        low=0.01,
        high=1,
        step=0.01,
    ),
    Field(
        "clf_depth",
        "Depth",
        "Questions asked in a tree. Deeper finds finer distinctions and needs more strokes; every "
        "step doubles the size of the trees.",
        low=1,
        high=10,
    ),
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
    seen.setdefault(own, Choice(str(param.fe_name), title_of(param.fe_name)))
    return str(seen[own].value), [vars(choice) for choice in seen.values()]


def _extractor(given: Mapping[str, Any]) -> str:
    """Return what tells extractors apart: name and layers."""
    return repr((given.get("fe_name"), given.get("fe_layers")))
