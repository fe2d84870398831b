"""What extractors share that show an image to another one in a way of their own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stroma.features.contract import Batched, Extractor, FeatureMap, Wants


@dataclass(frozen=True)
class Wrapper:
    """An extractor that is fed what the one inside wants, and has its weights.

    Parameters
    ----------
    extractor : Extractor
        The one inside.
    """

    extractor: Extractor

    @property
    def wants(self) -> Wants:
        """What the extractor wants."""
        return self.extractor.wants

    @property
    def provenance(self) -> Callable[[], dict[str, str]] | None:
        """What tells which pretrained weights are in use, if there are some."""
        return getattr(self.extractor, "provenance", None)


@dataclass(frozen=True)
class OfWindows(Wrapper, ABC):
    """One around an extractor of planes that sees whole windows; it takes several at once."""

    @property
    def halo(self) -> None:
        """The whole window is seen."""
        return

    @property
    def stride(self) -> int:
        """Stride of the extractor: the side of its patches, if it has some."""
        side = self.extractor.stride
        return side if isinstance(side, int) else max(side)

    @property
    def batch_pixels(self) -> int:
        """Pixels computed together."""
        return self.extractor.batch_pixels if isinstance(self.extractor, Batched) else 0

    def __call__(self, block: NDArray[np.float32]) -> list[FeatureMap]:
        """Return the maps of one window."""
        return self.batch([block])[0]

    @abstractmethod
    def batch(self, blocks: Sequence[NDArray[np.float32]]) -> list[list[FeatureMap]]:
        """Return the maps of several windows."""
