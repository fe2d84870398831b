"""One door for reading images."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

from stroma.data.image import Image
from stroma.errors import FormatError, MissingFileError
from stroma.io.address import address_of
from stroma.io.atomic import is_zarr, recover
from stroma.io.foreign import advice
from stroma.io.series import Series
from stroma.io.tables import READERS, SERIES, ending_of

N5, ATTRIBUTES = ".n5", "attributes.json"
"""A folder of that ending with that file in it is an image."""

LOG = logging.getLogger(__name__)


def read_image(path: str | Path, *, axes: str | None = None, series: int | None = None) -> Image:
    """Return the image in a file, read lazily where the format allows.

    PNG, JPEG, TIFF (OME, ImageJ, BigTIFF, with pyramids), NPY, OME-Zarr 0.4 and 0.5, MRC and
    NIfTI. Values keep the file's type; opacity is dropped; a palette of a PNG is expanded to
    colours, that of a TIFF is a display setting and is ignored.

    Parameters
    ----------
    path : str or Path
        The file, or the folder of an OME-Zarr image; also the address of such a folder on a web
        server ("https://host/image.zarr") or in a bucket ("s3://bucket/image.zarr"), of which only
        those chunks are fetched that are read.
    axes : str, optional
        One letter per axis of the file, in its order ("yxc", "tyx"), where the file does not
        say, or is wrong.
    series : int, optional
        Which image, where a file holds several (see :func:`series_of`); the first where left
        out, and the others are named in ``notes``.

    Raises
    ------
    MissingFileError
        If there is no such file.
    FormatError
        If the file is empty, damaged, or of a format that is not known.
    ShapeError
        If ``axes`` does not fit.
    """
    where = _where(path)
    ending = _ending(where)
    image: Image = READERS[ending](where, axes=axes, series=series)
    for note in image.notes:
        LOG.warning("%s", note)
    told = {"path": address_of(path) or str(where.absolute()), "axes": axes, "series": series or 0}
    return replace(image, read_with=told)


def series_of(path: str | Path) -> tuple[Series, ...]:
    """Return the images in a file, whose numbers ``read_image`` takes as ``series``.

    Parameters
    ----------
    path : str or Path
        The file, or the folder of an OME-Zarr image, well or plate.

    Raises
    ------
    MissingFileError
        If there is no such file.
    FormatError
        If the file is empty, damaged, or of a format that is not known.
    """
    where = _where(path)
    ending = _ending(where)
    if ending in SERIES:
        listed: tuple[Series, ...] = SERIES[ending](where)
        return listed
    image: Image = READERS[ending](where, axes=None, series=None)
    return (Series(0, "", image.sizes),)


def _where(path: str | Path) -> Path:
    return Path(address_of(path) or path)


def is_image(path: str | Path) -> bool:
    """Tell whether there is a reader for a file of that name."""
    return ending_of(path) in READERS or is_zarr(Path(path))


def _ending(path: Path) -> str:
    """Return the ending that tells the reader, after a look at what is there."""
    if address_of(path):
        return ".zarr"
    if not path.exists():
        recover(path)
    if not path.exists():
        raise MissingFileError(f"There is no file {path}.")
    if path.is_dir():
        if ending_of(path) == N5 and (path / ATTRIBUTES).is_file():
            return N5
        if not is_zarr(path):
            raise FormatError(
                f"{path} is a folder, but not an OME-Zarr or N5 image. Name a file in it."
            )
        return ".zarr"
    ending = ending_of(path)
    if ending not in READERS:
        raise FormatError(
            advice(path, ending)
            or f"{path} has the ending {ending!r}, which no reader knows. "
            f"Known: {', '.join(sorted(READERS))}."
        )
    if not path.is_file():
        raise FormatError(f"{path} is a pipe or a device, not a file. Name an image file.")
    if path.stat().st_size == 0:
        raise FormatError(f"{path} is empty (0 bytes). Copy or export it again.")
    return ending
