"""A model trained on the strokes of several files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stroma.data.classes import Class
from stroma.data.image import Image
from stroma.data.strokes import Strokes
from stroma.errors import MissingFileError, StromaError
from stroma.io import read_image, read_strokes
from stroma.workflow.applying.find import strokes_of

if TYPE_CHECKING:
    from stroma.pixel.model import ConvpaintModel

Pair = tuple[str | Path, str | Path]
"""An image and the strokes for it."""


def train_files(
    model: ConvpaintModel,
    pairs: Sequence[Pair],
    *,
    classes: Sequence[Class] = (),
    width: float = 3.0,
    axes: str | None = None,
    series: int | None = None,
    unnamed: str = "",
    in_channels: Sequence[int] | None = None,
    remember: bool = False,
) -> ConvpaintModel:
    """Train a model on images and strokes in files, and name its classes as the files do.

    Parameters
    ----------
    model : ConvpaintModel
        Changed in place; as it was if anything fails.
    pairs : sequence of (image, strokes)
        Strokes are label images, ImageJ ROIs or QuPath GeoJSON (see ``read_strokes``).
    classes : sequence of Class
        Classes known already; those of the model are known anyway.
    width : float
        Width of lines that have none, in pixels.
    axes : str, optional
        Axes of the images, where the files do not name them.
    series : int, optional
        Which image, where files hold several.
    unnamed : str
        Class of marks that say none; empty to leave them out.
    in_channels : sequence of int, optional
        Channels to use, counted from 0; the model uses them in prediction too.
    remember : bool
        Add to what the model remembers of other images (``memory_mode``); strokes given for a
        known image, by its name, replace its earlier ones.

    Returns
    -------
    ConvpaintModel
        The model given.
    """
    known = (*model.classes, *classes)
    images, strokes = read_pairs(
        pairs, classes=known, width=width, axes=axes, series=series, unnamed=unnamed
    )
    labels = [s.labels for s in strokes]
    names = [str(Path(image)) for image, _ in pairs]
    before, model.classes = model.classes, strokes[-1].classes
    try:
        if remember:
            model.train(images, labels, memory_mode=True, img_ids=names, in_channels=in_channels)
        else:
            model.train(images, labels, in_channels=in_channels)
    except StromaError:
        model.classes = before
        raise
    return model


def read_pairs(
    pairs: Sequence[Pair],
    *,
    classes: Sequence[Class] = (),
    width: float = 3.0,
    axes: str | None = None,
    series: int | None = None,
    unnamed: str = "",
) -> tuple[list[Image], list[Strokes]]:
    """Read images and strokes; a class name has the same label in all of them.

    The classes of the last strokes are those of all.
    """
    known = tuple({c.label: c for c in classes}.values())
    images, strokes = [], []
    for image, marks in pairs:
        images.append(read_image(image, axes=axes, series=series))
        strokes.append(read_strokes(marks, images[-1], classes=known, width=width, unnamed=unnamed))
        known = strokes[-1].classes
    return images, strokes


def pair_up(images: Iterable[str | Path], folder: str | Path) -> list[tuple[Path, Path]]:
    """Return every image with the strokes in a folder that have its name.

    See ``strokes_of`` for what their names may be; the first that fits is taken.

    Raises
    ------
    MissingFileError
        If an image has no strokes there.
    """
    pairs = []
    for path in map(Path, images):
        found = strokes_of(path.name, folder)
        fits = [p for p in found if p.resolve() != path.resolve()]
        if not fits:
            raise MissingFileError(f"There are no strokes for {path.name} in {folder}.")
        pairs.append((path, fits[0]))
    return pairs
