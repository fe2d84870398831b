"""What is free goes back to the system."""

import sys
from pathlib import Path

import numpy as np
import pytest

from stroma.blocks.freed import _trim, freed

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux") or _trim() is None,
    reason="only glibc keeps what is free, and can be asked to give it back",
)


def used():
    """Return the megabytes of memory that this process has of its own."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith("RssAnon:")).split()[1]) / 1024


def holes():
    """Leave 150 MB of holes of a megabyte, each between small arrays that stay."""
    large = np.ones(30 * 2**20, np.uint8)
    del large  # from now on smaller arrays lie side by side, and not each by itself
    several, kept = [], []
    for _ in range(150):
        several.append(np.ones(2**20, np.uint8))
        kept.append(np.ones(2**16, np.uint8))
    return kept


def test_memory_that_is_free_goes_back_after_some_items():
    before = used()
    kept = holes()
    assert used() > before + 100, "the C library gives it back by itself: nothing to test"
    assert list(freed(range(9), every=8)) == list(range(9))
    assert used() < before + 50
    assert len(kept) == 150


def test_nothing_is_done_after_few_items():
    kept = holes()
    before = used()
    assert list(freed(range(8), every=8)) == list(range(8))
    assert used() > before - 10
    assert len(kept) == 150
