"""Values are read where they lie, box by box, and a file that changes is an error, not a crash."""

import os
import pickle

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from stroma.errors import FormatError
from stroma.io import raw, read_image
from stroma.io.raw import RawArray

SHAPE = (3, 4, 20, 30)


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    values = np.random.default_rng(0).integers(0, 60000, SHAPE).astype(">u2")
    path = tmp_path_factory.mktemp("raw") / "a.bin"
    path.write_bytes(b"head" + values.tobytes())
    return path, values


def keys(n):
    cut = st.tuples(st.integers(0, n), st.integers(0, n), st.integers(1, 3)).map(
        lambda t: slice(min(t[:2]), max(t[:2]), t[2])
    )
    return st.integers(-n, n - 1) | cut | st.just(slice(None))


@settings(max_examples=200, deadline=None)
@given(st.tuples(*map(keys, SHAPE)), st.sampled_from([0, 40, 2**14]))
def test_every_box_is_that_of_numpy(stored, key, gap):
    path, values = stored
    before = raw.GAP_BYTES
    raw.GAP_BYTES = gap
    try:
        array = RawArray(path, 4, SHAPE, ">u2")
        np.testing.assert_array_equal(array[key], values[key])
        array.close()
    finally:
        raw.GAP_BYTES = before


def test_a_system_without_reads_at_a_place_reads_the_same(stored, monkeypatch):
    path, values = stored
    monkeypatch.delattr(os, "preadv")
    array = RawArray(path, 4, SHAPE, ">u2")
    np.testing.assert_array_equal(array[1:, 2, ::2], values[1:, 2, ::2])
    array.close()


def write(path, values):
    if path.suffix == ".npy":
        np.save(path, values)
    else:
        tifffile.imwrite(path, values)


@pytest.mark.parametrize("name", ["a.tif", "a.npy"])
@pytest.mark.parametrize("change", ["cut", "overwrite", "replace"])
def test_a_file_that_changes_while_it_is_open_is_refused(tmp_path, name, change):
    path = tmp_path / name
    write(path, np.ones((300, 400), np.uint16))
    image = read_image(path)
    assert image.read({"y": slice(0, 5)}).all()
    if change == "cut":
        os.truncate(path, 500)
    elif change == "overwrite":
        with path.open("r+b") as file:
            file.write(b"other" * 3)
        os.utime(path, ns=(1, 1))
    else:
        write(tmp_path / f"other{path.suffix}", np.zeros((300, 400), np.uint16))
        os.utime(tmp_path / f"other{path.suffix}", ns=(1, 1))
        (tmp_path / f"other{path.suffix}").replace(path)
    with pytest.raises(FormatError, match=rf"{name} (was changed|has become shorter)"):
        image.read()


def test_another_process_does_not_mix_in_another_file(tmp_path):
    path = tmp_path / "a.npy"
    write(path, np.ones((30, 40), np.uint16))
    sent = pickle.dumps(read_image(path).array)
    write(path, np.zeros((30, 40), np.uint16))
    os.utime(path, ns=(1, 1))
    with pytest.raises(FormatError, match="was changed"):
        pickle.loads(sent)[:]


def test_a_file_that_is_removed_can_still_be_read(tmp_path):
    path = tmp_path / "a.npy"
    write(path, np.ones((30, 40), np.uint16))
    image = read_image(path)
    image.read({"y": slice(0, 5)})
    path.unlink()
    assert image.read().all()
