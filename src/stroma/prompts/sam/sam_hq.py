"""SAM-HQ: Segment Anything with finer masks."""

from __future__ import annotations

from typing import Any

import torch

from stroma.prompts.sam.engine import Sam


class SamHQ(Sam):
    """SAM-HQ with ViT-B; see `Sam` for parameters and what is done with an image.

    Of each mask the fine part is added to what Segment Anything answers, as its authors do.

    Ke et al., Segment anything in high quality, NeurIPS 2023, arXiv:2306.01567.
    """

    model = "sam_hq_vit_b"
    version = "sam_hq 1"

    def _encode(self, network: Any, images: torch.Tensor) -> list[torch.Tensor]:
        found = network.vision_encoder(images)
        early = found.intermediate_embeddings[0]
        return [found.last_hidden_state, early.permute(0, 3, 1, 2)]

    def _seen(self, levels: list[torch.Tensor]) -> dict[str, Any]:
        maps, early = levels
        return {
            "image_embeddings": maps,
            "intermediate_embeddings": [early.permute(0, 2, 3, 1)],
        }


class SamHQLarge(SamHQ):
    """SAM-HQ with ViT-L."""

    model = "sam_hq_vit_l"


class SamHQHuge(SamHQ):
    """SAM-HQ with ViT-H."""

    model = "sam_hq_vit_h"
