"""ConvNeXt-base, as ``transformers`` has it.

Liu et al., A ConvNet for the 2020s, CVPR 2022, arXiv:2201.03545.
"""

from __future__ import annotations

import torch
from torch import nn
from transformers import ConvNextConfig, ConvNextModel


def convnext_base(channels: int = 3) -> nn.Module:
    """Return the network without its classifier."""
    config = ConvNextConfig(
        num_channels=channels, depths=[3, 3, 27, 3], hidden_sizes=[128, 256, 512, 1024]
    )
    with torch.device("meta"):
        network: nn.Module = ConvNextModel(config)
    return network.eval()
