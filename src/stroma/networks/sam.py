"""Segment Anything in a size that learns from scratch: it answers prompts, and draws all objects.

Kirillov et al., Segment anything, ICCV 2023, arXiv:2304.02643, with TinyViT as its encoder (Wu et
al., ECCV 2022, arXiv:2207.10666) and the decoder of micro-sam's automatic mode (Archit et al.,
Nature Methods 2025, doi 10.1038/s41592-024-02580-4).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from stroma.backbones.sam import PATCH, tiny
from stroma.backbones.sam_detail import detailed
from stroma.backbones.tiny_vit import Stages
from stroma.backbones.unetr import OUTPUTS, Unetr
from stroma.errors import ParameterError
from stroma.networks.contract import cropped, padded

Tensor = torch.Tensor

SIDE = 256
"""Pixels of an image for prompts."""

WIDEST = 4096


class PromptedSAM(nn.Module):
    """An encoder, what answers prompts from its maps, and what draws all objects from them.

    As a network of planes it gives the three channels of the target ``distances``; the objective
    ``prompting`` trains it to answer prompts too.

    Parameters
    ----------
    channels, outputs : int
        Channels of images; what is predicted are 3.
    ndim : {2}
        Planes only.
    features, blocks : sequence of int
        Of the stages of the encoder, four.
    heads, windows : sequence of int
        Of the last three: heads of attention, and sides of its windows.
    cells : int
        Features of a cell of 16 pixels that prompts are answered from.
    width : int
        Channels of the decoder at full resolution.
    """

    patch = (SIDE, SIDE)
    """What it learns from."""

    ndim = 2
    halo = None
    stride = (PATCH, PATCH)

    def __init__(
        self,
        channels: int,
        outputs: int,
        *,
        ndim: int = 2,
        features: Sequence[int] = (32, 64, 96, 128),
        blocks: Sequence[int] = (1, 2, 3, 1),
        heads: Sequence[int] = (2, 3, 4),
        windows: Sequence[int] = (8, 16, 8),
        cells: int = 128,
        width: int = 16,
    ) -> None:
        super().__init__()
        _check(ndim, outputs, cells, features, blocks, heads, windows)
        stages = Stages(tuple(features), tuple(blocks), tuple(heads), tuple(windows), cells)
        plain = tiny(stages, SIDE, _sizes(cells), channels, device="cpu")
        self.sam: Any = detailed(plain, stages, channels)
        self.sam.train()
        self.decoder = Unetr(cells, width)
        self.cells = cells

    def forward(self, images: Tensor) -> Tensor:
        """Return (B, 3, y, x): foreground, nearness and depth, before any activation."""
        return self.drawn(self.embedded(images), images.shape[2:])

    def embedded(self, images: Tensor) -> Tensor:
        """Return what the encoder makes of images, (B, 4 F, y / 16, x / 16).

        F channels for cells of 16 pixels, and details; see `stroma.backbones.sam_detail.Detailed`.
        """
        found: Tensor = self.sam.vision_encoder(padded(images, self.stride)).last_hidden_state
        return found

    def drawn(self, maps: Tensor, space: Sequence[int]) -> Tensor:
        """Return the channels of all objects from maps."""
        return cropped(self.decoder(maps[:, : self.cells]), space)

    def answered(
        self,
        maps: Tensor,
        *,
        points: Tensor | None = None,
        labels: Tensor | None = None,
        boxes: Tensor | None = None,
        masks: Tensor | None = None,
        several: bool = False,
    ) -> tuple[Tensor, Tensor]:
        """Return coarse logits (N, m, y, x) and scores (N, m) for prompts of N objects.

        Parameters
        ----------
        maps : (N, 4 F, y, x) tensor
            As `embedded` gives them, of the image of each object, which has 256 pixels a side.
        points, labels : (N, k, 2) and (N, k) tensor, optional
            Places (x, y) in pixels; 1 on the object, 0 beside it.
        boxes : (N, 4) tensor, optional
            x0, y0, x1, y1.
        masks : (N, 1, 64, 64) tensor, optional
            Logits of before.
        several : bool
            Whether three masks are wanted, as one click may mean several things.
        """
        found = self.sam(
            image_embeddings=maps,
            input_points=None if points is None else points[:, None],
            input_labels=None if labels is None else labels[:, None],
            input_boxes=None if boxes is None else boxes[:, None],
            input_masks=masks,
            multimask_output=several,
        )
        return found.pred_masks[:, 0], found.iou_scores[:, 0]


def _sizes(cells: int) -> dict[str, tuple[int, ...]]:
    """Return what says how large the part is that answers prompts."""
    start = "mask_decoder.transformer.layers"
    layers: dict[str, tuple[int, ...]] = {
        f"{start}.{i}.layer_norm1.weight": (cells,) for i in range(2)
    }
    return {
        **layers,
        f"{start}.0.mlp.lin1.weight": (4 * cells, cells),
        "mask_decoder.mask_tokens.weight": (4, cells),
        "mask_decoder.iou_prediction_head.proj_in.weight": (cells, cells),
    }


def _check(
    ndim: int,
    outputs: int,
    cells: int,
    features: Sequence[int],
    blocks: Sequence[int],
    heads: Sequence[int],
    windows: Sequence[int],
) -> None:
    if ndim != 2:
        raise ParameterError(f"The network sam looks at planes (ndim=2), got ndim={ndim}.")
    if outputs != OUTPUTS:
        raise ParameterError(
            "The network sam draws what the target 'distances' learns. Give target='distances'."
        )
    if (len(features), len(blocks), len(heads), len(windows)) != (4, 4, 3, 3):
        raise ParameterError(
            "The encoder has four stages: four features and blocks, and three heads and windows, "
            "as the first has no attention."
        )
    if any(wide % n for wide, n in zip(features[1:], heads, strict=True)):
        raise ParameterError(f"features {list(features)[1:]} are multiples of heads {list(heads)}.")
    if cells % 16 or not 16 <= cells <= WIDEST:
        raise ParameterError(f"cells is a multiple of 16 up to {WIDEST}, got {cells}.")
