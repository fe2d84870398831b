"""What commands show: progress on stderr; results, or JSON, on stdout."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

Progress = Callable[[int, int], None]
"""Is told how many blocks are done, and of how many."""

AsJson = Annotated[bool, typer.Option("--json", help="Write the result as JSON to stdout.")]

SECONDS_BETWEEN_LINES = 2.0


def refuse_existing(path: Path, *, overwrite: bool) -> None:
    """Stop where a file is in the way.

    Raises
    ------
    typer.BadParameter
        If the file exists and is not to be replaced.
    """
    if path.exists() and not overwrite:
        raise typer.BadParameter(f"{path} exists. Give --overwrite to replace it.")


def as_json(value: Any) -> None:
    """Write a result for a script."""
    typer.echo(json.dumps(value, indent=2, default=str))


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Write rows in columns that are as wide as they need to be."""
    cells = [list(heads), *[[str(value) for value in row] for row in rows]]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        line = "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True))
        typer.echo(line.rstrip())


@contextmanager
def progress(what: str, *, unit: str = "blocks", size: int = 1) -> Iterator[Progress]:
    """Show how far some work is: a bar in a terminal, a line now and then elsewhere.

    Parameters
    ----------
    what : str
        What is being done, or to which file.
    unit : str
        What is counted.
    size : int
        How much of what is reported makes one of these units.
    """
    if sys.stderr.isatty():
        with _bar(what, unit) as show:
            yield lambda done, total: show(done // size, -(-total // size))
    else:
        show = _lines(what, unit)
        yield lambda done, total: show(done // size, -(-total // size))


@contextmanager
def _bar(what: str, unit: str) -> Iterator[Progress]:
    from rich import progress as rich_progress
    from rich.console import Console

    columns = (
        rich_progress.TextColumn("{task.description}"),
        rich_progress.BarColumn(),
        rich_progress.MofNCompleteColumn(),
        rich_progress.TextColumn(unit),
        rich_progress.TimeRemainingColumn(),
    )
    with rich_progress.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)

        def update(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield update


def _lines(what: str, unit: str) -> Progress:
    start = last = time.monotonic()

    def update(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < SECONDS_BETWEEN_LINES or not done:
            return
        last = now
        left = (now - start) / done * (total - done)
        typer.echo(f"{what}: {done}/{total} {unit}, {left:.0f} s left", err=True)

    return update
