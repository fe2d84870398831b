"""SAM 2: a smaller encoder than Segment Anything's, sharper masks, and a memory of frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from stroma import weights
from stroma.backbones import device as devices
from stroma.backbones.loading import pretrained
from stroma.errors import ParameterError, ShapeError
from stroma.features.networks.deep import inference
from stroma.prompts.pixels import Pixels
from stroma.prompts.sam.engine import Sam
from stroma.prompts.sam.memory import Memory, shown, there

Bools = NDArray[np.bool_]

MEMORY = "memory_attention."
"""How the names of tensors begin that only the memory has."""


class Sam2Tiny(Sam):
    """SAM 2.1 with the tiny encoder; see `Sam` for parameters and what is done with an image.

    Ravi et al., SAM 2: segment anything in images and videos, ICLR 2025, arXiv:2408.00714.
    """

    model = "sam2_hiera_tiny"
    version = "sam2 1"

    def _encode(self, network: Any, images: torch.Tensor) -> list[torch.Tensor]:
        return list(network.get_image_embeddings(images))

    def remembers(self) -> bool:
        """Tell whether its weights have the memory; those that are to be fetched do."""
        known = weights.shapes(self.model, self.weights)
        return not known or any(name.startswith(MEMORY) for name in known)

    def followed(
        self, planes: Iterable[Pixels], mask: Bools, *, count: int, frames: int
    ) -> Iterator[Bools]:
        """Yield an object on frame after frame; see `stroma.prompts.carry.Remembers`."""
        if not self.remembers():
            raise ParameterError(
                f"The weights {self.weights or 'of ' + self.model} hold no memory of frames. Give "
                "a file of SAM 2 for videos, or carry objects by='prompts'."
            )
        place = devices.resolve(self.device)
        network = pretrained(f"{self.model}_memory", path=self.weights, device=place)
        memory = Memory(network, count=count, frames=frames, device=place)
        for number, (values, rgb) in enumerate(planes):
            if values.shape[1:] != mask.shape:
                raise ShapeError(
                    f"Frames are as large as the first, {mask.shape}; got {values.shape[1:]}."
                )
            self.set_image(values, rgb=rgb)
            image = self._known()
            levels = self._levels(image, 0)
            with inference(place):
                maps = [torch.from_numpy(level)[None].to(place) for level in levels]
                if number == 0:
                    memory.begin(maps, shown(mask, image.windows[0], image.side).to(place))
                    continue
                found = there(memory.follow(maps), image.windows[0], image.side)
            yield found


class Sam2Small(Sam2Tiny):
    """SAM 2.1 with the small encoder."""

    model = "sam2_hiera_small"


class Sam2BasePlus(Sam2Tiny):
    """SAM 2.1 with the encoder between small and large."""

    model = "sam2_hiera_base_plus"


class Sam2Large(Sam2Tiny):
    """SAM 2.1 with the large encoder."""

    model = "sam2_hiera_large"
