"""From a few strokes to a network: what a model of strokes says becomes labels.

What it says is learned as probabilities of little weight, and what is painted as it is: a network
that learned only what a model is certain of would be as wrong as the model, and one that learned
strokes alone has seen too little.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stroma.data.classes import Class
from stroma.data.image import Image
from stroma.data.strokes import as_labels
from stroma.errors import LabelError, ParameterError
from stroma.io import read_image, read_strokes
from stroma.targets import TARGETS
from stroma.training.feeding.cases import UNKNOWN
from stroma.training.feeding.shares import Shares
from stroma.workflow.applying.categories import categorised
from stroma.workflow.applying.find import strokes_of
from stroma.workflow.applying.load import load
from stroma.workflow.learning.pairs import Given, all_images, given, said_of

if TYPE_CHECKING:
    from stroma.pixel.model import ConvpaintModel
    from stroma.training.learning.learner import Learner

CONFIDENCE = 0.5
"""Probability from which on what a model of strokes says of a pixel is learned."""

TRUST = 1 / 30
"""Weight of what it says; that of painted pixels, which are few, is 1."""

COMMON = 0.3
"""How far classes are taken to be as common as the model says, from 0 (all are as common) to 1.

Strokes are painted in about equal shares, so that a model says too much of what is rare; what it
says of all pixels tells that (Saerens et al. 2002, doi 10.1162/089976602753284446).
"""

OF_OBJECTS = "those of objects are learned, of which labels say the class"
OF_LAYERS = "several targets are learned, each of labels of its own"
"""What is learned where no model of strokes can teach."""

LEAST = 1e-6


@dataclass(frozen=True, eq=False)
class Lesson:
    """What a network learns of a model of strokes.

    Parameters
    ----------
    images : list
        As they were given.
    labels : list of Shares
        Of the classes: 1 where one is painted, and a fraction of its probability elsewhere; 0 where
        the model is not certain enough.
    classes : tuple of Class
        Names and colours of the labels.
    certain : tuple of float
        Share of the pixels of every image of which something is learned.
    """

    images: list[Any]
    labels: list[Shares]
    classes: tuple[Class, ...]
    certain: tuple[float, ...]


def learned_from(
    learner: Learner, images: Any, labels: Any, *, teacher: Any, confidence: float
) -> Given:
    """Return images with labels: as they are given, or as a model of strokes says.

    Raises
    ------
    ParameterError
        If there is a teacher, and the target learns no classes, or images are to be kept for
        scores.
    """
    truth = TARGETS[learner.target].truth
    if teacher is None and truth == "category":
        return categorised(images, labels)
    if teacher is None:
        return given(images, labels, alone=learner.alone)
    if truth != "classes":
        raise ParameterError(
            f"A model of strokes teaches classes, and {learner.target!r} learns {truth}. Leave the "
            "target out, or give labels instead."
        )
    if learner.validation != type(learner).validation:
        raise ParameterError(
            "validation= keeps images for scores, and what a model of strokes says of them is no "
            "truth: all are learned from. Leave it out, and evaluate the network on images whose "
            "labels are known."
        )
    found = lesson(teacher, images, strokes=labels, confidence=confidence, axes=learner.axes)
    return Given(found.images, list(found.labels), classes=found.classes)


def lesson(
    teacher: str | Path | ConvpaintModel,
    images: Any,
    *,
    strokes: Any = None,
    confidence: float = CONFIDENCE,
    axes: str | None = None,
) -> Lesson:
    """Return images with labels for a network, given by a model of strokes.

    Parameters
    ----------
    teacher : path or ConvpaintModel
        A model of strokes, or the ``.pkl`` file of one.
    images : folder, image, path, or list of these
        What is learned from.
    strokes : folder or list, optional
        Painted labels of images, which count more than the model: files that pair by name
        (images without are taken without), or one for each image, None where there are none.
    confidence : float
        Least probability of the likeliest class for a pixel to be learned from.
    axes : str, optional
        Axes of the images, where files do not name them.

    Raises
    ------
    ParameterError
        If the model is no model of strokes, or the confidence no probability.
    LabelError
        If the model is certain of no pixel of a class.
    """
    if not 0 < confidence < 1:
        raise ParameterError(f"confidence is a probability between 0 and 1, got {confidence!r}.")
    model = _of_strokes(teacher)
    several = all_images(images)
    given_strokes = [None] * len(several) if strokes is None else strokes
    painted = said_of(several, given_strokes, "strokes", _named_as)
    known: tuple[Class, ...] = model.classes
    opened = [read_image(one, axes=axes) if isinstance(one, str | Path) else one for one in several]
    labels = []
    for image, marks, found in zip(opened, painted, _said(model, opened, confidence), strict=True):
        if marks is not None:
            own, known = _values(marks, image, found.shape, known)
            found = _painted(found, own)
        labels.append(found)
    _require_every_class(labels, model, confidence)
    certain = tuple(float(one.values.any(0).mean()) for one in labels)
    return Lesson(several, labels, known, certain)


def require_no_teacher(teacher: Any, confidence: float, learned: str) -> None:
    """Refuse a model of strokes, and how certain it has to be, where it teaches nothing.

    Parameters
    ----------
    teacher : path, ConvpaintModel or None
        As it was given.
    confidence : float
        As it was given.
    learned : str
        What is learned, with the labels that say it.

    Raises
    ------
    ParameterError
        If either is given.
    """
    if teacher is not None:
        raise ParameterError(
            f"A model of strokes teaches classes of pixels, and here {learned}. Leave teacher= out."
        )
    if confidence != CONFIDENCE:
        raise ParameterError(
            f"confidence= is that of a model of strokes, and here {learned}. Leave it out."
        )


def _of_strokes(teacher: Any) -> ConvpaintModel:
    model: Any = load(teacher) if isinstance(teacher, str | Path) else teacher
    if hasattr(model, "about") or not hasattr(model, "classes_"):
        raise ParameterError(
            f"A network learns from a model of strokes (.pkl), got {teacher!s}. To learn from the "
            "labels of a network, segment with it first and give the results as labels."
        )
    found: ConvpaintModel = model
    return found


def _named_as(path: Path, folder: Path) -> Path | None:
    """Return the file in a folder with the strokes of an image, if it has some."""
    fits = [p for p in strokes_of(path.name, folder) if p.resolve() != path.resolve()]
    return fits[0] if fits else None


def _said(model: ConvpaintModel, images: Sequence[Any], confidence: float) -> Iterator[Shares]:
    """Yield what the model says of the pixels of images that it is certain enough of."""
    labels = tuple(int(n) for n in np.asarray(model.classes_))
    every = [np.asarray(model.predict_probas(image), np.float16) for image in images]
    pixels = sum(one[0].size for one in every)
    common = np.sum([one.reshape(len(one), -1).sum(1, np.float64) for one in every], 0) / pixels
    weights = common**COMMON
    if _told(every, weights, confidence) != _told(every, np.ones_like(common), confidence):
        weights = np.ones_like(common)  # a class would be said nowhere
    for one in every:
        certain = one.max(0) >= confidence
        likely = _weighed(one, weights)
        values = np.where(certain, TRUST * likely / np.maximum(likely.sum(0), LEAST), 0)
        yield Shares(labels, values.astype(np.float16))


def _weighed(shares: NDArray[Any], weights: NDArray[np.float64]) -> NDArray[Any]:
    return shares * weights.astype(np.float32).reshape(-1, *(1,) * (shares.ndim - 1))


def _told(every: Sequence[NDArray[Any]], weights: NDArray[np.float64], least: float) -> set[int]:
    """Return which classes are the likeliest of some pixel that is certain enough."""
    found = [_weighed(one, weights).argmax(0)[one.max(0) >= least] for one in every]
    return {int(n) for one in found for n in np.unique(one)}


def _painted(said: Shares, painted: NDArray[Any]) -> Shares:
    """Return shares in which what is painted is certain."""
    labels = tuple(sorted({*said.labels, *np.unique(painted[painted > 0]).tolist()}))
    every = np.stack([painted == label for label in labels]).astype(np.float16)
    return Shares(labels, np.where(painted > 0, every, said.of(labels)))


def _values(
    marks: Any, image: Any, shape: tuple[int, ...], known: tuple[Class, ...]
) -> tuple[NDArray[Any], tuple[Class, ...]]:
    """Return painted labels in the shape of the model's, and the classes with theirs."""
    if isinstance(marks, str | Path):
        plane = image if isinstance(image, Image) else read_image(image)
        read = read_strokes(marks, plane, classes=known)
        return read.labels.reshape(shape), read.classes
    values = as_labels(np.asarray(marks), source="The label image of the strokes")
    if values.shape != shape:
        raise ParameterError(f"Strokes have the shape of their image, {shape}; got {values.shape}.")
    return values, known


def _require_every_class(
    labels: Sequence[Shares], model: ConvpaintModel, confidence: float
) -> None:
    seen = {int(n) for one in labels for n in np.unique(one.likely(unknown=UNKNOWN))}
    missing = [int(n) for n in np.asarray(model.classes_) if int(n) not in seen]
    if missing:
        names = {c.label: c.name for c in model.classes}
        said = ", ".join(names.get(n, str(n)) for n in missing)
        raise LabelError(
            f"The model is certain of no pixel of {said} (a probability of {confidence} or more). "
            "Lower the confidence, paint some, or give images that show it."
        )
