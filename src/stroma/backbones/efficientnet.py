"""EfficientNet-B0, as ``transformers`` has it.

Tan and Le, EfficientNet: rethinking model scaling for convolutional neural networks, ICML 2019,
arXiv:1905.11946.
"""

from __future__ import annotations

import torch
from torch import nn
from transformers import EfficientNetConfig, EfficientNetModel


def efficientnet_b0(channels: int = 3) -> nn.Module:
    """Return the network without its classifier."""
    config = EfficientNetConfig(
        num_channels=channels,
        image_size=224,
        width_coefficient=1.0,
        depth_coefficient=1.0,
        hidden_dim=1280,
        dropout_rate=0.2,
    )
    with torch.device("meta"):
        network: nn.Module = EfficientNetModel(config)
    return network.eval()
