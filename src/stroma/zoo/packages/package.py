"""A model package: a zip, or a folder, with a description and the files that it names."""

from __future__ import annotations

import hashlib
import lzma
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from stroma.errors import FormatError, MissingFileError, StromaError, short
from stroma.io.lazy import DAMAGE, damaged
from stroma.weights.settings import values_in

NAMES = ("bioimageio.yaml", "rdf.yaml", "model.yaml")
"""What a description may be called."""

ID = re.compile(r"(?:bioimage-?io[:/])?([a-z0-9]+(?:-[a-z0-9]+)+)")
"""Ids are words with dashes between them ("affable-shark"), maybe with where they are from."""

MAX_TEXT = 2**22
MAX_FILE = 2**32
TIGHTEST = 50
"""How many times smaller files may be packed; weights hardly get smaller at all."""

SLACK = 2**20
"""Bytes that may be packed as tightly as they like."""


def id_in(path: str | Path) -> str:
    """Return the id that is meant by what a user gave for a model; "" where it is none."""
    found = ID.fullmatch(str(path))
    return found[1] if found else ""


@dataclass(frozen=True)
class Package:
    """A model package; it pickles as its path.

    Parameters
    ----------
    path : Path
        The zip or the folder.
    """

    path: Path

    def description(self) -> Mapping[str, Any]:
        """Return what the package says of its model.

        Raises
        ------
        MissingFileError
            If there is no such package.
        FormatError
            If it is damaged, or describes no model.
        """
        if not self.path.exists():
            raise MissingFileError(f"There is no model package {self.path}.")
        name = described_in(self.path)
        if name is None:
            raise FormatError(
                f"{self.path} is no model package: it has none of {', '.join(NAMES)}."
            )
        return parsed(self.read(name, most=MAX_TEXT), self.path)

    def read(self, name: str, *, most: int = MAX_FILE, sha256: str = "") -> bytes:
        """Return a file of the package, which unpacks to what it says and no more.

        Parameters
        ----------
        name : str
            As the package calls it.
        most : int
            Bytes that it has at most.
        sha256 : str
            What its bytes are known by; "" where that is not said.

        Raises
        ------
        FormatError
            If there is none of that name, or it is damaged or too large.
        """
        data = self._content(name, most)
        require_same(data, sha256, f"{self.path}: {short(name)}")
        return data

    def _content(self, name: str, most: int) -> bytes:
        if self.path.is_dir():
            return _in_folder(self.path, name, most)
        try:
            with zipfile.ZipFile(self.path) as archive:
                return _in_zip(archive, self.path, name, most)
        except StromaError:
            raise
        except (zipfile.BadZipFile, lzma.LZMAError) as error:
            raise FormatError(f"{self.path} is no model package: {short(error)}.") from error
        except DAMAGE as error:
            raise damaged(self.path, error) from error


def require_same(data: bytes, sha256: str, said: str) -> None:
    """Refuse bytes that are known by another number.

    Raises
    ------
    FormatError
        If they are; it begins with what is said of them.
    """
    if sha256 and hashlib.sha256(data).hexdigest() != sha256.lower():
        raise FormatError(
            f"{said} is damaged: its bytes are not those it was written with. Get it again."
        )


def described_in(path: Path) -> str | None:
    """Return the name of the description in a zip or folder; None where there is none."""
    if path.is_dir():
        return next((name for name in NAMES if (path / name).is_file()), None)
    try:
        with zipfile.ZipFile(path) as archive:
            there = set(archive.namelist())
    except zipfile.BadZipFile as error:
        raise FormatError(f"{path} is no model package: {short(error)}.") from error
    except DAMAGE as error:
        raise damaged(path, error) from error
    return next((name for name in NAMES if name in there), None)


def parsed(text: bytes, path: Path | str) -> Mapping[str, Any]:
    """Return what a description says.

    Raises
    ------
    FormatError
        If it is none, or not of a model.
    """
    try:
        said = values_in(text)
    except yaml.YAMLError as error:
        raise FormatError(f"{path} is no model package: {short(error)}.") from error
    except DAMAGE as error:
        raise FormatError(f"{path} cannot be read as a description: {short(error)}.") from error
    if not isinstance(said, dict) or said.get("type") != "model":
        raise FormatError(f"{path} describes no model.")
    return said


def _in_folder(folder: Path, name: str, most: int) -> bytes:
    """Return a file of a folder, never one outside."""
    where = (folder / name).resolve()
    if not name or not where.is_relative_to(folder.resolve()) or not where.is_file():
        raise FormatError(f"{folder} has no {short(name)}, which it names.")
    if where.stat().st_size > most:
        raise FormatError(f"{folder}: {short(name)} is larger than {most >> 20} MiB.")
    return where.read_bytes()


def _in_zip(archive: zipfile.ZipFile, path: Path, name: str, most: int) -> bytes:
    try:
        told = archive.getinfo(name)
    except KeyError as error:
        raise FormatError(f"{path} has no {short(name)}, which it names.") from error
    if told.file_size > most:
        raise FormatError(f"{path}: {short(name)} is larger than {most >> 20} MiB.")
    if told.file_size > TIGHTEST * told.compress_size + SLACK:
        raise FormatError(
            f"{path}: {short(name)} unpacks to {told.file_size} bytes from {told.compress_size}, "
            "as weights do not."
        )
    return archive.read(told)
