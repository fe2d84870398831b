"""Model files: a pickle of plain values and nothing else, so that opening one runs no code.

A state is a nested value: dictionaries with text keys, lists, text, numbers, truth values, None
and numeric arrays. It is written as a pickle (the file is a ``.pkl``, as people expect) in which
an array is the bytes of a ``.npy`` file. Reading checks every instruction of the pickle before one
is carried out: only those that build plain values are known, so a file can neither name a class
nor call one, nor refer back to what it already holds (which is how small files unfold into huge
values). Nothing is allocated that the file does not contain byte by byte.
"""

from __future__ import annotations

import io
import math
import os
import pickle
import pickletools
import re
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from stroma.errors import FileError, FormatError, ParameterError, install
from stroma.io.atomic import replaced
from stroma.pixel.files.regular import read_regular
from stroma.pixel.files.schema import shortened

FORMAT = "stroma-model"
VERSION = 1
MAX_DEPTH = 32

MAX_BYTES = 2**31
"""Bytes of a model file."""

_FRAME = {"PROTO", "FRAME", "STOP"}
_NUMBERS = {"NONE", "NEWTRUE", "NEWFALSE", "BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT"}
_TEXTS = {"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"}
_BYTES = {"SHORT_BINBYTES", "BINBYTES", "BINBYTES8"}
_NESTED = {"EMPTY_DICT", "EMPTY_LIST", "MARK", "APPEND", "APPENDS", "SETITEM", "SETITEMS"}
_PLAIN = _FRAME | _NUMBERS | _TEXTS | _BYTES | _NESTED
_NAMES = {"GLOBAL", "STACK_GLOBAL", "INST", "EXT1", "EXT2", "EXT4", "PERSID", "BINPERSID"}
_CALLS = {"OBJ", "REDUCE", "BUILD", "NEWOBJ", "NEWOBJ_EX"}
_NPY_HEADER = re.compile(
    rb"\{'descr': '([<>|][biuf]\d{1,2})', 'fortran_order': (?:False|True), "
    rb"'shape': \(((?:\d{1,18}(?:, \d{1,18})*,?)?)\), \} *\n"
)
_BROKEN = (
    pickle.UnpicklingError,
    ValueError,
    EOFError,
    IndexError,
    TypeError,
    KeyError,
    AttributeError,
    OverflowError,
    MemoryError,
)
_CODE_MESSAGE = (
    "{source} is a pickle that names Python objects{example}. Such a file runs code when it is "
    "opened, so Stroma does not open it. If it is a model of the original Convpaint, it also holds "
    "no feature extractor: save its parameters as .yml there, load the .yml here, and train again."
)


def write(path: str | os.PathLike[str], state: dict[str, Any]) -> None:
    """Write a model file; on failure the file that was there stays as it was.

    Raises
    ------
    ParameterError
        If the state holds something that is not plain.
    FileError
        If the folder is missing, the disk full, or writing is not allowed.
    """
    path, data = Path(path), dumps(state)
    try:
        with replaced(path) as temporary:
            temporary.write_bytes(data)
    except OSError as error:
        if isinstance(error, FileError):
            raise
        reason = error.strerror or str(error)
        raise FileError(
            f"Cannot write the model file {path}: {reason}. The folder must exist and have room."
        ) from error


def read(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the state in a model file; runs nothing that the file says.

    Raises
    ------
    MissingFileError
        If there is no such file.
    FileError
        If it cannot be read.
    FormatError
        If it is damaged, not a model file, or a pickle that would run code.
    """
    data = read_regular(Path(path), most=MAX_BYTES, what="model file")
    return loads(data, source=str(path))


def dumps(state: dict[str, Any]) -> bytes:
    """Return a state as the bytes of a model file; tuples become lists."""
    if type(state) is not dict:
        raise ParameterError(f"The state of a model is a dict, got {type(state).__name__}.")
    document = {"format": FORMAT, "version": VERSION, "state": _encode(state, "state", 0)}
    buffer = io.BytesIO()
    pickler = pickle.Pickler(buffer, protocol=4)
    pickler.fast = True  # writes no references, which reading does not accept
    pickler.dump(document)
    return buffer.getvalue()


def loads(data: bytes, *, source: str = "The data") -> dict[str, Any]:
    """Return the state in the bytes of a model file.

    Parameters
    ----------
    data : bytes
        Content of the file.
    source : str
        Name of the file, for messages.
    """
    _check_instructions(data, source)
    try:
        document = _Plain(io.BytesIO(data)).load()
    except _BROKEN as error:
        raise FormatError(f"{source} is damaged: {shortened(str(error))}.") from error
    return _state(document, source)


class _Plain(pickle.Unpickler):
    """The second lock behind :func:`_check_instructions`."""

    def find_class(self, module: str, name: str, /) -> NoReturn:
        raise FormatError(f"A model file may not name {module}.{name}.")

    def persistent_load(self, pid: Any, /) -> NoReturn:
        raise FormatError(f"A model file may not refer to {pid!r}.")


def _check_instructions(data: bytes, source: str) -> None:
    """Refuse a pickle with any instruction beyond those that build plain values."""
    strange, texts = set(), [""]
    stream = io.BytesIO(data)
    try:
        for code, argument, _ in pickletools.genops(stream):
            if code.name in _NAMES | _CALLS:
                example = _named(code.name, argument, texts)
                raise FormatError(_CODE_MESSAGE.format(source=source, example=example))
            if code.name not in _PLAIN:
                strange.add(code.name)
            if isinstance(argument, str):
                texts = [texts[-1], argument]
    except FormatError:
        raise
    except _BROKEN as error:
        raise FormatError(
            f"{source} is not a model file, or it is damaged or cut short "
            f"({shortened(str(error))})."
        ) from error
    if strange:
        raise FormatError(
            f"{source} is a pickle, but not one that Stroma wrote (it uses {min(strange)})."
        )
    if stream.read(1):
        raise FormatError(f"{source} is damaged: data follows the end of the model.")


def _named(code: str, argument: Any, texts: list[str]) -> str:
    """Return what a forbidden instruction names, as an insertion for the message."""
    if code in ("GLOBAL", "INST"):
        return f" ({str(argument).replace(' ', '.')})"
    return f" ({'.'.join(texts)})" if code == "STACK_GLOBAL" else ""


def _state(document: Any, source: str) -> dict[str, Any]:
    if type(document) is not dict or document.get("format") != FORMAT:
        raise FormatError(f"{source} holds plain data, but not a model of Stroma.")
    version = document.get("version")
    if type(version) is not int or version < 1:
        raise FormatError(f"{source} is damaged: its version is {shortened(version)}.")
    if version > VERSION:
        raise FormatError(
            f"{source} has version {version} of the model format; this Stroma reads up to "
            f"{VERSION}. Update it with: {install()} -U"
        )
    state = _decode(document.get("state"), "state", 0, source)
    if type(state) is not dict:
        raise FormatError(f"{source} is damaged: it holds no state.")
    return state


def _encode(value: Any, where: str, depth: int) -> Any:
    """Return a value with arrays as bytes, everything checked to be plain."""
    if depth > MAX_DEPTH:
        raise ParameterError(f"{where} is nested more than {MAX_DEPTH} deep (or holds itself).")
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, np.ndarray):
        return _array_bytes(value, where)
    if isinstance(value, list | tuple):
        return [_encode(v, f"{where}[{i}]", depth + 1) for i, v in enumerate(value)]
    if isinstance(value, dict) and all(type(key) is str for key in value):
        return {k: _encode(v, f"{where}[{k!r}]", depth + 1) for k, v in value.items()}
    if value is None or type(value) in (str, bool, float):
        return value
    if type(value) is int and -(2**63) <= value < 2**63:
        return value
    raise ParameterError(
        f"A model file holds text, numbers, lists, dicts with text keys and numeric arrays; "
        f"{where} is {type(value).__name__}."
    )


def _decode(value: Any, where: str, depth: int, source: str) -> Any:
    """Return a value with bytes as arrays, everything checked to be plain."""
    if depth > MAX_DEPTH:
        raise FormatError(f"{source} is damaged: it is nested more than {MAX_DEPTH} deep.")
    if type(value) is bytes:
        return _array(value, where, source)
    if type(value) is list:
        return [_decode(v, f"{where}[{i}]", depth + 1, source) for i, v in enumerate(value)]
    if type(value) is dict:
        if not all(type(key) is str for key in value):
            raise FormatError(f"{source} is damaged: {where} has keys that are not text.")
        return {k: _decode(v, f"{where}[{k!r}]", depth + 1, source) for k, v in value.items()}
    return value


def _array_bytes(array: NDArray[Any], where: str) -> bytes:
    if array.dtype.kind not in "biuf":
        raise ParameterError(f"A model file holds numeric arrays; {where} has {array.dtype}.")
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.asarray(array, order="C"), allow_pickle=False)
    return buffer.getvalue()


def _array(data: bytes, where: str, source: str) -> NDArray[Any]:
    """Return the array in the bytes of a .npy file, whose header must fit the bytes exactly."""
    try:
        shape, dtype, start = _npy_header(data)
        declared = math.prod(shape) * dtype.itemsize
        if declared != len(data) - start:
            raise ValueError(f"{shape} {dtype} needs {declared} bytes, not {len(data) - start}")
        array: NDArray[Any] = np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)
    except _BROKEN as error:
        raise FormatError(f"{source} is damaged: the array {where}: {error}.") from error
    return array


def _npy_header(data: bytes) -> tuple[tuple[int, ...], np.dtype[Any], int]:
    """Parse a header of exactly the form in which numpy writes one for a numeric array."""
    stream = io.BytesIO(data)
    if np.lib.format.read_magic(stream) != (1, 0):
        raise ValueError("not version 1.0 of the .npy format")
    length = int.from_bytes(stream.read(2), "little")
    header = stream.read(length)
    match = _NPY_HEADER.fullmatch(header)
    if match is None:
        raise ValueError(f"not the header of a numeric array: {header[:80]!r}")
    dtype, shape = match.groups()
    return tuple(int(n) for n in re.findall(rb"\d+", shape)), np.dtype(dtype.decode()), 10 + length
