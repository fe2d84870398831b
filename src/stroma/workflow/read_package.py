"""Model packages of bioimage.io, read as networks: those that Stroma wrote, and some of others.

The network is built by name, as from one of our own files, and its weights are read as tensors
alone; no program in a package is run.
"""

from __future__ import annotations

import hashlib
import io
import lzma
import pickle
import zipfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
import yaml

from stroma.errors import FormatError, MissingFileError, StromaError, short
from stroma.io.lazy import DAMAGE, damaged
from stroma.training import about as files
from stroma.training.exported import exported
from stroma.training.model import Network
from stroma.workflow.foreign_package import network_of, within
from stroma.workflow.package import KEY

NAMES = ("bioimageio.yaml", "rdf.yaml", "model.yaml")
MAX_TEXT = 2**22
MAX_WEIGHTS = 2**32
TIGHTEST = 50
"""How many times smaller files may be packed; weights hardly get smaller at all."""

SLACK = 2**20
"""Bytes that may be packed as tightly as they like."""

BROKEN = (
    *(ArithmeticError, AttributeError, EOFError, LookupError, MemoryError, OSError),
    *(RuntimeError, TypeError, ValueError, pickle.UnpicklingError, zipfile.BadZipFile),
)
"""What a state dict raises that is none, or another's."""


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
    ours = within(said, "config", KEY)
    if not ours:
        return network_of(said, lambda name: _bytes(archive, name, MAX_WEIGHTS, path), path)
    weights = within(said, "weights", "pytorch_state_dict")
    data = _bytes(archive, str(weights.get("source", "")), MAX_WEIGHTS, path)
    expected = weights.get("sha256")
    if expected and hashlib.sha256(data).hexdigest() != expected:
        raise FormatError(f"{path} is damaged: its weights are not those it was written with.")
    about = files.parsed({"version": ours.get("version"), **within(ours, "about")}, path)
    return Network(
        files.rebuilt(about, _state(data, path), path, whole=partial(exported, about)), about
    )


def _state(data: bytes, path: Path) -> dict[str, torch.Tensor]:
    """Return the tensors of a state dict, which lie in it as they are, not packed any tighter."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as inner:
            if any(one.compress_type != zipfile.ZIP_STORED for one in inner.infolist()):
                raise ValueError("its tensors are packed, as torch does not pack them")
        state = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
        return {str(name): tensor.detach() for name, tensor in state.items()}
    except BROKEN as error:
        raise FormatError(f"The weights in {path} cannot be read: {short(error)}") from error
