"""What comes out of a file is what went in, with its axes, spacing and names."""

import os
import pickle
import struct
import zlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tifffile
import zarr
from PIL import Image as Picture

from stroma.errors import FormatError, MissingExtraError, MissingFileError, ShapeError
from stroma.io import READERS
from stroma.io.omezarr import read as omezarr
from stroma.io.omezarr.chunks import Chunks
from stroma.io.read import read_image
from stroma.io.tiff.pages import Pages


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def values(rng, shape, dtype="uint16"):
    return rng.integers(0, np.iinfo(dtype).max, shape).astype(dtype)


@pytest.mark.parametrize("ending", sorted(READERS))
def test_every_reader_names_a_file_that_is_missing_or_empty(tmp_path, ending):
    path = tmp_path / f"image{ending}"
    with pytest.raises(MissingFileError, match=r"image\."):
        read_image(path)
    path.touch()
    with pytest.raises(FormatError, match=r"image\..* is empty"):
        read_image(path)


@pytest.mark.parametrize("ending", sorted(set(READERS) - {".zarr"}))
def test_every_reader_refuses_a_file_of_something_else(tmp_path, ending):
    path = tmp_path / f"image{ending}"
    path.write_bytes(b"this is no image, but it is long enough to have a header and more" * 3)
    with pytest.raises(FormatError, match=r"image\."):
        read_image(path).read()


def test_unknown_ending_lists_the_known_ones(tmp_path):
    path = tmp_path / "image.xyz"
    path.write_bytes(b"1")
    with pytest.raises(FormatError, match=r"'\.xyz'.*\.png.*\.tif.*\.zarr"):
        read_image(path)


def test_a_folder_that_is_no_zarr_is_refused(tmp_path):
    with pytest.raises(FormatError, match="not an OME-Zarr or N5 image"):
        read_image(tmp_path)


# PNG and JPEG


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_grey_png_keeps_its_depth(tmp_path, rng, dtype):
    expected = values(rng, (5, 7), dtype)
    Picture.fromarray(expected).save(tmp_path / "a.png")
    image = read_image(tmp_path / "a.png")
    assert (image.axes, image.dtype, image.rgb) == ("yx", np.dtype(dtype), False)
    assert image.shape == (5, 7)
    np.testing.assert_array_equal(image.read(), expected)


@pytest.mark.parametrize("samples", [3, 4])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_colour_png_is_channels_first_without_opacity(tmp_path, rng, dtype, samples):
    import cv2

    expected = values(rng, (5, 7, samples), dtype)
    order = [2, 1, 0, 3][:samples]
    assert cv2.imwrite(str(tmp_path / "a.png"), expected[..., order])
    image = read_image(tmp_path / "a.png")
    assert (image.axes, image.shape, image.rgb) == ("cyx", (3, 5, 7), True)
    assert image.dtype == dtype
    np.testing.assert_array_equal(image.read(), expected[..., :3].transpose(2, 0, 1))


def test_palette_png_is_expanded(tmp_path):
    picture = Picture.fromarray(np.array([[0, 1], [1, 0]], np.uint8))
    picture.putpalette([10, 20, 30, 40, 50, 60])
    picture.save(tmp_path / "a.png")
    image = read_image(tmp_path / "a.png")
    assert image.rgb
    np.testing.assert_array_equal(image.read()[:, 0, 1], [40, 50, 60])


def test_one_bit_png_is_boolean(tmp_path):
    expected = np.eye(9, dtype=bool)
    Picture.fromarray(expected).save(tmp_path / "a.png")
    image = read_image(tmp_path / "a.png")
    assert image.dtype == bool
    np.testing.assert_array_equal(image.read(), expected)


def png(width, height, bits, rows):
    def chunk(name, body):
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    head = struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n"
    return start + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def test_two_bit_grey_png_keeps_its_values(tmp_path):
    (tmp_path / "a.png").write_bytes(png(4, 1, 2, b"\0\x1b"))  # 00 01 10 11
    np.testing.assert_array_equal(read_image(tmp_path / "a.png").read(), [[0, 1, 2, 3]])


def test_png_bomb_is_refused_before_it_is_decoded(tmp_path):
    (tmp_path / "a.png").write_bytes(png(100_000, 100_000, 8, b"\0"))
    with pytest.raises(FormatError, match="100000 x 100000 pixels"):
        read_image(tmp_path / "a.png")


@pytest.mark.parametrize("cut", [20, 60, 5])
def test_png_cut_short_is_refused(tmp_path, rng, cut):
    Picture.fromarray(values(rng, (50, 50), "uint8")).save(tmp_path / "a.png")
    data = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(data[: len(data) - cut] if cut < 50 else data[:cut])
    with pytest.raises(FormatError, match=r"a\.png is cut short"):
        read_image(tmp_path / "a.png")


def test_jpeg_is_read_with_its_colours(tmp_path):
    picture = np.zeros((16, 16, 3), np.uint8)
    picture[..., 0] = 200
    Picture.fromarray(picture).save(tmp_path / "a.jpg", quality=95)
    image = read_image(tmp_path / "a.jpg")
    assert (image.axes, image.rgb) == ("cyx", True)
    np.testing.assert_allclose(image.read().mean(axis=(1, 2)), [200, 0, 0], atol=3)


def test_jpeg_cut_short_is_refused_when_read(tmp_path, rng):
    Picture.fromarray(values(rng, (64, 64), "uint8")).save(tmp_path / "a.jpg")
    data = (tmp_path / "a.jpg").read_bytes()
    (tmp_path / "a.jpg").write_bytes(data[: len(data) // 2])
    with pytest.raises(FormatError, match=r"a\.jpg"):
        read_image(tmp_path / "a.jpg").read()


# NPY


@pytest.mark.parametrize(
    ("shape", "axes", "rgb"),
    [
        ((4, 5), "yx", False),
        ((2, 4, 5), "zyx", False),
        ((6, 7, 3), "cyx", True),
        ((6, 7, 4), "cyx", True),
        ((3, 4, 5), "zyx", False),
        ((2, 3, 4, 5), "czyx", False),
        ((2, 3, 4, 5, 6), "tczyx", False),
    ],
)
def test_npy_axes_follow_the_documented_rules(tmp_path, rng, shape, axes, rgb):
    expected = values(rng, shape)
    np.save(tmp_path / "a.npy", expected)
    image = read_image(tmp_path / "a.npy")
    assert (image.axes, image.rgb) == (axes, rgb)
    np.testing.assert_array_equal(
        image.read(), expected[..., :3].transpose(2, 0, 1) if rgb else expected
    )


def test_asked_axes_override_the_rules(tmp_path, rng):
    expected = values(rng, (4, 5, 2, 6))
    np.save(tmp_path / "a.npy", expected)
    image = read_image(tmp_path / "a.npy", axes="yxcz")
    assert (image.axes, image.shape) == ("czyx", (2, 6, 4, 5))
    np.testing.assert_array_equal(
        image.read({"y": slice(1, 3)}), expected.transpose(2, 3, 0, 1)[:, :, 1:3]
    )


@pytest.mark.parametrize("axes", ["yx", "yyx", "yxq"])
def test_axes_that_do_not_fit_are_refused(tmp_path, rng, axes):
    np.save(tmp_path / "a.npy", values(rng, (4, 5, 6)))
    with pytest.raises(ShapeError, match=r"a\.npy"):
        read_image(tmp_path / "a.npy", axes=axes)


def test_npy_with_pickled_objects_is_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{}, []], dtype=object), allow_pickle=True)
    with pytest.raises(FormatError, match=r"a\.npy"):
        read_image(tmp_path / "a.npy")


def test_npy_in_foreign_byte_order_comes_out_native(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(6, dtype=">u2").reshape(2, 3))
    image = read_image(tmp_path / "a.npy")
    assert image.dtype.isnative
    assert image.read().dtype.isnative
    assert image.read()[1, 2] == 5


def test_an_image_in_a_file_pickles_as_its_path(tmp_path, rng):
    expected = values(rng, (300, 300))
    np.save(tmp_path / "a.npy", expected)
    pickled = pickle.dumps(read_image(tmp_path / "a.npy"))
    assert len(pickled) < 2000
    np.testing.assert_array_equal(pickle.loads(pickled).read(), expected)


# TIFF

LAYOUTS = {
    "contiguous": {},
    "strips": {"compression": "zlib", "rowsperstrip": 7},
    "tiles": {"compression": "zlib", "tile": (32, 48)},
    "big": {"bigtiff": True},
    "big_endian": {"byteorder": ">"},
}


@pytest.mark.parametrize("whole_bytes", [0, 2**26])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_of_tiff_reads_the_same(tmp_path, rng, monkeypatch, layout, whole_bytes):
    monkeypatch.setattr("stroma.io.tiff.read.WHOLE_BYTES", whole_bytes)
    expected = values(rng, (3, 70, 90))
    tifffile.imwrite(tmp_path / "a.tif", expected, photometric="minisblack", **LAYOUTS[layout])
    image = read_image(tmp_path / "a.tif")
    assert (image.axes, image.dtype) == ("zyx", np.dtype("uint16"))
    np.testing.assert_array_equal(image.read(), expected)
    box = {"z": slice(1, 3), "y": slice(20, 45), "x": slice(40, 41)}
    np.testing.assert_array_equal(image.read(box), expected[1:3, 20:45, 40:41])
    np.testing.assert_array_equal(image.at(z=2, x=5).read(), expected[2, :, 5])


@pytest.mark.parametrize("kept", [0, 2**20])
def test_pages_in_strips_are_decoded_once_and_read_the_same(tmp_path, rng, monkeypatch, kept):
    monkeypatch.setattr("stroma.io.tiff.read.WHOLE_BYTES", 0)
    expected = values(rng, (2, 3, 40, 50))
    options = {"photometric": "minisblack", "compression": "zlib", "rowsperstrip": 7}
    tifffile.imwrite(tmp_path / "a.tif", expected, **options)
    image = read_image(tmp_path / "a.tif")
    assert isinstance(image.array._opened(), Pages)
    monkeypatch.setattr("stroma.io.tiff.pages.KEPT_BYTES", kept)
    for c, z in ((1, 2), (0, 1), (1, 2)):
        np.testing.assert_array_equal(image.at(c=c, z=z).read(), expected[c, z])
    assert len(image.array._opened()._kept) == (2 if kept else 1)
    box = {"z": slice(1, 3), "y": slice(3, 9), "x": slice(10, 20)}
    np.testing.assert_array_equal(image.read(box), expected[:, 1:3, 3:9, 10:20])
    assert image.read({"z": slice(0, 0)}).shape == (2, 0, 40, 50)


def test_colours_in_strips_are_read_page_by_page(tmp_path, rng, monkeypatch):
    monkeypatch.setattr("stroma.io.tiff.read.WHOLE_BYTES", 0)
    for planes in ("contig", "separate"):
        stored = values(rng, (2, 30, 40, 3), "uint8")
        turned = stored if planes == "contig" else stored.transpose(0, 3, 1, 2)
        options = {"photometric": "rgb", "planarconfig": planes, "compression": "zlib"}
        tifffile.imwrite(tmp_path / "a.tif", turned, **options)
        image = read_image(tmp_path / "a.tif")
        assert isinstance(image.array.array._opened(), Pages)
        np.testing.assert_array_equal(image.read(), stored.transpose(3, 0, 1, 2))


def test_ome_tiff_brings_axes_spacing_and_channel_names(tmp_path, rng):
    expected = values(rng, (2, 3, 2, 20, 30))
    metadata = {
        "axes": "TZCYX",
        "PhysicalSizeX": 250.0,
        "PhysicalSizeXUnit": "nm",
        "PhysicalSizeY": 250.0,
        "PhysicalSizeYUnit": "nm",
        "PhysicalSizeZ": 2.0,
        "PhysicalSizeZUnit": "µm",
        "TimeIncrement": 5.0,
        "Channel": {"Name": ["DAPI", "GFP"]},
    }
    tifffile.imwrite(tmp_path / "a.ome.tif", expected, metadata=metadata)
    image = read_image(tmp_path / "a.ome.tif")
    assert image.axes == "tczyx"
    assert image.spacing == pytest.approx({"t": 5.0, "z": 2000.0, "y": 250.0, "x": 250.0})
    assert (image.unit, image.channels) == ("nm", ("DAPI", "GFP"))
    np.testing.assert_array_equal(image.read(), expected.transpose(0, 2, 1, 3, 4))


def test_imagej_stack_brings_its_calibration(tmp_path, rng):
    expected = values(rng, (4, 2, 20, 30))
    metadata = {"axes": "ZCYX", "unit": "micron", "spacing": 3.0, "finterval": 1.5}
    tifffile.imwrite(
        tmp_path / "a.tif", expected, imagej=True, resolution=(2, 4), metadata=metadata
    )
    image = read_image(tmp_path / "a.tif")
    assert image.axes == "czyx"
    assert image.spacing == pytest.approx({"z": 3.0, "y": 0.25, "x": 0.5})
    assert image.unit == "µm"
    np.testing.assert_array_equal(image.read(), expected.transpose(1, 0, 2, 3))


def test_resolution_per_centimetre_is_a_calibration_per_inch_is_not(tmp_path, rng):
    for unit in ("CENTIMETER", "INCH"):
        tifffile.imwrite(
            tmp_path / f"{unit}.tif",
            values(rng, (5, 6)),
            resolution=(20_000, 20_000),
            resolutionunit=unit,
        )
    metric = read_image(tmp_path / "CENTIMETER.tif")
    assert metric.spacing == pytest.approx({"y": 0.5, "x": 0.5})
    assert metric.unit == "µm"
    assert read_image(tmp_path / "INCH.tif").spacing == {}


@pytest.mark.parametrize("samples", [3, 4])
@pytest.mark.parametrize("planes", ["contig", "separate"])
def test_colour_tiff_is_channels_first_without_opacity(tmp_path, rng, samples, planes):
    stored = values(rng, (6, 7, samples), "uint8")
    tifffile.imwrite(
        tmp_path / "a.tif",
        stored if planes == "contig" else stored.transpose(2, 0, 1),
        photometric="rgb",
        planarconfig=planes,
    )
    image = read_image(tmp_path / "a.tif")
    assert (image.axes, image.rgb) == ("cyx", True)
    np.testing.assert_array_equal(image.read(), stored[..., :3].transpose(2, 0, 1))


def test_tiff_pyramid_becomes_levels_with_their_spacing(tmp_path, rng):
    fine = values(rng, (64, 96))
    with tifffile.TiffWriter(tmp_path / "a.ome.tif") as writer:
        metadata = {"axes": "YX", "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5}
        options = {"tile": (32, 32), "compression": "zlib"}
        writer.write(fine, subifds=1, metadata=metadata, **options)
        writer.write(fine[::2, ::2], subfiletype=1, **options)
    image = read_image(tmp_path / "a.ome.tif")
    (coarse,) = image.levels
    assert coarse.spacing == pytest.approx({"y": 1.0, "x": 1.0})
    np.testing.assert_array_equal(coarse.read(), fine[::2, ::2])


def test_a_compression_that_needs_a_package_says_which(tmp_path, rng, monkeypatch):
    tifffile.imwrite(tmp_path / "a.tif", values(rng, (20, 30)), compression="zlib")
    image = read_image(tmp_path / "a.tif")

    def missing(*_, **__):
        raise ValueError("<COMPRESSION.LZW: 5> requires the 'imagecodecs' package")

    monkeypatch.setattr(tifffile.TiffPageSeries, "asarray", missing)
    with pytest.raises(MissingExtraError, match=r"a\.tif .* pip install 'stroma-seg\[formats\]'"):
        image.read()


def test_tiff_with_several_images_gives_the_one_asked_for(tmp_path, rng):
    first, second = values(rng, (5, 6)), values(rng, (8, 9))
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(first)
        writer.write(second)
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif").read(), first)
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif", series=1).read(), second)
    with pytest.raises(FormatError, match="no number 2"):
        read_image(tmp_path / "a.tif", series=2)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_tiff_cut_short_is_refused(tmp_path, rng, layout):
    tifffile.imwrite(tmp_path / "a.tif", values(rng, (70, 90)), **LAYOUTS[layout])
    data = (tmp_path / "a.tif").read_bytes()
    (tmp_path / "a.tif").write_bytes(data[: len(data) * 2 // 3])
    with pytest.raises(FormatError, match=r"a\.tif"):
        read_image(tmp_path / "a.tif")


# OME-Zarr


def ome_zarr(path, arrays, version, axes, **extra):
    group = zarr.open_group(path, mode="w", zarr_format=2 if version == "0.4" else 3)
    units = {"z": "micrometer", "y": "nanometer", "x": "nanometer", "t": "second"}
    datasets = []
    for i, array in enumerate(arrays):
        group.create_array(str(i), data=array, chunks=(16,) * array.ndim)
        factor = [2.0**i if a in "yx" else 1.0 for a in axes]
        scale = [{"z": 3.0, "y": 500.0, "x": 250.0}.get(a, 1.0) for a in axes]
        scale = [a * b for a, b in zip(scale, factor, strict=True)]
        datasets.append(
            {"path": str(i), "coordinateTransformations": [{"type": "scale", "scale": scale}]}
        )
    described = [{"name": a} | ({"unit": units[a]} if a in units else {}) for a in axes]
    scales = {"version": version, "axes": described, "datasets": datasets}
    said = {"multiscales": [scales], **extra}
    group.attrs.update(said if version == "0.4" else {"ome": {"version": version, **said}})


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_ome_zarr_brings_axes_spacing_names_and_levels(tmp_path, rng, version):
    fine = values(rng, (2, 3, 20, 30))
    omero = {"channels": [{"label": "DAPI"}, {"label": "GFP"}]}
    arrays = [fine, fine[..., ::2, ::2]]
    ome_zarr(tmp_path / "a.zarr", arrays, version, "czyx", omero=omero)
    image = read_image(tmp_path / "a.zarr")
    assert (image.axes, image.shape) == ("czyx", fine.shape)
    assert (image.unit, image.channels) == ("nm", ("DAPI", "GFP"))
    assert image.spacing == pytest.approx({"z": 3000.0, "y": 500.0, "x": 250.0})
    assert isinstance(image.array, Chunks)
    np.testing.assert_array_equal(image.read({"y": slice(3, 9)}), fine[:, :, 3:9])
    assert image.levels[0].spacing["y"] == 1000.0
    np.testing.assert_array_equal(image.levels[0].read(), fine[..., ::2, ::2])


def test_channels_called_red_green_blue_are_colours(tmp_path, rng):
    omero = {"channels": [{"label": n} for n in ("Red", "Green", "Blue")]}
    ome_zarr(tmp_path / "a.zarr", [values(rng, (3, 8, 8), "uint8")], "0.4", "cyx", omero=omero)
    assert read_image(tmp_path / "a.zarr").rgb


def test_ome_zarr_in_unusual_order_is_turned(tmp_path, rng):
    stored = values(rng, (20, 30, 2))
    ome_zarr(tmp_path / "a.zarr", [stored], "0.4", "yxc")
    image = read_image(tmp_path / "a.zarr")
    assert (image.axes, image.rgb) == ("cyx", False)
    np.testing.assert_array_equal(image.read(), stored.transpose(2, 0, 1))


def test_bioformats_layout_gives_the_series_asked_for(tmp_path, rng):
    zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=2)
    stored = [values(rng, (8, 8)) for _ in range(2)]
    for i, array in enumerate(stored):
        ome_zarr(tmp_path / "a.zarr" / str(i), [array], "0.4", "yx")
    for i, array in enumerate(stored):
        np.testing.assert_array_equal(read_image(tmp_path / "a.zarr", series=i).read(), array)


def test_plain_zarr_array_is_read_with_its_dimension_names(tmp_path, rng):
    stored = values(rng, (3, 8, 9))
    zarr.create_array(str(tmp_path / "a.zarr"), data=stored, dimension_names=("t", "y", "x"))
    image = read_image(tmp_path / "a.zarr")
    assert image.axes == "tyx"
    np.testing.assert_array_equal(image.read(), stored)


def test_zarr_whose_metadata_is_missing_or_wrong_is_refused(tmp_path, rng):
    zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=2)
    with pytest.raises(FormatError, match=r"a\.zarr has no multiscales"):
        read_image(tmp_path / "a.zarr")
    ome_zarr(tmp_path / "b.zarr", [values(rng, (8, 8))], "0.4", "czyx")
    with pytest.raises(FormatError, match=r"b\.zarr names axes 'czyx'"):
        read_image(tmp_path / "b.zarr")
    (tmp_path / "c.zarr").mkdir()
    (tmp_path / "c.zarr" / "zarr.json").write_text("{ not json")
    with pytest.raises(FormatError, match=r"c\.zarr"):
        read_image(tmp_path / "c.zarr")


class Malicious:
    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("place", ["filters", "compressor"])
def test_zarr_that_would_run_code_is_refused_and_runs_none(tmp_path, place):
    folder = tmp_path / "a.zarr"
    folder.mkdir()
    codec = '{"id": "pickle", "protocol": 5}'
    filters, compressor = (f"[{codec}]", "null") if place == "filters" else ("null", codec)
    (folder / ".zarray").write_text(
        '{"shape": [4, 4], "chunks": [4, 4], "dtype": "<u2", "fill_value": 0, "order": "C", '
        f'"filters": {filters}, "compressor": {compressor}, "zarr_format": 2}}'
    )
    (folder / "0.0").write_bytes(pickle.dumps(Malicious(tmp_path / "ran")))
    with pytest.raises(FormatError, match=r"a\.zarr"):
        read_image(folder).read()
    assert not (tmp_path / "ran").exists()


def test_pickles_are_refused_even_where_zarr_would_take_them():
    codec = SimpleNamespace(codec_id="pickle")
    array = SimpleNamespace(dtype=np.dtype("u2"), filters=(codec,), compressors=())
    with pytest.raises(FormatError, match="not safe"):
        omezarr._check_values(array, Path("a.zarr"))


def test_zarr_cannot_point_outside_its_folder(tmp_path, rng):
    ome_zarr(tmp_path / "secret.zarr", [values(rng, (8, 8))], "0.4", "yx")
    ome_zarr(tmp_path / "a.zarr", [values(rng, (8, 8))], "0.4", "yx")
    group = zarr.open_group(tmp_path / "a.zarr")
    scales = group.attrs["multiscales"]
    scales[0]["datasets"][0]["path"] = "../secret.zarr/0"
    group.attrs["multiscales"] = scales
    with pytest.raises(FormatError, match=r"a\.zarr"):
        read_image(tmp_path / "a.zarr")
