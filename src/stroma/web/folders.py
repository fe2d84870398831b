"""Images that are folders (OME-Zarr), which the page sends file by file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stroma.errors import ParameterError
from stroma.session import Session
from stroma.web import uploads
from stroma.web.uploads import FOLDERS, PART, Part

NUMBER = re.compile(r"[0-9a-f-]{8,80}")
STEP = re.compile(r"(?!\.{1,2}$)[\w.()+ -]{1,120}")
DEEPEST = 12
"""Folders within folders."""


def begin_piece(session: Session, number: str, path: str, size: int) -> Part:
    """Return a new file in a folder that is on its way.

    Parameters
    ----------
    session : Session
        Whose project it goes to.
    number : str
        What the page calls the folder while it is sent.
    path : str
        Where in the folder the file lies, with "/".
    size : int
        Bytes.

    Raises
    ------
    ParameterError
        If the path leads elsewhere.
    FileError
        If there is no room.
    """
    steps = path.split("/")
    if len(steps) > DEEPEST or not all(map(STEP.fullmatch, steps)):
        raise ParameterError(f"The file {path[:100]!r} has a name that cannot be used here.")
    uploads.require_room(session, path, size)
    folder = _on_its_way(session, number)
    whole = folder.joinpath(*steps)
    whole.parent.mkdir(parents=True, exist_ok=True)
    new = Part(whole)
    new.part.touch(exist_ok=False)
    return new


def join_folder(session: Session, values: Mapping[str, Any]) -> dict[str, Any]:
    """Open an image whose files have all come, and answer like ``uploads.join_image``.

    Raises
    ------
    FormatError
        If it is not an image, or damaged.
    """
    folder = _on_its_way(session, str(values["folder"]))
    with uploads.removed_if_bad(folder):
        name = str(values["name"]).removesuffix("/")
        if not name.lower().endswith(FOLDERS):
            name += FOLDERS[0]
        wanted = uploads.safe_name(name, list(FOLDERS))
        where = next(uploads.free_paths(session, wanted, folder.parent))
        folder.rename(where)
    return uploads.join_image(session, where)


def leave_folder(session: Session, values: Mapping[str, Any]) -> None:
    """Remove what has come of a folder that will not be complete."""
    folder = _on_its_way(session, str(values["folder"]))
    if folder.is_dir():
        uploads.remove(folder)


def _on_its_way(session: Session, number: str) -> Path:
    if not NUMBER.fullmatch(number):
        raise ParameterError(f"A folder on its way has a number, got {number[:20]!r}.")
    return uploads.images_folder(session) / f".{number}{PART}"
