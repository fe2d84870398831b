"""Model packages of bioimage.io, read as networks: those that Stroma wrote, and some of others.

The network is built by name, as from one of our own files, and its weights are read as tensors
alone; no program in a package is run.
"""

from __future__ import annotations

import lzma
import zipfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from stroma.errors import FormatError, MissingFileError, StromaError, short
from stroma.io.lazy import DAMAGE, damaged
from stroma.training import about as files
from stroma.training.exported import exported
from stroma.training.model import Network
from stroma.weights.checkpoint import read_checkpoint, state_of
from stroma.workflow.foreign_package import TENSORS, network_of, weights_of, within
from stroma.workflow.package import KEY

NAMES = ("bioimageio.yaml", "rdf.yaml", "model.yaml")
MAX_TEXT = 2**22
MAX_WEIGHTS = 2**32
TIGHTEST = 50
"""How many times smaller files may be packed; weights hardly get smaller at all."""

SLACK = 2**20
"""Bytes that may be packed as tightly as they like."""


def read_package(path: str | Path) -> Network:
    """Return the network in a model package.

    Parameters
    ----------
    path : str or Path
        The zip.

    Raises
    ------
    MissingFileError
        If there is no such file.
    FormatError
        If it is damaged, or its network is one that is not known here.
    """
    where = Path(path)
    if not where.is_file():
        raise MissingFileError(f"There is no model package {where}.")
    try:
        with zipfile.ZipFile(where) as archive:
            said = _description(archive, where)
            return _own(archive, said, where)
    except StromaError:
        raise
    except (zipfile.BadZipFile, yaml.YAMLError, lzma.LZMAError) as error:
        raise FormatError(f"{where} is no model package: {short(error)}.") from error
    except DAMAGE as error:
        raise damaged(where, error) from error


class _Loader(yaml.SafeLoader):
    """Reads YAML in which nothing is merged, which is how few bytes unfold to many."""

    def flatten_mapping(self, node: Any) -> None:
        """Leave "<<" as it is; there is no value like it."""


def _description(archive: zipfile.ZipFile, path: Path) -> Mapping[str, Any]:
    there = set(archive.namelist())
    name = next((n for n in NAMES if n in there), None)
    if name is None:
        raise FormatError(f"{path} is no model package: it has none of {', '.join(NAMES)}.")
    text = _bytes(archive, name, MAX_TEXT, path)
    said = yaml.load(text, _Loader)
    if not isinstance(said, dict) or said.get("type") != "model":
        raise FormatError(f"{path} describes no model.")
    return said


def _bytes(archive: zipfile.ZipFile, name: str, most: int, path: Path) -> bytes:
    """Return a file of a package, which unpacks to what it says and no more."""
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


def _own(archive: zipfile.ZipFile, said: Mapping[str, Any], path: Path) -> Network:
    """Return the network: what one of ours is stands under "config", its weights are tensors."""

    def read(name: str) -> bytes:
        return _bytes(archive, name, MAX_WEIGHTS, path)

    ours = within(said, "config", KEY)
    if not ours:
        return network_of(said, read, path)
    data = weights_of(within(said, "weights", TENSORS), read, path)
    about = files.parsed({"version": ours.get("version"), **within(ours, "about")}, path)
    state = state_of(read_checkpoint(path, data), path)
    return Network(files.rebuilt(about, state, path, whole=partial(exported, about)), about)
