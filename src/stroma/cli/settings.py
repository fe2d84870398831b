"""Parameters of a model, as they are written on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import typer

Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Set a parameter, such as fe_scalings=[1,2] or clf=forest; may be repeated.",
    ),
]

Alias = Annotated[
    str, typer.Option(help="Configuration to start from; `stroma models` lists them.")
]

Series = Annotated[
    int | None,
    typer.Option(
        min=0,
        help="Which image, where a file holds several, counted from 0.",
        show_default="the first, and the others are named",
    ),
]


def parsed(settings: Sequence[str] | None) -> dict[str, Any]:
    """Return ``KEY=VALUE`` as a mapping; values are read as YAML, so 2, [1, 2] and true work.

    Raises
    ------
    typer.BadParameter
        If there is no "=", or the value is not YAML.
    """
    import yaml

    found = {}
    for setting in settings or ():
        key, equals, value = setting.partition("=")
        if not equals:
            raise typer.BadParameter(f"{setting!r} is not KEY=VALUE.", param_hint="--set")
        try:
            found[key.strip()] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise typer.BadParameter(
                f"The value in {setting!r} cannot be read. Quote it: --set '{key}=[1, 2]'.",
                param_hint="--set",
            ) from error
    return found


def positions(text: str) -> dict[str, int]:
    """Return "z=3,t=0" as a mapping.

    Raises
    ------
    typer.BadParameter
        If it is not of that form.
    """
    pairs = [part.partition("=") for part in text.split(",") if part]
    if not all(axis.strip() in ("t", "z") and at.strip().isdecimal() for axis, _, at in pairs):
        raise typer.BadParameter(f"A plane is written z=3 or z=3,t=0, got {text!r}.")
    return {axis.strip(): int(at) for axis, _, at in pairs}


def listed(channels: str | None) -> list[int] | None:
    """Return "0,2" as a list of numbers; None where nothing is given.

    Raises
    ------
    typer.BadParameter
        If it is not of that form.
    """
    if channels is None:
        return None
    parts = [part.strip() for part in channels.split(",")]
    if not all(part.isdecimal() for part in parts):
        raise typer.BadParameter(
            f"Channels are numbers from 0, such as 0,2; got {channels!r}.", param_hint="--channels"
        )
    return [int(part) for part in parts]


def several(series: str | None) -> tuple[int, ...] | Literal["all"] | None:
    """Return "all", or "0,2" as numbers; None where nothing is given.

    Raises
    ------
    typer.BadParameter
        If it is not of that form.
    """
    if series is None or series == "all":
        return "all" if series else None
    parts = [part.strip() for part in series.split(",")]
    if not all(part.isdecimal() and len(part) < 7 for part in parts):
        raise typer.BadParameter(
            f"Images of a file are numbers from 0, such as 0,2, or all; got {series!r}.",
            param_hint="--series",
        )
    return tuple(dict.fromkeys(map(int, parts)))


def named(classes: Sequence[str] | None) -> dict[int, str]:
    """Return ``LABEL=NAME`` as a mapping.

    Raises
    ------
    typer.BadParameter
        If it is not of that form.
    """
    pairs = [each.partition("=") for each in classes or ()]
    for label, _, name in pairs:
        if not label.strip().isdecimal() or not name.strip():
            raise typer.BadParameter(
                f"A class is written LABEL=NAME, such as 1=nucleus, got {label!r}.",
                param_hint="--class",
            )
    return {int(label): name.strip() for label, _, name in pairs}
