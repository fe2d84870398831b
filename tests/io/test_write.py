"""What is written is read back, whole, with its axes, spacing, names and classes."""

import json

import numpy as np
import pytest
import tifffile
import zarr
from PIL import Image as Picture

from stroma.data.classes import Class
from stroma.data.image import Image
from stroma.errors import FileError, FormatError, MissingFileError, ParameterError, ShapeError
from stroma.io import WRITERS, read_image, write_image, write_labels
from stroma.io.blockwise.writer import open_writer
from stroma.io.omezarr.write import halve

CLASSES = (Class(1, "nucleus", "#ff0000"), Class(2, "Ümlaut & <x>", "#00ff00"))
SPACING = {"z": 2.0, "y": 0.5, "x": 0.25}


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("ending", sorted(WRITERS))
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_every_writer_round_trips_a_plane_of_labels(tmp_path, rng, ending, dtype):
    labels = rng.integers(0, 3, (40, 50)).astype(dtype)
    written = write_labels(tmp_path / f"a{ending}", labels)
    image = read_image(written)
    assert image.dtype == dtype
    np.testing.assert_array_equal(image.read(), labels)
    assert [p.name for p in tmp_path.iterdir()] == [f"a{ending}"]


INTEGERS = ["bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]
SWAPPED = [">i2", ">u2", ">i4", ">u4", ">i8", ">u8"]


@pytest.mark.parametrize("ending", sorted(WRITERS))
@pytest.mark.parametrize("dtype", [*INTEGERS, *SWAPPED, "float16", "float64", "complex64", "U3"])
def test_labels_of_every_type_are_kept_or_refused_in_words(tmp_path, ending, dtype):
    labels = np.array([[0, 1], [1, 100]]).astype(dtype)
    path = tmp_path / f"a{ending}"
    if np.dtype(dtype).kind not in "biu":
        with pytest.raises(ParameterError, match=r"integers|numbers"):
            write_labels(path, labels)
        assert not path.exists()
        return
    np.testing.assert_array_equal(read_image(write_labels(path, labels)).read(), labels)


@pytest.mark.parametrize("ending", sorted(WRITERS))
@pytest.mark.parametrize("value", [2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**63 - 1, -(2**31), -1])
def test_large_and_negative_labels_are_kept_or_refused_in_words(tmp_path, ending, value):
    labels, path = np.array([[0, value]], np.int64), tmp_path / f"a{ending}"
    fits = {".png": 0 <= value < 2**16, ".npy": True, ".zarr": True}
    if fits.get(ending, -(2**31) <= value < 2**32):
        np.testing.assert_array_equal(read_image(write_labels(path, labels)).read(), labels)
        return
    with pytest.raises(FormatError, match=rf"holds integers .* {value}.*Write .*OME-Zarr instead"):
        write_labels(path, labels)
    assert not path.exists()


@pytest.mark.parametrize("ending", [".tif", ".ome.tif", ".npy", ".zarr"])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_images_of_every_float_are_kept(tmp_path, ending, dtype):
    values = np.linspace(0, 1, 12).reshape(3, 4).astype(dtype)
    path = write_image(tmp_path / f"a{ending}", values, axes="yx")
    np.testing.assert_array_equal(read_image(path).read(), values)


def test_lists_are_written_as_arrays_are(tmp_path):
    path = write_labels(tmp_path / "a.tif", [[0, 1], [2, 3]])
    np.testing.assert_array_equal(read_image(path).read(), [[0, 1], [2, 3]])


@pytest.mark.parametrize("ending", [".tif", ".ome.tif", ".zarr"])
@pytest.mark.parametrize("dtype", [*INTEGERS, *SWAPPED, "float16"])
def test_blocks_of_every_type_are_kept_or_refused_in_words(tmp_path, ending, dtype):
    values, path = np.ones((20, 30)).astype(dtype), tmp_path / f"a{ending}"
    if ending != ".zarr" and np.dtype(dtype).newbyteorder("=") in (bool, "i8", "u8", "f2"):
        with pytest.raises(ParameterError, match=r"not written block by block .*; give \w+"):
            open_writer(path, shape=values.shape, dtype=dtype, axes="yx")
        return
    with open_writer(path, shape=values.shape, dtype=dtype, axes="yx") as writer:
        writer.write((slice(0, 20), slice(0, 30)), values)
        writer.finish()
    np.testing.assert_array_equal(read_image(path).read(), values)


@pytest.mark.parametrize("ending", [".tif", ".ome.tif", ".zarr"])
@pytest.mark.parametrize("dtype", ["bool", "uint8", "uint16", "int32", "uint32", "float32"])
def test_stacks_round_trip_with_axes_spacing_and_unit(tmp_path, rng, ending, dtype):
    values = rng.integers(0, 2, (2, 3, 2, 20, 30)).astype(dtype)
    spacing = {**SPACING, "t": 4.0}
    if dtype == "uint32" and ending != ".zarr":
        values += 2**20
    path = write_image(tmp_path / f"a{ending}", values, axes="tczyx", spacing=spacing, unit="um")
    image = read_image(path)
    assert (image.axes, image.unit, image.dtype) == ("tczyx", "µm", np.dtype(dtype))
    assert image.spacing == pytest.approx(spacing)
    np.testing.assert_array_equal(image.read(), values)


@pytest.mark.parametrize("ending", [".png", ".tif", ".ome.tif", ".zarr"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_colours_round_trip(tmp_path, rng, ending, dtype):
    values = rng.integers(0, 255, (3, 20, 30)).astype(dtype)
    image = read_image(write_image(tmp_path / f"a{ending}", values, axes="cyx", rgb=True))
    np.testing.assert_array_equal(image.read(), values)
    assert image.rgb or (ending, dtype) == (".tif", "uint16")  # ImageJ has no 16 bit colours


@pytest.mark.parametrize("axes", ["cyx", "czyx", "tczyx"])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("ending", [".tif", ".ome.tif", ".zarr"])
def test_channel_names_of_stacks_and_movies_round_trip(tmp_path, rng, ending, dtype, axes):
    shape = tuple({"c": 3, "y": 20, "x": 30}.get(a, 2) for a in axes)
    values, names = rng.integers(0, 255, shape).astype(dtype), ("dark é", "mid", "bright")
    image = read_image(write_image(tmp_path / f"a{ending}", values, axes=axes, channels=names))
    assert image.channels == names
    np.testing.assert_array_equal(image.read(), values)


@pytest.mark.parametrize("ending", [".tif", ".ome.tif", ".zarr"])
def test_channel_names_round_trip(tmp_path, rng, ending):
    values = rng.integers(0, 255, (2, 20, 30)).astype("uint8")
    path = write_image(tmp_path / f"a{ending}", values, axes="cyx", channels=["DAPI", "GFP"])
    assert read_image(path).channels == ("DAPI", "GFP")


def test_labels_take_axes_and_spacing_of_their_image(tmp_path):
    image = Image(np.zeros((3, 2, 8, 9)), "tcyx", spacing={"y": 0.5, "x": 0.5}, unit="µm")
    path = write_labels(tmp_path / "a.tif", np.ones((3, 8, 9), np.uint8), like=image)
    assert (read_image(path).axes, read_image(path).spacing["x"]) == ("tyx", 0.5)
    with pytest.raises(ShapeError, match="do not fit an image"):
        write_labels(tmp_path / "a.tif", np.ones((3, 8, 8), np.uint8), like=image)


def test_label_png_with_classes_shows_their_colours_and_stores_labels(tmp_path):
    labels = np.array([[0, 1], [2, 1]], np.uint8)
    path = write_labels(tmp_path / "a.png", labels, classes=CLASSES)
    with Picture.open(path) as picture:
        assert picture.mode == "P"
        np.testing.assert_array_equal(np.asarray(picture), labels)
        assert picture.convert("RGB").getpixel((1, 0)) == (255, 0, 0)


def test_imagej_tiff_is_what_imagej_writes(tmp_path):
    labels = np.ones((4, 20, 30), np.uint8)
    image = Image(labels, "zyx", spacing=SPACING, unit="µm")
    path = write_labels(tmp_path / "a.tif", labels, like=image, classes=CLASSES)
    with tifffile.TiffFile(path) as file:
        said = file.imagej_metadata
        assert (said["slices"], said["unit"], said["spacing"]) == (4, "micron", 2.0)
        assert list(said["LUTs"][:, 1]) == [255, 0, 0]
        assert file.pages[0].resolution == (4.0, 2.0)


def test_ome_xml_written_is_well_formed_and_names_the_classes(tmp_path):
    path = write_labels(tmp_path / "a.ome.tif", np.ones((20, 30), np.uint8), classes=CLASSES)
    with tifffile.TiffFile(path) as file:
        assert 'K="1">#ff0000 nucleus<' in file.ome_metadata
        assert "Ümlaut &amp; &lt;x&gt;" in file.ome_metadata


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_zarr_labels_have_pyramid_colours_and_names(tmp_path, rng, version):
    labels = rng.integers(0, 3, (2, 700, 1100)).astype("uint16")
    image = Image(labels, "zyx", spacing=SPACING, unit="µm")
    path = write_labels(
        tmp_path / "a.zarr", labels, like=image, classes=CLASSES, ome_version=version
    )
    attributes = zarr.open_group(path, mode="r").attrs.asdict()
    said = attributes if version == "0.4" else attributes["ome"]
    assert said["image-label"]["colors"][0] == {"label-value": 1, "rgba": [255, 0, 0, 255]}
    assert said["image-label"]["properties"][1]["name"] == "Ümlaut & <x>"
    written = read_image(path)
    assert [level.shape for level in written.levels] == [(2, 350, 550), (2, 175, 275)]
    assert written.levels[1].spacing == pytest.approx({"z": 2.0, "y": 2.0, "x": 1.0})
    np.testing.assert_array_equal(written.levels[1].read(), labels[:, ::4, ::4])
    assert json.loads((path / (".zattrs" if version == "0.4" else "zarr.json")).read_text())


def test_zarr_levels_of_intensities_are_means(tmp_path):
    values = np.zeros((1030, 4), np.uint8)
    values[1::2] = 10
    path = write_image(tmp_path / "a.zarr", values, axes="yx")
    (first, second) = read_image(path).levels
    assert first.shape == (515, 2)
    assert (first.read() == 5).all()
    assert second.shape == (258, 1)


def test_halving_an_odd_side_keeps_the_last_sample():
    values = np.array([[0, 2, 7]], np.uint8)
    np.testing.assert_array_equal(halve(values, [0, 1], mean=True), [[1, 7]])
    np.testing.assert_array_equal(halve(values, [0, 1], mean=False), [[0, 7]])


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_labels_within_an_image_are_listed_in_it(tmp_path, version):
    values = np.ones((20, 30), np.uint8)
    image = write_image(tmp_path / "a.zarr", values, axes="yx", ome_version=version)
    for name in ("cells", "nuclei", "cells"):
        write_labels(image / "labels" / name, values)
    attributes = zarr.open_group(image / "labels", mode="r").attrs.asdict()
    said = attributes if version == "0.4" else attributes["ome"]
    assert said["labels"] == ["cells", "nuclei"]
    np.testing.assert_array_equal(read_image(image / "labels" / "nuclei").read(), values)
    np.testing.assert_array_equal(read_image(image).read(), values)


def test_what_was_there_is_replaced(tmp_path):
    for ending in (".tif", ".zarr"):
        for value in (1, 2):
            path = write_labels(tmp_path / f"a{ending}", np.full((20, 30), value, np.uint8))
        assert (read_image(path).read() == 2).all()
    assert len(list(tmp_path.iterdir())) == 2


def test_a_failed_write_leaves_what_was_there(tmp_path):
    path = write_labels(tmp_path / "a.png", np.ones((5, 6), np.uint8))
    with pytest.raises(FormatError, match=r"^A PNG holds one plane"):
        write_labels(path, np.ones((2, 5, 6), np.uint8))
    with pytest.raises(FormatError, match=r"^A PNG holds integers from 0 to 65535"):
        write_labels(path, np.full((5, 6), 70_000))
    assert (read_image(path).read() == 1).all()
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


def test_a_folder_that_is_no_zarr_is_never_overwritten(tmp_path):
    (tmp_path / "a.zarr").mkdir()
    (tmp_path / "a.zarr" / "thesis.docx").touch()
    with pytest.raises(FileError, match="not overwritten"):
        write_labels(tmp_path / "a.zarr", np.ones((5, 6), np.uint8))
    assert (tmp_path / "a.zarr" / "thesis.docx").exists()


def test_writing_says_what_is_wrong(tmp_path):
    labels = np.ones((5, 6), np.uint8)
    with pytest.raises(MissingFileError, match="no folder"):
        write_labels(tmp_path / "none" / "a.tif", labels)
    with pytest.raises(FormatError, match=r"Known: \.npy"):
        write_labels(tmp_path / "a.jpg", labels)
    with pytest.raises(ParameterError, match="integers"):
        write_labels(tmp_path / "a.tif", labels / 2)
    with pytest.raises(ParameterError, match="parsec"):
        write_image(tmp_path / "a.tif", labels, axes="yx", unit="parsec")
    with pytest.raises(ParameterError, match=r"'0\.4' or '0\.5'"):
        write_labels(tmp_path / "a.zarr", labels, ome_version="0.6")
