"""Carving as an engine for prompts: clicks, strokes and boxes flood the regions of an image."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.data.image import Image
from stroma.errors import ParameterError
from stroma.objects.basins import edges_by_region
from stroma.objects.carving import Carving
from stroma.objects.flooded import Flooded, flooded
from stroma.objects.seeds import OBJECT as FLOODED
from stroma.objects.supervoxels import TOP, Supervoxels
from stroma.prompts.contract import OBJECT, REST, Answer, Embedding, Prompts, checked, pixels

Bools = NDArray[np.bool_]
Places = NDArray[np.int64]


class Carve:
    """Finds what is bounded all around: `stroma.objects.Carving` for one object.

    What is beside the object is said by clicks and strokes there, or by a box; where nothing says
    it, by the border of the image.

    Parameters
    ----------
    boundary : {"edges", "bright", "dark"}
        What bounds objects; see `Carving.of`.
    sigma : float
        Width of the Gaussian that boundaries are found with, in pixels.
    """

    axes = ("yx", "zyx")

    def __init__(self, boundary: str = "edges", sigma: float = 1.6) -> None:
        self.boundary, self.sigma = boundary, sigma
        self._regions: Supervoxels | None = None
        self._shape: tuple[int, ...] = ()

    @property
    def key(self) -> str:
        """What its embeddings depend on beside the image."""
        return f"carve 1 {self.boundary} {self.sigma}"

    def set_image(self, image: NDArray[Any], *, rgb: bool = False) -> None:
        """Cut a (C, *space) image into regions; colours are channels like others."""
        axes = "cyx" if image.ndim == 3 else "czyx"
        made = Carving.of(Image(image, axes), boundary=self.boundary, sigma=self.sigma)
        self._regions, self._shape = made.regions, image.shape[1:]

    def predict(self, **prompts: Any) -> Answer:
        """Return the mask of the object that the prompts mean, and how clear its boundary is.

        Raises
        ------
        ParameterError
            If there is no image, or nothing says where the object is.
        """
        if self._regions is None:
            raise ParameterError("There is no image to look at yet. Call set_image first.")
        given = checked(self._shape, **prompts)
        inside, beside = _boxed(given, self._shape), _beside(given, self._shape)
        on = _on(given, self._shape, inside)
        on &= ~beside
        if inside is not None:
            beside |= ~inside
        if not beside.any():
            beside = _frame(self._shape) & ~on
        found = flooded(self._regions, np.flatnonzero(on), np.flatnonzero(beside))
        mask = found.mask().reshape(self._shape)
        if inside is not None:
            mask &= inside
        return mask[None], np.array([_clear(found)], np.float32)

    def embedding(self) -> Embedding:
        """Return the regions, as plain arrays."""
        if self._regions is None:
            raise ParameterError("There is no image to look at yet. Call set_image first.")
        own = self._regions
        labels = own.labels.reshape(self._shape)
        return {"labels": labels, "pairs": own.pairs, "weights": own.weights, "sizes": own.sizes}

    def set_embedding(self, embedding: Embedding) -> None:
        """Take what `embedding` gave instead of an image."""
        labels, pairs = embedding["labels"], embedding["pairs"]
        sizes = embedding["sizes"]
        solid = labels if labels.ndim == 3 else labels[None]
        edges = edges_by_region(pairs, len(sizes))
        self._regions = Supervoxels(solid, pairs, embedding["weights"], sizes, edges)
        self._shape = labels.shape


def _on(given: Prompts, shape: tuple[int, ...], inside: Bools | None) -> Bools:
    """Return the pixels of the object: of clicks and strokes; else of a mask, or a box's middle."""
    found = _marked(given.points[given.labels], shape)
    if given.strokes is not None:
        found |= given.strokes == OBJECT
    if found.any():
        return found
    if given.mask is not None and given.mask.any():
        return given.mask if inside is None else given.mask & inside
    return _marked(given.boxes.mean(axis=1), shape)


def _beside(given: Prompts, shape: tuple[int, ...]) -> Bools:
    found = _marked(given.points[~given.labels], shape)
    if given.strokes is not None:
        found |= given.strokes == REST
    return found


def _boxed(given: Prompts, shape: tuple[int, ...]) -> Bools | None:
    """Return what lies in the boxes; None where there are none."""
    if not len(given.boxes):
        return None
    inside = np.zeros(shape, bool)
    for low, high in given.boxes:
        first, last = np.ceil(low).astype(int), np.floor(high).astype(int) + 1
        inside[tuple(slice(max(a, 0), b) for a, b in zip(first, last, strict=True))] = True
    return inside


def _marked(places: NDArray[np.float64], shape: tuple[int, ...]) -> Bools:
    found = np.zeros(shape, bool)
    found[pixels(places, shape)] = True
    return found


def _frame(shape: tuple[int, ...]) -> Bools:
    """Return the pixels at the border of an image."""
    found = np.ones(shape, bool)
    found[tuple(slice(1, -1) for _ in shape)] = False
    return found


def _clear(found: Flooded) -> float:
    """Return how high the boundary of an object is, from 0 to 1."""
    state = found.state == FLOODED
    a, b = found.regions.pairs.T
    around = found.regions.weights[state[a] != state[b]]
    return float(around.mean() / TOP) if len(around) else 0.0
