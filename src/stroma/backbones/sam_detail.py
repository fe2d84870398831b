"""Segment Anything that sees details, and prompts as maps: small, and quick to learn from scratch.

The encoder gives details beside its cells, as that of SAM 2 does (Ravi et al. 2024,
arXiv:2408.00714). Prompts are tokens, as in Segment Anything, and are drawn as maps, too, as in
RITM (Sofiiuk, Petrov and Konushin, ICIP 2022, arXiv:2102.06583): tokens alone
say where a click lies only after a much longer training.
"""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from transformers.models.sam.modeling_sam import SamLayerNorm, SamMaskDecoder, SamPromptEncoder

from stroma.backbones.tiny_vit import Stages, TinyViT

Tensor = torch.Tensor

COARSE = 4
"""Pixels for one of the masks that are answered, and of the maps that prompts are drawn on."""

WIDTHS = (1.5, 6.0)
"""Of a click as it is drawn, in such pixels: where it is, and what is around it."""

DRAWN = 2 * len(WIDTHS) + 2
"""Maps that prompts are drawn on: clicks on and beside, a box, and the mask of before."""

GROUP = 32
"""Channels that are mixed over places together."""

SHARP = 2.0
"""How much attention between prompts and image depends on places before anything is learned."""


def detailed(network: Any, stages: Stages, channels: int) -> Any:
    """Return a network of Segment Anything with parts that see details, which are to be trained."""
    network.vision_encoder = Detailed(stages, channels)
    network.prompt_encoder = Prompts(network.config, network.shared_image_embedding)
    network.mask_decoder = Decoder(network.config.mask_decoder_config)
    places = network.shared_image_embedding.positional_embedding
    nn.init.normal_(places)
    places.requires_grad_(False)  # frequencies, as the authors have them: known, not learned
    for layer in network.mask_decoder.transformer.modules():
        for name, inner in layer.named_children():
            if "_attn_" in name:
                _alike(inner)
    return network


def _alike(attention: Any) -> None:
    """Let attention begin with the same projection of what asks and what is asked.

    So it is largest where their places are the same; others begin the same everywhere, and are
    slow to become another.
    """
    asks, asked = attention.q_proj, attention.k_proj
    nn.init.normal_(asks.weight, std=SHARP * asks.in_features**-0.5)
    with torch.no_grad():
        asked.weight.copy_(asks.weight)
    for projection in (asks, asked):
        nn.init.zeros_(projection.bias)


class Detailed(TinyViT):
    """The encoder; beside cells of 16 pixels it gives details of 8 and 4, packed as their channels.

    Of F channels of a cell, there are F / 4 of each 8 pixels and F / 8 of each 4: 4 F in all, so
    that what is kept of an image is one array.
    """

    def __init__(self, stages: Stages, channels: int) -> None:
        super().__init__(stages, channels)
        fine, middle = stages.features[:2]
        self.fine = nn.Conv2d(fine, stages.out // 8, 1)
        self.middle = nn.Conv2d(middle, stages.out // 4, 1)

    def forward(self, images: Tensor) -> SimpleNamespace:
        """Return ``last_hidden_state``, (N, 4 F, y / 16, x / 16) of (N, C, y, x)."""
        fine, middle, *_, last = self.staged(images)
        found = packed(self.neck(last), self.middle(middle), self.fine(fine))
        return SimpleNamespace(last_hidden_state=found)


class Prompts(SamPromptEncoder):  # type: ignore[misc]
    """Prompts as tokens, and drawn as maps of all resolutions of `Detailed`, packed as they are."""

    def __init__(self, config: Any, places: nn.Module) -> None:
        super().__init__(config)
        self.shared_embedding = places
        del self.mask_embed  # the mask of before is one of the maps
        cells = self.hidden_size
        sizes = (cells // 8, cells // 4, cells)
        self.draw = nn.Conv2d(DRAWN, sizes[0], 3, padding=1)
        self.shrink = nn.ModuleList(nn.Conv2d(a, b, 2, 2) for a, b in pairwise(sizes))
        self.give = nn.ModuleList(nn.Conv2d(n, n, 1) for n in sizes)

    def forward(
        self,
        input_points: Tensor | None,
        input_labels: Tensor | None,
        input_boxes: Tensor | None,
        input_masks: Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        """Return tokens (B, N, k, F) and maps (B N, 4 F, y / 16, x / 16) of N prompts."""
        tokens, _ = super().forward(input_points, input_labels, input_boxes, None)
        maps = self._drawn(tokens.shape[:2], input_points, input_labels, input_boxes, input_masks)
        x = F.gelu(self.draw(maps.flatten(0, 1).to(tokens.dtype)))
        found = [self.give[0](x)]
        for shrink, give in zip(self.shrink, self.give[1:], strict=True):
            x = F.gelu(shrink(x))
            found.append(give(x))
        return tokens, packed(*found[::-1])

    def _drawn(
        self,
        count: torch.Size,
        points: Tensor | None,
        labels: Tensor | None,
        boxes: Tensor | None,
        masks: Tensor | None,
    ) -> Tensor:
        """Return the maps (B, N, DRAWN, y / 4, x / 4) of prompts."""
        side = self.input_image_size // COARSE
        line = (torch.arange(side, device=self.draw.weight.device) + 0.5) * COARSE - 0.5
        found = torch.zeros(*count, DRAWN, side, side, device=line.device)
        if points is not None and labels is not None:
            for i, width in enumerate(WIDTHS):
                near = torch.exp(-(((points[..., None] - line) / (COARSE * width)) ** 2) / 2)
                spots = near[..., 1, :, None] * near[..., 0, None, :]
                for k, label in enumerate((1, 0)):
                    found[:, :, 2 * i + k] = (spots * (labels == label)[..., None, None]).amax(2)
        if boxes is not None:
            low, high = boxes[..., :2, None], boxes[..., 2:, None]
            within = ((line >= low) & (line <= high)).to(found.dtype)
            found[:, :, -2] = within[..., 1, :, None] * within[..., 0, None, :]
        if masks is not None:
            found[:, :, -1] = torch.tanh(masks / 2)
        return found


class Decoder(SamMaskDecoder):  # type: ignore[misc]
    """What answers prompts, from packed maps of the image and of the prompts."""

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        cells = self.hidden_size
        self.mix = nn.ModuleList(_Mixed(n) for n in (cells, cells // 4, cells // 8))

    def forward(
        self,
        image_embeddings: Tensor,
        image_positional_embeddings: Tensor,
        sparse_prompt_embeddings: Tensor,
        dense_prompt_embeddings: Tensor,
        multimask_output: bool,
        **unused: Any,
    ) -> tuple[Tensor, Tensor]:
        """Return logits (B, N, m, y / 4, x / 4) and scores (B, N, m) of N prompts for B images."""
        count, prompts = sparse_prompt_embeddings.shape[:2]
        both = image_embeddings.repeat_interleave(prompts, 0) + dense_prompt_embeddings
        cells, middle, fine = unpacked(both, self.hidden_size)
        own = torch.cat([self.iou_token.weight, self.mask_tokens.weight])
        own = own.expand(count, prompts, -1, -1)
        tokens, seen = self.transformer(
            point_embeddings=torch.cat([own, sparse_prompt_embeddings], 2).flatten(0, 1)[:, None],
            image_embeddings=self.mix[0](cells),
            image_positional_embeddings=image_positional_embeddings[:1].expand(
                len(cells), -1, -1, -1
            ),
            attention_similarity=None,
        )
        maps = self.upscale_conv1(seen[:, 0].transpose(1, 2).reshape(cells.shape)) + middle
        maps = self.mix[1](self.activation(self.upscale_layer_norm(maps)))
        maps = self.mix[2](self.activation(self.upscale_conv2(maps) + fine))
        tokens = tokens[:, 0].unflatten(0, (count, prompts))
        weights = [
            make(tokens[:, :, i]) for i, make in enumerate(self.output_hypernetworks_mlps, 1)
        ]
        logits = torch.stack(weights, 2) @ maps.flatten(2).unflatten(0, (count, prompts))
        which = slice(1, None) if multimask_output else slice(0, 1)
        scores = self.iou_prediction_head(tokens[:, :, 0])
        return logits[:, :, which].unflatten(-1, maps.shape[2:]), scores[:, :, which]


class _Mixed(nn.Module):
    """Places learn of those beside them."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = SamLayerNorm(width, data_format="channels_first")
        groups = 1 if width % GROUP else width // GROUP
        self.conv = nn.Conv2d(width, width, 3, padding=1, groups=groups)

    def forward(self, x: Tensor) -> Tensor:
        return x + F.gelu(self.conv(self.norm(x)))


def packed(cells: Tensor, middle: Tensor, fine: Tensor) -> Tensor:
    """Return maps of cells of 16, 8 and 4 pixels as one of cells of 16."""
    return torch.cat([cells, F.pixel_unshuffle(middle, 2), F.pixel_unshuffle(fine, 4)], 1)


def unpacked(maps: Tensor, cells: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return the maps of cells of 16, 8 and 4 pixels, of which the first has so many channels."""
    coarse, middle, fine = torch.split(maps, [cells, cells, 2 * cells], 1)
    return coarse, F.pixel_shuffle(middle, 2), F.pixel_shuffle(fine, 4)
