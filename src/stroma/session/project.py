"""A project: the folder ``name.stroma/`` that a session lives in.

- ``project.json`` says what the folder is.
- ``settings.json``: how the session learns.
- ``events/``: the journal, one line of JSON per operation, in files named after their first line.
- ``snapshots/``: the document as it was after a line of the journal.
- ``model.pkl``: the model, as it was last saved.
- ``images/``: images that were never in a file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stroma.data.image import Image
from stroma.errors import FileError, FormatError, MissingFileError, StromaError
from stroma.io.atomic import flush
from stroma.pixel.model import ConvpaintModel
from stroma.session import checks, snapshot
from stroma.session import operations as ops
from stroma.session.document import Document
from stroma.session.events import Event
from stroma.session.journal import Journal, cut_torn_line, lines, read_json, write_json
from stroma.session.lock import Lock
from stroma.session.reference import checked
from stroma.session.settings import Settings

ABOUT = {"format": "stroma project", "version": 1}
KEPT_SNAPSHOTS = 2
FLUSH_SECONDS = 1.0
"""How long a save waits for lines of the journal, so that these stay together."""
MAX_BYTES = 2**32


@dataclass(frozen=True, eq=False)
class Contents:
    """What was read from a project.

    Parameters
    ----------
    document : Document
        Images, strokes and classes.
    settings : Settings
        How the session learns.
    model : ConvpaintModel or None
        The model that was saved.
    is_current : bool
        Whether it answers all strokes and settings.
    taken : bool
        Whether it was trained elsewhere.
    notes : tuple of str
        What could not be read, and does not matter much.
    """

    document: Document
    settings: Settings
    model: ConvpaintModel | None
    is_current: bool
    taken: bool = False
    notes: tuple[str, ...] = ()


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
        self.journal = Journal(folder, last, tell)

    def save(self, saved: Mapping[str, Any], after: int, model: ConvpaintModel | None) -> None:
        """Write the model and a snapshot.

        Parameters
        ----------
        saved : dict
            "document" as `snapshot.to_json` returns it, "settings" as in ``settings.json``, and
            "is_current": whether the model answers both; "taken": whether it was trained elsewhere.
        after : int
            Number of the last line of the journal that the document contains.
        model : ConvpaintModel or None
            None if it is not trained.

        Raises
        ------
        FileError, OSError
            If that is not possible; what was saved before stays.
        """
        self.journal.flush(FLUSH_SECONDS)
        if model is not None:
            model.save(self.folder / "model.pkl", create_yml=False)
        write_json(self.folder / "snapshots" / f"{after:010}.json", saved)
        self.journal.begin()
        for old in _snapshots(self.folder)[KEPT_SNAPSHOTS:]:
            old.unlink()

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
    folder.mkdir(exist_ok=True)
    lock = Lock(folder)
    for name in ("events", "snapshots"):
        (folder / name).mkdir()
    write_json(folder / "project.json", ABOUT)
    flush(folder)
    return Project(folder, lock, 0, tell)


def load(folder: Path, tell: Callable[[Event], object]) -> tuple[Project, Contents]:
    """Open a project, and check everything in it; runs no code from it.

    Raises
    ------
    MissingFileError
        If there is no such folder.
    FormatError
        If it is no project, or damaged.
    FileError
        If another session has it open.
    """
    _require_project(folder)
    lock = Lock(folder)
    try:
        cut_torn_line(folder)
        settings = _settings(folder)
        latest, after = _latest(folder)
        document, last = _replayed(folder, latest.document, after)
        model, note = _model(folder)
    except (StromaError, OSError):
        lock.release()
        raise
    same = latest.is_current and last == after and latest.settings == settings.to_json()
    notes = (note,) if note else ()
    contents = Contents(document, settings, model, same, same and latest.taken, notes)
    return Project(folder, lock, last, tell), contents


@dataclass(frozen=True, eq=False)
class _Snapshot:
    document: Document
    settings: Any = None
    is_current: bool = False
    taken: bool = False


def _require_project(folder: Path) -> None:
    about = folder / "project.json"
    if not folder.exists():
        raise MissingFileError(f"There is no project {folder}.")
    if not about.is_file():
        raise FormatError(f"{folder} is no project of Stroma: it has no project.json.")
    found = _read(about)
    if not isinstance(found, Mapping) or found.get("format") != ABOUT["format"]:
        raise FormatError(f"{about} is not that of a project of Stroma.")
    if found.get("version") != ABOUT["version"]:
        raise FormatError(
            f"{folder} was made by another version of Stroma (format {found.get('version')}). "
            f"Update Stroma to open it."
        )
    for path in folder.iterdir():
        if path.is_symlink():
            raise FormatError(
                f"{path} is a link, so that what is saved would go elsewhere. Put what it points "
                f"to in its place, or delete it if this project is not your own."
            )


def _replayed(folder: Path, document: Document, last: int) -> tuple[Document, int]:
    """Apply what the journal holds beyond a snapshot; return the number of the last line too."""
    for path, values in lines(folder, last):
        try:
            operation = ops.from_json(values)
            if isinstance(operation, ops.AddImage | ops.SetReference):
                checked(operation.reference)
            document.apply(operation)
        except (StromaError, ValueError, TypeError, KeyError) as error:
            raise FormatError(
                f"The operation {values['n']} in {path} is not possible: {error}"
            ) from error
        last = values["n"]
    return document, last


def _latest(folder: Path) -> tuple[_Snapshot, int]:
    """Return the latest snapshot that can be read, or an empty document, and its number."""
    damage: FormatError | None = None
    for path in _snapshots(folder):
        try:
            given = checks.mapping(_read(path), "a snapshot")
            document = snapshot.from_json(given["document"])
            current, taken = given["is_current"] is True, given.get("taken") is True
            return _Snapshot(document, given["settings"], current, taken), int(path.stem)
        except (StromaError, ValueError, TypeError, KeyError) as error:
            damage = FormatError(f"{path} is not a snapshot of a project: {error}")
    if damage is not None and not list((folder / "events").glob("0000000001.*")):
        raise damage
    return _Snapshot(Document()), 0


def _snapshots(folder: Path) -> list[Path]:
    """Return the snapshots, latest first."""
    found = [p for p in (folder / "snapshots").glob("*.json") if p.stem.isdecimal()]
    return sorted(found, reverse=True)


def _settings(folder: Path) -> Settings:
    path = folder / "settings.json"
    if not path.exists():
        return Settings()
    values = _read(path)
    try:
        return Settings.from_json(checks.mapping(values, "settings"))
    except (StromaError, TypeError, KeyError) as error:
        raise FormatError(f"{path} does not hold the settings of a project: {error}") from error


def _model(folder: Path) -> tuple[ConvpaintModel | None, str]:
    """Return the model, or None and what is wrong with it: it can be trained again."""
    path = folder / "model.pkl"
    if not path.exists():
        return None, ""
    try:
        return ConvpaintModel(model_path=path), ""
    except StromaError as error:
        return None, f"{error} The model is trained again from the strokes."


def _read(path: Path) -> Any:
    if path.stat().st_size > MAX_BYTES:
        raise FormatError(f"{path} is larger than any file of a project.")
    try:
        return read_json(path.read_bytes())
    except ValueError as error:
        raise FormatError(f"{path} is not JSON: {error}") from error
