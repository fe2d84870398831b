"""Carving: objects out of an image one by one, each with a few strokes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from stroma.errors import ParameterError, ShapeError, UnknownNameError, short
from stroma.objects.entry import as_image
from stroma.objects.flooded import Mask, Priority, flooded
from stroma.objects.seeds import BACKGROUND, OBJECT, Places, Seeds, read_seeds
from stroma.objects.supervoxels import MOST, Supervoxels, boundaries, check_finite
from stroma.registry import suggestion

__all__ = ["Carved", "Carving", "Priority"]


@dataclass(frozen=True, eq=False)
class Carved:
    """An object that was committed.

    Parameters
    ----------
    number : int
        In label images.
    box : tuple of slice
        Where it lies, as z, y, x.
    mask : (z, y, x) bool
        Its pixels within the box.
    seeds : Seeds
        What it was carved with.
    locked : bool
        Whether its pixels are its own.
    """

    number: int
    box: tuple[slice, ...]
    mask: Mask
    seeds: Seeds
    locked: bool


class Carving:
    """Carves objects out of a plane or volume, one by one; made once for an image (`of`).

    The image is cut along its boundaries into small regions. From strokes on the object and beside
    it these are flooded, always across the lowest boundary that leads on; background has
    priority. Objects are kept by name; those that are locked are background for the next ones.

    Parameters
    ----------
    regions : Supervoxels
        The image in small regions.
    shape : tuple of int
        Shape of the image without channels.
    priority : Priority
        How much more readily background spreads.
    """

    def __init__(
        self, regions: Supervoxels, shape: tuple[int, ...], *, priority: Priority | None = None
    ) -> None:
        self.regions = regions
        self.shape = shape
        self.priority = priority or Priority()
        self._objects: dict[str, Carved] = {}

    @classmethod
    def of(
        cls,
        image: Any,
        *,
        boundary: str | ArrayLike = "edges",
        sigma: float = 1.6,
        axes: str | None = None,
        priority: Priority | None = None,
    ) -> Carving:
        """Return the carving of an image.

        Parameters
        ----------
        image : array or Image
            (y, x), (z, y, x), or with channels (``axes="cyx"``).
        boundary : {"edges", "bright", "dark"} or array
            What bounds objects: steps in brightness, bright lines and sheets such as stained
            membranes, or dark ones such as membranes in electron micrographs. Or a map of
            boundaries, high where one is, with the shape of the image without channels: a filter,
            the probabilities of a class.
        sigma : float
            Width of the Gaussian that boundaries are found with, in pixels along x.
        axes : str, optional
            Axes of an array with channels.
        priority : Priority, optional
            How much more readily background spreads.

        Raises
        ------
        ShapeError, ImageError, ParameterError
            If there is a time axis, values are not finite, shapes differ, or there are too many
            pixels.
        """
        whole = as_image(image, axes)
        if "t" in whole.sizes:
            raise ShapeError("Objects are carved out of one plane or volume; choose a time.")
        shape = tuple(n for a, n in whole.sizes.items() if a != "c")
        if np.prod(shape, dtype=np.float64) > MOST:
            raise ShapeError(
                f"An image to carve has at most {MOST:,} pixels, got {shape}. Cut a part of it."
            )
        if isinstance(boundary, str):
            return cls(Supervoxels.of(boundaries(whole, boundary, sigma)), shape, priority=priority)
        return cls(Supervoxels.of(_given(boundary, shape)), shape, priority=priority)

    def carve(self, seeds: Any) -> Mask:
        """Return the object that strokes mean.

        Parameters
        ----------
        seeds : int array of the image's shape, or mapping of int to (n, d) array-like
            Strokes, 1 on background and 2 on the object, 0 elsewhere; or the pixels with these
            labels, such as ``{1: [(3, 4)], 2: [(20, 30), (20, 31)]}``.

        Returns
        -------
        bool array of the image's shape
            Without pixels of locked objects.

        Raises
        ------
        ShapeError, LabelError, ParameterError
            If strokes do not fit the image, one of both labels is missing, or all of the object's
            lie in one that is locked.
        """
        return self._carve(read_seeds(seeds, self.shape), but="").reshape(self.shape)

    def commit(self, name: str, seeds: Any, *, lock: bool = True) -> Mask:
        """Carve an object, and keep it under a name; an earlier one of that name is replaced.

        Parameters
        ----------
        name : str
            What it is called.
        seeds : int array or mapping
            As for `carve`.
        lock : bool
            Whether its pixels are its own from now on.

        Returns
        -------
        bool array of the image's shape

        Raises
        ------
        ParameterError
            If it has no name, or there is one of that name that is locked; and as `carve` does.
        """
        name = str(name).strip()
        if not name:
            raise ParameterError("An object to keep needs a name.")
        earlier = self._objects.get(name)
        if earlier and earlier.locked:
            raise ParameterError(f"{short(name)!r} is locked. Reopen it first, or choose a name.")
        given = read_seeds(seeds, self.shape)
        mask = self._carve(given, but=name)
        number = earlier.number if earlier else self._next()
        [box] = ndimage.find_objects(mask.view(np.uint8))
        self._objects.pop(name, None)  # the last one lies on top
        self._objects[name] = Carved(number, box, mask[box].copy(), given, lock)
        return mask.reshape(self.shape)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all objects, in the order in which they were committed."""
        return tuple(self._objects)

    def number(self, name: str) -> int:
        """Return the number that an object has in the label image."""
        return self._known(name).number

    def locked(self, name: str) -> bool:
        """Return whether an object is locked."""
        return self._known(name).locked

    def lock(self, name: str) -> None:
        """Make the pixels of an object its own: others cannot take them, nor it be replaced."""
        self._objects[name] = replace(self._known(name), locked=True)

    def reopen(self, name: str) -> NDArray[np.uint8]:
        """Unlock an object, and return its strokes, to add to them and commit it again.

        Returns
        -------
        uint8 array of the image's shape
            1 on background, 2 on the object, 0 elsewhere.
        """
        known = self._known(name)
        self._objects[name] = replace(known, locked=False)
        strokes = np.zeros(self.regions.labels.size, np.uint8)
        strokes[known.seeds.places] = known.seeds.labels
        return strokes.reshape(self.shape)

    def remove(self, name: str) -> None:
        """Forget an object, unless it is locked."""
        if self._known(name).locked:
            raise ParameterError(f"{short(name)!r} is locked. Reopen it first.")
        del self._objects[name]

    def labels(self) -> NDArray[np.int32]:
        """Return the label image of all objects.

        Where objects that are not locked overlap with others, these lie on top; of both kinds,
        those that were committed later.
        """
        found = np.zeros(self.regions.labels.shape, np.int32)
        for one in sorted(self._objects.values(), key=lambda one: one.locked):
            found[one.box][one.mask] = one.number
        return found.reshape(self.shape)

    def _carve(self, seeds: Seeds, *, but: str) -> Mask:
        """Return the (z, y, x) mask of an object, which all locked ones but one bound."""
        locked = [one for name, one in self._objects.items() if one.locked and name != but]
        taken = self._taken(locked)
        on, beside = seeds.of(OBJECT), seeds.of(BACKGROUND)
        on = on[~taken.ravel()[on]]
        if not len(on):
            raise ParameterError(
                "All strokes on the object lie in objects that are locked. Draw elsewhere, or "
                "reopen that object."
            )
        lost = sum((self._lost(one) for one in locked), np.zeros(self.regions.count, np.int64))
        found = flooded(self.regions, on, beside, lost=lost, priority=self.priority)
        return found.mask() & ~taken

    def _lost(self, one: Carved) -> Places:
        """Return how many pixels of each region an object has."""
        within = self.regions.labels[one.box][one.mask]
        return np.bincount(within, minlength=self.regions.count)

    def _taken(self, locked: list[Carved]) -> Mask:
        taken = np.zeros(self.regions.labels.shape, bool)
        for one in locked:
            taken[one.box] |= one.mask
        return taken

    def _known(self, name: str) -> Carved:
        if name not in self._objects:
            hint = suggestion(name, list(self._objects)) if self._objects else "There are none yet."
            raise UnknownNameError(f"There is no object {short(name)!r}. {hint}")
        return self._objects[name]

    def _next(self) -> int:
        return max((one.number for one in self._objects.values()), default=0) + 1


def _given(boundary: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return a boundary map as (z, y, x), if it fits the image."""
    values = np.asarray(boundary)
    if values.shape != shape:
        raise ShapeError(
            f"A map of boundaries has the shape of the image without channels, {shape}; got "
            f"{values.shape}."
        )
    heights = values.astype(np.float32)
    check_finite(heights, "map of boundaries")
    return heights if heights.ndim == 3 else heights[None]
