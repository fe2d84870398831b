"""What an extractor is, and the maps it returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

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


@dataclass(frozen=True)
class FeatureMap:
    """Features on a regular grid of square cells.

    Parameters
    ----------
    values : (F, h, w) float array
        One feature vector per cell.
    step : int
        Side of a cell, in pixels of the block.
    origin : (int, int)
        Top left pixel (y, x) of cell (0, 0), relative to the block's core; negative where the map
        reaches beyond the core.
    order : int
        How values between cell centres are found: 0 nearest, 1 linear, 2 to 5 spline.
    """

    values: Float
    step: int = 1
    origin: tuple[int, int] = (0, 0)
    order: int = 0

    def with_order(self, order: int) -> FeatureMap:
        """Return the same map with another interpolation."""
        return replace(self, order=order)


@runtime_checkable
class Extractor(Protocol):
    """A function of one block plus a declaration of what it needs.

    An extractor is a frozen dataclass of its parameters. It never loops over blocks, keeps no
    results in ``self``, and pickles as its parameters.

    Attributes
    ----------
    halo : int or None
        Pixels of context on every side of a block, at the scale it is applied to; None where
        every output sees the whole window (attention).
    stride : int
        Sides and positions of cores are multiples of this many pixels.
    wants : Wants
        What it is to be fed.
    """

    @property
    def halo(self) -> int | None:
        """Pixels of context on every side; None for global context."""
        ...

    @property
    def stride(self) -> int:
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
        block : (C, y, x) float32
            The core with ``halo`` pixels of context on every side (with none if halo is None);
            the sides of the core are multiples of ``stride``. May be a view that is not
            contiguous; it must not be changed.

        Returns
        -------
        list of FeatureMap
            Together the features in the order of ``names``; each covers exactly the core, with
            origin (0, 0). Their values may not depend on anything outside the block, nor on
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
