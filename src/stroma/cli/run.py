"""``stroma run``: what a recipe says, or a model package on images."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stroma.cli.segment import Trust
from stroma.errors import FormatError, MissingFileError, ParameterError, short
from stroma.registry import suggestion

RECIPES = (".yml", ".yaml")

OWN = ["--show", "--trust"]
"""Options of `run` itself."""


def run(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="Recipe (.yml) that `stroma recipe --of` wrote; or a model package: a .zip, its "
            "folder, or the id of one at bioimage.io.",
            show_default=False,
        ),
    ],
    further: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[IMAGE]...",
            help="For a package: images, or folders of them, and options of `stroma segment`.",
            show_default=False,
        ),
    ] = None,
    show: Annotated[
        bool, typer.Option("--show", help="Show the command, and do not run it.")
    ] = False,
    trust: Trust = None,
) -> None:
    """Run the command that a recipe holds, or a model package on images.

    A recipe is run with everything that it says. Paths in it are seen from where it lies; a key
    that the command does not know is an error; it cannot say which programs to trust: that is said
    here. `stroma run PACKAGE IMAGE...` is `stroma segment PACKAGE IMAGE...`.
    """
    import shlex

    from stroma.cli.app import build

    trusted = [f"--trust={number}" for number in trust or ()]
    args = _of_recipe(file, trusted) if _is_recipe(file) else _of_package(file, trusted, further)
    if _is_recipe(file) and further:
        _refuse(file, further)
    if show:
        typer.echo(shlex.join(["stroma", *args]))
        return
    build()(args=args, prog_name="stroma")


def _is_recipe(file: str) -> bool:
    return Path(file).suffix.lower() in RECIPES


def _refuse(file: str, further: list[str]) -> None:
    """Refuse what stands beside a recipe: images, and options that are not those of `run`."""
    option = next((text for text in further if text.startswith("-")), None)
    if option is not None:
        raise ParameterError(
            f"No such option: {short(option)}. {suggestion(option, OWN)} What its command is given "
            f"stands in the recipe {file}."
        )
    raise ParameterError(
        f"{file} is a recipe, which names its own images; got {short(' '.join(further))} too. "
        "Write them into it."
    )


def _of_recipe(file: str, trusted: list[str]) -> list[str]:
    from stroma.cli.recipes import argv_of, networks_of, runs_programs

    path = Path(file)
    networks, (name, *given) = networks_of(path), argv_of(path)
    runs = runs_programs(name)
    if trusted and not runs and not networks:
        raise ParameterError(
            f"Nothing in {file} can hold a program to trust: it sees with no network, and "
            f"stroma {name} takes none. Leave --trust out."
        )
    before, after = trusted if networks else [], trusted if runs else []
    return [*networks, *before, name, *after, *given]


def _of_package(file: str, trusted: list[str], further: list[str] | None) -> list[str]:
    from stroma.workflow.applying.load import is_package

    if is_package(Path(file)):
        return ["segment", *trusted, file, *(further or ())]
    if file.startswith("-"):
        recipes = [text for text in further or () if _is_recipe(text)]
        if recipes:
            _refuse(recipes[0], [file])
        raise ParameterError(
            f"Options of stroma segment come after the package, got {short(file)} before it: "
            f"stroma run PACKAGE IMAGE... {short(file)}"
        )
    if not Path(file).exists():
        raise MissingFileError(f"There is no recipe or model package {file}.")
    raise FormatError(
        f"{file} is neither a recipe ({' or '.join(RECIPES)}) nor a model package (.zip, a folder "
        "with rdf.yaml in it, or an id of bioimage.io). Other models: stroma segment MODEL IMAGE"
    )
