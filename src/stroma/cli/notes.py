"""What files leave unsaid or were read without, told on stderr."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import typer

from stroma.cli.words import on_command_line, options_of
from stroma.errors import with_sizes


class Notes(logging.Handler):
    """Shows warnings of Stroma, each once, and keeps those of decoders from the user.

    Parameters
    ----------
    given : sequence of str
        What follows the program's name.
    """

    def __init__(self, given: Sequence[str]) -> None:
        super().__init__(logging.WARNING)
        self._given = given
        self._said: set[str] = set()
        self._quiet = logging.NullHandler()
        logging.getLogger("stroma").addHandler(self)
        # Decoders speak of tags and offsets; what matters of it is in our own messages.
        logging.getLogger("tifffile").addHandler(self._quiet)

    def emit(self, record: logging.LogRecord) -> None:
        """Write a message."""
        text = on_command_line(with_sizes(record.getMessage()), options_of(self._given))
        if text not in self._said:
            self._said.add(text)
            typer.echo(f"note: {text}", err=True)

    def close(self) -> None:
        """Stop showing."""
        logging.getLogger("stroma").removeHandler(self)
        logging.getLogger("tifffile").removeHandler(self._quiet)
        super().close()
