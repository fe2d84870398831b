"""What the extractors with pretrained networks have in common."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray

from stroma.errors import DeviceError

_one_at_a_time = threading.Lock()


@contextmanager
def inference(place: torch.device) -> Iterator[None]:
    """Let a network run, and no other: torch uses all processors by itself, and memory is scarce.

    Raises
    ------
    DeviceError
        If the device has too little memory.
    """
    with _one_at_a_time, torch.inference_mode():
        try:
            yield
        except torch.OutOfMemoryError as error:
            raise DeviceError(
                f"The network does not fit in the memory that is left on {str(place)!r}. Close "
                f"other programs that use it, or compute on the processor (fe_use_gpu='cpu')."
            ) from error


def repeats_one_channel(block: NDArray[np.float32]) -> bool:
    """Tell whether all channels of a (C, y, x) block are one and the same.

    That is so for one channel, and for a channel repeated by ``numpy.broadcast_to``, which is how
    a channel series comes.
    """
    return len(block) == 1 or block.strides[0] == 0


def network_input(block: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the block with the channels a network is given: three, or one for all three."""
    return block[:1] if repeats_one_channel(block) else block


def batches(
    blocks: Sequence[NDArray[np.float32]], pixels: int
) -> Iterator[tuple[list[int], NDArray[np.float32]]]:
    """Yield the positions of blocks that go through a network together, and their values.

    Parameters
    ----------
    blocks : sequence of (C, y, x) arrays
        As extractors get them.
    pixels : int
        No more than so many are in a batch of several blocks.

    Yields
    ------
    members : list of int
        Which blocks.
    values : (N, C, y, x) array
        With 1 or 3 channels.
    """
    images = [network_input(block) for block in blocks]
    alike: dict[tuple[int, ...], list[int]] = {}
    for position, image in enumerate(images):
        alike.setdefault(image.shape, []).append(position)
    for (_, height, width), members in alike.items():
        size = max(1, pixels // (height * width))
        for start in range(0, len(members), size):
            part = members[start : start + size]
            yield part, np.stack([images[i] for i in part])
