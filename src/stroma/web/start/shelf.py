"""What can be opened in a folder of this machine, within the folders that may be looked into."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from stroma.errors import MissingFileError, ParameterError, short
from stroma.io import is_image

MOST = 500
"""Entries of a folder that are listed."""

ORDER = ("project", "folder", "image")


@dataclass(frozen=True)
class Entry:
    """Something in a folder.

    Parameters
    ----------
    name, path : str
        What it is called, and where it is.
    kind : {"project", "folder", "image"}
        What it is.
    """

    name: str
    path: str
    kind: str


@dataclass(frozen=True)
class Listing:
    """A folder.

    Parameters
    ----------
    folder : str
        Where it is.
    above : tuple of Entry
        The folders that lead to it, from one that may be looked into.
    entries : tuple of Entry
        What can be opened there: projects, folders, images.
    left_out : int
        How many more there are.
    """

    folder: str
    above: tuple[Entry, ...]
    entries: tuple[Entry, ...]
    left_out: int


@dataclass(frozen=True)
class Shelf:
    """Folders that may be looked into, with all that is in them.

    Parameters
    ----------
    roots : sequence of Path
        The folders; the first is shown first.
    """

    roots: Sequence[Path]

    def require(self, path: Path) -> Path:
        """Return a path, if it lies within these folders, with links followed.

        Raises
        ------
        ParameterError
            If it lies elsewhere, or is none.
        """
        try:
            found = path.resolve()
        except (OSError, ValueError) as error:
            raise ParameterError(f"{short(path)} is no path of this machine.") from error
        if not any(found.is_relative_to(root.resolve()) for root in self.roots):
            where = ", ".join(map(str, self.roots))
            raise ParameterError(
                f"{path} lies outside the folders that may be opened here ({where}). Start Stroma "
                f"in another folder, or name the image: stroma paint IMAGE"
            )
        return found

    def listing(self, folder: Path) -> Listing:
        """Return what can be opened in a folder.

        Raises
        ------
        ParameterError
            If it lies outside these folders.
        MissingFileError
            If there is no such folder, or it cannot be read.
        """
        found = self.require(folder)
        try:
            inside = sorted(_entries(found), key=lambda e: (ORDER.index(e.kind), e.name.lower()))
        except OSError as error:
            reason = error.strerror or error
            raise MissingFileError(f"The folder {folder} cannot be read: {reason}.") from error
        shown = tuple(inside[:MOST])
        return Listing(str(found), tuple(self._above(found)), shown, len(inside) - len(shown))

    def _above(self, folder: Path) -> Iterator[Entry]:
        """Yield the folders from the highest that may be looked into down to this one."""
        roots = [root.resolve() for root in self.roots]
        steps = [step for step in (folder, *folder.parents) if any(map(step.is_relative_to, roots))]
        for step in reversed(steps):
            yield Entry(step.name or str(step), str(step), "folder")


def _entries(folder: Path) -> Iterator[Entry]:
    with os.scandir(folder) as inside:
        for one in inside:
            kind = "" if one.name.startswith(".") else _kind(one)
            if kind:
                yield Entry(one.name, one.path, kind)


def _kind(one: os.DirEntry[str]) -> str:
    path = Path(one.path)
    try:
        if one.is_dir():
            if (path / "project.json").is_file():
                return "project"
            return "image" if is_image(path) else "folder"
        return "image" if one.is_file() and is_image(path) else ""
    except OSError:  # a link that leads nowhere, or a place that nobody may read
        return ""
