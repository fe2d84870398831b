"""Objects of blocks in files beside a result, so that a run that was cut off goes on."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stroma.errors import FormatError
from stroma.io.atomic import replaced
from stroma.training.feeding.windows import Cube
from stroma.training.predicting.sweep import Position

WHOSE = "whose.txt"
"""The file that says of which run blocks are."""

Key = tuple[tuple[int, ...], tuple[int, ...]]
"""Position along outer axes, and where the block begins: ascending in reading order."""


class Block(NamedTuple):
    """The objects of a block.

    Attributes
    ----------
    position : tuple of int
        Along outer axes.
    core, window : Cube
        The block, and what it looked at.
    labels : (*window) integer array
        Objects.
    """

    position: tuple[int, ...]
    core: Cube
    window: Cube
    labels: NDArray[np.integer[Any]]


class Decoded:
    """Blocks whose objects were found.

    Parameters
    ----------
    folder : Path
        Where they are kept; made, and removed by `forget`.
    whose : str
        Tells a run from others: blocks of another one are removed.
    """

    def __init__(self, folder: Path, whose: str) -> None:
        self.folder = folder
        note = folder / WHOSE
        if not note.exists() or note.read_text(encoding="utf-8") != whose:
            self.forget()
            folder.mkdir()
            with replaced(note) as new:
                new.write_text(whose, encoding="utf-8")
        self.files = {_key_in(path): path for path in folder.glob("*.npz")}

    def has(self, position: Position, core: Cube) -> bool:
        """Tell whether a block is there."""
        return key(position, core) in self.files

    def keep(self, block: Block) -> None:
        """Write a block."""
        name = "_".join("-".join(map(str, part)) for part in _key(block.position, block.core))
        ends = [[(s.start, s.stop) for s in cube] for cube in (block.core, block.window)]
        path = self.folder / f"{name}.npz"
        small = block.labels.astype(np.min_scalar_type(int(block.labels.max(initial=0))))
        with replaced(path) as new, new.open("wb") as file:
            np.savez_compressed(file, ends=np.array(ends), labels=small)

    def before(self, last: Key | None) -> Iterator[Block]:
        """Yield the blocks that come before one in reading order, or all, and forget them."""
        for one in sorted(self.files):
            if last is None or one < last:
                yield _read(self.files.pop(one), one[0])

    def forget(self) -> None:
        """Remove all."""
        shutil.rmtree(self.folder, ignore_errors=True)


def key(position: Position, core: Cube) -> Key:
    """Return what orders blocks."""
    return _key(tuple(position.values()), core)


def _key(position: Sequence[int], core: Cube) -> Key:
    return tuple(position), tuple(s.start for s in core)


def _key_in(path: Path) -> Key:
    outer, _, start = path.stem.partition("_")
    numbers = [tuple(int(n) for n in part.split("-") if n) for part in (outer, start)]
    return numbers[0], numbers[1]


def _read(path: Path, position: tuple[int, ...]) -> Block:
    try:
        with np.load(path, allow_pickle=False) as said:
            core, window = (tuple(slice(int(a), int(b)) for a, b in s) for s in said["ends"])
            return Block(position, core, window, said["labels"])
    except (ValueError, KeyError, OSError, zipfile.BadZipFile) as error:
        raise FormatError(
            f"{path} is damaged; it is of a run that was cut off. Remove the folder {path.parent} "
            "to begin that image anew."
        ) from error
