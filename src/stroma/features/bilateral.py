"""Features of a vision transformer at every pixel, by FeatUp's joint bilateral upsampling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from stroma.backbones import device
from stroma.backbones.loading import identity, pretrained
from stroma.features.contract import FeatureMap
from stroma.features.deep import inference
from stroma.features.wrapper import OfWindows


@dataclass(frozen=True)
class Bilateral(OfWindows):
    """Tokens of a vision transformer, brought to pixels by a bilateral filter that was learned.

    A pixel's features are a mean of those around it, of its like in the image above all. They are
    kept as half precision: they are many times as large as the tokens they are made of.

    Parameters
    ----------
    extractor : Extractor
        The transformer.
    network : str
        Name of the upsampler's weights.
    weights : str, optional
        File or folder to take the weights of the upsampler from.
    """

    network: str
    weights: str | None = None

    def names(self, channels: Sequence[str]) -> list[str]:
        """Return names like ``featup:dinov2_vits14.12``."""
        return [f"featup:{name}" for name in self.extractor.names(channels)]

    @property
    def provenance(self) -> Any:
        """What tells which weights are in use, of both networks."""
        return self._provenance

    def _provenance(self) -> dict[str, str]:
        of_patches: dict[str, str] = self.extractor.provenance()  # type: ignore[attr-defined]
        own = identity(self.network, None, self.weights)
        return of_patches | {f"upsampler_{key}": value for key, value in own.items()}

    def batch(self, blocks: Sequence[NDArray[np.float32]]) -> list[list[FeatureMap]]:
        """Return the maps of several windows, one after the other."""
        return [[FeatureMap(self._pixels(block))] for block in blocks]

    def _pixels(self, block: NDArray[np.float32]) -> NDArray[np.float16]:
        """Return the (F, y, x) features of the pixels of a (3, y, x) window."""
        [coarse] = self.extractor(block)
        place = device.resolve(self.extractor.device)  # type: ignore[attr-defined]
        network = pretrained(self.network, path=self.weights, device=place)
        with inference(place):
            image, tokens = (
                torch.from_numpy(np.array(values, np.float32)).to(place)
                for values in (block, coarse.values)
            )
            found: torch.Tensor = network.at(image, tokens, block.shape[1:])  # type: ignore[operator]
            return np.asarray(found.half().cpu().numpy())
