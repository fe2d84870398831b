"""Chunks of a zarr never unpack to more than the metadata says, whatever packed them."""

import bz2
import lzma
import os
import pickle
import zlib

import numcodecs
import numpy as np
import pytest
import zarr
from zarr.codecs import BloscCodec, GzipCodec, ZstdCodec

from stroma.errors import FormatError
from stroma.io import read_image
from stroma.io.omezarr.bounded import unpacked

VALUES = np.random.default_rng(0).integers(0, 9, (64, 64)).astype(np.uint16)
V2 = (
    numcodecs.Blosc(),
    numcodecs.Zlib(),
    numcodecs.GZip(),
    numcodecs.BZ2(),
    numcodecs.LZMA(),
    numcodecs.LZ4(),
    numcodecs.Zstd(),
    None,
)
V3 = (BloscCodec(), GzipCodec(), ZstdCodec())


@pytest.mark.parametrize("codec", V2, ids=lambda c: getattr(c, "codec_id", "none"))
def test_every_compressor_of_version_2_gives_the_values(tmp_path, codec):
    options = {"compressors": codec, "zarr_format": 2, "chunks": (32, 32)}
    zarr.create_array(tmp_path / "a.zarr", data=VALUES, **options)
    np.testing.assert_array_equal(read_image(tmp_path / "a.zarr").read(), VALUES)


@pytest.mark.parametrize("codec", V3, ids=lambda c: type(c).__name__)
@pytest.mark.parametrize("shards", [None, (64, 64)])
def test_every_compressor_of_version_3_gives_the_values(tmp_path, codec, shards):
    options = {"compressors": codec, "chunks": (32, 32), "shards": shards}
    zarr.create_array(tmp_path / "a.zarr", data=VALUES, **options)
    image = read_image(tmp_path / "a.zarr")
    np.testing.assert_array_equal(image.read(), VALUES)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(image.array))[:], VALUES)


@pytest.mark.parametrize("codec", V2[:-1], ids=lambda c: c.codec_id)
def test_a_chunk_that_unpacks_to_more_is_refused(tmp_path, codec):
    options = {"compressors": codec, "zarr_format": 2, "chunks": (32, 32)}
    zarr.create_array(tmp_path / "a.zarr", data=VALUES, **options)
    bomb = codec.encode(np.zeros(2**24, np.uint8))
    (tmp_path / "a.zarr" / "0.0").write_bytes(bytes(bomb))
    image = read_image(tmp_path / "a.zarr")
    with pytest.raises(FormatError, match=r"a\.zarr: A chunk unpacks to more than the 2048 bytes"):
        image.read({"y": slice(0, 5), "x": slice(0, 5)})


@pytest.mark.parametrize("codec", V3, ids=lambda c: type(c).__name__)
@pytest.mark.parametrize("shards", [None, (64, 64)])
def test_so_is_one_of_version_3(tmp_path, codec, shards):
    folder = tmp_path / "a.zarr"
    big, small = (np.zeros((n, n), np.uint16) for n in (2048, 64))
    cut = {"chunks": (2048, 2048)} | ({"shards": (2048, 2048)} if shards else {})
    zarr.create_array(folder, data=big + 1, compressors=codec, **cut)
    said = (folder / "zarr.json").read_text()
    zarr.create_array(tmp_path / "b.zarr", data=small, compressors=codec, chunks=(64, 64))
    (folder / "zarr.json").write_text(said.replace("2048", "64"))
    with pytest.raises(FormatError, match=r"a\.zarr.*unpacks to more than the 8192 bytes"):
        read_image(folder).read()


@pytest.mark.parametrize(
    ("name", "pack"), [("zlib", zlib.compress), ("bz2", bz2.compress), ("lzma", lzma.compress)]
)
def test_what_is_cut_short_is_an_error_and_the_right_size_is_not(name, pack):
    packed = pack(bytes(5000))
    assert unpacked(name, packed, 5000) == bytes(5000)
    with pytest.raises(FormatError):
        unpacked(name, packed, 4999)
    with pytest.raises(ValueError, match="cut short"):
        unpacked(name, packed[:-6], 5000)


def frame(blocks):
    """Return a frame of Zstandard that does not say its size: runs of one byte."""
    head = b"\x28\xb5\x2f\xfd" + bytes([0, 0x58])
    runs = [((2**17 << 3) | (1 << 1) | (i == blocks - 1)) for i in range(blocks)]
    return head + b"".join(run.to_bytes(3, "little") + b"\0" for run in runs)


def test_a_frame_that_does_not_say_its_size_is_judged_by_its_blocks():
    assert len(numcodecs.Zstd().decode(frame(8))) == 8 * 2**17
    assert unpacked("zstd", frame(8), 8 * 2**17) is None
    with pytest.raises(FormatError):
        unpacked("zstd", frame(1000), 2**17)


@pytest.mark.parametrize("chunks", ["[0, 0]", "[1000000, 1000000]"])
def test_chunks_that_cannot_be_are_refused(tmp_path, chunks):
    folder = tmp_path / "a.zarr"
    folder.mkdir()
    (folder / ".zarray").write_text(
        f'{{"shape": [64, 64], "chunks": {chunks}, "dtype": "<u2", "fill_value": 0, "order": "C", '
        '"filters": null, "compressor": null, "zarr_format": 2}'
    )
    with pytest.raises(FormatError, match=r"a\.zarr"):
        read_image(folder).read()


def test_a_shape_that_no_file_holds_is_refused(tmp_path):
    folder = tmp_path / "a.zarr"
    folder.mkdir()
    (folder / ".zarray").write_text(
        f'{{"shape": [{10**30}, 64], "chunks": [64, 64], "dtype": "<u2", "fill_value": 0, '
        '"order": "C", "filters": null, "compressor": null, "zarr_format": 2}'
    )
    with pytest.raises(FormatError, match=r"a\.zarr"):
        read_image(folder)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes have no names here")
@pytest.mark.parametrize("part", [".zarray", "0.0"])
def test_a_pipe_in_the_place_of_a_file_is_refused_and_not_waited_for(tmp_path, part):
    folder = tmp_path / "a.zarr"
    zarr.create_array(folder, data=VALUES, zarr_format=2, chunks=(64, 64))
    (folder / part).unlink()
    os.mkfifo(folder / part)
    if part == ".zarray":
        (folder / ".zgroup").write_text('{"zarr_format": 2}')
    with pytest.raises(FormatError, match=r"a\.zarr"):
        read_image(folder).read()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes have no names here")
def test_a_pipe_named_as_an_image_is_refused(tmp_path):
    os.mkfifo(tmp_path / "a.tif")
    with pytest.raises(FormatError, match="a pipe or a device"):
        read_image(tmp_path / "a.tif")
