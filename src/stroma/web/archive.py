"""All results of a batch as one .zip, written while it is sent; what became of each file first."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from stroma.errors import MissingFileError
from stroma.io.atomic import replaced
from stroma.io.cells import write_table

NAME = "results.zip"
REPORT = "report.csv"
CONTENTS = "report.json"
PIECE = 2**20


def note(
    folder: Path, images: Sequence[Mapping[str, Any]], summary: Path | None, older: str = ""
) -> None:
    """Write what became of each image, and which files belong to the batch.

    Parameters
    ----------
    folder : Path
        Where the results are.
    images : sequence of mapping
        Of each its "name", its "files" and the "error".
    summary : Path, optional
        A table of all images.
    older : str
        Why the results do not answer the present strokes; told of each image that was done.
    """
    rows = [
        [
            one["name"],
            "no" if one["error"] else "yes",
            one["error"] or older,
            " ".join(one["files"]),
        ]
        for one in images
    ]
    write_table(folder / REPORT, ["image", "done", "reason", "files"], rows)
    names = [REPORT, *([summary.name] if summary else [])]
    names += [name for one in images for name in one["files"]]
    with replaced(folder / CONTENTS) as new:
        new.write_text(json.dumps(names), encoding="utf-8")


def contents(folder: Path) -> list[Path]:
    """Return the results of the latest batch, as far as they are still there.

    Raises
    ------
    MissingFileError
        If there was none.
    """
    listed = folder / CONTENTS
    if listed.is_symlink() or not listed.is_file():
        raise MissingFileError("Nothing was exported yet.")
    found = {path.name: path for path in folder.iterdir() if not path.is_symlink()}
    names = json.loads(listed.read_text(encoding="utf-8"))
    return [found[name] for name in dict.fromkeys(map(str, names)) if name in found]


def zipped(paths: Sequence[Path]) -> Generator[bytes]:
    """Yield a .zip of files, and of folders with what is in them, piece by piece."""
    out = _Pipe()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path in paths:
            for file in _files(path):
                name = file.relative_to(path.parent).as_posix()
                with archive.open(name, "w", force_zip64=True) as entry, file.open("rb") as source:
                    while piece := source.read(PIECE):
                        entry.write(piece)
                        yield out.taken()
    yield out.taken()


class Archive(StreamingResponse):
    """An answer with a .zip, whose files are closed at once where nobody takes it to the end.

    Parameters
    ----------
    paths : sequence of Path
        Files and folders.
    name : str
        What the browser calls it.
    """

    def __init__(self, paths: Sequence[Path], name: str) -> None:
        self._pieces = zipped(paths)
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
        super().__init__(self._pieces, media_type="application/zip", headers=headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._pieces.close()


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    return sorted(p for p in path.rglob("*") if p.is_file() and not p.is_symlink())


class _Pipe(io.RawIOBase):
    """Something to write into from which what was written is taken; it cannot go back."""

    def __init__(self) -> None:
        self._written = bytearray()

    def writable(self) -> bool:
        """Tell that it can be written to."""
        return True

    def write(self, data: Any) -> int:
        """Keep what is written."""
        self._written += data
        return len(data)

    def taken(self) -> bytes:
        """Return what was written since the last call."""
        taken = bytes(self._written)
        self._written.clear()
        return taken
