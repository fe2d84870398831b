"""Damaged and misleading files are read or refused: no crash, no hang, no foreign error."""

import struct
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import tifffile

from stroma.errors import FormatError
from stroma.io import read_image, series_of

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "hostile.py"


@pytest.mark.skipif(sys.platform == "win32", reason="the script sets limits of processes")
def test_some_hundred_damaged_files_make_no_trouble(tmp_path):
    command = [sys.executable, str(SCRIPT), "--count", "420", "--keep", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout.splitlines()[-1]
    counts = {" ".join(words[1:]): int(words[0]) for words in map(str.split, said[3:].split(","))}
    assert counts["read"] > 20, said
    assert counts["refused"] > 100


def looped(path, pages, target, **options):
    """Write a TIFF whose last page names another as the one that follows it."""
    with tifffile.TiffWriter(path, **options) as file:
        for _ in range(pages):
            file.write(np.ones((4, 4), np.uint8), metadata=None)
    with tifffile.TiffFile(path) as file:
        form = file.tiff
        places = [page.offset for page in file.pages]
        tags = len(file.pages[pages - 1].tags)
    at = places[-1] + form.tagnosize + tags * form.tagsize
    data = bytearray(path.read_bytes())
    assert not any(data[at : at + form.offsetsize])  # where the chain ended
    struct.pack_into(form.offsetformat, data, at, places[target])
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize(("pages", "target"), [(1, 0), (3, 1), (500, 0)])
def test_pages_that_form_a_loop_are_refused_and_do_not_hang(tmp_path, pages, target, big):
    looped(tmp_path / "a.tif", pages, target, bigtiff=big)
    for read in (read_image, series_of):
        with pytest.raises(FormatError, match=r"a\.tif is damaged: its pages form a loop"):
            read(tmp_path / "a.tif")


def test_a_page_within_itself_does_not_hang(tmp_path):
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as file:
        file.write(np.ones((8, 8), np.uint8), subifds=1, metadata=None)
        file.write(np.ones((4, 4), np.uint8), subfiletype=1, metadata=None)
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        tag, place = page.tags[330], page.offset
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, tag.valueoffset, place)
    path.write_bytes(bytes(data))
    with suppress(FormatError):
        assert read_image(path).shape == (8, 8)
