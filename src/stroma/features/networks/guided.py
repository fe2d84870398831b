"""Features of a vision transformer at every pixel, the image being the guide.

A small network of its own looks at the image and says which patches a pixel is like; the features
of a pixel are the mean of theirs. Only where features are asked for, they are computed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from stroma.backbones import device
from stroma.backbones.loading import identity, pretrained
from stroma.backbones.upsamplers import HEADS
from stroma.features.contract import Extractor, FeatureMap, Mix, Wants
from stroma.features.networks.attention import Around, Everywhere, Within, boxes_within
from stroma.features.networks.deep import inference, network_input

SHARE = 0.1
"""Of the window, which AnyUp looks at to every side of a pixel."""


MIXES: dict[str, type[Around] | type[Within]] = {"anyup": Within, "naf": Around}


@dataclass(frozen=True)
class AtPixels(ABC):
    """Tokens of a vision transformer, brought to pixels by a small network of its own.

    Parameters
    ----------
    extractor : Extractor
        The transformer.
    kind : str
        What brings them there, as it is called before the name of the transformer.
    network : str
        Name of the small network's weights.
    weights : str, optional
        File or folder to take the weights of the small network from.
    """

    extractor: Extractor
    kind: str
    network: str
    weights: str | None = None

    @property
    def halo(self) -> None:
        """The transformer sees the whole window."""
        return

    @property
    def stride(self) -> int:
        """Side of a patch."""
        side = self.extractor.stride
        assert isinstance(side, int)
        return side

    @property
    def wants(self) -> Wants:
        """What the transformer wants."""
        return self.extractor.wants

    def names(self, channels: Sequence[str]) -> list[str]:
        """Return the names of the transformer with the kind, like ``naf:dinov3_vits16plus.12``."""
        return [f"{self.kind}:{name}" for name in self.extractor.names(channels)]

    def provenance(self) -> dict[str, str]:
        """Return what identifies the weights in use, of both networks."""
        of_patches: dict[str, str] = self.extractor.provenance()  # type: ignore[attr-defined]
        own = identity(self.network, None, self.weights)
        return of_patches | {f"upsampler_{key}": value for key, value in own.items()}

    @abstractmethod
    def __call__(self, block: NDArray[np.float32]) -> list[FeatureMap]:
        """Return the map of one window."""

    def small(self, channels: int) -> tuple[nn.Module, torch.device]:
        """Return the small network for so many channels, and where it runs."""
        place = device.resolve(self.extractor.device)  # type: ignore[attr-defined]
        return pretrained(self.network, path=self.weights, device=place, channels=channels), place


@dataclass(frozen=True)
class Guided(AtPixels):
    """By attention: ``kind`` is "jafar", "anyup" or "naf".

    JAFAR attends to all patches of the window and has a network for each transformer; AnyUp attends
    to a tenth of the window to every side, NAF to 9 x 9 patches around a pixel, and both have one
    network for all.
    """

    def __call__(self, block: NDArray[np.float32]) -> list[FeatureMap]:
        """Return the map of one window: queries of pixels, and what makes features of them."""
        [coarse] = self.extractor(block)
        tokens = np.ascontiguousarray(coarse.values, np.float32)
        queries, keys = self._attended(network_input(block), tokens)
        if self.kind == "jafar":
            return [FeatureMap(queries, mixes=(Everywhere.of(keys, tokens, heads=HEADS),))]
        mix: Mix = MIXES[self.kind].of(keys, tokens, heads=HEADS)
        height, width = block.shape[1:]
        if self.kind == "anyup":
            places = boxes_within((height, width), (keys.shape[1], keys.shape[2]), SHARE)
        else:
            places = np.indices((height, width), np.float32) // self.stride
        queries = np.concatenate((queries, places))
        return [FeatureMap(queries, mixes=(mix,))]

    def _attended(
        self, image: NDArray[np.float32], tokens: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the (Q, y, x) queries of pixels and the (Q, h, w) keys of patches."""
        network, place = self.small(len(image))
        with inference(place):
            shown = torch.from_numpy(image.copy()).to(place)
            found = network(shown, torch.from_numpy(tokens).to(place))
            return found.queries.cpu().numpy(), found.keys.cpu().numpy()
