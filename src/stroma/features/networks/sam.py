"""What the image encoders of Segment Anything, trained to find objects, see in an image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from stroma.backbones.loading import tensor_names
from stroma.backbones.sam import ENCODER, FEATURES, PATCH, embed_tokens
from stroma.features.contract import FeatureMap
from stroma.features.networks.vit import PatchFeatures


@dataclass(frozen=True)
class SamFeatures(PatchFeatures):
    """What leaves the image encoder of Segment Anything: 256 features of patches of 16 pixels.

    The image keeps its size; places are counted from the upper left corner of a window. Kirillov
    et al., ICCV 2023, arXiv:2304.02643.
    """

    patch: ClassVar[int] = PATCH
    features: ClassVar[int] = FEATURES

    def batch(self, blocks: Sequence[NDArray[np.float32]]) -> list[list[FeatureMap]]:
        """Return the maps of several windows, those of the same shape computed together."""
        return self.read(blocks, embed_tokens)

    def needed(self) -> frozenset[str]:
        """Return the names of the encoder's tensors."""
        return tensor_names(self.backbone, self.weights, start=ENCODER)


class SamT(SamFeatures):
    """The encoder of MobileSAM, TinyViT."""

    backbone = "sam_vit_t"


class MicroSamT(SamFeatures):
    """The encoder of micro-sam for light microscopy, TinyViT."""

    backbone = "sam_vit_t_lm"


class OrganellesT(SamFeatures):
    """The encoder of micro-sam for organelles in electron microscopy, TinyViT."""

    backbone = "sam_vit_t_em_organelles"


class SamB(SamFeatures):
    """The encoder of Segment Anything, ViT-B."""

    backbone = "sam_vit_b"


class SamL(SamFeatures):
    """The encoder of Segment Anything, ViT-L."""

    backbone = "sam_vit_l"


class SamH(SamFeatures):
    """The encoder of Segment Anything, ViT-H."""

    backbone = "sam_vit_h"


class MicroSamB(SamFeatures):
    """The encoder of micro-sam for light microscopy, ViT-B."""

    backbone = "sam_vit_b_lm"


class MicroSamL(SamFeatures):
    """The encoder of micro-sam for light microscopy, ViT-L."""

    backbone = "sam_vit_l_lm"


class OrganellesB(SamFeatures):
    """The encoder of micro-sam for organelles in electron microscopy, ViT-B."""

    backbone = "sam_vit_b_em_organelles"


class OrganellesL(SamFeatures):
    """The encoder of micro-sam for organelles in electron microscopy, ViT-L."""

    backbone = "sam_vit_l_em_organelles"
