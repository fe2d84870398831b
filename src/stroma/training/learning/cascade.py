"""Two networks for volumes of which a patch shows little: the first sees coarse pixels.

nnU-Net's cascade (Isensee et al. 2021, doi 10.1038/s41592-020-01008-z). The second network is shown
what the first says, one channel for every class but the first. While it learns, that is what
networks say of parts that they did not learn from: else it would trust them too much.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stroma.data.classes import Class
from stroma.errors import ParameterError
from stroma.training.feeding.cases import Case
from stroma.training.feeding.resample import coarser, coarser_cases
from stroma.training.feeding.splits import folds
from stroma.training.learning.folds import cross_trained, kept_network
from stroma.training.learning.loop import Told
from stroma.training.learning.task import Task
from stroma.training.model import Network
from stroma.training.planning.configuration import Floats, Plan
from stroma.training.planning.setup import PLANNED, Setup, coarser_setup, planned
from stroma.training.predicting.guide import Guide
from stroma.training.predicting.members import Cascade, members

SHARE = 1 / 3
"""Of the time, for the first network."""

LEAST_FOLDS = 2
"""Networks that the first is, at least, so that each part is kept from one of them."""

DONE = "first.safetensors"
"""The first network, in the folder of the training, until the second is done."""

MOST_CLASSES = 255


@dataclass(frozen=True)
class _Wanted:
    """How a training is watched."""

    folder: Path | None
    overwrite: bool
    tell: Callable[[Told], None] | None
    cancel: Callable[[], bool] | None


def cascaded(
    task: Task,
    *,
    classes: Sequence[Class] = (),
    folder: Path | None = None,
    overwrite: bool = False,
    tell: Callable[[Told], None] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Network:
    """Train a coarse network, and another that is shown what it says; see `Learner.fit`.

    A third of the time is the first's. A training that was cut off goes on.

    Raises
    ------
    ParameterError
        If it is not for classes in volumes, or a patch shows a good part of a volume anyway.
    """
    found, wanted = _planned(task), _Wanted(folder, overwrite, tell, cancel)
    first_task = _first_task(task, found)
    first = _first(first_task, wanted)
    guided = _guided(task, first_task, first, found.times)
    second = _second(guided, classes, wanted)
    if folder is not None:
        (folder / DONE).unlink(missing_ok=True)
    about = replace(second.about, first=asdict(first.about), times=found.times)
    return Network(Cascade(first.module, second.module), about)


def _planned(task: Task) -> Plan:
    """Return the plan with its coarser configuration."""
    if task.target.result != "classes" or task.facts.ndim != 3 or task.base is not None:
        raise ParameterError(
            "A cascade is for classes in volumes (target semantic, ndim 3), and begins with "
            "nothing. Leave out cascade."
        )
    if task.setup.network not in PLANNED:
        raise ParameterError(
            f"A cascade is of planned networks ({', '.join(PLANNED)}), got "
            f"{task.setup.network!r}. Choose one of these, or leave out cascade."
        )
    if len(task.target.channels()) > MOST_CLASSES:
        raise ParameterError(f"A cascade is for up to {MOST_CLASSES} classes.")
    found = planned(
        [case.shape for case in task.cases],
        task.facts,
        outputs=len(task.target.channels()),
        memory_gb=task.options.memory_gb,
        network=task.setup.network,
    )
    if found.low is None:
        patch = " x ".join(map(str, found.full.patch))
        raise ParameterError(
            f"One patch ({patch} pixels) shows a quarter of a volume or more, so a coarser "
            "network would not see more. Leave out cascade."
        )
    return found


def _first_task(task: Task, found: Plan) -> Task:
    options = task.options
    spacing = found.in_order_of_images(found.full.spacing)
    return replace(
        task,
        cases=tuple(coarser_cases(task.cases, spacing, found.times)),
        setup=coarser_setup(task.setup, found, options.network_options),
        options=replace(
            options,
            minutes=options.minutes * SHARE,
            folds=max(options.folds, LEAST_FOLDS),
            largest=False,
        ),
    )


def _first(task: Task, wanted: _Wanted) -> Network:
    """Return the coarse network, trained now or before."""
    folder = wanted.folder
    place = None if folder is None else folder / DONE
    if place is not None and wanted.overwrite:
        place.unlink(missing_ok=True)
    known = None if place is None else kept_network(task, place)
    if known is not None:
        return known
    found = cross_trained(
        task,
        folder=None if folder is None else folder / "first",
        overwrite=wanted.overwrite,
        tell=wanted.tell,
        cancel=wanted.cancel,
    )
    training = {**found.about.training, "identity": task.identity()}
    found = Network(found.module, replace(found.about, training=training))
    if place is not None:
        found.save(place)
    return found


def _guided(task: Task, first_task: Task, first: Network, times: Floats) -> Task:
    """Return the task of the second network: cases with what was said of them."""
    coarse = _said(first_task, first)
    spacing = task.facts.spacing or (1.0,) * task.facts.ndim
    cases = []
    for case, classes in zip(task.cases, coarse, strict=True):
        nearest = coarser(case.shape, spacing, times).nearest
        guide = Guide(classes, len(task.target.channels()), nearest)
        everything = tuple(slice(0, n) for n in case.shape)
        cases.append(replace(case, guide=guide.numbers(everything, case.shape)))
    minutes = task.options.minutes * (1 - SHARE)
    return replace(task, cases=tuple(cases), options=replace(task.options, minutes=minutes))


def _said(task: Task, first: Network) -> list[NDArray[np.uint8]]:
    """Return what was said of every case by networks that did not learn from that part."""
    found = [np.zeros(case.shape, np.uint8) for case in task.cases]
    known = replace(task, setup=Setup.of(first.about.plan))
    every = folds(task.cases, task.options.folds, seed=task.options.seed)
    for module, (_, kept) in zip(members(first.module), every, strict=True):
        for case in kept:
            values = known.examination([case]).prediction(module, case)
            found[_place(task.cases, case)][case.area] = values.argmax(0)
    return found


def _place(cases: Sequence[Case], part: Case) -> int:
    return next(i for i, case in enumerate(cases) if case.image is part.image)


def _second(task: Task, classes: Sequence[Class], wanted: _Wanted) -> Network:
    run: Callable[..., Network] = task.run
    if task.options.folds > 1:
        run = partial(cross_trained, task)
    return run(
        classes=classes,
        folder=wanted.folder,
        overwrite=wanted.overwrite,
        tell=wanted.tell,
        cancel=wanted.cancel,
    )
