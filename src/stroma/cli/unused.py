"""Options that would have no effect as they are given: refused, not passed over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import typer


def require_company(context: typer.Context, needs: Mapping[str, Iterable[str]]) -> None:
    """Refuse options without those that they go with.

    Parameters
    ----------
    context : typer.Context
        What the command was given. An option with the value that it has anyway is not given: so
        recipes may have all.
    needs : mapping of str to iterable of str
        Names of parameters of the command, each with those of which one has to be given, too.

    Raises
    ------
    typer.BadParameter
        Naming the option, and what it goes with.
    """
    for name, others in needs.items():
        if not any(_is_given(context, other) for other in others):
            beside = " or ".join(_option(context, other) for other in others)
            refuse(context, [name], f"goes with {beside}. Add that, or leave it out.")


def refuse(context: typer.Context, names: Iterable[str], why: str) -> None:
    """Refuse options, if they are given.

    Parameters
    ----------
    context : typer.Context
        What the command was given.
    names : iterable of str
        Parameters of the command.
    why : str
        The rest of the sentence: "goes with --stack".

    Raises
    ------
    typer.BadParameter
        Naming the first of them that is given.
    """
    for name in names:
        if _is_given(context, name):
            raise typer.BadParameter(f"{_option(context, name)} {why}")


def _is_given(context: typer.Context, name: str) -> bool:
    value: Any = context.params[name]
    return value != _part(context, name).default and value not in (None, [], ())


def _option(context: typer.Context, name: str) -> str:
    """Return what a parameter is called on the command line."""
    part = _part(context, name)
    return str(part.metavar if part.param_type_name == "argument" else max(part.opts, key=len))


def _part(context: typer.Context, name: str) -> Any:
    return next(part for part in context.command.params if part.name == name)
