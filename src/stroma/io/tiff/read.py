"""TIFF, BigTIFF, OME-TIFF and ImageJ stacks, with pyramids."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import tifffile
import zarr

from stroma.data.image import Image
from stroma.errors import FormatError, StromaError
from stroma.io.axes import Facts, arrange, asked
from stroma.io.lazy import DAMAGE, FileArray, Opened, damaged
from stroma.io.tiff.facts import facts, letters
from stroma.io.tiff.pages import Pages, fits

WHOLE_BYTES = 2**26
"""Compressed images up to this size are decoded whole (64 MiB), larger ones box by box."""


def read(path: Path, *, axes: str | None = None, series: int = 0) -> Image:
    """Return an image of a TIFF; its coarser levels are in ``levels``."""
    try:
        with tifffile.TiffFile(path) as file:
            chosen = _series(file, series, path)
            _check_extent(file, chosen, path)
            named = letters(chosen) if axes is None else asked(axes, chosen.shape, path)
            known = facts(file, series, chosen)
            alike = [i for i, level in enumerate(chosen.levels) if level.axes == chosen.axes]
            images = [_image(path, series, i, chosen.levels[i], named, known) for i in alike]
    except StromaError:
        raise
    except DAMAGE as error:
        raise damaged(path, error) from error
    coarser = tuple(_with_spacing(image, images[0]) for image in images[1:])
    return replace(images[0], levels=coarser)


def _series(file: Any, series: int, path: Path) -> Any:
    if not 0 <= series < len(file.series):
        raise FormatError(
            f"{path} holds {len(file.series)} images, so there is no number {series}."
        )
    chosen = file.series[series]
    if chosen.dtype.kind not in "biuf":
        raise FormatError(f"{path} holds values of type {chosen.dtype}; an image holds numbers.")
    return chosen


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


def open_pages(path: Path, *, series: int, level: int) -> Opened:
    """Open one image: mapped into memory, decoded whole, page by page, or tile by tile."""
    file = tifffile.TiffFile(path)
    try:
        pages = file.series[series].levels[level]
        if pages.dataoffset is not None and not pages.is_multifile and pages.transform is None:
            mapped = tifffile.memmap(path, series=series, level=level, mode="r")
            file.close()
            return mapped.reshape(pages.shape), None
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
