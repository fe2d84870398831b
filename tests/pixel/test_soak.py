"""Painting for long needs no more memory than painting for a while."""

import gc
from pathlib import Path

import numpy as np
import pytest

from stroma import ConvpaintModel
from stroma.features.cache import FeatureCache

STATM = Path("/proc/self/statm")
PAGE = 4096
MEGABYTE = 2**20


def resident():
    gc.collect()
    return int(STATM.read_text().split()[1]) * PAGE


@pytest.mark.skipif(not STATM.exists(), reason="needs Linux to know the memory of a process")
def test_two_hundred_rounds_of_painting_keep_memory_flat():
    random = np.random.default_rng(0)
    image = random.normal(size=(128, 128)).astype(np.float32)
    image[:, 64:] += 2
    strokes = np.zeros(image.shape, np.uint8)
    strokes[60:64, 10:40], strokes[60:64, 80:110] = 1, 2
    model = ConvpaintModel("ilastik")
    model.set_param("clf_iterations", 5)
    model.cache = FeatureCache(12 * MEGABYTE)  # three times what the image's features need
    for number in range(200):
        y, x = random.integers(0, 120, 2)
        strokes[y : y + 3, x : x + 3] = 1 + (x > 64)
        if number % 4 == 0:  # another image: what the cache holds has to go
            image = image + np.float32(0.01)
        model.train(image, strokes)
        model.segment(image)
        assert model.cache.nbytes <= model.cache.max_bytes
        if number == 60:
            before = resident()
    assert resident() - before < 12 * MEGABYTE
