"""Features of a vision transformer at every pixel, by FeatUp's joint bilateral upsampling."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from stroma.backbones.loading import RGB
from stroma.features.contract import FeatureMap
from stroma.features.half import LARGEST
from stroma.features.networks.deep import inference
from stroma.features.networks.guided import AtPixels


@dataclass(frozen=True)
class Bilateral(AtPixels):
    """By a bilateral filter that was learned: ``kind`` is "featup".

    A pixel's features are a mean of those around it, of its like in the image above all. They are
    kept as half precision: they are many times as large as the tokens they are made of.
    """

    def __call__(self, block: NDArray[np.float32]) -> list[FeatureMap]:
        """Return the map of one window: the features of its pixels."""
        [coarse] = self.extractor(block)
        network, place = self.small(RGB)
        with inference(place):
            image, tokens = (
                torch.from_numpy(np.array(values, np.float32)).to(place)
                for values in (block, coarse.values)
            )
            found = network(image, tokens, block.shape[1:])
            return [FeatureMap(np.asarray(found.clamp(-LARGEST, LARGEST).half().cpu().numpy()))]
