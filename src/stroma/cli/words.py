"""What is said on the command line: options, where messages name arguments of Python.

Messages are written for everybody who calls the package, with arguments as ``name=value``. Here
those are options of the command that runs, or parameters to ``--set``; what else only a program
can do is left out.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import fields
from functools import cache

from stroma.errors import for_people
from stroma.session.words import without

SET = "--set"

STANDS_FOR = {"run": "segment"}
"""Commands that take the options of another one."""

BEFORE = frozenset(("--network", "--trust"))
"""Options that stand before any command."""

LEARNT = frozenset(
    (
        *("base", "divisor", "folds", "ndim", "network", "objective", "patch"),
        *("resample", "start", "validation"),
    )
)
"""Keys of a recipe that messages name."""

CALLED = {"tables": "table", "teacher": "from", "clicks": "labels", "joins": "join"}
"""Arguments whose options have another name, in commands that have none of their own."""

PYTHON_ONLY = frozenset(
    ("c", "channel_mode", "ignore_warnings", "img_ids", "in_channels", "memory_mode")
) | frozenset(("model_path", "param", "reset_training", "restore_input_form", "resume", "which"))
"""Arguments that messages name, and no command has."""

ARGUMENT = re.compile(
    r"(?<![\w?&./\\-])(?P<name>[a-z][a-z0-9_]*)=(?P<value>'[^']*'|\[[^\]]*\]|\w+)?(?![\w/\\=]|\.\w)"
)
"""An argument as Python writes it, or its name alone (``axes=``)."""

NAME = re.compile(r"(?<![\w./'\"-])[a-z][a-z0-9]*(?:_[a-z0-9]+)+(?![\w/'\"(=-]|\.\w)")
"""A name of two words or more, which options write with hyphens."""

CODE = re.compile(
    r"\bin Python\b|\b(?:None|NoneType|ndarray|kwargs?|Traceback)\b"
    r"|\b[A-Za-z]\w*\((?!\d+\))(?:\)|[\w.]+\)|[^()]*[=\[][^()]*\))(?!\.\w|[\w/\\])"
)
"""Calls, and names that only Python has; "cells(1).tif" is a file."""


def options_of(given: Sequence[str]) -> frozenset[str]:
    """Return the options that a command line could have, those before the command among them.

    Parameters
    ----------
    given : sequence of str
        What follows the program's name.
    """
    from stroma.cli import COMMANDS

    return _options(next((word for word in given if word in COMMANDS), ""))


@cache
def _options(command: str) -> frozenset[str]:
    import typer

    from stroma.cli import COMMANDS

    if not command:
        return BEFORE
    app = typer.Typer(add_completion=False)
    app.command(command)(COMMANDS[command])
    found = typer.main.get_command(app).params
    others = _options(STANDS_FOR.get(command, ""))
    return others.union(o for p in found for o in (*p.opts, *p.secondary_opts))


def said(error: BaseException, options: Collection[str]) -> str:
    """Return what is wrong, in words of the command line."""
    return on_command_line(for_people(error), options)


def on_command_line(text: str, options: Collection[str]) -> str:
    """Return a message with options in the place of arguments.

    Asides and sentences that speak of what only Python has are left out, unless nothing would be
    left.

    Parameters
    ----------
    text : str
        As the package says it.
    options : collection of str
        Those of the command that runs, such as ``--axes``.
    """
    written = ARGUMENT.sub(lambda found: _argument(found, options), text)
    written = NAME.sub(lambda found: _name(found[0], options), written)
    if not CODE.search(written):
        return written
    return without(CODE, written) or text


MARK = "None()"
"""Stands before an argument that no option is, so that its sentence is left out."""


def _argument(found: re.Match[str], options: Collection[str]) -> str:
    """Return an argument as an option or a parameter to set; marked if it is neither."""
    name, value = found["name"], found["value"] or ""
    option, bare = _option(name, options), value.strip("'\"")
    opposite = option.replace("--", "--no-", 1)
    if value == "False" and opposite in options:
        return opposite
    if option in options and value != "False":
        return option if value in ("", "True") else f"{option} {bare}"
    if SET in options and name in _settable(options):
        return f"{SET} {name}={bare}"
    return f"{MARK}{found[0]}" if name in known() else found[0]


def _name(name: str, options: Collection[str]) -> str:
    option = _option(name, options)
    return option if option in options else name


def _option(name: str, options: Collection[str]) -> str:
    own = f"--{name.replace('_', '-')}"
    return own if own in options or name not in CALLED else f"--{CALLED[name]}"


def _settable(options: Collection[str]) -> frozenset[str]:
    """Return what ``--set`` takes: parameters of a model where there are aliases, else keys."""
    return _parameters() if "--alias" in options else LEARNT


@cache
def _parameters() -> frozenset[str]:
    from stroma.pixel.param import Param

    return frozenset(one.name for one in fields(Param))


@cache
def known() -> frozenset[str]:
    """Return the arguments that messages may name: those of any command, and of Python alone.

    Others may be part of what somebody calls a file.
    """
    from stroma.cli import COMMANDS

    every = frozenset[str]().union(*map(_options, COMMANDS))
    named = frozenset(o.removeprefix("--").replace("-", "_") for o in every)
    return named | CALLED.keys() | _parameters() | LEARNT | PYTHON_ONLY
