"""What commands show: progress on stderr; results, or JSON, on stdout."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from stroma.training.learning.loop import Told

Report = Callable[[str, int, int], None]
"""Is told what is at work, how much of it is done, and of how much."""

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


def table(heads: Sequence[str], rows: Iterable[Iterable[object]]) -> None:
    """Write rows in columns that are as wide as they need to be."""
    cells = [list(heads), *[[str(value) for value in row] for row in rows]]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        line = "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True))
        typer.echo(line.rstrip())


@contextmanager
def progress(unit: str = "blocks", size: int = 1) -> Iterator[Report]:
    """Show how far some work is: a bar in a terminal, a line now and then elsewhere.

    Parameters
    ----------
    unit : str
        What is counted.
    size : int
        How much of what is reported makes one of these units.
    """
    with _bar(unit) if sys.stderr.isatty() else nullcontext(_lines(unit)) as show:
        yield lambda what, done, total: show(what, done // size, -(-total // size))


@contextmanager
def training() -> Iterator[Callable[[Told], None]]:
    """Show how far a training is: a bar in a terminal, a line now and then elsewhere."""
    last = 0.0
    with _training_bar() if sys.stderr.isatty() else nullcontext(None) as bar:

        def report(told: Told) -> None:
            nonlocal last
            if bar is not None:
                bar(told)
            elif (now := time.monotonic()) - last > SECONDS_BETWEEN_LINES:
                last = now
                typer.echo(f"step {told.step}/{told.steps}, {_said(told)}", err=True)

        yield report


def _said(told: Told) -> str:
    score = "" if told.score is None else f", score {told.score:.3f}"
    return (
        f"loss {told.loss:.3f}{score}, {told.seconds_per_step:.2f} s a step, "
        f"{told.seconds_left:.0f} s left"
    )


@contextmanager
def _training_bar() -> Iterator[Callable[[Told], None]]:
    from rich import progress as rich_progress
    from rich.console import Console

    columns = (
        rich_progress.BarColumn(),
        rich_progress.MofNCompleteColumn(),
        rich_progress.TextColumn("{task.description}"),
    )
    with rich_progress.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda told: bar.update(
            task, description=_said(told), completed=told.step, total=told.steps
        )


@contextmanager
def _bar(unit: str) -> Iterator[Report]:
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
        task = bar.add_task("", total=None)
        current = ""

        def report(what: str, done: int, total: int) -> None:
            nonlocal current
            if what != current:
                bar.reset(task)
                current = what
            bar.update(task, description=what, completed=done, total=total)

        yield report


def _lines(unit: str) -> Report:
    current, start, last = "", 0.0, 0.0

    def report(what: str, done: int, total: int) -> None:
        nonlocal current, start, last
        now = time.monotonic()
        if what != current:
            current, start, last = what, now, now
        if now - last < SECONDS_BETWEEN_LINES or not done:
            return
        last = now
        left = (now - start) / done * (total - done)
        typer.echo(f"{what}: {done}/{total} {unit}, {left:.0f} s left", err=True)

    return report
