"""The name of a file that a network is kept in."""

from __future__ import annotations

from pathlib import Path

from stroma.errors import ParameterError

ENDING = ".safetensors"


def require_network_name(path: str | Path) -> Path:
    """Return a path under which a network is written.

    Raises
    ------
    ParameterError
        If its name ends otherwise.
    """
    found = Path(path)
    if found.suffix != ENDING:
        raise ParameterError(f"A network is kept in a {ENDING} file, got {str(path)!r}.")
    return found
