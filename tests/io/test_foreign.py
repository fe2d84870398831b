"""Images of other microscopes are refused with what reads them."""

import pytest

from stroma.errors import FormatError
from stroma.io import READERS, read_image
from stroma.io.foreign import BIOFORMATS, FOREIGN, advice


def test_only_bioformats_reads_any_of_them_here():
    readers = {READERS.paths[e] for e in FOREIGN & set(READERS)}
    assert readers <= {"stroma.io.microscopes.bioformats:read"}


@pytest.mark.parametrize("ending", sorted(BIOFORMATS))
def test_an_image_of_a_microscope_is_refused_with_what_reads_it(tmp_path, ending):
    said = advice(tmp_path / f"cells{ending.upper()}", ending)
    assert BIOFORMATS[ending] in said
    assert f"bfconvert cells{ending.upper()} cells.ome.tif" in said


def test_a_slide_that_bioformats_does_not_read_is_refused_with_what_does(tmp_path):
    (tmp_path / "slide.mrxs").write_bytes(b"anything")
    with pytest.raises(FormatError, match="Open it in QuPath"):
        read_image(tmp_path / "slide.mrxs")


def test_a_picture_is_refused_with_what_to_save_it_as(tmp_path):
    (tmp_path / "a.heic").write_bytes(b"anything")
    with pytest.raises(FormatError, match="Save it as TIFF or PNG"):
        read_image(tmp_path / "a.heic")


def test_any_other_ending_is_refused_with_those_that_are_read(tmp_path):
    (tmp_path / "a.doc").write_bytes(b"anything")
    with pytest.raises(FormatError, match=r"which no reader knows. Known: .*\.tif"):
        read_image(tmp_path / "a.doc")
