"""Objects by their borders: foreground, and the pixels of it that are next to something else.

Decoded by a watershed from what lies within borders, as in torch-em and SynapseNet (Muth et al.
2024, SynapseNet: Deep Learning for Automatic Synapse Reconstruction).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from skimage.segmentation import find_boundaries

from stroma.targets.contract import Encoded, Losses
from stroma.targets.instances import Instances, grown
from stroma.targets.losses import CrossEntropy, Dice
from stroma.targets.turns import Turn

FAR = 8.0
"""Depth below a border, in pixels, from which on it decides no more which pixels come first."""


@dataclass(frozen=True)
class Borders(Instances):
    """Foreground, and the outermost pixels of every object.

    Parameters
    ----------
    diameter : float
        Of the largest objects, in pixels: how far decoding looks around a block.
    smallest : int
        Objects of fewer pixels are left out.
    """

    through: ClassVar[str] = "mean"
    """Predictions of planes along three axes are averaged."""

    @property
    def tunable(self) -> Mapping[str, tuple[Any, ...]]:
        """Thresholds of foreground and borders, depth of seeds, and the smallest objects."""
        return {
            "foreground": (0.5, 0.4, 0.6, 0.3, 0.7),
            "border": (0.5, 0.4, 0.6, 0.3, 0.7),
            "seed": (0.0, 1.0, 2.0, 4.0),
            "smallest": self.smallest_tried,
        }

    def channels(self) -> tuple[str, ...]:
        """Return their names."""
        return ("foreground", "border")

    def encode(self, truth: Any, /, *, shape: tuple[int, ...]) -> Encoded:
        """Return the channels of objects by number.

        Whether pixels beside what nobody knows are a border is not known either.
        """
        labels = np.asarray(truth)
        front = labels > 0
        border = find_boundaries(labels, mode="inner", background=0) & front
        values = np.stack([front, border]).astype(np.float32)
        known = np.repeat((labels >= 0)[None].astype(np.float32), 2, 0)
        known[1, ndimage.binary_dilation(labels < 0) & front] = 0
        return Encoded(values, known)

    def loss(self, output: torch.Tensor, truth: torch.Tensor, known: torch.Tensor, /) -> Losses:
        """Return the cross-entropy and Dice of both."""
        crossed = CrossEntropy("sigmoid")(output, truth, known)
        dice = Dice("sigmoid", batch=True)(output, truth, known)
        return crossed + dice, {"cross entropy": crossed.detach(), "dice": dice.detach()}

    def activate(self, output: torch.Tensor, /) -> torch.Tensor:
        """Return both from 0 to 1."""
        return output.sigmoid()

    def decode(
        self,
        prediction: NDArray[np.float32],
        /,
        *,
        foreground: float = 0.5,
        border: float = 0.5,
        seed: float = 0.0,
        smallest: int | None = None,
    ) -> NDArray[np.uint32]:
        """Return objects by number.

        What is connected within borders, deep enough below them, grows over the foreground, the
        deepest pixels first. Foreground that no seed reaches is an object too.

        Parameters
        ----------
        prediction : (2, *space) float32 array
            From 0 to 1.
        foreground, border : float
            Thresholds.
        seed : float
            How many pixels below borders seeds lie: one that is missing in a border joins its two
            sides at 0, and no more from 1 on.
        smallest : int, optional
            Objects of fewer pixels are left out.
        """
        least = self.smallest if smallest is None else smallest
        front = prediction[0] > foreground
        within = front & (prediction[1] < border)
        depth = ndimage.distance_transform_edt(within)
        seeds, _ = ndimage.label(depth > seed)
        return grown(prediction[1] - np.minimum(depth, FAR), seeds, front, least=least)

    def turned_back(self, prediction: NDArray[np.float32], turn: Turn, /) -> NDArray[np.float32]:
        """Return it turned back; borders have no direction."""
        return turn.undo(prediction)
