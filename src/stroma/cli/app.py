"""The program ``stroma``: its commands, and what it says when something goes wrong."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

import stroma
from stroma.cli import COMMANDS
from stroma.cli.codes import exit_code
from stroma.cli.notes import Notes
from stroma.cli.words import options_of, said
from stroma.errors import StromaError

HELP = """\
From a few brush strokes to a segmentation.

Exit codes: 0 all done; 1 some files failed; 2 wrong usage or unusable input;
3 an extra or pretrained weights are missing; 130 cancelled.
"""


def main(args: Sequence[str] | None = None) -> None:
    """Run the program, and exit with a code that means something.

    Parameters
    ----------
    args : sequence of str, optional
        What follows the program's name; from ``sys.argv`` where left out.
    """
    given = list(sys.argv[1:] if args is None else args)
    debug = "--debug" in given
    notes = Notes(given)
    try:
        build()(args=[arg for arg in given if arg != "--debug"], prog_name="stroma")
    except (StromaError, OSError) as error:
        if debug:
            raise
        typer.echo(f"stroma: {said(error, options_of(given))}", err=True)
        sys.exit(exit_code(error))
    finally:
        notes.close()


def build() -> typer.Typer:
    """Return the program with all its commands; their files import nothing heavy."""
    app = typer.Typer(
        help=HELP,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    app.callback()(options)
    for name in COMMANDS:
        # What `run` does not know itself are options of the command that it stands for.
        app.command(name, context_settings={"ignore_unknown_options": name == "run"})(
            COMMANDS[name]
        )
    return app


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"stroma {stroma.__version__}")
        raise typer.Exit


def options(
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True),
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an error (any position).")
    ] = False,
    network: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[:inner]=FILE",
            help="Before the command: make a trained network, such as a model package, a feature "
            "extractor of this name: its channels, or, with :inner, what its last convolution "
            "makes them of; may be repeated.",
        ),
    ] = None,
    trust: Annotated[
        list[str] | None,
        typer.Option(metavar="NUMBER", help="Run a program in such a package; may be repeated."),
    ] = None,
) -> None:
    """Take what stands before the command; ``main`` has read ``--debug`` already."""
    if trust and not network:
        raise typer.BadParameter(
            "--trust before the command goes with --network. Of a model that a command takes, it "
            "comes after the command: stroma segment --trust NUMBER MODEL IMAGE"
        )
    for text in network or ():
        named, _, file = text.partition("=")
        name, _, which = named.partition(":")
        if not name or not file or which not in ("", "inner"):
            raise typer.BadParameter(f"--network is NAME=FILE or NAME:inner=FILE, got {text!r}.")
        from stroma.workflow.exchange.seeing_networks import register

        register(name, file, which="inner" if which else "outputs", trust=tuple(trust or ()))
