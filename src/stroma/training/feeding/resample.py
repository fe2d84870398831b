"""Images on pixels of another size, as nnU-Net resamples them; read box by box.

Intensities follow cubic splines, predictions and classes are linear. Along an axis whose pixels are
more than three times as long as the others' the nearest plane is taken. Sides are rounded, so that
pixels get the size that fits the same extent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from stroma.data.image import Image
from stroma.errors import ParameterError
from stroma.io.units import convert
from stroma.training.feeding.cases import UNKNOWN, Case
from stroma.training.feeding.windows import Cube, shape_of
from stroma.training.planning.plan import ANISOTROPY, Fingerprint, resampled_shape, target_spacing

Floats = tuple[float, ...]
ALIKE = 1.05
"""Sizes of pixels that differ by less are one."""

FARTHEST = 16.0
"""Sizes that differ by more are taken for a mistake."""

CUBIC, LINEAR = 3, 1
MARGIN = 12
"""Pixels around a box after which a spline no longer depends on what is beyond, to 1e-6."""


@dataclass(frozen=True)
class Grid:
    """Other pixels over the same extent.

    Parameters
    ----------
    old, new : tuple of int
        Sides in pixels of the image, and in new ones.
    nearest : tuple of bool
        Along which axes the nearest pixel is taken.
    """

    old: tuple[int, ...]
    new: tuple[int, ...]
    nearest: tuple[bool, ...]

    @classmethod
    def of(cls, shape: Sequence[int], old: Floats, new: Floats) -> Grid:
        """Return the grid of pixels of a size over an image, by the sizes of both."""
        thick = [max(s) > ANISOTROPY * min(s) for s in (old, new)]
        worst = int(np.argmax(old if thick[0] else new))
        nearest = tuple(any(thick) and axis == worst for axis in range(len(old)))
        sides = tuple(max(1, n) for n in resampled_shape(shape, old, new))
        return cls(tuple(shape), sides, nearest)

    def back(self) -> Grid:
        """Return the grid from the new pixels to the old ones."""
        return Grid(self.new, self.old, self.nearest)

    def seen(self, box: Cube, *, order: int) -> Cube:
        """Return the old pixels that new ones depend on."""
        margin = MARGIN if order > 1 else 1
        return tuple(
            slice(
                max(0, int((s.start + 0.5) * n / m - 0.5) - margin),
                min(n, int((s.stop - 0.5) * n / m - 0.5) + 2 + margin),
            )
            for s, n, m in zip(box, self.old, self.new, strict=True)
        )

    def read(
        self, read: Callable[[Cube], NDArray[Any]], box: Cube, *, order: int
    ) -> NDArray[np.float32]:
        """Return the (..., *space) values of a box of new pixels.

        Parameters
        ----------
        read : callable
            Returns values of a box of old pixels.
        box : Cube
            New pixels, inside the image.
        order : {0, 1, 3}
            Of the splines.
        """
        span = self.seen(box, order=order)
        starts = [
            (s.start + 0.5) * n / m - 0.5 - o.start
            for s, n, m, o in zip(box, self.old, self.new, span, strict=True)
        ]
        values = read(span).astype(np.float32)
        lead = values.shape[: values.ndim - len(box)]
        found = np.empty((*lead, *shape_of(box)), np.float32)
        for index in np.ndindex(lead):
            found[index] = self._along(values[index], starts, shape_of(box), order)
        return found

    def _along(
        self, values: NDArray[np.float32], starts: Sequence[float], sides: Sequence[int], order: int
    ) -> NDArray[np.float32]:
        """Return values at new pixels, the first of which lie at ``starts``."""
        steps = [n / m for n, m in zip(self.old, self.new, strict=True)]
        begin = list(starts)
        for axis, near in enumerate(self.nearest):
            if near or order == 0 or steps[axis] == 1:
                places = np.floor(begin[axis] + steps[axis] * np.arange(sides[axis]) + 0.5)
                within = np.clip(places, 0, values.shape[axis] - 1).astype(np.intp)
                values, steps[axis], begin[axis] = values.take(within, axis), 1, 0
        if all(step == 1 for step in steps):
            return values
        found: NDArray[np.float32] = ndimage.affine_transform(
            values, np.array(steps), begin, tuple(sides), np.float32, order, mode="nearest"
        )
        return found


@dataclass(frozen=True, eq=False)
class Resampled:
    """An array whose last axes have pixels of another size."""

    image: Image
    grid: Grid

    @property
    def shape(self) -> tuple[int, ...]:
        """Size along every axis."""
        return (*self.image.shape[: -len(self.grid.new)], *self.grid.new)

    @property
    def dtype(self) -> Any:
        """Type of the values."""
        return np.dtype(np.float32)

    def __getitem__(self, key: Any, /) -> NDArray[np.float32]:
        """Read a box given by integers and slices, one per axis."""
        keys = [*key, *(slice(None),) * (len(self.shape) - len(key))]
        space = len(self.grid.new)
        lead, last = keys[:-space], keys[-space:]
        box = tuple(
            slice(*k.indices(n)[:2]) if isinstance(k, slice) else slice(k, k + 1)
            for k, n in zip(last, self.grid.new, strict=True)
        )
        axes = self.image.kept_axes
        outer = self.image.at(**dict(zip(axes, lead, strict=False)))

        def read(old: Cube) -> NDArray[Any]:
            return outer.read(dict(zip(axes[-space:], old, strict=True)))

        found = self.grid.read(read, box, order=CUBIC)
        dropped = tuple(slice(None) if isinstance(k, slice) else 0 for k in last)
        return found[(..., *dropped)]


def pixel_size(image: Image, ndim: int, unit: str = "") -> Floats | None:
    """Return the size of a pixel along the last axes; None where that is not known.

    Parameters
    ----------
    image : Image
        With spacing and unit.
    ndim : int
        Spatial axes that matter.
    unit : str, optional
        In which unit; the image's own, unless given.
    """
    axes = image.kept_axes[-ndim:]
    if not image.unit or not set(axes) <= set(image.spacing):
        return None
    to = unit or image.unit
    return tuple(convert(float(image.spacing[a]), image.unit, to) for a in axes)


def grid_for(
    shape: Sequence[int], old: Floats | None, new: Floats | None, name: str
) -> Grid | None:
    """Return how an image is resampled; None where sizes are alike, or not known.

    Raises
    ------
    ParameterError
        If they are so different that one of them must be wrong.
    """
    if old is None or new is None:
        return None
    apart = max(max(a / b, b / a) for a, b in zip(old, new, strict=True))
    if apart > FARTHEST:
        raise ParameterError(
            f"Pixels of {name} are {_said(old)} in size, those that are learned with {_said(new)}. "
            "One of them is wrong: write the image with the right one, or learn with "
            "resample=false."
        )
    return Grid.of(shape, old, new) if apart > ALIKE else None


def resampled(image: Image, grid: Grid, spacing: Mapping[str, float]) -> Image:
    """Return an image on other pixels; reads nothing. Of a part of a plane, that part alone."""
    space = image.kept_axes[-len(grid.new) :]
    if set(space) & set(image.selection):
        part = Resampled(replace(image, levels=()), grid)
        return Image(part, image.kept_axes, spacing, image.unit, rgb=image.rgb, source=image.source)
    whole = image.whole
    array = Resampled(replace(whole, levels=()), grid)
    made = replace(
        whole, array=array, spacing=spacing, levels=(), read_with=None, notes=whole.notes
    )
    outer = {a: i for a, i in image.selection.items() if a in "tcz" and isinstance(i, int)}
    return made.at(**outer) if outer else made


def common_size(cases: Sequence[Case]) -> tuple[Floats, str] | None:
    """Return the size of pixels that cases are resampled to, and its unit; None where not known.

    The median of every axis, with nnU-Net's exception for thick slices (`target_spacing`).
    """
    unit, ndim = cases[0].image.unit, cases[0].ndim
    sizes = [pixel_size(case.image, ndim, unit) if unit else None for case in cases]
    known = [size for size in sizes if size is not None]
    if len(known) < len(cases):
        return None
    return target_spacing(Fingerprint(tuple(c.shape for c in cases), tuple(known))), unit


def on_pixels_of(cases: Sequence[Case], size: Floats, unit: str) -> list[Case]:
    """Return cases with classes whose pixels all have about one size.

    Parameters
    ----------
    cases : sequence of Case
        Images with labels that are classes.
    size : tuple of float
        Size of a pixel along every axis.
    unit : str
        Its unit.
    """
    return [_on_pixels(case, size, unit) for case in cases]


def _on_pixels(case: Case, size: Floats, unit: str) -> Case:
    grid = grid_for(case.shape, pixel_size(case.image, case.ndim, unit), size, case.name)
    if grid is None:
        return case
    spacing = {
        **case.image.spacing,
        **dict(zip(case.image.kept_axes[-case.ndim :], size, strict=True)),
    }
    return _with_image(case, replace(resampled(case.image, grid, spacing), unit=unit), grid)


def coarser_cases(cases: Sequence[Case], spacing: Floats, times: Floats) -> list[Case]:
    """Return cases with classes on pixels that are so many times as large along every axis.

    Parameters
    ----------
    cases : sequence of Case
        Images with labels that are classes.
    spacing : tuple of float
        Size of their pixels; tells along which axis planes are thick.
    times : tuple of float
        How many times larger pixels become.
    """
    return [_coarser(case, coarser(case.shape, spacing, times)) for case in cases]


def coarser(shape: Sequence[int], spacing: Floats, times: Floats) -> Grid:
    """Return the grid of pixels that are so many times as large over an image."""
    return Grid.of(shape, spacing, tuple(a * b for a, b in zip(spacing, times, strict=True)))


def _coarser(case: Case, grid: Grid) -> Case:
    return _with_image(case, resampled(case.image, grid, case.image.spacing), grid)


def _with_image(case: Case, image: Image, grid: Grid) -> Case:
    """Return a case with its image on other pixels, and the classes of these."""
    assert case.labels is not None, "classes are resampled"
    labels, shares = _classes(case.labels, grid), None
    if case.shares is not None:
        every = [_resampled(share, grid) for share in case.shares.values]
        shares = replace(case.shares, values=np.stack(every).astype(np.float16))
    return replace(case, image=image, labels=labels, shares=shares, measured=case.statistics)


def _classes(labels: NDArray[np.int32], grid: Grid) -> NDArray[np.int32]:
    """Return the class of every new pixel: the one that has the largest part of it, linearly."""
    best, result = np.full(grid.new, -1.0, np.float32), np.full(grid.new, UNKNOWN, np.int32)
    for value in np.unique(labels):
        share = _resampled(labels == value, grid)
        result[share > best] = value
        best = np.maximum(best, share)
    return result


def _resampled(values: NDArray[Any], grid: Grid) -> NDArray[np.float32]:
    """Return all of an array on other pixels, linearly."""
    everything = tuple(slice(0, n) for n in grid.new)
    return grid.read(values.__getitem__, everything, order=LINEAR)


def _said(size: Floats) -> str:
    return " x ".join(f"{n:.3g}" for n in size)
