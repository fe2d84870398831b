"""Results written block by block equal those written at once, also after a crash."""

import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from stroma.data.classes import Class
from stroma.data.image import Image
from stroma.errors import FormatError, ParameterError, ShapeError
from stroma.io import open_writer, read_image
from stroma.io.omezarr.write import boxes

SHAPE, CHUNKS = (2, 70, 90), (1, 32, 32)


@pytest.fixture
def labels():
    return np.random.default_rng(0).integers(0, 4, SHAPE).astype("uint16")


@pytest.fixture(params=["a.zarr", "a.ome.tif", "a.tif"])
def path(request, tmp_path):
    return tmp_path / request.param


def opened(path, **options):
    options = {"shape": SHAPE, "dtype": "uint16", "axes": "zyx", "chunks": CHUNKS, **options}
    return open_writer(path, **options)


def test_blocks_in_any_order_from_any_thread_make_the_whole(path, labels):
    todo = list(boxes(SHAPE, CHUNKS))
    random.Random(0).shuffle(todo)
    with opened(path) as writer, ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda box: writer.write(box, labels[box]), todo))
        assert writer.n_done == len(todo)
        assert not path.exists()
        assert writer.finish() == path
    image = read_image(path)
    assert (image.axes, image.dtype) == ("zyx", np.dtype("uint16"))
    np.testing.assert_array_equal(image.read(), labels)
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_block_may_be_several_chunks(path, labels):
    box = (slice(0, 2), slice(32, 70), slice(None))
    with opened(path) as writer:
        writer.write(box, labels[box])
        np.testing.assert_array_equal(writer.read(box), labels[box])
        writer.finish()
    expected = labels.copy()
    expected[:, :32] = 0
    np.testing.assert_array_equal(read_image(path).read(), expected)


def test_a_run_that_stopped_is_continued(path, labels):
    todo = list(boxes(SHAPE, CHUNKS))
    with opened(path) as writer:
        for box in todo[:5]:
            writer.write(box, labels[box])
    with opened(path) as writer:
        assert [writer.is_done(box) for box in todo] == [True] * 5 + [False] * (len(todo) - 5)
        for box in todo[5:]:
            writer.write(box, labels[box])
        writer.finish()
    np.testing.assert_array_equal(read_image(path).read(), labels)


def test_a_torn_last_line_does_not_count_and_does_not_spoil_the_next(path, labels):
    first, second, *_ = boxes(SHAPE, CHUNKS)
    with opened(path) as writer:
        writer.write(first, labels[first])
    journal = path.with_name(path.name + ".done")
    journal.write_bytes(journal.read_bytes() + b"0:1 0:32 32:6")
    for _ in range(2):
        with opened(path) as writer:
            assert writer.is_done(first)
            assert writer.n_done == 1 + writer.is_done(second)
            writer.write(second, labels[second])


def test_what_was_begun_with_other_parameters_is_not_continued(path):
    opened(path, fingerprint="model 1").close()
    for other in ({"fingerprint": "model 2"}, {"fingerprint": "model 1", "dtype": "uint8"}):
        with pytest.raises(ParameterError, match="resume=False"):
            opened(path, **other)
    with opened(path, fingerprint="model 2", resume=False) as writer:
        assert writer.n_done == 0
        writer.finish()


WRITE_UNTIL_KILLED = """
import os, sys
import numpy as np
from stroma.io import open_writer
from stroma.io.omezarr.write import boxes

path, shape, chunks = sys.argv[1], (2, 70, 90), (1, 32, 32)
labels = np.load(sys.argv[2])
writer = open_writer(path, shape=shape, dtype="uint16", axes="zyx", chunks=chunks)
for i, box in enumerate(boxes(shape, chunks)):
    if i == 4:
        os._exit(9)
    writer.write(box, labels[box])
"""


def test_blocks_listed_as_done_survive_a_killed_process(path, labels, tmp_path):
    np.save(tmp_path / "labels.npy", labels)
    command = [sys.executable, "-c", WRITE_UNTIL_KILLED, path, tmp_path / "labels.npy"]
    assert subprocess.run(command, check=False).returncode == 9
    with opened(path) as writer:
        done = [box for box in boxes(SHAPE, CHUNKS) if writer.is_done(box)]
        assert len(done) == 4
        for box in done:
            np.testing.assert_array_equal(writer.read(box), labels[box])


@pytest.mark.parametrize(
    ("name", "flush"),
    [("a.zarr", "stroma.io.omezarr.write.flush"), ("a.tif", "stroma.io.tiff.write.os.fsync")],
)
def test_a_block_is_not_done_before_its_values_are_on_the_disk(
    tmp_path, labels, monkeypatch, name, flush
):
    def full(*_):
        raise OSError("no space left")

    box = next(iter(boxes(SHAPE, CHUNKS)))
    with opened(tmp_path / name) as writer:
        monkeypatch.setattr(flush, full)
        with pytest.raises(OSError, match="no space"):
            writer.write(box, labels[box])
        monkeypatch.undo()
        assert not writer.is_done(box)
    with opened(tmp_path / name) as writer:
        assert not writer.is_done(box)


def test_blocks_that_share_chunks_are_refused(path, labels):
    with opened(path) as writer:
        with pytest.raises(ShapeError, match="whole chunks"):
            writer.write((slice(0, 1), slice(0, 16), slice(0, 32)), labels[:1, :16, :32])
        with pytest.raises(ShapeError, match="whole chunks"):
            writer.write((slice(0, 1), slice(16, 32), slice(0, 32)), labels[:1, 16:32, :32])
        with pytest.raises(ShapeError, match="do not fill"):
            writer.write((slice(0, 1), slice(0, 32), slice(0, 32)), labels[:1, :16, :32])
        with pytest.raises(ShapeError, match="one range per axis"):
            writer.write((slice(0, 32), slice(0, 32)), labels[0, :32, :32])
        assert writer.n_done == 0


def test_probabilities_have_named_channels_and_averaged_levels(tmp_path):
    values = np.random.default_rng(0).random((2, 600, 20), np.float32)
    like = Image(np.zeros((600, 20)), "yx", spacing={"y": 0.5, "x": 0.5}, unit="µm")
    options = {"shape": values.shape, "dtype": "float32", "axes": "cyx", "like": like}
    with open_writer(
        tmp_path / "p.zarr", labels=False, channels=["a", "b"], chunks=(2, 512, 512), **options
    ) as writer:
        for box in boxes(values.shape, (2, 512, 512)):
            writer.write(box, values[box])
        writer.finish()
    image = read_image(tmp_path / "p.zarr")
    assert (image.channels, image.spacing["y"]) == (("a", "b"), 0.5)
    np.testing.assert_allclose(
        image.levels[0].read(), values.reshape(2, 300, 2, 10, 2).mean(axis=(2, 4)), rtol=1e-5
    )


def test_classes_and_spacing_reach_the_file(tmp_path):
    like = Image(np.zeros(SHAPE), "zyx", spacing={"z": 2.0, "y": 0.5, "x": 0.5}, unit="µm")
    for name in ("a.zarr", "a.tif"):
        with opened(tmp_path / name, axes="", like=like, classes=[Class(1, "cell")]) as writer:
            writer.finish()
        image = read_image(tmp_path / name)
        assert (image.axes, image.unit) == ("zyx", "µm")
        assert image.spacing == pytest.approx(like.spacing)


def test_formats_that_cannot_be_written_in_blocks_are_refused(tmp_path):
    with pytest.raises(FormatError, match=r"only \.zarr"):
        opened(tmp_path / "a.png")
    with pytest.raises(ShapeError, match="multiples of 16"):
        opened(tmp_path / "a.tif", chunks=(1, 30, 32))


def test_discarding_leaves_nothing(path, labels):
    writer = opened(path)
    box = next(iter(boxes(SHAPE, CHUNKS)))
    writer.write(box, labels[box])
    writer.discard()
    assert list(path.parent.iterdir()) == []
