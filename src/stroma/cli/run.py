"""``stroma run``: what a recipe says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stroma.cli.segment import Trust


def run(
    recipe: Annotated[
        Path, typer.Argument(metavar="FILE", help="Recipe (.yml) that `stroma recipe --of` wrote.")
    ],
    show: Annotated[
        bool, typer.Option("--show", help="Show the command, and do not run it.")
    ] = False,
    trust: Trust = None,
) -> None:
    """Run the command that a recipe holds, with everything that it says.

    Paths in a recipe are seen from where it lies. A key that the command does not know is an error.
    A recipe cannot say which programs to trust: that is said here.
    """
    import shlex

    from stroma.cli.app import build
    from stroma.cli.recipes import argv_of

    name, *given = argv_of(recipe)
    args = [name, *(f"--trust={number}" for number in trust or ()), *given]
    if show:
        typer.echo(shlex.join(["stroma", *args]))
        return
    build()(args=args, prog_name="stroma")
