"""Opening a TIFF and listing its images, whatever its private tags say."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import tifffile

from stroma.errors import FormatError, MissingExtraError, StromaError, install, short
from stroma.io.lazy import DAMAGE, damaged
from stroma.io.series import Series
from stroma.io.tiff import ome
from stroma.io.tiff.facts import letters
from stroma.io.tiff.structure import check

_PRIVATE = (
    *("avs", "bif", "eer", "fluoview", "indica", "lsm", "mdgel", "metaseries", "mmstack"),
    *("ndpi", "ndtiff", "nih", "philips", "qpi", "scanimage", "scn", "shaped", "sis", "stk", "svs"),
)
"""Kinds of TIFF that are told by private tags; without them the pages are read as they lie."""


_SHAPED_BY_TAGS = ("lsm", "fluoview", "stk", "nih")
"""Kinds whose private tags say how many planes there are."""

OUTDATED = {6: "old-style JPEG"}
"""Compressions that pass for known ones, and what they are called: decoded, they give noise or
nothing, as every program wrote its own kind."""


class Opened:
    """An open TIFF, its images, and what is to be said about it; closes with its ``with`` block.

    Parameters
    ----------
    path : Path
        The file.
    """

    def __init__(self, path: Path) -> None:
        check(path)
        self.path = path
        self.notes: tuple[str, ...] = ()
        self.file = self._open(path)
        try:
            self.series = _images(self.file)
        except DAMAGE as error:
            self.file.close()
            self.file = tifffile.TiffFile(path, **{f"is_{kind}": False for kind in _PRIVATE})
            self.notes = (
                *self.notes,
                f"The private tags of {path} cannot be read ({short(error)}); its pages are read "
                "without them.",
            )
            self.series = _images(self.file)

    def _open(self, path: Path) -> Any:
        file = tifffile.TiffFile(path)
        try:
            described = ome.source(file.ome_metadata, path) if file.is_ome else ome.Source()
        except StromaError:
            file.close()
            raise
        except DAMAGE:
            return file  # the description cannot be parsed: the pages are read without it
        self.notes = described.notes
        if described.xml is None:
            return file
        file.close()
        return tifffile.TiffFile(path, omexml=described.xml)

    @property
    def listed(self) -> tuple[Series, ...]:
        """The images of the file."""
        return tuple(
            Series(i, str(one.name or ""), dict(zip(letters(one), one.shape, strict=True)))
            for i, one in enumerate(self.series)
        )

    def __enter__(self) -> Opened:
        """Return the open file."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close the file."""
        self.file.close()


def _images(file: Any) -> list[Any]:
    """Return the series of a file; those of an LSM without its thumbnails."""
    every = list(file.series)
    for series in every:
        if any(n < 0 for n in series.shape) or not _fits(series):
            raise ValueError(f"they declare {short(series.shape)} samples, the pages hold others")
    return every[:1] if file.is_lsm else every


def _fits(series: Any) -> bool:
    """Tell whether a shape that private tags declare is that of the pages.

    A stack of MetaMorph has one page, behind whose pixels those of the other planes lie.
    """
    if series.kind not in _SHAPED_BY_TAGS:
        return True
    if series.kind == "stk" and series.dataoffset is not None:
        return bool(series.shape[-series.keyframe.ndim :] == series.keyframe.shape)
    return bool(math.prod(series.shape) == len(series) * math.prod(series.keyframe.shape))


def list_series(path: Path) -> tuple[Series, ...]:
    """Return the images of a TIFF."""
    try:
        with Opened(path) as opened:
            return opened.listed
    except StromaError:
        raise
    except DAMAGE as error:
        raise damaged(path, error) from error


def check_compression(page: Any, path: Path) -> None:
    """Refuse a compression that cannot be undone here.

    Raises
    ------
    MissingExtraError
        If a package would help.
    FormatError
        If none does.
    """
    code = page.compression
    if code in OUTDATED:
        raise _undecodable(code, path)
    try:
        tifffile.TIFF.DECOMPRESSORS[code]
    except ImportError:
        raise _missing_codec(code, path) from None
    except KeyError as error:
        if "imagecodecs" in str(error):
            raise _missing_codec(code, path) from None
        raise _undecodable(code, path) from None


def _undecodable(code: int, path: Path) -> FormatError:
    return FormatError(
        f"{path} is compressed with {_name(code)}, which cannot be read. Save it uncompressed, or "
        "with LZW or Deflate (ZIP)."
    )


def _missing_codec(code: int, path: Path) -> MissingExtraError:
    return MissingExtraError(
        f"{path} is compressed with {_name(code)}, which needs imagecodecs. "
        f"Install it with: {install('formats')}"
    )


def _name(code: int) -> str:
    try:
        name = OUTDATED.get(code) or tifffile.COMPRESSION(code).name
        return f"{name} (TIFF compression {int(code)})"
    except ValueError:
        return f"the unknown TIFF compression {code}"
