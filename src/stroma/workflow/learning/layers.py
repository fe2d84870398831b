"""Label images for each of several targets: classes of pixels beside objects by number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stroma.errors import LabelError, ParameterError, ShapeError
from stroma.targets import TARGETS
from stroma.training.feeding.cases import UNKNOWN, label_array
from stroma.training.feeding.data import label_values
from stroma.training.planning.options import SEVERAL
from stroma.workflow.learning.pairs import Given, all_images, paired

if TYPE_CHECKING:
    from stroma.training.learning.learner import Learner

MOST = np.iinfo(np.int32).max


def has_layers(learner: Learner, labels: Any) -> bool:
    """Tell whether labels are given for each target: by name, or as a folder with one for each."""
    if learner.target != SEVERAL:
        return False
    if isinstance(labels, Mapping):
        return True
    names = learner.target_options["heads"]
    if not isinstance(labels, str | Path):
        return False
    return any((Path(labels) / name).is_dir() for name in names)


def layered(learner: Learner, images: Any, labels: Any) -> tuple[Learner, Given]:
    """Return how to learn, and images with one label image each, made of those of all targets.

    A pixel that is ignored for one target is ignored for all.

    Parameters
    ----------
    learner : Learner
        Of several targets.
    images : folder, image, path, or list of these
        What is learned from.
    labels : mapping of str to labels, or folder
        By the name of a target, as for ``stroma.learn``: classes of pixels for one of classes,
        objects by number for others. A folder has a folder of such files for each of them.

    Raises
    ------
    ParameterError, ShapeError, LabelError
        Naming what is missing, or does not fit.
    """
    every = all_images(images)
    classes, objects = _of_kinds(learner, every, labels)
    ignored = learner.ignore if isinstance(learner.ignore, Sequence) else (learner.ignore,)
    pairs = [
        _both(one, other, ignored, f"label images of image {number}")
        for number, (one, other) in enumerate(zip(classes, objects, strict=True), start=1)
    ]
    divisor = max(int(seen.max(initial=0)) for _, seen in pairs) + 1
    unknown = (max(int(kind.max(initial=0)) for kind, _ in pairs) + 1) * divisor
    if unknown > MOST:
        raise LabelError(
            f"Objects are numbered up to {divisor - 1}, which with classes is more than "
            f"{MOST}. Number the objects of every image from 1."
        )
    made = [np.where(kind < 0, unknown, kind * divisor + seen) for kind, seen in pairs]
    options = {**learner.target_options, "divisor": divisor, "apart": True}
    ready = replace(learner, target_options=options, ignore=())
    return ready, Given(every, made, (unknown,))


def _of_kinds(learner: Learner, images: list[Any], labels: Any) -> tuple[list[Any], list[Any]]:
    """Return the label images of classes, and those of objects."""
    names = list(learner.target_options["heads"])
    kinds: dict[str, list[str]] = {"classes": [], "objects": []}
    for name in names:
        kinds["classes" if TARGETS[name].truth == "classes" else "objects"].append(name)
    every = {kind: _first_given(kind, some, images, labels) for kind, some in kinds.items()}
    return every["classes"], every["objects"]


def _first_given(kind: str, names: list[str], images: list[Any], labels: Any) -> list[Any]:
    """Return the labels of one kind, of the first target that has some."""
    if not names:
        raise ParameterError(
            f"Labels for each target are of classes and of objects, and none of the targets learns "
            f"{kind}. Give one label image for every image."
        )
    for name in names:
        found = _given(name, images, labels)
        if found is not None:
            return found
    raise ParameterError(
        f"There are no labels of {kind}. Give some for {' or '.join(names)}: by that name, or in a "
        "folder of that name within the folder of labels."
    )


def _given(name: str, images: list[Any], labels: Any) -> list[Any] | None:
    """Return the labels of a target, one for each image; None where there are none."""
    own = labels.get(name) if isinstance(labels, Mapping) else Path(labels) / name
    if own is None or (isinstance(own, Path) and not own.is_dir()):
        return None
    _, found = paired(images, own)
    if len(found) != len(images):
        raise ParameterError(
            f"There are {len(images)} images and {len(found)} labels of {name!r}; give one for "
            "each image, in the same order."
        )
    return found


def _both(
    classes: Any, objects: Any, ignored: Sequence[int], name: str
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return classes and objects of an image; both are -1 where one of them is ignored."""
    read = [label_values(one, name) for one in (classes, objects)]
    kinds, seen = (label_array(v, ignored, source).astype(np.int64) for v, source in read)
    if kinds.shape != seen.shape:
        raise ShapeError(
            f"The {name} differ: classes have {kinds.shape} pixels, objects {seen.shape}."
        )
    unknown = (kinds == UNKNOWN) | (seen == UNKNOWN)
    kinds[unknown] = seen[unknown] = UNKNOWN
    return kinds, seen
