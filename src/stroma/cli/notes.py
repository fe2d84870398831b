"""What files leave unsaid or were read without, told on stderr."""

from __future__ import annotations

import logging

import typer


class Notes(logging.Handler):
    """Shows warnings of Stroma, each once, and keeps those of decoders from the user."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._said: set[str] = set()
        self._quiet = logging.NullHandler()
        logging.getLogger("stroma").addHandler(self)
        # Decoders speak of tags and offsets; what matters of it is in our own messages.
        logging.getLogger("tifffile").addHandler(self._quiet)

    def emit(self, record: logging.LogRecord) -> None:
        """Write a message."""
        text = record.getMessage()
        if text not in self._said:
            self._said.add(text)
            typer.echo(f"note: {text}", err=True)

    def close(self) -> None:
        """Stop showing."""
        logging.getLogger("stroma").removeHandler(self)
        logging.getLogger("tifffile").removeHandler(self._quiet)
        super().close()
