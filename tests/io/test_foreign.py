"""Images of other microscopes are refused with what reads them."""

import pytest

from stroma.errors import FormatError, MissingFileError
from stroma.io import READERS, read_image
from stroma.io.foreign import BIOFORMATS, FOREIGN, advice
from stroma.workflow.applying.find import find_images, look


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


@pytest.fixture
def foreign(monkeypatch):
    """Readers are known for what Bio-Formats reads, installed or not."""
    java = dict.fromkeys(BIOFORMATS, "stroma.io.microscopes.bioformats:read")
    monkeypatch.setitem(vars(READERS), "paths", {**READERS.paths, **java})


@pytest.mark.parametrize(
    ("names", "taken", "said"),
    [
        (
            ("A.ICS", "a.ids", "b.ids"),
            ["A.ICS", "b.ids"],
            "a.ids. They hold the pixels",
        ),
        (("a.xdce", "a 1.tif", "a 2.tif"), ["a 1.tif", "a 2.tif"], "a.xdce. They list the TIFFs"),
        (("a.vsi", "frame_t.ets"), ["a.vsi"], "frame_t.ets. They hold the pixels of a .vsi"),
        (("a.xdce", "frame_t.ets", "a_labels.tif"), ["a.xdce", "frame_t.ets"], "a_labels.tif"),
        (("a.tif", "a_seg.npy"), ["a.tif"], "a_seg.npy. They are what the window of Cellpose"),
    ],
)
@pytest.mark.usefixtures("foreign")
def test_files_that_are_parts_of_others_are_no_images_of_a_folder(tmp_path, names, taken, said):
    for name in names:
        (tmp_path / name).touch()
    found = look([tmp_path])
    assert [p.name for p in found.images] == taken
    [left_out] = map(str, found.left_out)
    assert said in left_out
    assert look([tmp_path / names[1]]).images == (tmp_path / names[1],)


@pytest.mark.usefixtures("foreign")
def test_the_pixels_of_a_slide_in_folders_of_its_own_lead_to_it(tmp_path):
    stack = tmp_path / "_slide_" / "stack1"
    stack.mkdir(parents=True)
    (stack / "frame_t.ets").touch()
    assert find_images([stack]) == [stack / "frame_t.ets"]
    (tmp_path / "slide.vsi").touch()
    with pytest.raises(MissingFileError, match=r"frame_t\.ets\. They hold .* a \.vsi\. Give that"):
        find_images([stack])
