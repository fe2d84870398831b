"""Several networks, each trained without another part of the data, as one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from stroma.data.classes import Class
from stroma.errors import FormatError
from stroma.training.feeding.splits import folds
from stroma.training.files.about import About, read_about
from stroma.training.learning.examination import Outcome
from stroma.training.learning.loop import CHECKPOINT, Told
from stroma.training.learning.task import Task
from stroma.training.model import Network
from stroma.training.planning.setup import read_setup, write_setup
from stroma.training.predicting.members import joined

DONE = "network.safetensors"
"""A fold that is done, in its folder, until all are."""


def cross_trained(
    task: Task,
    *,
    classes: Sequence[Class] = (),
    folder: Path | None = None,
    overwrite: bool = False,
    tell: Callable[[Told], None] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Network:
    """Train a network per fold, and return all of them as one; see `Learner.fit`.

    The time is divided among them. Folds that are done, or were begun, go on from there. Options
    of decoding are chosen by what every network predicts of the part that it did not see, which
    together is all of the data.
    """
    ready = _fixed(task, folder, overwrite=overwrite)
    count = task.options.folds
    made, outcome = [], Outcome([], [])
    # Of guesses none are kept, so that networks differ by their weights and patches alone.
    alike = [task.parts()] * count if task.guessed else []
    for number, parts in enumerate(alike or folds(task.cases, count, seed=task.options.seed)):
        one = _fold(ready, number)
        place = None if folder is None else folder / f"fold_{number + 1}"
        network = None if place is None else kept_network(one, place / DONE)
        if network is None:
            report = None if tell is None else _telling(tell, number, count)
            network = one.run(
                parts=parts, classes=classes, folder=place, tell=report, cancel=cancel
            )
            if place is not None:
                network.save(place / DONE)
        made.append(network)
        outcome += one.examination(parts[1]).outcome(network.module)
    chosen = outcome.chosen(task.target, largest=task.options.largest)
    found = Network(joined([one.module for one in made]), _about(made, chosen, ready))
    _forget(folder, count)
    return found


def _fixed(task: Task, folder: Path | None, *, overwrite: bool) -> Task:
    """Return the task of every fold, with patches that are chosen once for all."""
    options, setup_file = task.options, None
    shared = replace(options, minutes=options.minutes / options.folds)
    begun = replace(task, options=shared)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        setup_file = folder / "folds.json"
        if overwrite:
            _forget(folder, options.folds)
    if setup_file is not None and setup_file.exists():
        setup = read_setup(setup_file)
    else:
        setup = replace(begun.fitted(None).setup, free=False)
        if setup_file is not None:
            write_setup(setup_file, setup)
    return replace(begun, setup=setup)


def _fold(task: Task, number: int) -> Task:
    """Return the task of one fold, which begins with weights of its own."""
    return replace(task, options=replace(task.options, seed=task.options.seed + number))


def kept_network(task: Task, path: Path) -> Network | None:
    """Return a network that is done, if there is one, and of the same data and settings.

    Raises
    ------
    FormatError
        If it is of others.
    """
    if not path.exists():
        return None
    about = read_about(path)
    if about.training.get("identity") != task.identity():
        raise FormatError(
            f"{path} is of another training: other data, or other settings. Give another "
            "folder, or start over (overwrite)."
        )
    return Network.load(path)


def _telling(tell: Callable[[Told], None], number: int, count: int) -> Callable[[Told], None]:
    """Return what tells of one fold as a part of all of them."""

    def told(one: Told) -> None:
        others = (count - number - 1) * one.steps * one.seconds_per_step
        tell(
            replace(
                one,
                step=one.step + number * one.steps,
                steps=one.steps * count,
                seconds_left=one.seconds_left + others,
            )
        )

    return told


def _about(made: Sequence[Network], chosen: Mapping[str, Any], task: Task) -> About:
    """Return what is known of all networks together: the means of their scores, and each."""
    each = [dict(one.about.training["scores"]) for one in made]
    scores = {name: float(np.nanmean([s[name] for s in each])) for name in each[0]}
    trainings = [one.about.training for one in made]
    rows = [{**row, "fold": n} for n, t in enumerate(trainings, 1) for row in t["history"]]
    training = {
        **trainings[0],
        **chosen,
        "scores": scores,
        "folds": each,
        "history": rows,
        "steps": sum(t["steps"] for t in trainings),
        "seconds": round(sum(t["seconds"] for t in trainings), 1),
        "settings": {**trainings[0]["settings"], "minutes": task.options.minutes * len(made)},
    }
    return replace(made[0].about, training=training, members=len(made))


def _forget(folder: Path | None, count: int) -> None:
    """Remove what a training goes on from."""
    if folder is None:
        return
    (folder / "folds.json").unlink(missing_ok=True)
    for number in range(count):
        for name in (DONE, CHECKPOINT):
            (folder / f"fold_{number + 1}" / name).unlink(missing_ok=True)
