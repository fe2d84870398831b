"""Maps of windows on disk: whole ones only, and few of them in memory."""

import numpy as np
import zarr

from stroma.prompts.sam.kept import DONE, IN_MEMORY, Kept


def levels(number):
    return [np.full((2, 3, 4), number, np.float32), np.full((2, 1, 2), -number, np.float32)]


def test_maps_are_read_again_and_few_are_held(tmp_path):
    first = Kept(tmp_path, "image")
    for number in range(IN_MEMORY + 3):
        first.put(number, levels(number))
    assert len(first._held) == IN_MEMORY
    for kept in (first, Kept(tmp_path, "image")):
        for number in range(IN_MEMORY + 3):
            for found, known in zip(kept.get(number), levels(number), strict=True):
                np.testing.assert_array_equal(found, known)
    assert Kept(tmp_path, "other").get(0) is None


def test_maps_whose_writing_was_cut_short_are_not_taken(tmp_path):
    Kept(tmp_path, "image").put(1, levels(1))
    group = zarr.open_group(tmp_path / "image.zarr", mode="a")["1"]
    del group["1"]
    del group.attrs[DONE]
    again = Kept(tmp_path, "image")
    assert again.get(1) is None
    again.put(1, levels(1))
    assert len(Kept(tmp_path, "image").get(1)) == 2
