"""Strokes and results of whole images as arrays that change no more, in the smallest type."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box
from stroma.data.strokes import as_labels
from stroma.errors import ShapeError
from stroma.io import read_image
from stroma.session.events import Position
from stroma.session.session import Session

BAND_PIXELS = 2**21

LabelArray = NDArray[np.unsignedinteger[Any]]


def copied_strokes(session: Session, image: str) -> LabelArray:
    """Return the strokes of an image, axes t, z, y, x as far as present."""
    labels = _blank(session, image)
    for index, plane in _planes(session, image):
        for box in session.painted(image, plane=plane):
            values = session.strokes(image, box, plane=plane)
            labels = _with(labels, (*index, *box.slices), values)
    return labels


def copied_results(session: Session, image: str) -> LabelArray:
    """Return the segmentation of an image as far as it is known, axes as the strokes have."""
    labels = _blank(session, image)
    height, width = session.image(image).shape
    rows = max(1, BAND_PIXELS // width)
    for index, plane in _planes(session, image):
        if session.blocks(image, plane=plane):
            for top in range(0, height, rows):
                band = Box(top, 0, min(top + rows, height), width)
                values = session.result(image, band, plane=plane).values
                labels = _with(labels, (*index, *band.slices), values)
    return labels


def copied_probabilities(session: Session, image: str) -> NDArray[np.float32]:
    """Return the probability of every class as far as it is known: classes, then axes as above."""
    classes, opened = session.classes, session.image(image)
    shape = len(classes), *opened.outer.values(), *opened.shape
    values = np.zeros(shape, np.float32)
    for index, plane in _planes(session, image):
        if session.blocks(image, plane=plane):
            for number, one in enumerate(classes):
                found = session.result(image, plane=plane, layer="probability", label=one.label)
                values[(number, *index)] = np.nan_to_num(found.values)
    return values


def saved_labels(path: str | Path, shape: tuple[int, ...]) -> LabelArray:
    """Return the labels in a file, with the axes of an image.

    Parameters
    ----------
    path : path
        A label image, as ``export_labels`` writes it.
    shape : tuple of int
        Pixels of the image along t, z, y, x, as far as present.

    Raises
    ------
    ShapeError
        If they are of an image of another size.
    LabelError
        If they are no labels.
    """
    found = read_image(path).read()
    if tuple(n for n in found.shape if n > 1) != tuple(n for n in shape if n > 1):
        raise ShapeError(
            f"{Path(path).name} has {' x '.join(map(str, found.shape))} pixels, the image "
            f"{' x '.join(map(str, shape))}. Choose the labels of this image."
        )
    return as_labels(found.reshape(shape), source=Path(path).name)


def _blank(session: Session, image: str) -> LabelArray:
    opened = session.image(image)
    return np.zeros((*opened.outer.values(), *opened.shape), np.uint8)


def _with(labels: LabelArray, place: tuple[Any, ...], values: LabelArray) -> LabelArray:
    """Return labels with some values at a place, of a larger type where these need it.

    Classes do not say which: results may hold one that was removed.
    """
    if labels.dtype == np.uint8 and values.max(initial=0) > 255:
        labels = labels.astype(np.uint16)
    labels[place] = values
    return labels


def _planes(session: Session, image: str) -> Iterator[tuple[tuple[Any, ...], Position]]:
    outer = session.image(image).outer
    for index in np.ndindex(tuple(outer.values())):
        yield index, dict(zip(outer, index, strict=True))
