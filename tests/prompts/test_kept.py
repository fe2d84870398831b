"""Maps of windows on disk: whole ones only, and few of them in memory."""

import numpy as np
import pytest
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


def lose_a_chunk(path):
    next(p for p in (path / "1" / "0").rglob("*") if p.is_file() and p.name != "zarr.json").unlink()


def change_a_chunk(path):
    chunk = next(p for p in (path / "1" / "0").rglob("*") if p.is_file() and p.name != "zarr.json")
    chunk.write_bytes(chunk.read_bytes()[:-3])


def say_more_levels(path):
    zarr.open_group(path, mode="a")["1"].attrs[DONE] = 3


def garble(*names):
    return lambda path: path.joinpath(*names, "zarr.json").write_text("{damaged")


@pytest.mark.parametrize(
    "damage",
    [lose_a_chunk, change_a_chunk, say_more_levels, garble(), garble("1"), garble("1", "0")],
)
def test_damaged_maps_are_made_anew(tmp_path, damage):
    Kept(tmp_path, "image").put(1, levels(1))
    damage(tmp_path / "image.zarr")
    again = Kept(tmp_path, "image")
    assert again.get(1) is None
    again.put(1, levels(2))
    for found, known in zip(Kept(tmp_path, "image").get(1), levels(2), strict=True):
        np.testing.assert_array_equal(found, known)


def test_a_folder_that_cannot_be_written_stops_no_answer(tmp_path, caplog):
    (tmp_path / "file").write_text("no folder")
    kept = Kept(tmp_path / "file", "image")
    kept.put(1, levels(1))
    np.testing.assert_array_equal(kept.get(1)[0], levels(1)[0])
    assert "not kept on disk" in caplog.text
    assert (tmp_path / "file").read_text() == "no folder"
