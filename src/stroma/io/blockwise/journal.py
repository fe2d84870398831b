"""A list of finished blocks beside a result, that is right whenever a run is killed."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from stroma.errors import ParameterError
from stroma.io.atomic import flush


class Journal:
    """Text file: what identifies the run, then one finished block per line.

    Parameters
    ----------
    path : Path
        The file.
    identity : str
        What identifies the run, without line breaks.
    resume : bool
        Whether to go on with the file that is there.

    Raises
    ------
    ParameterError
        If the file that is there belongs to another run.
    """

    def __init__(self, path: Path, identity: str, *, resume: bool) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._done = self._read(identity) if resume else self._begin(identity)
        self._file = path.open("ab")

    def __contains__(self, block: str) -> bool:
        """Tell whether a block is finished."""
        return block in self._done

    def __len__(self) -> int:
        """Return the number of finished blocks."""
        return len(self._done)

    def add(self, block: str) -> None:
        """Note that a block is finished; its values must be on the disk already."""
        with self._lock:
            self._file.write(block.encode("ascii") + b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())
            self._done.add(block)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _begin(self, identity: str) -> set[str]:
        """Write a new file, which appears with its first line complete."""
        new = self.path.with_name(self.path.name + ".new")
        new.write_bytes(identity.encode("ascii") + b"\n")
        flush(new)
        new.replace(self.path)
        return set()

    def _read(self, identity: str) -> set[str]:
        """Return the finished blocks; a last line that was cut short is removed."""
        data = self.path.read_bytes()
        whole = data[: data.rfind(b"\n") + 1]
        first, *blocks = whole.decode("ascii", "replace").split("\n")[:-1] or [""]
        if first != identity:
            raise ParameterError(
                f"The result begun beside {self.path} is of other parameters or of another input. "
                "Delete it, or start over (resume=False)."
            )
        os.truncate(self.path, len(whole))
        return set(blocks)


def identity_of(path: Path) -> str:
    """Return what identifies the run that wrote a journal."""
    with path.open("rb") as file:
        return file.readline(1000).decode("ascii", "replace").removesuffix("\n")
