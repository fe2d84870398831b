"""Images that come from the page, and are kept in the project."""

from __future__ import annotations

import logging
import math
import re
import shutil
from collections.abc import AsyncIterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool

from stroma.errors import FileError, FormatError, MissingFileError, ParameterError, StromaError
from stroma.io import READERS, ending_of, read_image, stem_of
from stroma.io.foreign import advice
from stroma.io.read import series_of
from stroma.session import Session, series
from stroma.session.words import said
from stroma.web.exports import others_folder, project

log = logging.getLogger(__name__)

MAX_IMAGE = 8 * 2**30
"""Bytes of an image that the page may send; larger ones are opened where they lie."""

LONGEST_NAME = 120
"""Bytes of a name before its ending."""

SMALL = 2**26
"""Values of an image that is read as a whole before it is opened."""

NOT_READ = "it is damaged, or of a kind that cannot be read. Export it again, as TIFF for instance."
PART = ".part"
PASSING = ".import-"
"""How folders begin with a file that is not kept."""

FOLDERS = (".zarr",)
"""Endings of images that are folders, which a page cannot send."""


def image_endings() -> list[str]:
    """Return the endings of images that the page can send."""
    return sorted(ending for ending in READERS if ending not in FOLDERS)


@dataclass(frozen=True)
class Part:
    """A file on its way: what has come lies in ``part``, and becomes ``whole``.

    Parameters
    ----------
    whole : Path
        The name it gets at the end.
    """

    whole: Path

    @property
    def part(self) -> Path:
        """Where it is written."""
        return self.whole.with_name(self.whole.name + PART)

    async def receive(self, pieces: AsyncIterable[bytes]) -> None:
        """Write what comes, and give the file its name when it is complete.

        Raises
        ------
        FileError
            If the disk does not take it.
        """
        try:
            with self.part.open("r+b") as file:
                async for piece in pieces:
                    await run_in_threadpool(file.write, piece)
            self.part.rename(self.whole)
        except OSError as error:
            raise FileError(
                f"{self.whole.name} cannot be written into the project: "
                f"{error.strerror or error}. Make room, or open the file where it lies: "
                "stroma paint FILE --project NAME.stroma"
            ) from error
        finally:
            self.part.unlink(missing_ok=True)


def safe_name(name: str, endings: list[str]) -> str:
    """Return the name that a file gets in the project.

    Letters, digits and ``_ . - + ( )`` and spaces stay, anything else becomes ``_``.

    Raises
    ------
    ParameterError
        If the name has folders in it, or nothing before its ending.
    FormatError
        If no reader knows the ending.
    """
    if re.search(r"[/\\\0]", name):
        raise ParameterError(f"The name of a file has no folders in it, got {name[:100]!r}.")
    ending = ending_of(name)
    if ending not in endings:
        raise FormatError(
            advice(Path(name[:100]), ending)
            or f"{name[:100]!r} has the ending {ending[:20]!r}, which cannot be opened here. "
            f"Possible are {', '.join(endings)}. Convert it; a folder (OME-Zarr) is dropped as a "
            "whole."
        )
    clean = re.sub(r"[^\w.()+ -]", "_", name[: -len(ending)]).strip(". ")
    kept = clean.encode()[:LONGEST_NAME].decode(errors="ignore").rstrip()
    if not kept:
        raise ParameterError(f"The file {name[:100]!r} has no name before its ending. Rename it.")
    return kept + ending


def images_folder(session: Session) -> Path:
    """Return where images lie that were sent to be opened; it may not exist yet."""
    return project(session) / "images"


def begin_image(session: Session, name: str, size: int, *, folder: Path) -> Part:
    """Return a new file in a folder of the project, named like no image that is open or there.

    Parameters
    ----------
    session : Session
        Whose project it goes to.
    name : str
        What the file is called where it comes from.
    size : int
        Bytes, as far as they are known before; 0 otherwise.
    folder : Path
        Where it goes.

    Raises
    ------
    ParameterError, FormatError
        If the name cannot be used.
    FileError
        If there is no room.
    """
    wanted = safe_name(name, image_endings())
    folder.mkdir(exist_ok=True)
    require_room(session, wanted, size)
    return next(new for path in free_paths(session, wanted, folder) if _claim(new := Part(path)))


def require_room(session: Session, name: str, size: int) -> None:
    """Check that a file of so many bytes has room in the project.

    Raises
    ------
    FileError
        If not.
    """
    free = shutil.disk_usage(project(session)).free
    if size > free:
        raise FileError(
            f"{name} has {size / 2**20:.0f} MiB, and {free / 2**20:.0f} MiB are left for the "
            f"project {session.path}. Make room, or open the file where it lies: "
            "stroma paint FILE --project NAME.stroma"
        )


def free_paths(session: Session, wanted: str, folder: Path) -> Iterator[Path]:
    """Yield paths in a folder, named like no image that is open or there: cells, cells-2 ..."""
    names = [one.name for one in session.images]
    names += [path.name.removesuffix(PART) for path in folder.iterdir()]
    taken = {stem_of(one).lower() for one in names}
    for number in count(1):
        path = folder / _numbered(wanted, number)
        if stem_of(path).lower() not in taken:
            yield path


def _claim(new: Part) -> bool:
    """Make the file that is written to; False where the name belongs to another."""
    try:
        new.part.touch(exist_ok=False)
    except FileExistsError:
        return False
    if new.whole.exists():
        new.part.unlink()
        return False
    return True


def _numbered(name: str, number: int) -> str:
    if number == 1:
        return name
    stem = stem_of(name)  # results are named after it
    return f"{stem}-{number}{name[len(stem) :]}"


def join_image(session: Session, path: Path) -> dict[str, Any]:
    """Open an image that has come, and answer with its key; what cannot be read is removed.

    Of a file with several images, answer with these, so that the page asks which to open.

    Raises
    ------
    FormatError
        If it is not an image, or damaged.
    """
    check_image(path)
    with removed_if_bad(path):
        listed = series_of(path)
        if len(listed) > 1:
            choose = [{"number": one.number, "title": str(one)} for one in listed]
            return {"file": path.name, "choose": choose}
        return {"image": session.add_image(path)}


def open_series(session: Session, values: Mapping[str, Any]) -> list[str]:
    """Open some images of a file that was sent, and answer with their keys."""
    path = _sent(session, str(values["file"]))
    return series.add(session, path, [int(number) for number in values["numbers"]])


def leave_file(session: Session, values: Mapping[str, Any]) -> None:
    """Remove a file that was sent and of which nothing was opened."""
    path = _sent(session, str(values["file"]))
    if path not in [session.source(one.key) for one in session.images]:
        remove(path)


def _sent(session: Session, name: str) -> Path:
    folder = images_folder(session)
    found = {path.name: path for path in folder.iterdir()} if folder.is_dir() else {}
    if name not in found or found[name].is_symlink():
        raise MissingFileError(f"There is no file {name[:100]!r} any more. Send it again.")
    return found[name]


def check_image(path: Path) -> None:
    """Read an image that has come, a large one in part; what cannot be read is removed.

    Raises
    ------
    FormatError
        If it is not an image, or damaged.
    """
    with removed_if_bad(path):
        _try_to_read(path)


@contextmanager
def removed_if_bad(path: Path) -> Iterator[None]:
    """Remove a file or folder that has come, if it cannot be used.

    Raises
    ------
    FormatError
        In that case.
    """
    good = False
    try:
        yield
        good = True
    except Exception as error:  # decoders of others raise anything on damaged files
        raise FormatError(f"It was not opened: {reason(error, path)}") from error
    finally:
        if not good:
            remove(path)


def remove(path: Path) -> None:
    """Remove a file, or a folder with what is in it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _try_to_read(path: Path) -> None:
    """Read an image, or its last row where it is large: not every format says what was cut off."""
    image = read_image(path)
    if math.prod(image.shape) <= SMALL:
        image.read()
        return
    last = image.at(**{axis: size - 1 for axis, size in image.sizes.items() if axis in "tz"})
    last.read({"y": slice(image.sizes["y"] - 1, image.sizes["y"])})


def remove_left_over(session: Session) -> None:
    """Remove what was on its way when the program was ended."""
    if session.path is None:
        return
    for part in images_folder(session).glob(f"*{PART}"):
        remove(part)
    if others_folder(session).is_dir():
        shutil.rmtree(others_folder(session))
    for folder in session.path.glob(f"{PASSING}*"):
        shutil.rmtree(folder)


def reason(error: BaseException, path: Path) -> str:
    """Return what is wrong with a file, by the name that the user knows."""
    if isinstance(error, StromaError | OSError):
        return said(error).replace(str(path), path.name)
    log.warning("%s cannot be read", path, exc_info=error)
    return NOT_READ
