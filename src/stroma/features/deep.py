"""What the extractors with pretrained networks have in common."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

BATCH_PIXELS = {"cpu": 1 << 20, "cuda": 1 << 23, "mps": 1 << 21}
"""Pixels that go through a network at once, by kind of device; bounds memory, not results."""

one_at_a_time = threading.Lock()
"""Held while a network runs: torch uses all processors by itself, and memory is that of one run."""


def repeats_one_channel(block: NDArray[np.float32]) -> bool:
    """Tell whether all channels of a (C, y, x) block are one and the same.

    That is so for one channel, and for a channel repeated by ``numpy.broadcast_to``, which is how
    a channel series comes.
    """
    return len(block) == 1 or block.strides[0] == 0


def network_input(block: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the block with the channels a network is given: three, or one for all three."""
    return block[:1] if repeats_one_channel(block) else block


def batches(blocks: Sequence[NDArray[np.float32]], device: torch.device) -> Iterator[torch.Tensor]:
    """Yield (N, C, y, x) tensors on the device, of no more than so many pixels.

    Parameters
    ----------
    blocks : sequence of (C, y, x) arrays
        All of the same shape, with 1 or 3 channels.
    device : torch.device
        Where to put them.
    """
    pixels = max(1, blocks[0][0].size)
    size = max(1, BATCH_PIXELS.get(device.type, BATCH_PIXELS["cpu"]) // pixels)
    for start in range(0, len(blocks), size):
        stacked = np.stack(blocks[start : start + size])
        yield torch.from_numpy(stacked).to(device)
