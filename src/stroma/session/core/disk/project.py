"""A project: the folder ``name.stroma/`` that a session lives in.

- ``project.json`` says what the folder is.
- ``settings.json``: how the session learns.
- ``events/``: the journal, one line of JSON per operation, in files named after their first line.
- ``snapshots/``: the document as it was after a line of the journal.
- ``model.pkl``: the model, as it was last saved.
- ``images/``: images that were never in a file.
- ``place.json``: where somebody looked last; nothing depends on it.
"""

from __future__ import annotations

import glob
import re
import shutil
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stroma.data.image import Image
from stroma.errors import FileError, FormatError, MissingFileError, StromaError
from stroma.io.atomic import flush, remove
from stroma.session.core import checks
from stroma.session.core import operations as ops
from stroma.session.core.bench import Learning
from stroma.session.core.disk import snapshot
from stroma.session.core.disk.journal import (
    SAVE_ELSEWHERE,
    Journal,
    cut_torn_line,
    lines,
    read_json,
    write_json,
)
from stroma.session.core.disk.lock import Lock
from stroma.session.core.disk.reference import checked
from stroma.session.core.disk.regular import read_regular, require_plain
from stroma.session.core.document import Document
from stroma.session.events import Event

ABOUT = {"format": "stroma project", "version": 2}
READ = 1, 2
"""Versions that are read; since 2, snapshots hold strokes as runs of pixels."""

KEPT_SNAPSHOTS = 2
FLUSH_SECONDS = 1.0
"""How long a save waits for lines of the journal, so that these stay together."""
MAX_BYTES = 2**32
BROKEN = (
    *(StromaError, ArithmeticError, AttributeError, LookupError, MemoryError),
    *(RecursionError, TypeError, ValueError),
)
"""What is raised where a project holds values that no session wrote."""

UNFINISHED = ".new"
TEMPORARY = re.compile(r"\.[0-9a-f]{12}\..")
"""How files are named that are not whole yet."""


@dataclass(frozen=True, eq=False)
class Contents:
    """What was read from a project.

    Parameters
    ----------
    document : Document
        Images, what is on the benches, and steps of undo.
    settings : mapping
        What ``settings.json`` holds; empty if there is none.
    models : mapping
        What the snapshot says of the models, by the names of benches; empty if anything was done
        since.
    """

    document: Document
    settings: Mapping[str, Any]
    models: Mapping[str, Any]


class Project:
    """An open project; nobody else can open it meanwhile.

    Parameters
    ----------
    folder : Path
        The folder.
    lock : Lock
        The lock on it.
    last : int
        Number of the last line in the journal.
    tell : callable
        Is given events.
    """

    def __init__(
        self, folder: Path, lock: Lock, last: int, tell: Callable[[Event], object]
    ) -> None:
        self.folder = folder
        self._lock = lock
        self.journal = Journal(folder, last, tell, self._lost)

    def _lost(self) -> str:
        """Return why this project is not this session's any more; empty while it is."""
        if self._lock.is_held:
            return ""
        return (
            f"{self.folder} was removed, moved or taken by another session while it was open here. "
            f"{SAVE_ELSEWHERE}"
        )

    def save(self, saved: Mapping[str, Any], after: int, learnings: Iterable[Learning]) -> None:
        """Write the models and a snapshot.

        Parameters
        ----------
        saved : dict
            "document" as `snapshot.to_json` returns it, "settings" as in ``settings.json``, and
            "models": what the benches say of theirs, by name.
        after : int
            Number of the last line of the journal that the document contains.
        learnings : iterable of Learning
            Whose models are written.

        Raises
        ------
        FileError, OSError
            If that is not possible; what was saved before stays.
        """
        lost = self.journal.lost()
        if lost:
            raise FileError(lost)
        self.journal.flush(FLUSH_SECONDS)
        for learning in learnings:
            learning.keep(self.folder)
        write_json(self.folder / "snapshots" / f"{after:010}.json", saved)
        self.journal.begin()
        for old in _snapshots(self.folder)[KEPT_SNAPSHOTS:]:
            old.unlink(missing_ok=True)  # another thread may be saving too

    def store(self, image: Image, key: str) -> Path:
        """Write an image that is in no file, and return where to."""
        from stroma.io import write_image

        path = self.folder / "images" / f"{key}.zarr"
        path.parent.mkdir(exist_ok=True)
        return write_image(
            path,
            image.read() if image.whole is not image else image.array,
            axes=image.kept_axes,
            spacing=image.spacing,
            unit=image.unit,
            channels=image.channels,
            rgb=image.rgb,
        )

    def close(self) -> bool:
        """Write what is left and give the project free; tell whether all is on the disk."""
        complete = self.journal.close()
        self._lock.release()
        return complete


def create(folder: Path, tell: Callable[[Event], object]) -> Project:
    """Make a new, empty project.

    Raises
    ------
    FileError
        If there is something in the folder already, or it cannot be made.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileError(f"{folder} exists and is not empty. Choose another name for the project.")
    if not folder.parent.is_dir():
        raise MissingFileError(f"There is no folder {folder.parent} to make {folder.name} in.")
    _remove_unfinished(folder)
    made = folder.with_name(f".{uuid.uuid4().hex[:12]}.{folder.name}{UNFINISHED}")
    try:
        made.mkdir()
        lock = Lock(made)
        for name in ("events", "snapshots"):
            (made / name).mkdir()
        write_json(made / "project.json", ABOUT)
        flush(made)
        if folder.exists():
            folder.rmdir()
        made.rename(folder)
    except OSError as error:
        shutil.rmtree(made, ignore_errors=True)
        raise FileError(
            f"{folder} cannot be made: {error.strerror or error}. Choose another place for the "
            f"project."
        ) from error
    lock.folder = folder
    flush(folder.parent)
    return Project(folder, lock, 0, tell)


def _remove_unfinished(folder: Path) -> None:
    """Remove what was left of this project when the program stopped while it was made."""
    for left in folder.parent.glob(f".*.{glob.escape(folder.name)}{UNFINISHED}"):
        if left.is_dir() and not left.is_symlink():
            try:
                Lock(left).release()
            except (FileError, FormatError, OSError):
                continue  # it is being made right now
            shutil.rmtree(left, ignore_errors=True)


def _remove_temporary(folder: Path) -> None:
    """Remove files that were being written when the program stopped."""
    for room in (folder, folder / "snapshots", folder / "images"):
        for left in room.glob(".*") if room.is_dir() else ():
            if TEMPORARY.match(left.name):
                remove(left)


def load(
    folder: Path, blank: Callable[[], Document], tell: Callable[[Event], object]
) -> tuple[Project, Contents]:
    """Open a project, and check everything in it; runs no code from it.

    Parameters
    ----------
    folder : Path
        The project.
    blank : callable
        Returns a new, empty document with all benches.
    tell : callable
        Is given events.

    Raises
    ------
    MissingFileError
        If there is no such folder.
    FormatError
        If it is no project, or damaged.
    FileError
        If another session has it open.
    """
    about = _about(folder)
    lock = Lock(folder)
    try:
        _remove_temporary(folder)
        cut_torn_line(folder)
        settings = _settings(folder)
        latest, after = _latest(folder, blank)
        document, last = _replayed(folder, latest.document, after)
        if about != ABOUT:  # what is written from now on cannot be read by the version of before
            write_json(folder / "project.json", ABOUT)
    except BaseException:
        lock.release()
        raise
    same = last == after and latest.settings == settings
    contents = Contents(document, settings, latest.models if same else {})
    return Project(folder, lock, last, tell), contents


@dataclass(frozen=True, eq=False)
class _Snapshot:
    document: Document
    settings: Any = None
    models: Mapping[str, Any] = field(default_factory=dict)


def _about(folder: Path) -> Mapping[str, Any]:
    """Return what a project says of itself, if it is one that can be opened."""
    about = folder / "project.json"
    if not folder.exists():
        raise MissingFileError(f"There is no project {folder}.")
    if not about.is_file():
        raise FormatError(f"{folder} is no project of Stroma: it has no project.json.")
    found = _read(about)
    if not isinstance(found, Mapping) or found.get("format") != ABOUT["format"]:
        raise FormatError(f"{about} is not that of a project of Stroma.")
    if found.get("version") not in READ:
        raise FormatError(
            f"{folder} was made by another version of Stroma (format {found.get('version')}). "
            f"Update Stroma to open it."
        )
    require_plain(folder, rooms=("events", "snapshots"))
    return found


def _replayed(folder: Path, document: Document, last: int) -> tuple[Document, int]:
    """Apply what the journal holds beyond a snapshot; return the number of the last line too."""
    for path, values in lines(folder, last):
        try:
            operation = ops.from_json(values, document.operations)
            if isinstance(operation, ops.AddImage | ops.SetReference):
                checked(operation.reference)
            document.apply(operation)
        except BROKEN as error:
            raise FormatError(
                f"The operation {values['n']} in {path} is not possible: {checks.reason(error)}"
            ) from error
        last = values["n"]
    return document, last


def _latest(folder: Path, blank: Callable[[], Document]) -> tuple[_Snapshot, int]:
    """Return the latest snapshot that can be read, or an empty document, and its number."""
    damage: FormatError | None = None
    for path in _snapshots(folder):
        try:
            given = checks.mapping(_read(path), "a snapshot")
            document = snapshot.read(given["document"], blank())
            models = checks.mapping(given.get("models", {snapshot.OLDEST: given}), "models")
            return _Snapshot(document, given["settings"], models), int(path.stem)
        except BROKEN as error:
            damage = FormatError(f"{path} is not a snapshot of a project: {checks.reason(error)}")
    if damage is not None and not list((folder / "events").glob("0000000001.*")):
        raise damage
    return _Snapshot(blank()), 0


def _snapshots(folder: Path) -> list[Path]:
    """Return the snapshots, latest first."""
    found = [p for p in (folder / "snapshots").glob("*.json") if p.stem.isdecimal()]
    return sorted(found, reverse=True)


def _settings(folder: Path) -> Mapping[str, Any]:
    path = folder / "settings.json"
    values = _read(path) if path.exists() else {}
    if not isinstance(values, Mapping):
        raise FormatError(f"{path} does not hold the settings of a project.")
    return values


def _read(path: Path) -> Any:
    try:
        return read_json(read_regular(path, MAX_BYTES))
    except ValueError as error:
        raise FormatError(f"{path} is not JSON: {error}") from error
