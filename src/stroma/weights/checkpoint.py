"""Files of ``torch.save``: only tensors and plain values are made of them; no code in them runs."""

from __future__ import annotations

import io
import lzma
import pickle
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from stroma.errors import FormatError, MissingFileError, short

BROKEN = (
    *(ArithmeticError, AttributeError, EOFError, LookupError, MemoryError, OSError),
    *(NotImplementedError, RuntimeError, TypeError, ValueError),
    *(pickle.UnpicklingError, zipfile.BadZipFile, lzma.LZMAError),
)
"""What a file raises that is none, or another's."""

NUMBERS: list[Any] = [
    np.dtype,
    *(type(np.dtype(kind)) for kind in ("f4", "f8", "i4", "i8", "u1", "?")),
    (np._core.multiarray.scalar, "numpy.core.multiarray.scalar"),  # type: ignore[attr-defined]
    np._core.multiarray.scalar,  # type: ignore[attr-defined]
]
"""What single numbers of numpy are made of."""

DEEPEST = 64


def read_checkpoint(path: Path, data: bytes | None = None) -> Any:
    """Return what a file of ``torch.save`` holds: tensors, numbers, texts, lists and mappings.

    Parameters
    ----------
    path : Path
        The file.
    data : bytes, optional
        What it holds, where it lies in another: the path then names that one.

    Raises
    ------
    MissingFileError
        If there is no such file.
    FormatError
        If it is damaged, or would have to run code to be read.
    """
    if not path.is_file():
        raise MissingFileError(f"There is no file {path}.")
    try:
        _require_plain(path if data is None else io.BytesIO(data))
        with torch.serialization.safe_globals(NUMBERS):
            source = path if data is None else io.BytesIO(data)
            found = torch.load(source, map_location="cpu", weights_only=True)
        _require_whole(found, path.stat().st_size if data is None else len(data))
    except pickle.UnpicklingError as error:
        said = str(error)
        what = said.partition("GLOBAL ")[2].split(" ")[0] or short(said, 60)
        raise FormatError(
            f"{path} cannot be read without running code that it names ({short(what, 60)}). Save "
            "the tensors alone with the program that wrote it (torch.save of model.state_dict())."
        ) from error
    except BROKEN as error:
        raise FormatError(f"{path} cannot be read as weights: {short(error)}") from error
    return found


def state_of(found: Any, path: Path) -> dict[str, torch.Tensor]:
    """Return tensors by name, of what a file holds.

    Raises
    ------
    FormatError
        If it holds something else.
    """
    if not isinstance(found, Mapping) or not found:
        raise FormatError(f"{path} holds no tensors by name.")
    named = {str(k): v.detach() for k, v in found.items() if isinstance(v, torch.Tensor)}
    if not named:
        raise FormatError(f"{path} holds no tensors by name.")
    return named


def is_checkpoint(path: Path) -> bool:
    """Tell whether a file is one of ``torch.save``, by its first bytes; reads no more."""
    with path.open("rb") as file:
        start = file.read(4)
    if start.startswith(b"PK\x03\x04"):
        try:
            with zipfile.ZipFile(path) as archive:
                return any(name.endswith("data.pkl") for name in archive.namelist())
        except BROKEN:
            return False
    return start[:1] == b"\x80" and start[1:3] in (b"\x02\x8a", b"\x04\x8a")


def _require_plain(source: Path | io.BytesIO) -> None:
    """Refuse archives that are packed: their tensors unpack to any size."""
    if not zipfile.is_zipfile(source):
        return
    with zipfile.ZipFile(source) as archive:
        entries = archive.infolist()
    size = source.stat().st_size if isinstance(source, Path) else source.getbuffer().nbytes
    if any(one.compress_type != zipfile.ZIP_STORED for one in entries):
        raise ValueError("its tensors are packed, as torch does not pack them")
    if sum(one.file_size for one in entries) > size:
        raise ValueError("it says that it is larger than it is")


def _require_whole(found: Any, size: int) -> None:
    """Refuse tensors of more values than they have memory for, or more memory than the file."""
    held: dict[int, int] = {}
    for tensor in _tensors(found, DEEPEST, set()):
        if tensor.layout is not torch.strided or tensor.is_quantized:
            raise ValueError("a tensor is not plain")
        memory = tensor.untyped_storage()
        if tensor.numel() * tensor.element_size() > memory.nbytes():
            raise ValueError("a tensor says that it is larger than it is")
        held[memory.data_ptr()] = memory.nbytes()
    if sum(held.values()) > size:
        raise ValueError("its tensors say that they are larger than it is")


def _tensors(value: Any, depth: int, seen: set[int]) -> Iterator[torch.Tensor]:
    """Return every tensor once: a few lists may hold each other many times."""
    if depth == 0:
        raise ValueError("it is nested too deeply")
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _tensors(one, depth - 1, seen)
    elif isinstance(value, list | tuple | set):
        for one in value:
            yield from _tensors(one, depth - 1, seen)
