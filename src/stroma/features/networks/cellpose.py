"""What the encoder of Cellpose, trained to find cells, sees in an image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from stroma.backbones.cellpose import CHANNELS
from stroma.features.contract import Wants
from stroma.features.networks.cnn import ConvolutionFeatures

FINE = ("stage1 Tap(32)", "stage2 Tap(64)", "stage3 Tap(128)")
"""Cells of 1, 2 and 4 pixels; those of stage 4 have 8."""


@dataclass(frozen=True)
class CellposeBackbone(ConvolutionFeatures):
    """What leaves the first stages of Cellpose's encoder, in cells of 1, 2 and 4 pixels.

    Cellpose's style, an average over the whole image, is left out, and with it what its decoder
    makes of these features. Images with two channels are seen at once, of others every channel as
    both. Stringer et al., Nature Methods 2021, doi 10.1038/s41592-020-01018-x.
    """

    backbone: ClassVar[str] = "cellpose_backbone"
    default_layers: ClassVar[tuple[str, ...]] = FINE
    default_scalings: ClassVar[tuple[int, ...]] = (1,)

    layers: tuple[str | int, ...] = default_layers

    @property
    def wants(self) -> Wants:
        """Two channels, from the 1st to the 99th percentile, as Cellpose is fed."""
        return Wants("percentile", CHANNELS)

    def _outputs(self, images: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        both = np.repeat(images, CHANNELS, axis=1) if images.shape[1] == 1 else images
        return super()._outputs(both)
