"""What an extractor is, and the maps it returns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box, PerAxis
from stroma.blocks.interpolate import interpolate, sample

Float = NDArray[np.floating]
Normalisation = Literal["default", "percentile", "imagenet", "lightness", "color", "lab"]


@dataclass(frozen=True)
class Wants:
    """What an extractor is to be fed.

    Parameters
    ----------
    normalisation : {"default", "percentile", "imagenet", "lightness", "color", "lab"}
        What is fed when the model normalises: z-scores; the 1st to 99th percentile as 0 to 1; of
        rgb images colours as in ImageNet, or the z-score of their lightness alone, or of their two
        opponent colours alone, or of all three (CIELAB). Images that are not rgb have all channels
        as lightness and as CIELAB, none as colours, and z-scores instead of ImageNet's colours.
    channels : int or None
        Number of channels taken at once; None takes any number. Where an image has another
        number, each channel is fed alone, repeated ``channels`` times (a channel series).
    """

    normalisation: Normalisation = "default"
    channels: int | None = None


class Mix(Protocol):
    """What makes features of the values of cells, where these are not the features themselves.

    Upsamplers need it: a pixel's features are a mean of those of patches, and many times as large
    as what the mean is chosen by. One that is held by a map is not changed, and pickles.
    """

    @property
    def nbytes(self) -> int:
        """Memory it takes."""
        ...

    @property
    def features(self) -> int:
        """How many features it makes."""
        ...

    def __call__(self, values: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return the (n, F) features for the (n, Q) values of cells."""
        ...


@dataclass(frozen=True)
class FeatureMap:
    """Features on a regular grid of cells.

    Parameters
    ----------
    values : (F, h, w) or (F, d, h, w) float array
        One feature vector per cell, of a plane or of a volume.
    step : int or (int, int, int)
        Sides of a cell, in pixels of the block: one for y and x, or along z, y and x.
    origin : tuple of int
        First pixel, (y, x) or (z, y, x), of the first cell, relative to the block's core; negative
        where the map reaches beyond the core.
    order : int
        How values between cell centres are found: 0 nearest, 1 linear, 2 to 5 spline.
    mixes : tuple of Mix
        What makes features of values, for every plane of the map; empty where values are features.
        With it, values of the nearest cell are taken, whatever the order.
    """

    values: Float
    step: int | PerAxis = 1
    origin: tuple[int, ...] = (0, 0)
    order: int = 0
    mixes: tuple[Mix, ...] = ()

    def with_order(self, order: int) -> FeatureMap:
        """Return the same map with another interpolation."""
        return replace(self, order=order)

    @property
    def features(self) -> int:
        """Number of features."""
        return self.mixes[0].features if self.mixes else len(self.values)

    @property
    def nbytes(self) -> int:
        """Memory that values and mixes take."""
        return self.values.nbytes + sum(mix.nbytes for mix in self.mixes)

    def sample(self, points: NDArray[np.integer], *, order: int | None = None) -> NDArray[Any]:
        """Return the (n, F) features of pixels (z, y, x).

        Parameters
        ----------
        points : (n, 3) int array
            Counted as the map's origin is.
        order : int, optional
            Interpolation to use instead of the map's own.
        """
        chosen = 0 if self.mixes else self.order if order is None else order
        found = sample(self.values, points, step=self.step, origin=self.origin, order=chosen)
        if not self.mixes:
            return found
        depth = self.step[0] if isinstance(self.step, tuple) else 1
        plane = np.clip((points[:, 0] - self.origin[0]) // depth, 0, len(self.mixes) - 1)
        result = np.empty((len(points), self.features), np.float32)
        for z in np.unique(plane):
            result[plane == z] = self.mixes[z](found[plane == z])
        return result

    def dense(self, box: Box) -> NDArray[np.floating]:
        """Return the (F, d, h, w) features of all pixels of a box."""
        if self.mixes:
            zyx = np.indices(box.sides).reshape(3, -1).T + np.array(box.start)
            return self.sample(zyx).T.reshape(-1, *box.sides)
        return interpolate(self.values, box, step=self.step, origin=self.origin, order=self.order)


@runtime_checkable
class Extractor(Protocol):
    """A function of one block plus a declaration of what it needs.

    An extractor is a frozen dataclass of its parameters. It never loops over blocks, keeps no
    results in ``self``, and pickles as its parameters.

    It looks at planes, unless it says ``axes = "zyx"``: then it looks at volumes, and an image with
    z is one volume rather than a stack of planes. If it has a method ``sized``, this is called with
    the size of a voxel along z, y and x in µm (None where it is unknown), and returns the extractor
    for such images.

    Attributes
    ----------
    halo : int, (int, int, int) or None
        Pixels of context on every side of a block, at the scale it is applied to; of volumes, along
        z, y and x. None where every output sees the whole window (attention).
    stride : int or (int, int, int)
        Sides and positions of cores are multiples of this many pixels.
    wants : Wants
        What it is to be fed.
    """

    @property
    def halo(self) -> int | PerAxis | None:
        """Pixels of context on every side; None for global context."""
        ...

    @property
    def stride(self) -> int | PerAxis:
        """Grid, in pixels, that cores are aligned with."""
        ...

    @property
    def wants(self) -> Wants:
        """Normalisation and number of channels."""
        ...

    def names(self, channels: Sequence[str]) -> list[str]:
        """Return the names of the features for these channels; computes and loads nothing."""
        ...

    def __call__(self, block: NDArray[np.float32]) -> list[FeatureMap]:
        """Compute the features of one block.

        Parameters
        ----------
        block : (C, y, x) or (C, z, y, x) float32
            The core with ``halo`` pixels of context on every side (with none if halo is None);
            the sides of the core are multiples of ``stride``. May be a view that is not
            contiguous; it must not be changed.

        Returns
        -------
        list of FeatureMap
            Together the features in the order of ``names``; each covers exactly the core, with
            origin 0. Their values may not depend on anything outside the block, nor on
            where the block lies.
        """
        ...


@runtime_checkable
class Batched(Extractor, Protocol):
    """An extractor that takes several blocks at once, which pays on graphics processors."""

    @property
    def batch_pixels(self) -> int:
        """Pixels of a plane that are worth computing together; bounds memory, not results."""
        ...

    def batch(self, blocks: Sequence[NDArray[np.float32]]) -> list[list[FeatureMap]]:
        """Return what calls with each of the blocks would return; their shapes may differ."""
        ...


@runtime_checkable
class Halving(Extractor, Protocol):
    """An extractor that can give its features in half precision, which saves memory and time."""

    def halved(self, block: NDArray[np.float32]) -> list[FeatureMap]:
        """Return what a call returns, rounded by `half.to_half` while they are near the processor.

        Raises
        ------
        ImageError
            If a feature is not finite.
        """
        ...


def computed(
    extractor: Extractor, blocks: Sequence[NDArray[np.float32]], *, half: bool = False
) -> Iterable[list[FeatureMap]]:
    """Return the maps of blocks: of all at once where the extractor can, else one by one.

    With ``half``, they may be in half precision.
    """
    if half and isinstance(extractor, Halving):
        return map(extractor.halved, blocks)
    if isinstance(extractor, Batched):
        return extractor.batch(blocks)
    return map(extractor, blocks)


def axes_of(extractor: Any) -> str:
    """Return the axes that an extractor looks at: "yx", or "zyx" for volumes."""
    axes: str = getattr(extractor, "axes", "yx")
    return axes


def halo_of(extractor: Extractor) -> PerAxis | None:
    """Return the context of an extractor along z, y and x; None where it is global."""
    return None if extractor.halo is None else _spread(extractor, extractor.halo, 0)


def stride_of(extractor: Extractor) -> PerAxis:
    """Return the grid that cores of an extractor are aligned with, along z, y and x."""
    return _spread(extractor, extractor.stride, 1)


def _spread(extractor: Extractor, value: int | PerAxis, across: int) -> PerAxis:
    """Return a value per axis; ``across`` is that along an axis that is not looked at."""
    if not isinstance(value, tuple):
        return (value if axes_of(extractor) == "zyx" else across), value, value
    return value


def in_volume(feature_map: FeatureMap) -> FeatureMap:
    """Return a map of a plane as one of a volume of depth one; one of a volume as it is."""
    values, step, origin = feature_map.values, feature_map.step, feature_map.origin
    if values.ndim == 3:
        values, origin = values[:, None], (0, *origin)
        step = (1, step, step) if isinstance(step, int) else step
    elif isinstance(step, int):
        step = (step, step, step)
    if len(origin) == 2:
        origin = (0, *origin)
    return replace(feature_map, values=values, step=step, origin=origin)
