"""Digests of what images hold."""

import numpy as np
import pytest

from stroma import Image
from stroma.data import content as place
from stroma.data.content import content

VALUES = np.random.default_rng(0).normal(size=(3, 8, 9))


def test_equal_pixels_have_equal_digests_however_they_lie_in_memory():
    digest = content(Image(VALUES, "zyx"))
    assert content(Image(np.asfortranarray(VALUES), "zyx")) == digest
    assert content(Image(np.stack([VALUES[::-1]] * 2)[0][::-1], "zyx")) == digest


@pytest.mark.parametrize(
    "other", [VALUES + 1e-9, VALUES.astype(np.float32), VALUES.reshape(3, 9, 8), VALUES[:2]]
)
def test_other_values_types_and_shapes_have_other_digests(other):
    assert content(Image(other, "zyx")) != content(Image(VALUES, "zyx"))


def test_the_digest_of_a_cut_is_that_of_its_pixels():
    assert content(Image(VALUES, "zyx").at(z=1)) == content(Image(VALUES[1], "yx"))


def test_an_array_changed_in_place_has_another_digest_as_a_new_image():
    values = VALUES.copy()
    before = content(Image(values, "zyx"))
    values[0, 0, 0] += 1
    assert content(Image(values, "zyx")) != before


def test_lazy_and_large_arrays_are_not_read(monkeypatch, tmp_path):
    class Lazy:
        shape, dtype = VALUES.shape, VALUES.dtype

        def __getitem__(self, key):
            raise AssertionError("read")

    assert content(Image(Lazy(), "zyx")) is None
    np.save(tmp_path / "a.npy", VALUES)
    assert content(Image(np.load(tmp_path / "a.npy", mmap_mode="r"), "zyx")) is None
    monkeypatch.setattr(place, "LARGEST", 100)
    assert content(Image(VALUES, "zyx")) is None
    assert content(Image(VALUES, "zyx").at(z=0)) is not None
