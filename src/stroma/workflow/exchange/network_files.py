"""The files of a network: where they lie, what tells them from others, and copies of them."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from stroma.errors import MissingFileError, short
from stroma.zoo.packages.collection import fetched
from stroma.zoo.packages.package import NAMES, id_in


def is_id(source: str | Path) -> bool:
    """Tell whether what a user gave for a network is the id of one of bioimage.io."""
    return bool(id_in(source)) and not Path(source).exists()


def place_of(source: str | Path) -> Path:
    """Return where a network lies; the description of one with an id is fetched first.

    Raises
    ------
    MissingFileError
        If there is no such file.
    WeightsError
        If it is an id, and nothing can be had for it.
    """
    if is_id(source):
        return fetched(id_in(source)).path
    if not Path(source).exists():
        raise MissingFileError(
            f"There is no file {short(source)}, and it is no id of bioimage.io, as affable-shark."
        )
    return Path(source)


def digest(place: Path) -> str:
    """Return the number of the bytes of a network; of a package that is a folder, of what it says.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    described = [place / name for name in NAMES if (place / name).is_file()]
    inside = [p for p in sorted(place.rglob("*")) if p.is_file()] if place.is_dir() else [place]
    total = hashlib.sha256()
    for path in described[:1] or inside:
        with path.open("rb") as file:
            total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()


def copy_once(source: Path, to: Path) -> None:
    """Copy a file or folder, unless it is there; it appears whole or not at all."""
    if to.exists():
        return
    part = to.with_name(f".{to.name}.part")
    to.parent.mkdir(parents=True, exist_ok=True)
    if part.is_dir():
        shutil.rmtree(part)
    if source.is_dir():
        shutil.copytree(source, part)
    else:
        shutil.copyfile(source, part)
    part.rename(to)
