"""Tests of the extractor."""

import numpy as np
from stroma_local_range import LocalRange

from stroma.testing import check_extractor


def test_local_range_keeps_the_contract():
    """All promises of an extractor: names, halo, stride, threads, pickling."""
    check_extractor(LocalRange())


def test_a_bright_pixel_raises_the_range_around_it():
    """A known answer."""
    block = np.zeros((1, 11, 11), np.float32)
    block[0, 5, 5] = 2
    (result,) = LocalRange(radius=1)(block)
    assert result.values.sum() == 2 * 9
    assert (result.values[0, 3:6, 3:6] == 2).all()
