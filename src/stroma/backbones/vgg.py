"""VGG16: convolutions of 3 x 3, and pooling between five groups of them.

Simonyan and Zisserman, Very deep convolutional networks for large-scale image recognition,
ICLR 2015, arXiv:1409.1556.
"""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

GROUPS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))


def vgg16(channels: int = 3) -> nn.Module:
    """Return the convolutional part; modules are called ``features.<n>``."""
    modules: list[nn.Module] = []
    for group in GROUPS:
        for width in group:
            modules += [nn.Conv2d(channels, width, 3, padding=1, device="meta"), nn.ReLU()]
            channels = width
        modules.append(nn.MaxPool2d(2))
    features = nn.Sequential(*modules)
    return nn.Sequential(OrderedDict(features=features)).eval()
