"""Reading the safetensors format: a header that says where each tensor lies, then the bytes.

The file starts with the length of the header (8 bytes, little endian) and the header (JSON); the
rest is data. See https://huggingface.co/docs/safetensors.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.errors import FormatError, MissingFileError

PREFIX = 8
LONGEST_HEADER = 100_000_000

_DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BF16": "<u2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "i1",
    "U8": "u1",
    "BOOL": "?",
}


@dataclass(frozen=True)
class TensorInfo:
    """Where a tensor lies in its file.

    Parameters
    ----------
    dtype : str
        Type as the format writes it ("F32").
    shape : tuple of int
        Its shape.
    start, stop : int
        Range of bytes, from the start of the file.
    """

    dtype: str
    shape: tuple[int, ...]
    start: int
    stop: int


def header_length(first: bytes, source: str) -> int:
    """Return the length of the header, from the first 8 bytes of the file.

    Raises
    ------
    FormatError
        If these are not the first bytes of a safetensors file.
    """
    if len(first) < PREFIX:
        raise FormatError(f"{source} ends after {len(first)} bytes: not a safetensors file.")
    length = int.from_bytes(first[:PREFIX], "little")
    if not 2 <= length <= LONGEST_HEADER:
        raise FormatError(f"{source} is not a safetensors file: its header would be {length} long.")
    return length


def parse_header(header: bytes, size: int, source: str) -> dict[str, TensorInfo]:
    """Return where the tensors lie, checked against their shapes and the size of the file.

    Parameters
    ----------
    header : bytes
        The JSON between the length and the data.
    size : int
        Bytes of the whole file.
    source : str
        What to call the file in messages.

    Raises
    ------
    FormatError
        If the header is damaged or does not fit the file.
    """
    try:
        entries = json.loads(header)
        infos = {
            str(key): _info(value, PREFIX + len(header))
            for key, value in entries.items()
            if key != "__metadata__"
        }
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise FormatError(f"The header of {source} is damaged: {error}.") from error
    for key, info in infos.items():
        _check(key, info, PREFIX + len(header), size, source)
    return infos


def decode(raw: bytes, info: TensorInfo, source: str) -> NDArray[Any]:
    """Return a tensor from its bytes; bfloat16 becomes float32.

    Raises
    ------
    FormatError
        If bytes are missing, or of a type that is not supported.
    """
    if info.dtype not in _DTYPES:
        raise FormatError(f"{source} holds tensors of type {info.dtype}, which is not supported.")
    if len(raw) != info.stop - info.start:
        raise FormatError(
            f"{source} is truncated: got {len(raw)} of {info.stop - info.start} bytes of a tensor."
        )
    values = np.frombuffer(raw, _DTYPES[info.dtype])
    if info.dtype == "BF16":  # the upper half of a float32
        values = (values.astype(np.uint32) << 16).view(np.float32)
    return values.reshape(info.shape)


def read_header(path: Path, source: str = "") -> dict[str, TensorInfo]:
    """Return where the tensors lie in a file on disk.

    Parameters
    ----------
    path : Path
        The file.
    source : str
        What to call it in messages; its path, unless given.

    Raises
    ------
    FormatError
        If the file is not a safetensors file, damaged or truncated.
    MissingFileError
        If there is no such file.
    """
    source = source or str(path)
    try:
        with path.open("rb") as file:
            length = header_length(file.read(PREFIX), source)
            return parse_header(file.read(length), path.stat().st_size, source)
    except FileNotFoundError as error:
        raise MissingFileError(f"There is no weights file {path}.") from error


def read_tensors(path: Path, keys: Iterable[str]) -> dict[str, NDArray[Any]]:
    """Return some tensors of a file on disk."""
    infos = read_header(path)
    found = {}
    with path.open("rb") as file:
        for key in keys:
            file.seek(infos[key].start)
            raw = file.read(infos[key].stop - infos[key].start)
            found[key] = decode(raw, infos[key], str(path))
    return found


def _info(value: dict[str, Any], data: int) -> TensorInfo:
    start, stop = (data + int(offset) for offset in value["data_offsets"])
    return TensorInfo(str(value["dtype"]), tuple(int(n) for n in value["shape"]), start, stop)


def _check(key: str, info: TensorInfo, data: int, size: int, source: str) -> None:
    if not data <= info.start <= info.stop <= size:
        raise FormatError(
            f"{source} is truncated or damaged: it has {size} bytes, but the tensor {key!r} lies "
            f"at {info.start} to {info.stop}."
        )
    if info.dtype not in _DTYPES:
        return  # refused when it is asked for
    expected = math.prod(info.shape) * np.dtype(_DTYPES[info.dtype]).itemsize
    if min(info.shape, default=0) < 0 or info.stop - info.start != expected:
        raise FormatError(
            f"The header of {source} is damaged: the tensor {key!r} of shape {info.shape} and type "
            f"{info.dtype} has {expected} bytes, not {info.stop - info.start}."
        )
