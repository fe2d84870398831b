"""SAM 3 on single planes: what answers clicks and boxes in it, without its words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from stroma.prompts.sam.engine import Sam
from stroma.prompts.sam.preprocess import reader
from stroma.prompts.sam.windows import Window

HALF = (0.5, 0.5, 0.5)
"""Mean and deviation of the colours that it was trained with."""


class Sam3(Sam):
    """SAM 3; see `Sam` for parameters and what is done with an image, of 1008 pixels here.

    Its weights are Meta's, under a licence of its own that has to be accepted first.

    Carion et al., SAM 3: segment anything with concepts, 2025, arXiv:2511.16719.
    """

    model = "sam3"
    version = "sam3 1"

    def _reader(self, image: NDArray[Any], rgb: bool) -> Callable[[Window], NDArray[np.float32]]:
        return reader(image, rgb=rgb, mean=HALF, deviation=HALF)

    def _encode(self, network: Any, images: torch.Tensor) -> list[torch.Tensor]:
        return list(network.get_image_embeddings(images))
