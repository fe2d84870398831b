"""Pickles of arrays and plain values, read without running anything that they name.

Every instruction is checked before one is carried out, and the few names that numpy writes (of
arrays, types and numbers) lead to stand-ins of ours that note what they are given. Arrays are made
of these notes afterwards, each checked against the bytes that are there. A hundred bytes can stand
for lists within lists that have more members than any memory: such are counted, and refused.
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, NoReturn

import numpy as np

from stroma.errors import FormatError, short

MAX_DEPTH = 32
MAX_VALUES = 2**24
"""Values that lists and dicts have, those within them counted as often as they are referred to."""

KINDS = frozenset("?biufSU") | frozenset({f"{k}{n}" for k in "biufSU" for n in range(1, 256)})
"""Codes of types whose values are numbers and texts."""

BROKEN = (
    *(ArithmeticError, AttributeError, EOFError, LookupError, MemoryError, RecursionError),
    *(TypeError, ValueError, pickle.UnpicklingError),
)
_ALLOWED = frozenset(
    (
        *("PROTO", "FRAME", "STOP", "MARK", "POP", "POP_MARK", "DUP", "MEMOIZE"),
        *("PUT", "BINPUT", "LONG_BINPUT", "GET", "BINGET", "LONG_BINGET"),
        *("NONE", "NEWTRUE", "NEWFALSE", "INT", "LONG", "FLOAT", "BINFLOAT", "LONG1"),
        *("BININT", "BININT1", "BININT2", "BINUNICODE", "SHORT_BINUNICODE", "UNICODE"),
        *(
            "BINBYTES",
            "SHORT_BINBYTES",
            "BINBYTES8",
            "BYTEARRAY8",
            "BINSTRING",
            "SHORT_BINSTRING",
            "STRING",
        ),
        *("EMPTY_LIST", "EMPTY_DICT", "EMPTY_TUPLE", "LIST", "DICT", "TUPLE", "TUPLE1", "TUPLE2"),
        *("TUPLE3", "APPEND", "APPENDS", "SETITEM", "SETITEMS"),
        *("GLOBAL", "STACK_GLOBAL", "REDUCE", "BUILD"),
    )
)


class _Type:
    """A type of values, as it is written."""

    def __init__(self, code: Any = "", *_: Any) -> None:
        self.code = code
        self.order = "="

    def __setstate__(self, state: Any) -> None:
        self.order = state[1]

    def made(self) -> np.dtype[Any]:
        """Return the type, if it is one of numbers or texts."""
        if not isinstance(self.code, str) or self.code not in KINDS:
            said = self.code if isinstance(self.code, str) else type(self.code).__name__
            raise ValueError(f"values of type {short(said, 20)}")
        if self.order not in ("<", ">", "=", "|"):
            raise ValueError("values in an order of bytes that there is not")
        plain = np.dtype("bool" if self.code == "?" else self.code)
        return plain if self.order == "|" else np.dtype(f"{self.order}{plain.str[1:]}")


class _Array:
    """An array, as it is written."""

    def __init__(self, *_: Any) -> None:
        self.state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def made(self, plain: Callable[[Any], Any]) -> Any:
        """Return the array, checked against its bytes; one of objects as nested lists."""
        _, shape, kind, fortran, data = self.state
        sides = tuple(int(n) for n in shape)
        if kind.code in ("O", "O8"):
            if len(data) != math.prod(sides):
                raise ValueError(f"{sides} objects, and {len(data)} are there")
            return plain(data)
        return _values(data, kind.made(), sides, "F" if fortran else "C")


class _Number:
    """A number of numpy's, as it is written."""

    def __init__(self, kind: Any, data: Any = b"") -> None:
        self.kind, self.data = kind, data

    def made(self) -> Any:
        return _values(self.data, self.kind.made(), (), "C").item()


class _Buffer:
    """An array of protocol 5, as it is written."""

    def __init__(self, data: Any, kind: Any, shape: Any, order: Any = "C") -> None:
        self.given = (data, kind, shape, order)

    def made(self) -> Any:
        data, kind, shape, order = self.given
        return _values(data, kind.made(), tuple(map(int, shape)), "F" if order == "F" else "C")


class _Name:
    """What stands where a class is only named."""


def _bytes(text: Any, encoding: Any = "latin1") -> bytes:
    if not isinstance(text, str) or encoding != "latin1":
        raise ValueError("bytes in another encoding than latin1")
    return text.encode("latin1")


_STANDINS: dict[tuple[str, str], Any] = {
    ("numpy", "dtype"): _Type,
    ("numpy", "ndarray"): _Name,
    ("_codecs", "encode"): _bytes,
    **{
        (f"numpy.{core}.{module}", name): made
        for core in ("core", "_core")
        for module, name, made in (
            ("multiarray", "_reconstruct", _Array),
            ("multiarray", "scalar", _Number),
            ("numeric", "_frombuffer", _Buffer),
        )
    },
}


def _require_names(keys: Iterable[Any]) -> None:
    """Refuse keys beyond texts and numbers: tuples within tuples take forever to be hashed."""
    for key in keys:
        if key is not None and type(key) not in (str, bytes, bool, int, float):
            raise ValueError("a dict with other names than texts and numbers")


def _require_state(made: Iterable[Any]) -> None:
    """Refuse a state of what has none, functions and classes least of all: they stay as told."""
    if not all(isinstance(one, _Type | _Array) for one in made):
        raise ValueError("a state of what has none")


CHECKS = (
    (pickle.BUILD[0], slice(-2, -1), _require_state),
    (pickle.SETITEM[0], slice(-2, -1), _require_names),
    (pickle.SETITEMS[0], slice(None, None, 2), _require_names),
    (pickle.DICT[0], slice(None, None, 2), _require_names),
)
"""Instructions, what of the stack each is about, and what checks that."""


def _checked(
    code: int, part: slice, check: Callable[[Iterable[Any]], None]
) -> Callable[[Any], None]:
    """Return an instruction that looks at what it is about first."""
    step: Callable[[Any], None] = pickle._Unpickler.dispatch[code]

    def run(reader: Any) -> None:
        check(reader.stack[part])
        step(reader)

    return run


class _Reader(pickle._Unpickler):
    """Carries out what was checked.

    The reader written in Python, as each step of it can be asked what it is about to do.
    """

    def find_class(self, module: str, name: str, /) -> Any:
        found = _STANDINS.get((module, name))
        if found is None:
            raise FormatError(f"it names {short(module)}.{short(name)}, which would run code")
        return found

    def persistent_load(self, pid: Any, /) -> NoReturn:
        raise FormatError("it refers to what is not in it")

    dispatch: ClassVar[dict[int, Callable[[Any], None]]] = {
        **pickle._Unpickler.dispatch,
        **{one[0]: _checked(*one) for one in CHECKS},
    }


def plain_values(data: bytes) -> Any:
    """Return the dicts, lists, texts, numbers and arrays in a pickle.

    Raises
    ------
    FormatError
        If it names anything but arrays of numpy, or is damaged; without the name of the file.
    """
    try:
        _check(data)
        return _Plain()(_Reader(io.BytesIO(data), encoding="latin1").load(), 0)
    except FormatError:
        raise
    except BROKEN as error:
        raise FormatError(f"it is damaged: {short(error)}") from error


def _check(data: bytes) -> None:
    """Refuse instructions beyond those that build plain values, and places that are not there."""
    for count, (code, argument, _) in enumerate(pickletools.genops(data)):
        if code.name not in _ALLOWED:
            raise FormatError(f"it uses {code.name}, which plain values do not need")
        if "PUT" in code.name and not 0 <= int(str(argument)) <= count:
            raise FormatError("it is damaged: it numbers more values than it has")
        if code.name == "GLOBAL" and tuple(str(argument).split(" ", 1)) not in _STANDINS:
            raise FormatError(f"it names {short(argument)}, which would run code")


class _Plain:
    """Turns what was read into plain values; what is referred to twice is turned once."""

    def __init__(self) -> None:
        self.known: dict[int, tuple[Any, int]] = {}
        self.count = 0

    def __call__(self, value: Any, depth: int) -> Any:
        self.count += 1
        if value is None or type(value) in (str, bytes, bool, int, float):
            return value
        if depth > MAX_DEPTH:
            raise FormatError(f"it is nested more than {MAX_DEPTH} deep, or holds itself")
        if id(value) in self.known:
            found, count = self.known[id(value)]
            self.count += count
        else:
            before = self.count
            found = self._made(value, depth + 1)
            self.known[id(value)] = found, self.count - before
        if self.count > MAX_VALUES:
            raise FormatError(f"it unfolds to more than {MAX_VALUES} values")
        return found

    def _made(self, value: Any, depth: int) -> Any:
        if isinstance(value, _Array):
            return value.made(lambda found: self(found, depth))
        if isinstance(value, _Number | _Buffer):
            return value.made()
        if isinstance(value, list | tuple):
            return [self(v, depth) for v in value]
        if isinstance(value, dict):
            return {str(k): self(v, depth) for k, v in value.items()}
        if isinstance(value, bytearray):
            return bytes(value)
        raise FormatError(f"it holds a {type(value).__name__.strip('_').lower()} without values")


def _values(data: Any, kind: np.dtype[Any], shape: tuple[int, ...], order: Any) -> Any:
    if not isinstance(data, bytes | bytearray | str):
        raise ValueError(f"values in a {short(type(data).__name__.strip('_').lower())}")
    raw = data.encode("latin1") if isinstance(data, str) else bytes(data)
    if any(n < 0 for n in shape) or math.prod(shape) * kind.itemsize != len(raw):
        raise ValueError(f"{shape} values of {kind} in {len(raw)} bytes")
    return np.frombuffer(raw, kind).reshape(shape, order=order)
