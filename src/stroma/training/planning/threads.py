"""How many threads learn fastest, measured.

Threads that share the work of every layer wait for one another after each. Where other programs
want the processors too, one thread may be many times as fast as several.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch.nn import functional

REPEATS = 12
CHANNELS, SIDE = 16, 64

_most: ContextVar[int] = ContextVar("most", default=0)
"""How many threads there were before any were given up."""


@contextmanager
def restored() -> Iterator[None]:
    """Let `settle` change the number of threads, and put it back at the end."""
    before = torch.get_num_threads()
    token = _most.set(_most.get() or before)
    try:
        yield
    finally:
        _most.reset(token)
        torch.set_num_threads(before)


def settle(device: torch.device) -> None:
    """Use one thread or as many as there were before, whichever is faster at this moment."""
    most = _most.get() or torch.get_num_threads()
    if device.type == "cpu" and most > 1:
        torch.set_num_threads(min((most, 1), key=seconds_with))


def seconds_with(threads: int) -> float:
    """Return how long a few small convolutions and their gradients take with some threads."""
    torch.set_num_threads(threads)
    images = torch.zeros(2, CHANNELS, SIDE, SIDE, requires_grad=True)
    weight = torch.zeros(CHANNELS, CHANNELS, 3, 3, requires_grad=True)
    began = 0.0
    for number in range(REPEATS + 1):
        if number == 1:  # the first one may start threads
            began = time.monotonic()
        functional.conv2d(images, weight, padding=1).sum().backward()  # type: ignore[no-untyped-call]
    return time.monotonic() - began
