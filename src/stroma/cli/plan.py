"""``stroma plan``: what ``stroma learn`` would do."""

from __future__ import annotations

from dataclasses import asdict

import typer

from stroma.cli.learn import (
    Further,
    Ignore,
    Images,
    Labels,
    Memory,
    Minutes,
    NetworkName,
    Objects,
    RecipeFile,
    Target,
    asked,
)
from stroma.cli.show import AsJson, as_json


def plan(
    images: Images = None,
    labels: Labels = None,
    recipe: RecipeFile = None,
    target: Target = None,
    objects: Objects = None,
    network: NetworkName = None,
    minutes: Minutes = None,
    memory: Memory = None,
    ignore: Ignore = None,
    settings: Further = None,
    json: AsJson = False,
) -> None:
    """Show what a training would be: network, patches, memory.

    Labels are checked as `stroma learn` checks them.
    """
    wanted = asked(
        recipe,
        settings,
        ignore,
        images=images,
        labels=labels,
        target=target,
        objects=objects,
        network=network,
        minutes=minutes,
        memory_gb=memory,
    )
    from stroma.data.classes import Class
    from stroma.training.learning.learner import Learner
    from stroma.workflow.learning.planning import preview

    found = preview(
        wanted.images,
        wanted.labels,
        Learner(**wanted.options),
        teacher=wanted.teacher,
        confidence=wanted.confidence,
        objects=wanted.objects,
        classes=[Class(label, name) for label, name in wanted.classes.items()],
    )
    as_json(asdict(found)) if json else typer.echo(str(found))
