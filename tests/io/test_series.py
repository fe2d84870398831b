"""A file with several images says so, lists them, and gives the one asked for."""

import numpy as np
import pytest
import tifffile
import zarr

from stroma.errors import FormatError, MissingFileError
from stroma.io import read_image, series_of


def ome_tiff(path, shapes, names):
    with tifffile.TiffWriter(path, ome=True) as file:
        for i, (shape, name) in enumerate(zip(shapes, names, strict=True)):
            values = np.full(shape, i + 1, np.uint8)
            said = {"axes": "YX", "Name": name, "PhysicalSizeX": i + 1.0, "PhysicalSizeY": i + 1.0}
            file.write(values, metadata=said)


def group(path, scales=(), version=2, **extra):
    made = zarr.open_group(path, mode="w", zarr_format=version)
    multiscales = []
    for i, value in enumerate(scales):
        made.create_array(str(i), data=np.full((8, 9), value, np.uint8))
        axes = [{"name": a, "type": "space"} for a in "yx"]
        datasets = [{"path": str(i), "coordinateTransformations": []}]
        multiscales.append({"name": f"scale {i}", "axes": axes, "datasets": datasets})
    said = {**({"multiscales": multiscales} if scales else {}), **extra}
    made.attrs.update(said if version == 2 else {"ome": {"version": "0.5", **said}})
    return path


def test_series_of_an_ome_tiff_are_named_with_their_sizes(tmp_path):
    path = tmp_path / "a.ome.tif"
    ome_tiff(path, [(20, 30), (40, 50), (8, 9)], ["overview", "left", "right"])
    found = series_of(path)
    assert [(s.number, s.name) for s in found] == [(0, "overview"), (1, "left"), (2, "right")]
    assert [dict(s.sizes) for s in found][1] == {"y": 40, "x": 50}


def test_the_first_is_read_and_the_others_are_told(tmp_path, caplog):
    path = tmp_path / "a.ome.tif"
    ome_tiff(path, [(20, 30), (40, 50)], ["overview", "left"])
    [note] = read_image(path).notes
    assert "holds 2 images" in note
    assert "1 'left' (40 y x 50 x)" in note
    assert "series=" in note
    assert note in caplog.text


@pytest.mark.parametrize("number", [0, 1, 2])
def test_the_one_asked_for_is_read_with_its_own_spacing_and_no_note(tmp_path, number):
    path = tmp_path / "a.ome.tif"
    ome_tiff(path, [(20, 30), (40, 50), (8, 9)], ["", "", ""])
    image = read_image(path, series=number)
    assert image.read().max() == number + 1
    assert image.spacing["x"] == number + 1
    assert image.notes == ()
    assert image.read_with["series"] == number


def test_an_image_without_planes_does_not_shift_the_spacing_of_the_next(tmp_path):
    path = tmp_path / "a.ome.tif"
    ome_tiff(path, [(20, 30), (40, 50)], ["empty", "real"])
    with tifffile.TiffFile(path) as file:
        xml = file.ome_metadata
    first, second = xml.split("<TiffData", 2)[1:]
    without = xml.replace("<TiffData" + first.split(">", 1)[0] + ">", "<MetadataOnly/>", 1)
    without = without.replace("</TiffData>", "", 1) if "</TiffData>" in first else without
    assert second in without
    with tifffile.TiffWriter(path) as file:
        for i in range(2):
            values = np.full((20 * (i + 1), 30 + 20 * i), i + 1, np.uint8)
            file.write(values, description=without if i == 0 else None, metadata=None)
    image = read_image(path)
    assert image.shape == (40, 50)
    assert image.spacing["x"] == 2.0


def test_pages_of_another_size_are_told(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        for shape in ((20, 30), (20, 30), (7, 9)):
            file.write(np.zeros(shape, np.uint8), metadata=None)
    image = read_image(tmp_path / "a.tif")
    assert image.shape == (2, 20, 30)
    assert "(7 y x 9 x)" in image.notes[0]
    assert read_image(tmp_path / "a.tif", series=1).shape == (7, 9)


@pytest.mark.parametrize("version", [2, 3])
def test_fields_of_a_well_are_series(tmp_path, version):
    well = group(
        tmp_path / "1.zarr", version=version, well={"images": [{"path": "0"}, {"path": "1"}]}
    )
    for i in range(2):
        group(well / str(i), [i + 1], version)
    assert len(series_of(well)) == 2
    assert "holds 2 images" in read_image(well).notes[0]
    assert [read_image(well, series=i).read().max() for i in range(2)] == [1, 2]


def test_fields_of_a_plate_are_series_but_none_is_taken_unasked(tmp_path):
    plate = group(tmp_path / "p.zarr", plate={"wells": [{"path": "A/1"}, {"path": "B/2"}]})
    for k, well in enumerate(("A/1", "B/2")):
        group(plate / well, well={"images": [{"path": "0"}, {"path": "1"}]})
        for i in range(2):
            group(plate / well / str(i), [10 * k + i + 1])
    assert [s.name for s in series_of(plate)] == ["A/1/0", "A/1/1", "B/2/0", "B/2/1"]
    with pytest.raises(FormatError, match=r"plate of 4 fields.*p\.zarr/A/1/0"):
        read_image(plate)
    assert read_image(plate, series=3).read().max() == 12


def test_converted_series_and_several_scales_of_one_group(tmp_path):
    group(tmp_path / "a.zarr")
    for i in range(3):
        group(tmp_path / "a.zarr" / str(i), [i])
    assert [s.number for s in series_of(tmp_path / "a.zarr")] == [0, 1, 2]
    assert "holds 3 images" in read_image(tmp_path / "a.zarr").notes[0]
    group(tmp_path / "b.zarr", [4, 5])
    assert [s.name for s in series_of(tmp_path / "b.zarr")] == ["scale 0", "scale 1"]
    assert read_image(tmp_path / "b.zarr", series=1).read().max() == 5


def test_one_image_is_one_series_and_a_number_beyond_is_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((8, 9)))
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((8, 9), np.uint8))
    group(tmp_path / "a.zarr", [1])
    for ending in ("npy", "tif", "zarr"):
        path = tmp_path / f"a.{ending}"
        assert len(series_of(path)) == 1
        assert read_image(path).notes == ()
        with pytest.raises(FormatError, match="holds one image, so there is no number 1"):
            read_image(path, series=1)
    with pytest.raises(MissingFileError):
        series_of(tmp_path / "b.tif")


def test_a_field_that_is_listed_but_not_there_is_named(tmp_path):
    well = group(tmp_path / "w.zarr", well={"images": [{"path": "0"}, {"path": "1"}]})
    group(well / "0", [1])
    with pytest.raises(FormatError, match=r"w\.zarr"):
        read_image(well, series=1)
