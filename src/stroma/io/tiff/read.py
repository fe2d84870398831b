"""TIFF, BigTIFF, OME-TIFF, ImageJ stacks and the TIFFs of microscopes, with pyramids."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import zarr

from stroma.data.image import Image
from stroma.errors import FormatError, StromaError
from stroma.io.axes import Facts, arrange, asked
from stroma.io.lazy import DAMAGE, FileArray, damaged
from stroma.io.lazy import Opened as OpenArray
from stroma.io.raw import RawArray
from stroma.io.series import chosen
from stroma.io.tiff.facts import facts, letters, renamed
from stroma.io.tiff.opening import Opened, check_compression
from stroma.io.tiff.pages import Pages, fits

WHOLE_BYTES = 2**26
"""Compressed images up to this size are decoded whole (64 MiB), larger ones box by box."""


def read(path: Path, *, axes: str | None = None, series: int | None = None) -> Image:
    """Return an image of a TIFF; its coarser levels are in ``levels``."""
    try:
        with Opened(path) as opened:
            return _read(opened, axes, series)
    except StromaError:
        raise
    except DAMAGE as error:
        raise damaged(path, error) from error


def _read(opened: Opened, axes: str | None, series: int | None) -> Image:
    path = opened.path
    if not opened.series:
        raise FormatError(f"{path} is a TIFF without an image. Copy or export it again.")
    number, others = chosen(path, series, opened.listed)
    pages = opened.series[number]
    if pages.dtype is None or pages.dtype.kind not in "biuf":
        raise FormatError(f"{path} holds values of type {pages.dtype}; an image holds numbers.")
    _check_extent(opened.file, pages, path)
    check_compression(pages.keyframe, path)
    named = letters(pages) if axes is None else asked(axes, pages.shape, path)
    known = facts(opened.file, opened.series, number, path)
    own = renamed(pages, path) if axes is None else ()
    known = replace(known, notes=(*others, *opened.notes, *known.notes, *own))
    alike = [i for i, level in enumerate(pages.levels) if level.axes == pages.axes]
    images = [_image(path, number, i, pages.levels[i], named, known) for i in alike]
    coarser = tuple(_with_spacing(image, images[0]) for image in images[1:])
    return replace(images[0], levels=coarser)


def _check_extent(file: Any, series: Any, path: Path) -> None:
    """Check that the first and the last page lie within the file."""
    ends = [
        offset + count
        for page in (series.keyframe, series[len(series) - 1])
        if page is not None
        for offset, count in zip(page.dataoffsets, page.databytecounts, strict=False)
    ]
    if series.dataoffset is not None:
        ends.append(series.dataoffset + series.nbytes)
    size = file.filehandle.size
    if ends and max(ends) > size and not series.is_multifile:
        raise FormatError(
            f"{path} is cut short: it has {size} bytes, its pixels end at {max(ends)}. "
            "Copy or export it again."
        )


def _image(path: Path, series: int, level: int, pages: Any, named: str, known: Facts) -> Image:
    options = {"series": series, "level": level}
    array = FileArray(open_pages, path, options, tuple(pages.shape), pages.dtype)
    return arrange(array, named, known, path)


def open_pages(path: Path, *, series: int, level: int) -> OpenArray:
    """Open one image: read where it lies, decoded whole, page by page, or tile by tile."""
    opened = Opened(path)
    file = opened.file
    try:
        pages = opened.series[series].levels[level]
        if pages.dataoffset is not None and not pages.is_multifile and pages.transform is None:
            file.close()
            dtype = pages.dtype.newbyteorder(file.byteorder)
            raw = RawArray(path, pages.dataoffset, tuple(pages.shape), dtype)
            return raw, raw.close
        if pages.nbytes <= WHOLE_BYTES or pages.transform is not None:
            values = pages.asarray(maxworkers=1)
            file.close()
            return values, None
        if fits(pages):
            return Pages(pages), file.close
        store = pages.aszarr(level=0)
        return zarr.open_array(store, mode="r"), file.close
    except BaseException:
        file.close()
        raise


def _with_spacing(coarse: Image, fine: Image) -> Image:
    """Return a level with the spacing that follows from its size."""
    sizes = coarse.sizes
    spacing = {a: s * fine.sizes[a] / sizes[a] for a, s in fine.spacing.items()}
    return replace(coarse, spacing=spacing)
