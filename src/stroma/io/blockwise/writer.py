"""Results larger than memory: written block by block, continued after a crash.

While it is written, ``labels.zarr`` is called ``labels.zarr.part``, and ``labels.zarr.done``
beside it lists the finished blocks. A block is listed after its values are on the disk, so a run
that is killed never leaves a half-written block that counts as done.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from stroma.data.classes import Class
from stroma.data.image import Image
from stroma.errors import FormatError, ShapeError
from stroma.io.atomic import check_target, move_into_place, remove, told
from stroma.io.blockwise.journal import Journal, identity_of
from stroma.io.describe import Description, describe_labels
from stroma.io.omezarr.labels import belongs_to_image, enlist, prepare
from stroma.io.write import checked_version, format_of

Box = tuple[slice, ...]
"""One range per axis."""


class BlockFile(Protocol):
    """A file that takes blocks; ``put`` returns once they are on the disk."""

    def put(self, box: Box, values: NDArray[Any]) -> None:
        """Write one block of whole chunks."""
        ...

    def get(self, box: Box) -> NDArray[Any]:
        """Read what was written to a box."""
        ...

    def finish(self) -> None:
        """Write what follows from the blocks: coarser levels, metadata."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...


def open_writer(
    path: str | Path,
    *,
    shape: Sequence[int],
    dtype: Any,
    axes: str = "",
    chunks: Sequence[int] | None = None,
    like: Image | None = None,
    classes: Sequence[Class] = (),
    channels: Sequence[str] = (),
    labels: bool = True,
    fingerprint: str = "",
    resume: bool | Literal["if same"] = True,
    ome_version: str = "0.4",
) -> BlockWriter:
    """Return a writer for an OME-Zarr or a tiled BigTIFF (``.tif``, ``.ome.tif``).

    Parameters
    ----------
    path : str or Path
        Where to; it appears under this name at ``finish``.
    shape, dtype, axes
        Of the result; axes are those of ``like`` (without c) where left out.
    chunks : sequence of int, optional
        Size of a chunk along every axis; 512 in y and x, 1 elsewhere, where left out. Blocks
        consist of whole chunks, so that no two of them share one. A TIFF has chunks (tiles) of
        multiples of 16 in y and x, and 1 elsewhere.
    like : Image, optional
        The image the result belongs to, for spacing and unit.
    classes : sequence of Class
        What the labels stand for.
    channels : sequence of str
        Names of the channels, where the result has some (probabilities).
    labels : bool
        Whether the values are labels, which are never averaged.
    fingerprint : str
        Anything that identifies how the values are computed (a hash of model and input). A
        result that was begun with another one is not continued.
    resume : bool or "if same"
        Whether to continue what was begun; False starts over, "if same" does where it was begun
        with other parameters.

    Raises
    ------
    ParameterError
        If what was begun has another shape, type or fingerprint.
    """
    about = describe_labels(shape, dtype, axes=axes, like=like, classes=classes)
    about = replace(about, channels=tuple(channels), labels=labels)
    target = Path(path)
    version = prepare(target) if belongs_to_image(target) else checked_version(ome_version)
    plan = _Plan(target, about, _checked_chunks(about, chunks), version, fingerprint)
    check_target(target)
    return BlockWriter(plan, resume=resume)


def _checked_chunks(about: Description, chunks: Sequence[int] | None) -> tuple[int, ...]:
    from stroma.io.omezarr.write import SIDE

    wanted = tuple(chunks or (SIDE if a in "yx" else 1 for a in about.axes))
    if len(wanted) != len(about.axes) or min(wanted) < 1:
        raise ShapeError(f"Chunks {wanted} do not fit the axes {about.axes!r}.")
    return wanted


@dataclass(frozen=True)
class _Plan:
    """What is written where."""

    path: Path
    about: Description
    chunks: tuple[int, ...]
    version: str
    fingerprint: str

    @property
    def part(self) -> Path:
        return self.path.with_name(self.path.name + ".part")

    @property
    def journal(self) -> Path:
        return self.path.with_name(self.path.name + ".done")

    def identity(self) -> str:
        """Return a hash of everything that two runs must share to write one result."""
        known = {**asdict(self.about), "dtype": self.about.dtype.str}
        said = [known, self.chunks, self.version, self.fingerprint]
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()

    def file(self, *, new: bool) -> BlockFile:
        """Open, or create, the file that takes the blocks."""
        ending = format_of(self.path)
        if ending == ".zarr":
            from stroma.io.omezarr.write import ZarrBlocks

            return ZarrBlocks(self.part, self.about, self.chunks, self.version, new=new)
        if "tif" in ending:
            from stroma.io.tiff.write import TiffBlocks

            return TiffBlocks(self.part, self.about, self.chunks, new=new)
        raise FormatError(
            f"{self.path.name} cannot be written block by block; only .zarr, .tif and .ome.tif can."
        )


class BlockWriter:
    """Takes the blocks of a result in any order, from any thread.

    Leaving its ``with`` block without :meth:`finish` keeps what was written, to be continued.
    """

    def __init__(self, plan: _Plan, *, resume: bool | Literal["if same"]) -> None:
        self._plan = plan
        with told(plan.path):
            self._begin(plan, resume)

    def _begin(self, plan: _Plan, resume: bool | Literal["if same"]) -> None:
        """Open what was begun, or begin."""
        begun = bool(resume) and plan.journal.exists() and plan.part.exists()
        if begun and resume == "if same":
            begun = identity_of(plan.journal) == plan.identity()
        if begun:
            self._journal = Journal(plan.journal, plan.identity(), resume=True)
            self._file = plan.file(new=False)
        else:
            remove(plan.journal)
            remove(plan.part)
            self._file = plan.file(new=True)
            self._journal = Journal(plan.journal, plan.identity(), resume=False)

    @property
    def path(self) -> Path:
        """Where the result will be."""
        return self._plan.path

    @property
    def n_done(self) -> int:
        """Number of blocks written, now and in earlier runs."""
        return len(self._journal)

    def is_done(self, box: Box) -> bool:
        """Tell whether a block was written, now or in an earlier run."""
        return _text(self._whole(box)) in self._journal

    def write(self, box: Box, values: NDArray[Any]) -> None:
        """Write one block of whole chunks, and note that it is done.

        Raises
        ------
        ShapeError
            If the block does not consist of whole chunks, or the values do not fill it.
        """
        whole = self._whole(box)
        if values.shape != tuple(s.stop - s.start for s in whole):
            raise ShapeError(
                f"Values of shape {values.shape} do not fill the block {_text(whole)}."
            )
        with told(self._plan.path):
            self._file.put(whole, np.ascontiguousarray(values, dtype=self._plan.about.dtype))
            self._journal.add(_text(whole))

    def read(self, box: Box) -> NDArray[Any]:
        """Return the values written to a box; 0 where nothing was."""
        return self._file.get(self._whole(box))

    def finish(self) -> Path:
        """Add coarser levels and metadata, and give the result its name."""
        with told(self._plan.path):
            self._file.finish()
            self.close()
            move_into_place(self._plan.part, self._plan.path)
            remove(self._plan.journal)
        if belongs_to_image(self._plan.path):
            enlist(self._plan.path)
        return self._plan.path

    def discard(self) -> None:
        """Throw away what was written."""
        self.close()
        remove(self._plan.journal)
        remove(self._plan.part)

    def close(self) -> None:
        """Let go of the files; what was written can be continued."""
        self._file.close()
        self._journal.close()

    def __enter__(self) -> BlockWriter:
        """Return the writer."""
        return self

    def __exit__(self, *error: object) -> None:
        """Let go of the files."""
        self.close()

    def _whole(self, box: Box) -> Box:
        """Return the box with its limits filled in, after checking that it is of whole chunks."""
        about, chunks = self._plan.about, self._plan.chunks
        if len(box) != len(about.shape):
            raise ShapeError(f"A block has one range per axis of {about.axes!r}, got {box}.")
        whole = tuple(slice(*s.indices(n)[:2]) for s, n in zip(box, about.shape, strict=True))
        for s, n, c in zip(whole, about.shape, chunks, strict=True):
            if s.start % c or (s.stop % c and s.stop != n) or s.stop <= s.start:
                raise ShapeError(
                    f"The block {_text(whole)} does not consist of whole chunks of {chunks}."
                )
        return whole


def _text(box: Box) -> str:
    return " ".join(f"{s.start}:{s.stop}" for s in box)
