"""Chunks are written once, when complete, from rectangles that know nothing of them."""

import numpy as np
import pytest

from stroma.io import open_writer, read_image
from stroma.io.blockwise.assemble import ArraySink, ChunkSink, Target, chunks


@pytest.mark.parametrize("side", [10, 14, 33, 200])
def test_rectangles_of_any_size_make_the_same_file(tmp_path, side):
    values = np.random.default_rng(0).random((2, 3, 70, 90)).astype(np.float32)  # z, c, y, x
    target = Target("czyx", (3, 2, 70, 90))
    memory = ArraySink(target, np.float32)
    with open_writer(
        tmp_path / "a.zarr",
        shape=target.shape,
        axes="czyx",
        dtype="float32",
        chunks=(3, 1, 32, 32),
        labels=False,
    ) as writer:
        file = ChunkSink(writer, target, 32, np.float32)
        for z in range(2):
            for rows, columns in chunks((70, 90), side):
                for sink in (memory, file):
                    sink.add({"z": z}, rows, columns, values[z][:, rows, columns])
                assert file.n_held <= 2 * 3 + side // 32 * 3
            assert file.n_held == 0
            assert file.is_done({"z": z}, slice(32, 64), slice(64, 90))
        writer.finish()
    expected = values.transpose(1, 0, 2, 3)
    np.testing.assert_array_equal(read_image(tmp_path / "a.zarr").read(), expected)
    np.testing.assert_array_equal(memory.array, expected)


def test_chunks_touched_by_a_rectangle():
    assert list(chunks((70, 90), 32, slice(31, 33), slice(64, 90))) == [
        (slice(0, 32), slice(64, 90)),
        (slice(32, 64), slice(64, 90)),
    ]
    assert len(list(chunks((70, 90), 32))) == 9
