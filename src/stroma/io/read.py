"""One door for reading images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from stroma.data.image import Image
from stroma.errors import FormatError, MissingFileError
from stroma.io.atomic import is_zarr
from stroma.io.tables import READERS


def read_image(path: str | Path, *, axes: str | None = None, series: int = 0) -> Image:
    """Return the image in a file, read lazily where the format allows.

    PNG, JPEG, TIFF (OME, ImageJ, BigTIFF, with pyramids), NPY and OME-Zarr 0.4 and 0.5. Values
    keep the file's type; opacity is dropped; a palette of a PNG is expanded to colours, that of a
    TIFF is a display setting and is ignored.

    Parameters
    ----------
    path : str or Path
        The file, or the folder of an OME-Zarr image.
    axes : str, optional
        One letter per axis of the file, in its order ("yxc", "tyx"), where the file does not
        say, or is wrong.
    series : int
        Which image, where a file holds several.

    Raises
    ------
    MissingFileError
        If there is no such file.
    FormatError
        If the file is empty, damaged, or of a format that is not known.
    ShapeError
        If ``axes`` does not fit.
    """
    where = Path(path)
    if not where.exists():
        raise MissingFileError(f"There is no file {where}.")
    reader = READERS[_ending(where)]
    if where.is_file() and where.stat().st_size == 0:
        raise FormatError(f"{where} is empty (0 bytes). Copy or export it again.")
    image: Image = reader(where, axes=axes, series=series)
    told = {"path": str(where.absolute()), "axes": axes, "series": series}
    return replace(image, read_with=told)


def is_image(path: str | Path) -> bool:
    """Tell whether there is a reader for a file of that name."""
    return Path(path).suffix.lower() in READERS or is_zarr(Path(path))


def _ending(path: Path) -> str:
    if path.is_dir():
        if not is_zarr(path):
            raise FormatError(f"{path} is a folder, but not an OME-Zarr image. Name a file in it.")
        return ".zarr"
    ending = path.suffix.lower()
    if ending not in READERS:
        raise FormatError(
            f"{path} has the ending {ending!r}, which no reader knows. "
            f"Known: {', '.join(sorted(READERS))}."
        )
    return ending
