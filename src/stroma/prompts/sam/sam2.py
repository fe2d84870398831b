"""SAM 2 on single planes: a smaller encoder than Segment Anything's, and sharper masks."""

from __future__ import annotations

from typing import Any

import torch

from stroma.prompts.sam.engine import Sam


class Sam2Tiny(Sam):
    """SAM 2.1 with the tiny encoder; see `Sam` for parameters and what is done with an image.

    Ravi et al., SAM 2: segment anything in images and videos, ICLR 2025, arXiv:2408.00714.
    """

    model = "sam2_hiera_tiny"
    version = "sam2 1"

    def _encode(self, network: Any, images: torch.Tensor) -> list[torch.Tensor]:
        return list(network.get_image_embeddings(images))


class Sam2Small(Sam2Tiny):
    """SAM 2.1 with the small encoder."""

    model = "sam2_hiera_small"


class Sam2BasePlus(Sam2Tiny):
    """SAM 2.1 with the encoder between small and large."""

    model = "sam2_hiera_base_plus"


class Sam2Large(Sam2Tiny):
    """SAM 2.1 with the large encoder."""

    model = "sam2_hiera_large"
