"""Painting for long needs no more memory than painting for a while."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

STATM = Path("/proc/self/statm")
MEGABYTE = 2**20

ROUNDS = """
import gc
import numpy as np
from stroma import ConvpaintModel
from stroma.features.cache import FeatureCache

def resident():
    gc.collect()
    return int(open("/proc/self/statm").read().split()[1]) * 4096

random = np.random.default_rng(0)
image = random.normal(size=(128, 128)).astype(np.float32)
image[:, 64:] += 2
strokes = np.zeros(image.shape, np.uint8)
strokes[60:64, 10:40], strokes[60:64, 80:110] = 1, 2
model = ConvpaintModel("ilastik")
model.set_param("clf_iterations", 5)
model.cache = FeatureCache(12 * 2**20)  # three times what the image's features need
held = []
for number in range(200):
    y, x = random.integers(0, 120, 2)
    strokes[y : y + 3, x : x + 3] = 1 + (x > 64)
    if number % 4 == 0:  # another image: what the cache holds has to go
        image = image + np.float32(0.01)
    model.train(image, strokes)
    model.segment(image)
    assert model.cache.nbytes <= model.cache.max_bytes
    held.append(resident())
print(int(np.median(held[150:]) - np.median(held[50:100])))
"""


@pytest.mark.skipif(not STATM.exists(), reason="needs Linux to know the memory of a process")
def test_two_hundred_rounds_of_painting_keep_memory_flat():
    # in a process of its own: what other tests gave back would be taken again here
    plain = {**os.environ, "MALLOC_ARENA_MAX": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", ROUNDS]
    said = subprocess.run(command, capture_output=True, text=True, env=plain)
    assert said.returncode == 0, said.stderr
    assert int(said.stdout) < 8 * MEGABYTE  # 20,000 numbers kept in each round were 16
