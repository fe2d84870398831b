"""Labelled images to a network, and results to scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stroma.data.classes import Class
from stroma.errors import ParameterError
from stroma.training.learning.learner import Learner
from stroma.workflow.applying.categories import renumbered
from stroma.workflow.applying.load import load
from stroma.workflow.learning.layers import has_layers, layered
from stroma.workflow.learning.object_classes import with_object_classes
from stroma.workflow.learning.pairs import for_images
from stroma.workflow.learning.teach import (
    CONFIDENCE,
    OF_LAYERS,
    OF_OBJECTS,
    learned_from,
    require_no_teacher,
)

if TYPE_CHECKING:
    from stroma.training.learning.loop import Told
    from stroma.training.model import Network
    from stroma.workflow.learning.recipe import Recipe


USUAL = "semantic"
"""What is learned unless something else is asked for."""


def followed(
    recipe: Recipe,
    *,
    overwrite: bool = False,
    tell: Callable[[Told], None] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Network:
    """Do what a recipe says, and write the network to its file.

    Parameters are those of `learn`, which does the same without a file.
    """
    made = learn(
        recipe.images,
        recipe.labels,
        teacher=recipe.teacher,
        confidence=recipe.confidence,
        base=recipe.base,
        objects=recipe.objects,
        regions=recipe.regions,
        classes=[Class(label, name) for label, name in recipe.classes.items()],
        folder=recipe.progress_folder,
        overwrite=overwrite,
        tell=tell,
        cancel=cancel,
        **recipe.options,
    )
    made.save(recipe.model)
    return made


def learn(
    images: Any,
    labels: Any = None,
    *,
    target: str = USUAL,
    teacher: Any = None,
    confidence: float = CONFIDENCE,
    base: Network | str | Path | None = None,
    objects: Any = None,
    network: str = "auto",
    minutes: float = 10.0,
    memory_gb: float = 2.0,
    device: str = "auto",
    regions: Any = None,
    classes: Sequence[Class] = (),
    folder: str | Path | None = None,
    overwrite: bool = False,
    tell: Callable[[Told], None] | None = None,
    cancel: Callable[[], bool] | None = None,
    **options: Any,
) -> Network:
    """Train a network on labelled images.

    Parameters
    ----------
    images, labels : array-like, Image, path, folder, or list of these
        Files in two folders pair by their names, lists by position. Labels are left out for a
        target that needs none ("denoise") and for a raw dataset of nnU-Net (a folder with
        ``dataset.json``), and are other images for "restore", CSV files of points for "spots". For
        "classify" they are the class of every image, or a table with the columns file and class;
        they are left out where ``images`` has a folder of images for every class. For classes of
        ``objects`` they are, for every image, a table with the columns label and class, marks of
        QuPath or ImageJ on some objects, or names by number of the object. For several targets they
        may be given for each, by its name, or in folders that have their names.
    target : str
        What is learned: "semantic" (a class for every pixel), or another of
        ``stroma.targets.TARGETS``.
    teacher : ConvpaintModel or path, optional
        A model of strokes: the probabilities that it gives to pixels are learned, as far as it is
        certain. ``labels`` are then strokes of all or some of the images, of which a pixel counts
        30 times as much, or left out.
    confidence : float
        Least probability of the likeliest class; pixels of less are ignored.
    base : Network or path, optional
        A trained network that the training begins with: it goes on learning what that has learned.
    objects : folder, path, array, or list of these, optional
        Label images with the objects of every image, for "classify": learn a class for each object,
        not for the image.
    network : str
        One of ``stroma.networks.NETWORKS``; "auto" chooses by data and budget.
    minutes : float
        Time for the training, validation included.
    memory_gb : float
        Memory for the training, in GB.
    device : {"auto", "cpu", "cuda", "mps"}
        Where to run.
    regions : list of images or folder, optional
        Not 0 where an image is annotated; everything else is ignored.
    classes : sequence of Class
        Names and colours of labels.
    folder : str or Path, optional
        Gets the history as CSV, curves and pictures of validation images while it learns, and the
        state: called again after an interruption, it goes on.
    overwrite : bool
        Start over, whatever is in the folder.
    tell : callable, optional
        Is told how far it is, after every step.
    cancel : callable, optional
        Asked before every step.
    **options
        Further fields of `stroma.training.learning.learner.Learner`: ``steps``, ``ndim``,
        ``ignore``, ``patch``, ``batch``, ``rate``, ``seed`` and others.

    Returns
    -------
    Network
        With ``segment``, ``predict_probas``, ``evaluate``, ``save`` and ``scores_``.

    Raises
    ------
    ParameterError, ShapeError, LabelError
        Before the first step, saying what does not fit and what to do.
    """
    begun = begun_with(base)
    learner = Learner(
        target=begun.about.target if begun and target == USUAL else target,
        network=network,
        minutes=minutes,
        memory_gb=memory_gb,
        device=device,
        **options,
    )
    if objects is not None or (begun is not None and begun.of_objects):
        _require_whole(begun, objects, regions)
        require_no_teacher(teacher, confidence, OF_OBJECTS)
        learner, data = with_object_classes(learner, images, objects, labels, base=begun)
    elif has_layers(learner, labels):
        require_no_teacher(teacher, confidence, OF_LAYERS)
        learner, data = layered(learner, images, labels)
    else:
        data = learned_from(learner, images, labels, teacher=teacher, confidence=confidence)
    if begun is not None and objects is None and begun.target.truth == "category":
        data = renumbered(data, begun.classes)
    return learner.without(data.ignore).fit(
        data.images,
        data.labels,
        regions=None if regions is None else for_images(data.images, regions),
        classes=classes or data.classes,
        folder=folder,
        overwrite=overwrite,
        base=begun,
        tell=tell,
        cancel=cancel,
    )


def _require_whole(base: Network | None, objects: Any, regions: Any) -> None:
    """Refuse classes of objects where they cannot be learned."""
    if objects is None:
        raise ParameterError(
            "The network that this begins with learned classes of objects: objects= are their "
            "label images."
        )
    if base is not None and not base.of_objects:
        raise ParameterError(
            f"The network that this begins with finds {base.target.result}, not classes of "
            "objects. Leave base= or objects= out."
        )
    if regions is not None:
        raise ParameterError(
            "regions= say where pixels are labelled, and here objects are. Leave them out, and the "
            "class of objects that nobody labelled, too."
        )


def begun_with(base: Any) -> Network | None:
    """Return the network that a training begins with, of a file or as it is given."""
    if base is None:
        return None
    found: Any = load(base) if isinstance(base, str | Path) else base
    if not hasattr(found, "about"):
        raise ParameterError(
            f"A training begins with a trained network (.safetensors), got {base!s}. A model of "
            "strokes teaches one (teacher)."
        )
    network: Network = found
    return network
