"""Features without what the extractor says of a place whatever is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from stroma.errors import ParameterError
from stroma.features.contract import Extractor, FeatureMap, axes_of, computed
from stroma.features.wrapper import OfWindows

PICTURES = 8
"""Pictures of noise whose mean features are taken away."""


@dataclass(frozen=True)
class Centred(OfWindows):
    """An extractor with global context, less the mean of its features at every place.

    The mean is that of pictures of noise, of the size of the window: what they have in common is
    what the extractor says of the place alone. It is computed once for every size.

    Parameters
    ----------
    extractor : Extractor
        Of planes, with global context.

    Raises
    ------
    ParameterError
        If the extractor does not know where in a window it looks.
    """

    def __post_init__(self) -> None:
        """Check what is wrapped."""
        if axes_of(self.extractor) != "yx" or self.extractor.halo is not None:
            kind = type(self.extractor).__name__
            raise ParameterError(
                f"The mean of a place is taken from extractors that see whole windows, such as "
                f"'dinov2_vits14_reg'; {kind} sees the same at every place. Leave out 'centred:'."
            )

    @property
    def device(self) -> str:
        """Where the network runs."""
        return getattr(self.extractor, "device", "cpu")

    def names(self, channels: Sequence[str]) -> list[str]:
        """Return the names of the extractor, like ``centred:dinov2_vits14_reg.12``."""
        return [f"centred:{name}" for name in self.extractor.names(channels)]

    def batch(self, blocks: Sequence[NDArray[np.float32]]) -> list[list[FeatureMap]]:
        """Return the maps of several windows."""
        found = computed(self.extractor, blocks)
        return [self._less(maps, block) for maps, block in zip(found, blocks, strict=True)]

    def _less(self, maps: list[FeatureMap], block: NDArray[np.float32]) -> list[FeatureMap]:
        weights = repr(self.provenance() if self.provenance else None)
        means = _means(cast(Any, self.extractor), weights, block.strides[0] == 0, block.shape)
        return [replace(m, values=m.values - mean) for m, mean in zip(maps, means, strict=True)]


@lru_cache(maxsize=8)
def _means(
    extractor: Extractor, weights: str, alike: bool, shape: tuple[int, ...]
) -> tuple[NDArray[np.float32], ...]:
    """Return the mean of every map over pictures of noise; one channel may stand for all."""
    random = np.random.default_rng(0)
    totals: list[NDArray[np.float32]] = []
    for _ in range(PICTURES):
        picture = random.standard_normal((1 if alike else shape[0], *shape[1:]), np.float32)
        [maps] = computed(extractor, [np.broadcast_to(picture, shape)])
        values = [np.asarray(m.values, np.float32) for m in maps]
        totals = [a + b for a, b in zip(totals, values, strict=True)] if totals else values
    return tuple(total / np.float32(PICTURES) for total in totals)
