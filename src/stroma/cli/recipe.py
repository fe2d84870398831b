"""``stroma recipe``: a training, or any other command, as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from stroma.cli.learn import Further
from stroma.cli.settings import parsed
from stroma.cli.show import refuse_existing
from stroma.errors import ParameterError


def recipe(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="File to write.")] = Path(
        "recipe.yml"
    ),
    images: Annotated[str | None, typer.Option(help="Folder of images.")] = None,
    labels: Annotated[str | None, typer.Option(help="Folder of their labels.")] = None,
    model: Annotated[str | None, typer.Option("--model", "-m", help="Network to write.")] = None,
    settings: Further = None,
    of: Annotated[
        str | None,
        typer.Option(
            metavar="COMMAND",
            help="Write a recipe of this command for `stroma run`, such as segment.",
            show_default=False,
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a file that is there.")
    ] = False,
) -> None:
    """Write a recipe of a training, or of any command, with every key explained."""
    if of is not None:
        _of_command(of, file, overwrite=overwrite, given=(images, labels, model, settings))
        return
    from stroma.workflow.learning.recipe import recipe_of, written_recipe

    given: dict[str, Any] = {"images": images, "labels": labels, "model": model}
    values = {k: v for k, v in given.items() if v is not None} | parsed(settings)
    recipe_of(values, source="Options")
    refuse_existing(file, overwrite=overwrite)
    file.write_text(written_recipe(values), encoding="utf-8")
    typer.echo(f"{file}: change what is to be different, then: stroma learn --recipe {file}")


def _of_command(of: str, file: Path, *, overwrite: bool, given: tuple[Any, ...]) -> None:
    """Write a recipe of any command."""
    from stroma.cli.recipes import written

    if any(given):
        raise ParameterError(
            f"--images, --labels, --model and --set are of trainings. Write them into {file}."
        )
    text = written(of)
    refuse_existing(file, overwrite=overwrite)
    file.write_text(text, encoding="utf-8")
    typer.echo(f"{file}: change what is to be different, then: stroma run {file}")
