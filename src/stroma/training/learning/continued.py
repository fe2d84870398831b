"""A training that begins with a trained network, and goes on learning what that has learned."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from stroma.errors import LabelError, ParameterError
from stroma.targets.contract import Facts
from stroma.training.feeding.cases import measured_for
from stroma.training.feeding.crop import cropped_cases
from stroma.training.feeding.data import cases_of, facts_of
from stroma.training.feeding.resample import on_pixels_of
from stroma.training.learning.task import Task
from stroma.training.model import Network
from stroma.training.planning.options import Options
from stroma.training.planning.setup import Setup
from stroma.training.predicting.lent import require_ours
from stroma.training.predicting.variants import require_unsized

OWN = ("target_options", "network_options", "patch", "batch")
"""Options that a network has decided."""


def continued(
    options: Options, base: Network, images: Any, labels: Any, *, regions: Any = None
) -> Task:
    """Return the task of a training that begins with a network.

    Target, network, patches, scaling of intensities and size of pixels are those of the network.

    Parameters
    ----------
    options : Options
        What was asked for; ``target`` and ``network`` are left out, or are those of the network.
    base : Network
        What it begins with; stays as it is.
    images, labels, regions
        See `stroma.training.feeding.data.cases_of`.

    Raises
    ------
    ParameterError, LabelError
        If something else is asked for than the network has learned.
    """
    about = base.about
    require_ours(about)
    if about.members > 1:
        raise ParameterError(
            f"This model is {about.members} networks, which are averaged (folds), and a training "
            "begins with one. Train one with folds=1."
        )
    if about.first:
        raise ParameterError(
            "This model is a cascade of two networks, and a training begins with one. Train one "
            "without cascade."
        )
    require_unsized(about)
    _require_same(options, base)
    opened = [base.open(image) for image in (images if isinstance(images, list) else [images])]
    cases = cases_of(
        opened,
        images if labels is None else labels,
        truth=base.target.truth,
        ndim=base.ndim,
        ignore=options.ignore,
        regions=regions,
    )
    cases = measured_for(cases, about.scale())
    if about.crop:
        cases, _ = cropped_cases(cases)
    size = (about.spacing, about.unit) if about.spacing else None
    if size is not None:
        cases = on_pixels_of(cases, *size)
    facts = facts_of(cases, base.target.truth)
    _require_known(base, facts)
    own = {"network": about.network, "params": about.params, "patch": about.patch}
    setup = replace(Setup.of({**own, **about.plan}), free=False)
    same = replace(options, target=about.target, target_options={}, network=about.network)
    return Task(
        same, tuple(cases), facts, base.target, setup, about.scale(), size, base, about.crop
    )


def _require_same(options: Options, base: Network) -> None:
    about = base.about
    for name, has in (("target", about.target), ("network", about.network)):
        asked, usual = getattr(options, name), getattr(Options, name)
        if asked not in (usual, has):
            raise ParameterError(
                f"The training begins with a network whose {name} is {has!r}, and {asked!r} is "
                f"asked for. Leave {name} out, or begin with nothing (no base)."
            )
    given = [name for name in OWN if getattr(options, name)]
    if given:
        raise ParameterError(
            f"{', '.join(given)} {'is' if len(given) == 1 else 'are'} decided by the network that "
            "the training begins with (base). Leave out one of both."
        )


def _require_known(base: Network, facts: Facts) -> None:
    """Refuse classes that the network has no channel for."""
    labels = getattr(base.target, "labels", None)
    if labels is None:
        return
    new = sorted(set(facts.counts) - set(labels))
    if new:
        raise LabelError(
            f"The labels have {new[0]}, and the network that the training begins with knows "
            f"{', '.join(map(str, labels))}. Ignore it, or begin with nothing (no base)."
        )
