"""Where the images of a project are, and whether they are still what they were."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from stroma.data.image import Image
from stroma.errors import FormatError, ParameterError
from stroma.io.address import address_of
from stroma.session.core.checks import mapping, text, whole

SAMPLES = 16
SAMPLE_BYTES = 65536
FOLDER_FILES = 64
"""Files of a folder (OME-Zarr) that are looked at."""


def refer(
    path: Path,
    project: Path | None,
    *,
    axes: str | None,
    series: int,
    seen: tuple[int, str] | None = None,
) -> dict[str, Any]:
    """Return a reference to an image file, relative to the project if there is one.

    ``seen`` is its fingerprint, where that is known already.
    """
    size, digest = seen or fingerprint(path)
    return {
        "path": address_of(path) or _related(path.resolve(), project).as_posix(),
        "axes": axes,
        "series": series,
        "size": size,
        "digest": digest,
    }


def _related(where: Path, project: Path | None) -> Path:
    """Return a path relative to a project, where both are on one drive."""
    if project is None or where.anchor != project.resolve().anchor:
        return where
    return Path(os.path.relpath(where, project.resolve()))


def moved(reference: Mapping[str, Any], old: Path | None, new: Path) -> dict[str, Any]:
    """Return a reference for a project in another folder."""
    if not reference or address_of(reference["path"]):
        return dict(reference)
    path = located(reference, old)
    if not path.exists():
        return {**reference, "path": path.resolve().as_posix()}
    return refer(path, new, axes=reference.get("axes"), series=reference.get("series", 0))


def located(reference: Mapping[str, Any], project: Path | None) -> Path:
    """Return the path a reference means; one on a web server is an address."""
    path = Path(str(reference["path"]))
    if project is None or path.is_absolute() or address_of(path):
        return path
    return project / path


def checked(reference: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a reference that came from a file, if everything in it is possible.

    Raises
    ------
    ParameterError
        If not.
    """
    given = mapping(reference, "an image's reference")
    if given:
        text(given.get("path"), "an image's path")
        whole(given.get("series"), "a series", 0, 2**31)
        whole(given.get("size"), "a file's size", 0, 2**63)
        text(given.get("digest"), "a file's digest")
        if given.get("axes") is not None:
            text(given["axes"], "an image's axes")
        if "\0" in given["path"]:
            raise ParameterError("An image's path holds a NUL.")
    return given


def opened(reference: Mapping[str, Any], project: Path | None) -> Image:
    """Return the image a reference means."""
    from stroma.io import read_image

    path = located(reference, project)
    return read_image(path, axes=reference.get("axes"), series=reference.get("series", 0))


def change(reference: Mapping[str, Any], project: Path | None) -> str:
    """Return what happened to an image since it was referred to; empty if nothing did."""
    path = located(reference, project)
    address = address_of(path)
    if not address and not path.exists():
        return f"{path} is not there any more. Put it back, or open it where it is now."
    if fingerprint(path) != (reference["size"], reference["digest"]):
        what = address or path
        return f"{what} has changed since the project was saved; strokes may not fit any more."
    return ""


def fingerprint(path: Path) -> tuple[int, str]:
    """Return the size of a file (or a folder's first files) and a digest of samples of it.

    Of an image on a web server, these are of its metadata.
    """
    if address_of(path):
        from stroma.io.omezarr.remote import WebFiles

        return WebFiles(address_of(path)).fingerprint()
    digest, size = hashlib.blake2b(digest_size=16), 0
    for file in _files(path):
        length = file.stat().st_size
        size += length
        digest.update(file.relative_to(path).as_posix().encode())
        with file.open("rb") as stream:
            step = max(SAMPLE_BYTES, length // SAMPLES)
            for start in [*range(0, length, step), max(0, length - SAMPLE_BYTES)]:
                stream.seek(start)
                digest.update(stream.read(SAMPLE_BYTES))
    return size, digest.hexdigest()


def _files(path: Path) -> Iterator[Path]:
    """Yield a file, or the first files of a folder in the order of their names."""
    if path.is_file():
        yield path
        return
    if not path.is_dir():
        raise FormatError(f"{path} is neither a file nor a folder.")
    left = FOLDER_FILES
    for folder, folders, names in os.walk(path):
        folders.sort()
        for name in sorted(names):
            yield Path(folder, name)
            left -= 1
            if not left:
                return
