"""N5: datasets are images, read block by block, with the axes the other way round."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import json
import lzma
import os
import struct
import zlib

import numcodecs
import numpy as np
import pytest

from stroma.errors import FormatError
from stroma.io import n5, read_image, series_of

PACKED = {
    "raw": ({"type": "raw"}, bytes),
    "gzip": ({"type": "gzip"}, gzip.compress),
    "zlib": ({"type": "gzip", "useZlib": True}, zlib.compress),
    "bzip2": ({"type": "bzip2"}, bz2.compress),
    "xz": ({"type": "xz"}, lzma.compress),
    "zstd": ({"type": "zstd"}, lambda d: bytes(numcodecs.Zstd().encode(d))),
    "blosc": ({"type": "blosc"}, lambda d: bytes(numcodecs.Blosc().encode(d))),
}


def written(folder, array, block, kind="gzip", **said):
    """Write a dataset as the format has it: axes and blocks the fastest first."""
    compression, pack = PACKED[kind]
    folder.mkdir(parents=True)
    attributes = {
        "dimensions": list(reversed(array.shape)),
        "blockSize": list(reversed(block)),
        "dataType": array.dtype.name,
        "compression": compression,
        **said,
    }
    (folder / "attributes.json").write_text(json.dumps(attributes))
    counts = [-(-n // b) for n, b in zip(array.shape, block, strict=True)]
    for place in np.ndindex(*counts):
        cut = tuple(slice(p * b, (p + 1) * b) for p, b in zip(place, block, strict=True))
        values = array[cut]
        head = struct.pack(f">HH{array.ndim}I", 0, array.ndim, *reversed(values.shape))
        where = folder.joinpath(*map(str, reversed(place)))
        where.parent.mkdir(parents=True, exist_ok=True)
        data = values.astype(array.dtype.newbyteorder(">")).tobytes()
        where.write_bytes(head + pack(data))


@pytest.fixture
def path(tmp_path):
    """A folder with two datasets."""
    (tmp_path / "a.n5").mkdir()
    (tmp_path / "a.n5" / "attributes.json").write_text('{"n5": "2.5.1"}')
    return tmp_path / "a.n5"


@pytest.fixture
def stack():
    return np.random.default_rng(0).integers(0, 60000, (5, 11, 13)).astype(np.uint16)


@pytest.mark.parametrize("kind", PACKED)
def test_blocks_are_read_however_they_are_packed(path, stack, kind):
    written(path / "s0", stack, (2, 4, 5), kind)
    image = read_image(path)
    assert image.kept_axes == "zyx"
    np.testing.assert_array_equal(image.read(), stack)
    part = image.read({"z": slice(1, 4), "y": slice(3, 9), "x": slice(4, 12)})
    np.testing.assert_array_equal(part, stack[1:4, 3:9, 4:12])


def test_datasets_are_listed_with_axes_and_sizes(path, stack):
    size = {"unit": "um", "dimensions": [0.25, 0.5, 2.0]}
    written(path / "c0" / "s0", stack, (5, 4, 5), pixelResolution=size)
    written(path / "mask", stack[:, :3], (5, 3, 5), axes=["x", "y", "t"])
    assert [(s.name, s.sizes) for s in series_of(path)] == [
        ("c0/s0", {"z": 5, "y": 11, "x": 13}),
        ("mask", {"t": 5, "y": 3, "x": 13}),
    ]
    image = read_image(path)
    assert "2 images" in image.notes[0]
    assert (dict(image.spacing), image.unit) == ({"z": 2.0, "y": 0.5, "x": 0.25}, "µm")
    assert read_image(path, series=1, axes="zyx").kept_axes == "zyx"
    one = image.at(z=2)
    np.testing.assert_array_equal(one.read({"y": slice(0, 4)}), stack[2, :4])


def test_missing_blocks_are_zeros_and_damaged_ones_are_refused(path, stack):
    written(path / "s0", stack, (5, 4, 5))
    (path / "s0" / "0" / "0" / "0").unlink()
    found = read_image(path).read()
    assert not found[:, :4, :5].any()
    np.testing.assert_array_equal(found[:, 4:], stack[:, 4:])
    (path / "s0" / "1" / "0" / "0").write_bytes(b"\0\0\0\3")
    with pytest.raises(FormatError, match=r"a\.n5"):
        read_image(path).read()


def test_what_is_none_or_packed_otherwise_is_refused_by_name(path, stack, tmp_path):
    with pytest.raises(FormatError, match=r"a\.n5 has no dataset"):
        read_image(path)
    written(path / "s0", stack, (5, 4, 5))
    said = json.loads((path / "s0" / "attributes.json").read_text())
    said["compression"] = {"type": "lz4"}
    (path / "s0" / "attributes.json").write_text(json.dumps(said))
    with pytest.raises(FormatError, match="packed with lz4"):
        read_image(path)
    (path / "s0" / "attributes.json").write_text("{")
    with pytest.raises(FormatError, match=r"a\.n5"):
        read_image(path)


@pytest.mark.parametrize("kind", sorted({*PACKED} - {"raw"}))
@pytest.mark.parametrize("sides", [(5, 4, 5), (5, 4, 0)])
def test_blocks_unpack_no_further_than_to_their_size(path, stack, kind, sides, monkeypatch):
    unpacked = []
    kept = n5._unpacker

    def watched(one, where):
        unpack = kept(one, where)

        def measured(data, size):
            unpacked.append(unpack(data, size))
            return unpacked[-1]

        return measured

    monkeypatch.setattr(n5, "_unpacker", watched)
    written(path / "s0", stack, (5, 4, 5), kind)
    compress = PACKED[kind][1]
    head = struct.pack(">HH3I", 0, 3, *reversed(sides))
    (path / "s0" / "0" / "0" / "0").write_bytes(head + compress(bytes(10**6)))
    with contextlib.suppress(FormatError):
        read_image(path).read({"y": slice(0, 4), "x": slice(0, 5)})
    assert all(len(data) <= 200 for data in unpacked)


def test_what_says_what_a_dataset_is_is_a_file(path, stack):
    written(path / "s0", stack, (5, 4, 5))
    (path / "s0" / "attributes.json").unlink()
    os.mkfifo(path / "s0" / "attributes.json")
    with pytest.raises(FormatError, match=r"attributes\.json is no file"):
        read_image(path)


def test_links_to_other_places_are_not_followed(path, stack, tmp_path):
    written(tmp_path / "other", stack, (5, 4, 5))
    os.symlink(tmp_path / "other", path / "s0")
    with pytest.raises(FormatError, match="has no dataset"):
        read_image(path)


def test_a_folder_of_them_is_searched(path, stack, tmp_path):
    from stroma.workflow.applying.find import find_images

    written(path / "s0", stack, (5, 4, 5))
    assert find_images([tmp_path]) == [path]
