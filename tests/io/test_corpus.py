"""Every format and variant gives the values, sizes and notes that it must."""

import importlib.util

import numpy as np
import pytest
import tifffile
from tests.io.corpus import CASES, values

from stroma import errors
from stroma.io import read_image
from stroma.io.tables import MICROSCOPES, READERS, ending_of


def available(case):
    return not case.needs or importlib.util.find_spec(case.needs) is not None


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_file_is_read_as_it_is(tmp_path, case):
    if not available(case):
        pytest.skip(f"needs {case.needs}")
    path = tmp_path / case.name
    expected = case.make(path)
    image = read_image(path)
    assert image.axes in (case.axes, "".join(a for a in "tczyx" if a in case.axes))
    order = [case.axes.index(a) for a in image.axes]
    np.testing.assert_array_equal(image.read(), expected.transpose(order))
    assert image.spacing == pytest.approx(case.spacing)
    assert (image.unit, image.rgb) == (case.unit, case.rgb)
    assert image.channels == case.channels
    assert (case.note in " ".join(image.notes)) if case.note else image.notes == ()


def test_every_ending_that_is_read_is_tried():
    tried = {ending_of(case.name) for case in CASES}
    alike = {".jpeg", ".tiff", ".tf2", ".tf8", ".btf", ".ndpi", ".scn", ".qptiff"}
    alike |= {".mrcs", ".map", ".ccp4", ".rec", ".st", ".ali", ".map.gz"}
    alone = {".n5", *MICROSCOPES}  # in test_n5 and test_microscopes
    assert set(READERS) <= tried | alike | alone


def test_a_part_is_read_as_the_whole_has_it(tmp_path):
    for case in CASES:
        if not available(case):
            continue
        path = tmp_path / case.name
        case.make(path)
        image = read_image(path)
        part = image.read({"y": slice(2, 7), "x": slice(3, 8)})
        np.testing.assert_array_equal(part, image.read()[..., 2:7, 3:8])


def test_a_missing_file_of_a_set_is_named(tmp_path):
    [case] = [c for c in CASES if c.name == "pair.ome.tif"]
    case.make(tmp_path / case.name)
    (tmp_path / "second.ome.tif").unlink()
    with pytest.raises(errors.MissingFileError, match=r"second\.ome\.tif is missing"):
        read_image(tmp_path / case.name)


def test_a_member_without_its_companion_says_what_is_missing(tmp_path):
    [case] = [c for c in CASES if c.name == "member.tif"]
    case.make(tmp_path / case.name)
    (tmp_path / "set.companion.ome").unlink()
    image = read_image(tmp_path / case.name)
    assert image.shape == (8, 9)
    assert "set.companion.ome" in image.notes[0]


@pytest.mark.parametrize("name", ["../pair.ome.tif", "/etc/passwd"])
def test_files_of_a_set_elsewhere_are_not_opened(tmp_path, name):
    [case] = [c for c in CASES if c.name == "pair.ome.tif"]
    case.make(tmp_path / case.name)
    data = (tmp_path / case.name).read_bytes()
    other = name[:14].ljust(14, "x").encode()
    (tmp_path / case.name).write_bytes(data.replace(b"second.ome.tif", other))
    with pytest.raises(errors.FormatError, match="same folder"):
        read_image(tmp_path / case.name)


def test_a_renamed_file_is_read_as_itself(tmp_path):
    xml = (
        '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
        '<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" SizeX="9" '
        'SizeY="8" SizeZ="1" SizeC="1" SizeT="1"><Channel ID="Channel:0:0" SamplesPerPixel="1"/>'
        '<TiffData IFD="0" PlaneCount="1"><UUID FileName="before.ome.tif">urn:uuid:1</UUID>'
        "</TiffData></Pixels></Image></OME>"
    )
    tifffile.imwrite(tmp_path / "after.ome.tif", values(8, 9), description=xml, metadata=None)
    np.testing.assert_array_equal(read_image(tmp_path / "after.ome.tif").read(), values(8, 9))


@pytest.mark.parametrize(
    ("code", "name"),
    [(34676, "SGILOG"), (32809, "THUNDERSCAN"), (6, "old-style JPEG"), (12345, "unknown")],
)
def test_a_compression_that_cannot_be_read_is_named(tmp_path, code, name):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, values(8, 9))
    data = bytearray(path.read_bytes())
    at = data.index(b"\x03\x01\x03\x00\x01\x00\x00\x00")  # the tag, a short, one of it
    data[at + 8 : at + 10] = code.to_bytes(2, "little")
    path.write_bytes(bytes(data))
    with pytest.raises(errors.FormatError, match=rf"{name}.*Save it uncompressed"):
        read_image(path)


@pytest.mark.parametrize("compression", ["lzw", "zstd"])
def test_a_compression_that_needs_a_package_names_the_extra(tmp_path, monkeypatch, compression):
    pytest.importorskip("imagecodecs")
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, values(8, 9), compression=compression)

    class Without(dict):
        def __missing__(self, key):
            if compression == "zstd":  # as without imagecodecs, before Python 3.14
                raise ModuleNotFoundError("No module named 'compression'")
            raise KeyError("requires the 'imagecodecs' package")

    monkeypatch.setattr(tifffile.TIFF, "DECOMPRESSORS", Without())
    with pytest.raises(errors.MissingExtraError, match=rf"{compression.upper()}.*\[formats\]"):
        read_image(path)


@pytest.mark.parametrize("axes", ["cyx", "tyx"])
def test_axes_that_are_named_by_the_user_are_not_doubted(tmp_path, axes):
    path = tmp_path / "lifetime.tif"
    tifffile.imwrite(path, np.zeros((5, 8, 9), np.uint8), metadata={"axes": "HYX"})
    image = read_image(path, axes=axes)
    assert (image.axes, image.notes) == (axes, ())
