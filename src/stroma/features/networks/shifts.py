"""Tokens of a vision transformer on a grid finer than its patches, by shifts and flips.

Docherty, Vamvakeros and Cooper, Upsampling DINOv2 features for unsupervised vision tasks and weakly
supervised materials segmentation, NeurIPS AI4Mat 2024, arXiv:2410.19836, with three differences.
The network keeps its own stride, and the image is shifted between its passes, so that tokens keep
the distances they had in training. Tokens are put where their patches were, not stretched over the
image. What a flip or a shift would bring in from beyond a border is the image's reflection there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.errors import ParameterError
from stroma.features.contract import FeatureMap, axes_of, computed
from stroma.features.wrapper import OfWindows

Image = NDArray[np.float32]


@dataclass(frozen=True)
class Turn:
    """A way to show an image, and the way back; both keep (..., y, x) arrays as they are else.

    Parameters
    ----------
    quarters : int
        Quarter turns.
    flips : tuple of int
        Axes that are flipped before, -2 for y and -1 for x.
    """

    quarters: int = 0
    flips: tuple[int, ...] = ()

    def __call__(self, image: Image) -> Image:
        """Return the image as it is shown."""
        return np.rot90(np.flip(image, self.flips), self.quarters, (-2, -1))

    def back(self, values: Image) -> Image:
        """Return what was computed of a shown image, as of the image itself."""
        return np.flip(np.rot90(values, -self.quarters, (-2, -1)), self.flips)


AS_IT_IS = (Turn(),)
FLIPPED = (Turn(), Turn(flips=(-1,)), Turn(flips=(-2,)), Turn(flips=(-2, -1)))
TURNED = (Turn(), Turn(1), Turn(3), Turn(2))
"""In the order of the corners top left, top right, bottom left, bottom right."""

SETS: dict[str, tuple[bool, tuple[Turn, ...]]] = {
    "shifts": (True, AS_IT_IS),
    "flips": (False, FLIPPED),
    "both": (True, FLIPPED),
    "rotations": (True, TURNED),
}
"""By name: whether the image is shifted, and how it is shown at every shift."""


@dataclass(frozen=True)
class Shifts(OfWindows):
    """The tokens of many shifted and flipped views of an image, each where its patch was.

    With a patch of p pixels and cells of s, there are (p / s)² shifts; every cell belongs to one,
    in which a patch is centred on it. Where several views show the same cell, their mean is taken.

    Parameters
    ----------
    extractor : Extractor
        With global context, and one map whose cells are its patches.
    transforms : {"shifts", "flips", "both", "rotations"}
        Shifts alone; flips alone, on cells as large as a patch; both; shifts and quarter turns.
    spacing : int or None
        Side of a cell in pixels, a divisor of the patch; half a patch, unless given.

    Raises
    ------
    ParameterError
        If the set is not known, the extractor has no patches, or the spacing does not divide them.
    """

    transforms: str = "both"
    spacing: int | None = None

    def __post_init__(self) -> None:
        """Check what is wrapped, and how."""
        patch, kind = self.extractor.stride, type(self.extractor).__name__
        if self.transforms not in SETS:
            known = ", ".join(map(repr, SETS))
            raise ParameterError(f"Sets of transforms are {known}, got {self.transforms!r}.")
        if axes_of(self.extractor) != "yx" or self.extractor.halo is not None or patch == 1:
            raise ParameterError(
                f"Shifts and flips are for extractors with patches, such as 'dinov2_vits14_reg'; "
                f"{kind} has none. Leave out '{self.transforms}:'."
            )
        if self.spacing is not None and (self.spacing < 1 or self.stride % self.spacing):
            fitting = [s for s in range(1, self.stride + 1) if self.stride % s == 0]
            raise ParameterError(
                f"The cells between shifts of {kind} have one of {fitting} pixels, "
                f"got {self.spacing}."
            )
        if self.spacing not in (None, self.stride) and not self._shifted:
            raise ParameterError(
                "Without shifts, cells are patches. Say 'both' instead of 'flips'."
            )

    @property
    def cell(self) -> int:
        """Side of a cell."""
        if not self._shifted:
            return self.stride
        return self.spacing or max(1, self.stride // 2)

    def names(self, channels: Sequence[str]) -> list[str]:
        """Return the names of the extractor with the set, like ``both/7:dinov2_vits14_reg.12``."""
        return [f"{self.transforms}/{self.cell}:{n}" for n in self.extractor.names(channels)]

    def batch(self, blocks: Sequence[Image]) -> list[list[FeatureMap]]:
        """Return the maps of several windows, as many views computed together as pay."""
        sums: list[Image | None] = [None] * len(blocks)
        pixels = max(block.shape[1] * block.shape[2] for block in blocks)
        left, size = self._views(blocks), max(1, self.batch_pixels // pixels)
        while views := list(islice(left, size)):
            found = self._tokens([view.shown for view in views])
            for view, tokens in zip(views, found, strict=True):
                self._add(sums, view, view.turn.back(tokens), blocks[view.block].shape[1:])
        count = np.float32(len(self._ways))
        return [[FeatureMap(total / count, step=self.cell)] for total in sums if total is not None]

    @property
    def _shifted(self) -> bool:
        return SETS[self.transforms][0]

    @property
    def _ways(self) -> list[tuple[Turn, tuple[int, int]]]:
        """How the image is shown at every shift, and the pixels from edge to cell in a patch.

        Where half the difference between patch and cell is no whole number, both neighbours are
        taken in turn along both axes, so that the mean of all ways is centred.
        """
        turns, double = SETS[self.transforms][1], self.stride - self.cell
        edges = dict.fromkeys((double // 2, (double + 1) // 2))
        corners = list(product(edges, edges))
        if len(turns) == 1:
            return list(product(turns, corners))
        return list(zip(turns, corners * (len(turns) // len(corners)), strict=True))

    def _views(self, blocks: Sequence[Image]) -> Iterator[View]:
        phases = range(self.stride // self.cell)
        for index, block in enumerate(blocks):
            reach = self.stride - self.cell
            around = _reflected(block, reach)
            for y, x, (turn, (top, left)) in product(phases, phases, self._ways):
                first = reach + self.cell * y - top, reach + self.cell * x - left
                yield View(index, (y, x), turn, turn(_window(around, first, block.shape[1:])))

    def _tokens(self, images: Sequence[Image]) -> list[Image]:
        found = computed(self.extractor, images)
        return [np.asarray(maps[0].values, np.float32) for maps in found]

    def _add(
        self, sums: list[Image | None], view: View, tokens: Image, sides: tuple[int, ...]
    ) -> None:
        """Add tokens to the cells they belong to."""
        total = sums[view.block]
        if total is None:
            cells = [side // self.cell for side in sides]
            total = sums[view.block] = np.zeros((len(tokens), *cells), np.float32)
        every = self.stride // self.cell
        total[:, view.phase[0] :: every, view.phase[1] :: every] += tokens


@dataclass(frozen=True, eq=False)
class View:
    """A window as it is shown once.

    Parameters
    ----------
    block : int
        Which window.
    phase : (int, int)
        First cell, along y and x, that a patch is centred on.
    turn : Turn
        How it is shown.
    shown : (C, y, x) array
        Its pixels.
    """

    block: int
    phase: tuple[int, int]
    turn: Turn
    shown: Image


def _reflected(block: Image, reach: int) -> Image:
    """Return a (C, y, x) block with its reflection around it; one channel repeated stays so."""
    alike = block.strides[0] == 0
    around = ((0, 0), (reach, reach), (reach, reach))
    padded = np.pad(block[:1] if alike else block, around, mode="symmetric")
    return np.broadcast_to(padded, (len(block), *padded.shape[1:])) if alike else padded


def _window(image: Image, first: tuple[int, int], sides: tuple[Any, ...]) -> Image:
    (top, left), (height, width) = first, sides
    return image[:, top : top + height, left : left + width]
