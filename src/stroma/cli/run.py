"""``stroma run``: what a recipe says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def run(
    recipe: Annotated[
        Path, typer.Argument(metavar="FILE", help="Recipe (.yml) that `stroma recipe --of` wrote.")
    ],
    show: Annotated[
        bool, typer.Option("--show", help="Show the command, and do not run it.")
    ] = False,
) -> None:
    """Run the command that a recipe holds, with everything that it says.

    Paths in a recipe are seen from where it lies. A key that the command does not know is an error.
    """
    import shlex

    from stroma.cli.app import build
    from stroma.cli.recipes import argv_of

    args = argv_of(recipe)
    if show:
        typer.echo(shlex.join(["stroma", *args]))
        return
    build()(args=args, prog_name="stroma")
