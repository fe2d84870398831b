"""A trained network of another program, and which program's it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stroma.errors import FormatError, MissingFileError, StromaError, short
from stroma.zoo.networks import CHECKPOINTS, FOLDERS, MARKS

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, eq=False)
class TakenNetwork:
    """What a network of ours is made of, from a file of another program.

    Parameters
    ----------
    source : Path
        The file, or folder.
    program : str
        Which program wrote it, for people.
    about : mapping of str to object
        What is known of the network: parameters of `stroma.training.files.about.About`.
    tensors : mapping of str to tensor
        Its weights, by our names.
    took, left : sequence of str
        What was taken over, and what was not, in sentences for people.
    licence : str
        That of the weights as they were published, where it limits what they may be used for.
    """

    source: Path
    program: str
    about: Mapping[str, Any]
    tensors: Mapping[str, torch.Tensor]
    took: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    licence: str = ""


@dataclass(frozen=True)
class Reader:
    """Reads the networks of one program.

    Parameters
    ----------
    program : str
        The program, with versions, for people.
    take : callable
        ``take(path, found) -> TakenNetwork``, where ``found`` is what a file of ``torch.save``
        holds; of a folder, its path.
    fits : callable
        Tells whether what such a file holds, or the folder of that path, is a network of the
        program. Our own folders are told by `stroma.zoo.networks.MARKS`, which loads nothing.
    """

    program: str
    take: Callable[[Path, Any], TakenNetwork]
    fits: Callable[[Any], bool] = bool


BROKEN = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
"""What values raise that are not as they should be."""


def is_foreign(path: Path) -> bool:
    """Tell whether a file or folder may be a network of another program; reads hardly anything."""
    if path.is_dir():
        return _folder(path) is not None
    if not path.is_file():
        return False
    with path.open("rb") as file:
        start = file.read(2)
    if start not in (b"PK", b"\x80\x02", b"\x80\x04"):
        return False
    from stroma.weights.checkpoint import is_checkpoint

    return is_checkpoint(path)


def take_network(path: str | Path) -> TakenNetwork:
    """Return a network of another program; no code of it is run.

    Parameters
    ----------
    path : str or Path
        Its file or folder.

    Raises
    ------
    MissingFileError
        If there is no such file.
    FormatError
        If it is damaged, or of no program or version that is known.
    """
    where = Path(path)
    if not where.exists():
        raise MissingFileError(f"There is no network {where}.")
    if where.is_dir():
        name = _folder(where)
        if name is None:
            raise FormatError(f"{where} holds no network that is known here. {_known(FOLDERS)}")
        reader: Reader = FOLDERS[name]
        return guarded(where, reader.program, lambda: reader.take(where, where))
    from stroma.weights.checkpoint import read_checkpoint

    return take_held(where, read_checkpoint(where))


def take_held(path: Path, held: Any) -> TakenNetwork:
    """Return the network in what a file of ``torch.save`` holds.

    Raises
    ------
    FormatError
        If it is of no program or version that is known.
    """
    reader = fitting_reader(held)
    if reader is None:
        raise FormatError(
            f"{path} holds tensors, but of no network that is known here: {_names(held)}. "
            f"{_known(CHECKPOINTS)}"
        )
    return guarded(path, reader.program, lambda: reader.take(path, held))


def fitting_reader(held: Any) -> Reader | None:
    """Return what reads a network from what a file of ``torch.save`` holds; None if nothing."""
    return next((r for r in CHECKPOINTS.values() if r.fits(held)), None)


def guarded(path: Path, program: str, make: Callable[[], TakenNetwork]) -> TakenNetwork:
    """Return what is made of a file, and say whose it seems to be where that fails."""
    try:
        return make()
    except StromaError:
        raise
    except BROKEN as error:
        raise FormatError(
            f"{path} looks like a network of {program}, but is not as these are: {short(error)}."
        ) from error


def _folder(path: Path) -> str | None:
    """Return whose network a folder is, by the files in it; those that others added, they tell."""
    marked = (n for n, marks in MARKS.items() if all(any(path.glob(m)) for m in marks))
    added = (n for n in FOLDERS if n not in MARKS and FOLDERS[n].fits(path))
    return next(marked, None) or next(added, None)


def _names(found: Any) -> str:
    """Return how the first tensors are called."""
    names = [str(name) for name in found][:3] if isinstance(found, Mapping) else []
    return short(", ".join(names)) if names else short(type(found).__name__)


def _known(readers: Mapping[str, Reader]) -> str:
    return f"Known: {', '.join(reader.program for reader in readers.values())}."
