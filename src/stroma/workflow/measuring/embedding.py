"""Features of any extractor inside objects, as columns of their table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box
from stroma.data.image import Image
from stroma.data.objects import LABEL, ObjectTable
from stroma.errors import ParameterError
from stroma.objects.entry import entry
from stroma.pixel.model import ConvpaintModel
from stroma.pixel.predicting.plan import Plan, plan
from stroma.pixel.predicting.recipe import Recipe
from stroma.pixel.showing.feature_image import feature_blocks

COLUMN = "embedding_"
"""How names of these columns begin; then come the extractor and the number of the feature."""


def embed(
    table: ObjectTable, labels: Any, image: Any, extractor: str, *, axes: str | None = None
) -> ObjectTable:
    """Return a table of objects with the mean of an extractor's features inside each.

    Parameters
    ----------
    table : ObjectTable
        What `measure` returns for these labels.
    labels : array or Image
        The objects: (y, x), (z, y, x), or with ``axes`` over time.
    image : array or Image
        The values, shaped like the labels, or with channels before z, y and x.
    extractor : str
        Name of a feature extractor, such as "texture_2d" or "efficientnet_lite0".
    axes : str, optional
        Axes of an array of labels, such as "tyx".

    Returns
    -------
    ObjectTable
        With columns ``embedding_EXTRACTOR_000`` and so on, one for each feature.

    Raises
    ------
    UnknownNameError
        If there is no such extractor.
    ParameterError
        If there is no image.
    ShapeError
        If image and labels do not show the same pixels.
    """
    if image is None:
        raise ParameterError("Features are those of an image. Give the image, too.")
    given = entry(labels, image, axes, (), (), None, ())
    assert given.image is not None
    model = ConvpaintModel(fe_name=extractor, channel_mode=_mode(given.image))
    source, recipe = model.open(given.image), Recipe.of(model.get_params())
    sums = _Sums(table)
    for position in recipe.parts(source):
        current = plan(source, position, recipe)
        sums.add(current, given.labels.at(**position), position.get("t", 0))
    names = (f"{COLUMN}{extractor}_{i:03d}" for i in range(sums.total.shape[1]))
    return table.extended(dict(zip(names, sums.means(), strict=True)))


def extractors_in(names: Iterable[str]) -> tuple[str, ...]:
    """Return the extractors whose features are in columns of these names, each once."""
    parts = (n.removeprefix(COLUMN).rpartition("_")[0] for n in names if n.startswith(COLUMN))
    return tuple(dict.fromkeys(part for part in parts if part))


def _mode(image: Image) -> str:
    if image.rgb:
        return "rgb"
    return "multi" if "c" in image.sizes else "single"


class _Sums:
    """Features summed over the pixels of every object, block by block."""

    def __init__(self, table: ObjectTable) -> None:
        frames = np.asarray(table["t"] if "t" in table else np.zeros(table.rows, np.int64))
        self.rows = {
            pair: row
            for row, pair in enumerate(zip(frames.tolist(), table[LABEL].tolist(), strict=True))
        }
        self.total = np.zeros((table.rows, 0))
        self.count = np.zeros(table.rows, np.int64)

    def add(self, current: Plan, labels: Image, t: int) -> None:
        """Add the features of one plane or volume."""
        for box, values in feature_blocks(current):
            within = _part(labels, box)
            self._add(within.ravel(), values.reshape(len(values), -1), t)

    def _add(self, numbers: NDArray[np.integer], values: NDArray[Any], t: int) -> None:
        """Add (F, n) values of pixels that lie on objects of (n,) numbers."""
        on = np.flatnonzero(numbers)
        order = on[np.argsort(numbers[on], kind="stable")]
        here, first, count = np.unique(numbers[order], return_index=True, return_counts=True)
        if self.total.shape[1] == 0:
            self.total = np.zeros((len(self.count), len(values)))
        if not len(here):
            return
        rows = [self.rows.get((t, int(n)), -1) for n in here]
        known = np.array(rows) >= 0
        summed = np.add.reduceat(values[:, order].astype(np.float64), first, axis=1)
        np.add.at(self.total, np.array(rows)[known], summed.T[known])
        np.add.at(self.count, np.array(rows)[known], count[known])

    def means(self) -> NDArray[np.float64]:
        """Return the (F, n) means; NaN for objects without pixels."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self.total.T / self.count)


def _part(labels: Image, box: Box) -> NDArray[np.integer]:
    solid = len(labels.shape) == 3
    spans = box.index if solid else box.slices
    return labels.read(dict(zip("zyx" if solid else "yx", spans, strict=True)))
