"""What a training would be, without training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from stroma.data.classes import Class
from stroma.training.learning.learner import Learner
from stroma.training.learning.task import Task
from stroma.training.planning.memory import step_gigabytes
from stroma.training.planning.setup import PLANNED, planned
from stroma.workflow.learning.layers import has_layers, layered
from stroma.workflow.learning.object_classes import with_object_classes
from stroma.workflow.learning.teach import (
    CONFIDENCE,
    OF_LAYERS,
    OF_OBJECTS,
    learned_from,
    require_no_teacher,
)

IMAGES = "image", "images"
OBJECTS = "object with its class", "objects with their classes"
_SMALLER = "Patches are made smaller if the time is too short for 500 steps, as measured then."


@dataclass(frozen=True)
class Preview:
    """What a training would be.

    Parameters
    ----------
    images : int
        Planes or volumes there are to learn from; of classes of objects one around each object.
    channels : int
        Of each.
    outputs : tuple of str
        Channels that are predicted; classes by their names, where these are known.
    pixels : dict of int to int
        Labelled pixels by label.
    normalisation : tuple of str
        Per channel.
    network : str
        What is trained, with its patches.
    plan : str
        nnU-Net's plan for the data; empty for networks that are not planned.
    gigabytes : float
        About how much memory a step takes.
    of_objects : bool
        Whether classes of objects are learned.
    names : dict of int to str
        Of classes by label, as far as they are known.
    """

    images: int
    channels: int
    outputs: tuple[str, ...]
    pixels: dict[int, int]
    normalisation: tuple[str, ...]
    network: str
    plan: str
    gigabytes: float
    of_objects: bool = False
    names: dict[int, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """Say it so that users understand."""
        total = max(sum(self.pixels.values()), 1)
        shares = ", ".join(
            f"{self.names.get(n, n)}: {100 * v / total:.1f} %"
            for n, v in sorted(self.pixels.items())
        )
        what = OBJECTS if self.of_objects else IMAGES
        lines = [
            f"{_counted(self.images, *what)}, {_counted(self.channels, 'channel', 'channels')}; "
            f"normalised by {', '.join(self.normalisation)}",
            f"Predicted: {', '.join(self.outputs)}",
            f"Labelled pixels: {shares}" if shares else "",
            f"Trained: {self.network}, about {self.gigabytes:.1f} GB",
            _SMALLER if self.plan else "",
            self.plan,
        ]
        return "\n".join(line for line in lines if line)


def _counted(count: int, one: str, several: str) -> str:
    return f"{count} {one if count == 1 else several}"


def preview(
    images: Any,
    labels: Any,
    learner: Learner,
    *,
    teacher: Any = None,
    confidence: float = CONFIDENCE,
    objects: Any = None,
    classes: Sequence[Class] = (),
) -> Preview:
    """Return what a training would be; reads labels, and trains nothing.

    Parameters
    ----------
    images, labels, teacher, confidence, objects, classes
        As for ``stroma.learn``.
    learner : Learner
        What is asked for.
    """
    if objects is not None:
        require_no_teacher(teacher, confidence, OF_OBJECTS)
        learner, data = with_object_classes(learner, images, objects, labels)
    elif has_layers(learner, labels):
        require_no_teacher(teacher, confidence, OF_LAYERS)
        learner, data = layered(learner, images, labels)
    else:
        data = learned_from(learner, images, labels, teacher=teacher, confidence=confidence)
    task = learner.without(data.ignore).task(data.images, data.labels)
    names = {0: "background", **{c.label: c.name for c in classes or data.classes}}
    labelled = getattr(task.target, "labels", None)
    return Preview(
        images=len(task.cases),
        channels=task.cases[0].channels,
        outputs=tuple(names.get(n, str(n)) for n in labelled or ()) or task.target.channels(),
        pixels=dict(task.facts.counts) if task.target.truth == "classes" else {},
        normalisation=task.scale.schemes,
        network=str(task.setup),
        plan=_planned(task),
        gigabytes=step_gigabytes(task.built(), task.inputs, task.setup.patch, task.setup.batch),
        of_objects=objects is not None,
        names=names,
    )


def _planned(task: Task) -> str:
    if task.setup.network not in PLANNED:
        return ""
    found = planned(
        [case.shape for case in task.cases],
        task.facts,
        outputs=len(task.target.channels()),
        memory_gb=task.options.memory_gb,
        network=task.setup.network,
    )
    return str(found)
