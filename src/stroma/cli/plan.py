"""``stroma plan``: what ``stroma learn`` would do."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from stroma.cli.learn import Ignore, Images, Labels, Options
from stroma.cli.settings import parsed
from stroma.cli.show import AsJson, as_json


def plan(
    images: Images,
    labels: Labels,
    target: Annotated[str, typer.Option(help="What is learned.")] = "semantic",
    network: Annotated[str, typer.Option(help="Network; auto chooses.")] = "auto",
    memory: Annotated[float, typer.Option(help="Memory for the training, in GB.")] = 2.0,
    ignore: Ignore = None,
    settings: Options = None,
    json: AsJson = False,
) -> None:
    """Show what a training would be: network, patches, memory.

    Labels are checked as `stroma learn` checks them.
    """
    values = parsed(settings)
    from stroma.training.learner import Learner
    from stroma.workflow.planning import preview

    learner = Learner(
        target=target, network=network, memory_gb=memory, ignore=tuple(ignore or ()), **values
    )
    found = preview(images, labels, learner)
    as_json(asdict(found)) if json else typer.echo(str(found))
