"""Files appear whole or not at all, and what the system says names them."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from stroma.errors import FileError, MissingFileError
from stroma.io import atomic, open_writer, read_image, write_image, write_labels
from stroma.io.class_list import write_class_list

VALUES = np.ones((20, 30), np.uint16)


def failing(code):
    def fail(*_, **__):
        raise OSError(code, os.strerror(code))

    return fail


@pytest.mark.parametrize(
    ("code", "said"),
    [(errno.ENOSPC, "disk is full"), (errno.EROFS, "read-only"), (errno.EACCES, "permission")],
)
@pytest.mark.parametrize("ending", [".tif", ".ome.tif", ".png", ".npy", ".zarr"])
def test_what_the_system_says_while_writing_names_the_file(
    tmp_path, monkeypatch, ending, code, said
):
    monkeypatch.setattr(atomic, "move_into_place", failing(code))
    with pytest.raises(FileError, match=rf"a{ending} cannot be written: .*{said}"):
        write_image(tmp_path / f"a{ending}", VALUES, axes="yx")
    assert list(tmp_path.iterdir()) == []


def test_so_does_a_writer_of_blocks(tmp_path, monkeypatch):
    writer = open_writer(tmp_path / "a.tif", shape=(20, 30), dtype="u2", axes="yx", chunks=(32, 32))
    monkeypatch.setattr("stroma.io.tiff.write.os.fsync", failing(errno.ENOSPC))
    with pytest.raises(FileError, match=r"a\.tif cannot be written: the disk is full"):
        writer.write((slice(0, 20), slice(0, 30)), VALUES)
    writer.close()


def test_so_does_a_list_of_classes(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "open", failing(errno.EROFS))
    with pytest.raises(FileError, match=r"a\.csv cannot be written: the disk is read-only"):
        write_class_list(tmp_path / "a.csv", ())


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(MissingFileError, match="no folder"):
        write_image(tmp_path / "not" / "a.tif", VALUES, axes="yx")


@pytest.mark.parametrize("can", [True, False])
def test_a_zarr_is_replaced_whole(tmp_path, monkeypatch, can):
    if not can:
        monkeypatch.setattr(atomic, "exchange", lambda *_: False)
    path = tmp_path / "a.zarr"
    for n in (1, 2):
        write_labels(path, n * VALUES)
        assert read_image(path).read().max() == n
    assert [p.name for p in tmp_path.iterdir()] == ["a.zarr"]


def test_there_is_no_moment_without_a_zarr_of_that_name(tmp_path, monkeypatch):
    path = tmp_path / "a.zarr"
    write_labels(path, VALUES)
    there, swap = [], atomic.exchange

    def watched(first, second):
        there.append(second.exists())
        done = swap(first, second)
        there.append(second.exists())
        return done

    monkeypatch.setattr(atomic, "exchange", watched)
    write_labels(path, 2 * VALUES)
    assert there == [True, True]


def test_a_zarr_that_was_set_aside_when_the_process_died_comes_back(tmp_path, monkeypatch):
    path = tmp_path / "a.zarr"
    write_labels(path, VALUES)
    monkeypatch.setattr(atomic, "exchange", lambda *_: False)
    rename, names = Path.rename, []

    def dying(self, target):
        names.append(self.name)
        if len(names) == 2:
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", dying)
    with pytest.raises(KeyboardInterrupt):
        write_labels(path, 2 * VALUES)
    monkeypatch.undo()
    assert not path.exists()
    assert read_image(path).read().max() == 1
