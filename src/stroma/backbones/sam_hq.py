"""SAM-HQ, as ``transformers`` has it: Segment Anything with finer masks.

Ke et al., Segment anything in high quality, NeurIPS 2023, arXiv:2306.01567.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from transformers import SamHQConfig, SamHQModel

from stroma.backbones.loading import Describe, Shapes
from stroma.backbones.sam import TINY, Size
from stroma.errors import FormatError


@dataclass(frozen=True)
class HighQuality(Size):
    """How large a network is; its decoder also sees what an early layer of the encoder says."""

    def like(self, shapes: Shapes, describe: Describe, channels: int = 3) -> Any:
        """Return a network for tensors of the given shapes, whatever their size."""
        if TINY in shapes:
            raise FormatError("The file holds SAM-HQ with a TinyViT; those with a ViT are read.")
        return super().like(shapes, describe, channels)

    def network(self, settings: Mapping[str, Any]) -> Any:
        """Return the network of ``transformers``."""
        wide = settings["vision_config"]["hidden_size"]
        decoder = {**settings["mask_decoder_config"], "vit_dim": wide}
        return SamHQModel(SamHQConfig(**{**settings, "mask_decoder_config": decoder}))


sam_hq_vit_b = HighQuality(768, 12, 12, (2, 5, 8, 11))
sam_hq_vit_l = HighQuality(1024, 24, 16, (5, 11, 17, 23))
sam_hq_vit_h = HighQuality(1280, 32, 16, (7, 15, 23, 31))
