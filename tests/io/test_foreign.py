"""Images of other microscopes are refused with what reads them."""

import pytest

from stroma.errors import FormatError
from stroma.io import READERS, read_image
from stroma.io.foreign import FOREIGN, MICROSCOPES


def test_none_of_them_has_a_reader():
    assert not FOREIGN & set(READERS)


@pytest.mark.parametrize("ending", sorted(MICROSCOPES))
def test_an_image_of_a_microscope_is_refused_with_what_reads_it(tmp_path, ending):
    path = tmp_path / f"cells{ending.upper()}"
    path.write_bytes(b"anything")
    with pytest.raises(FormatError) as said:
        read_image(path)
    assert MICROSCOPES[ending] in str(said.value)
    assert f"bfconvert cells{ending.upper()} cells.ome.tif" in str(said.value)


def test_a_picture_is_refused_with_what_to_save_it_as(tmp_path):
    (tmp_path / "a.heic").write_bytes(b"anything")
    with pytest.raises(FormatError, match="Save it as TIFF or PNG"):
        read_image(tmp_path / "a.heic")


def test_any_other_ending_is_refused_with_those_that_are_read(tmp_path):
    (tmp_path / "a.doc").write_bytes(b"anything")
    with pytest.raises(FormatError, match=r"which no reader knows. Known: .*\.tif"):
        read_image(tmp_path / "a.doc")
