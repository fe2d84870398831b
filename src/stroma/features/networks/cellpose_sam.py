"""What the encoder of Cellpose-SAM, trained to find cells, sees in an image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from stroma.backbones import device
from stroma.backbones.cellpose_sam import FEATURES, PATCH, TILE
from stroma.backbones.loading import RGB
from stroma.backbones.sam import embed
from stroma.features.contract import FeatureMap, Wants
from stroma.features.networks.deep import inference, network_input
from stroma.features.networks.vit import PatchFeatures

MARGIN = 32
"""Pixels at every side of a tile whose features are not used."""

CORE = TILE - 2 * MARGIN


@dataclass(frozen=True)
class CellposeSAM(PatchFeatures):
    """What leaves the encoder of Cellpose-SAM: 256 features of patches of 8 pixels.

    It sees tiles of 256 pixels, of which 32 at every side are not used; so features are local.
    Images of one channel are shown as the first of three, the others empty, as Cellpose does.
    Pachitariu et al., 2025, doi 10.1101/2025.04.28.651001.
    """

    backbone: ClassVar[str] = "cellpose_sam"
    patch: ClassVar[int] = PATCH
    features: ClassVar[int] = FEATURES

    @property
    def halo(self) -> int:  # type: ignore[override]
        """What tiles reach beyond what is used of them."""
        return MARGIN

    @property
    def stride(self) -> int:
        """Distance between tiles."""
        return CORE

    @property
    def wants(self) -> Wants:
        """Three channels, from the 1st to the 99th percentile, as Cellpose is fed."""
        return Wants("percentile", RGB)

    def batch(self, blocks: Sequence[NDArray[np.float32]]) -> list[list[FeatureMap]]:
        """Return the maps of several blocks."""
        return [[FeatureMap(self._map(_three(block)), step=PATCH)] for block in blocks]

    def _map(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the (F, y, x) features of the core of a (3, y, x) image."""
        rows, columns = ((side - 2 * MARGIN) // CORE for side in image.shape[1:])
        corners = [(r * CORE, c * CORE) for r in range(rows) for c in range(columns)]
        cells, edge = CORE // PATCH, MARGIN // PATCH
        found = np.empty((FEATURES, rows * cells, columns * cells), np.float32)
        size = max(1, self.batch_pixels // TILE**2)
        for start in range(0, len(corners), size):
            part = corners[start : start + size]
            tiles = np.stack([image[:, y : y + TILE, x : x + TILE] for y, x in part])
            for (y, x), tile in zip(part, self._tiles(tiles), strict=True):
                inner = tile[:, edge : edge + cells, edge : edge + cells]
                top, left = y // PATCH, x // PATCH
                found[:, top : top + cells, left : left + cells] = inner
        return found

    def _tiles(self, tiles: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the (N, F, y, x) features of (N, 3, 256, 256) tiles."""
        place = device.resolve(self.device)
        network, precision = self.network(place, RGB)
        with inference(place):
            shown = torch.from_numpy(tiles).to(place, precision)
            return embed(network, shown).float().cpu().numpy()


def _three(block: NDArray[np.float32]) -> NDArray[np.float32]:
    shown = network_input(block)
    empty = np.zeros((RGB - len(shown), *shown.shape[1:]), np.float32)
    return np.concatenate([shown, empty])
