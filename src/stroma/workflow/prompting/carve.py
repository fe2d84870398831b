"""An object carved out of an image in a file, with strokes in another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stroma.errors import ParameterError, StromaError
from stroma.io import read_image, write_labels
from stroma.io.labels import read_labels
from stroma.objects.carving import Carving


@dataclass(frozen=True)
class CarvedFile:
    """What came of it.

    Parameters
    ----------
    path : Path
        The label image.
    regions : int
        Small regions that the image was cut into.
    pixels : int
        How many are of the object.
    """

    path: Path
    regions: int
    pixels: int


def carve_file(
    path: Path,
    seeds: Path,
    out: Path,
    *,
    boundary: str = "edges",
    sigma: float = 1.6,
    series: int | None = None,
    overwrite: bool = False,
) -> CarvedFile:
    """Write the object that strokes mean, as a label image.

    Parameters
    ----------
    path : Path
        A plane or volume.
    seeds : Path
        Label image of the same size: 1 on background, 2 on the object, 0 elsewhere.
    out : Path
        Label image to write: 1 in the object.
    boundary : {"edges", "bright", "dark"}
        What bounds objects; see `Carving.of`.
    sigma : float
        Width of the Gaussian that boundaries are found with, in pixels along x.
    series : int, optional
        Which image, where the file holds several; the first unless given.
    overwrite : bool
        Whether an earlier file is replaced.
    """
    if out.exists() and not overwrite:
        raise ParameterError(f"{out} exists already. Add overwrite=True, or choose another name.")
    image = read_image(path, series=series)
    strokes = read_labels(seeds, image).labels
    with _named(path):
        carving = Carving.of(image, boundary=boundary, sigma=sigma)
    with _named(seeds):
        mask = carving.carve(strokes)
    write_labels(out, mask.astype(np.uint8), like=image)
    return CarvedFile(out, carving.regions.count, int(mask.sum()))


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Let errors name the file that they are about."""
    try:
        yield
    except StromaError as error:
        raise type(error)(f"{path}: {error}") from error
