"""Our own cache: whole files and single tensors, by repository and commit."""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote, unquote

import numpy as np
from numpy.typing import NDArray

from stroma.errors import FormatError
from stroma.weights.catalogue import Source

TENSOR = ".npy"
CONTENTS = "contents.txt"
"""Names of all tensors that the file on the hub has, one a line."""


def cache_folder() -> Path:
    """Return the folder of our cache: ``STROMA_CACHE``, or what the platform provides."""
    if chosen := os.environ.get("STROMA_CACHE"):
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "stroma"


@dataclass(frozen=True)
class Shelf:
    """What the cache holds of one file of one repository.

    All tensors come from the commit that was resolved when the first of them was fetched.

    Parameters
    ----------
    repository : str
        Repository on the hub.
    source : Source
        File and revision, as the catalogue names them.
    """

    repository: str
    source: Source

    @property
    def folder(self) -> Path:
        """Folder of the repository."""
        return cache_folder() / "weights" / self.repository.replace("/", "--")

    @property
    def revision(self) -> str:
        """The commit the revision was resolved to; the revision itself where that is not known."""
        path = self._reference
        known = path.read_text().strip() if path.exists() else ""
        return known or self.source.revision

    @property
    def file(self) -> Path:
        """Where the whole file lies, or should be put."""
        return self._commit_folder / self.source.file

    @property
    def tensors(self) -> Path:
        """Folder of single tensors."""
        return self._commit_folder / f"{self.source.file}.tensors"

    def keys(self) -> list[str]:
        """Return the names of the single tensors that are here."""
        if not self.tensors.is_dir():
            return []
        return sorted(unquote(p.name.removesuffix(TENSOR)) for p in self.tensors.glob(f"*{TENSOR}"))

    def contents(self) -> list[str]:
        """Return the names of all tensors of the file, here or not; none before one was fetched."""
        path = self.tensors / CONTENTS
        return path.read_text("utf-8").splitlines() if path.is_file() else []

    def list_contents(self, keys: Iterable[str]) -> None:
        """Remember which tensors the file has, so that it is known which are not here."""
        with atomic(self.tensors / CONTENTS) as file:
            file.write("\n".join(keys).encode())

    def read(self, keys: Iterable[str]) -> dict[str, NDArray[Any]]:
        """Return single tensors.

        Raises
        ------
        FormatError
            If one of their files is damaged.
        """
        return {key: _load(self._path(key)) for key in keys}

    def write(self, key: str, values: NDArray[Any]) -> None:
        """Keep a tensor."""
        with atomic(self._path(key)) as file:
            np.save(file, values, allow_pickle=False)

    def resolve(self, commit: str) -> None:
        """Remember which commit the revision stands for, unless one was resolved before."""
        if commit and not self._reference.exists():
            with atomic(self._reference) as file:
                file.write(commit.encode())

    @property
    def _reference(self) -> Path:
        return self.folder / "refs" / _flat(self.source.revision)

    @property
    def _commit_folder(self) -> Path:
        return self.folder / _flat(self.revision)

    def _path(self, key: str) -> Path:
        return self.tensors / f"{quote(key, safe='')}{TENSOR}"


@contextmanager
def atomic(path: Path) -> Iterator[IO[bytes]]:
    """Open a file that takes its place only when everything was written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}{uuid.uuid4().hex[:12]}.partial")
    with partial.open("xb") as file:
        try:
            yield file
            file.close()
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


def _flat(revision: str) -> str:
    return revision.replace("/", "--")


def _load(path: Path) -> NDArray[Any]:
    try:
        return np.asarray(np.load(path, allow_pickle=False))
    except (ValueError, EOFError) as error:
        raise FormatError(f"{path} is damaged ({error}). Delete it to fetch it again.") from error
