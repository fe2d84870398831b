"""Files of microscopes: what is in them, with their axes and sizes, plane by plane."""

from __future__ import annotations

import struct
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from stroma.errors import FormatError
from stroma.io import read_image, series_of
from stroma.io.microscopes.planes import Planes

ORACLES = Path(__file__).parent / "oracles"


def values() -> np.ndarray:
    """Return what the CZI files hold: t, c, z, y, x."""
    return np.random.default_rng(0).integers(0, 4000, (2, 2, 2, 12, 20)).astype(np.uint16)


def test_planes_are_read_as_an_array_is():
    array = np.arange(2 * 3 * 5 * 7).reshape(2, 3, 5, 7)
    asked = []

    def plane(place, cut):
        asked.append(place)
        return array[place][cut]

    planes = Planes(plane, (2, 3), (5, 7), array.dtype)
    for key in [(1, 2), (slice(None), 1, 3), (0, slice(0, 3, 2), slice(1, 5, 3), slice(2, 4))]:
        np.testing.assert_array_equal(planes[key], array[key])
    asked.clear()
    planes[1, 0:2, 0]
    assert asked == [(1, 0), (1, 1)]


@pytest.mark.parametrize("name", ["plain", "zstd"])
def test_czi_scenes_are_put_together(name):
    pytest.importorskip("czifile")
    pytest.importorskip("imagecodecs")
    path = ORACLES / f"{name}.czi"
    assert [(s.name, s.sizes["x"]) for s in series_of(path)] == [("scene 0", 20), ("scene 1", 6)]
    image = read_image(path)
    assert "2 images" in image.notes[0]
    assert image.kept_axes == "tczyx"
    assert (dict(image.spacing), image.unit) == ({"z": 1.0, "y": 0.25, "x": 0.2}, "µm")
    assert image.channels == ("DAPI", "GFP")
    np.testing.assert_array_equal(image.read(), values())
    box = image.at(t=1, c=0).read({"y": slice(3, 9), "x": slice(7, 13)})
    np.testing.assert_array_equal(box, values()[1, 0, :, 3:9, 7:13])
    np.testing.assert_array_equal(read_image(path, series=1).read(), values()[..., :5, :6])


def test_czi_colours_are_red_green_and_blue():
    pytest.importorskip("czifile")
    pytest.importorskip("imagecodecs")
    image = read_image(ORACLES / "colours.czi")
    wanted = np.random.default_rng(1).integers(0, 255, (12, 20, 3)).astype(np.uint8)
    assert image.rgb
    np.testing.assert_array_equal(image.read(), wanted.transpose(2, 0, 1))


DIMS = {"X": 1, "Y": 2, "Z": 3, "T": 4, "M": 10}


def leica(path: Path, images: dict[str, tuple[str, np.ndarray]]) -> Path:
    """Write a LIF: a header in XML, then the values of every image."""
    said, blocks = "", b""
    for i, (name, (axes, array)) in enumerate(images.items()):
        step, dims = array.itemsize, ""
        for axis, n in reversed(list(zip(axes, array.shape, strict=True))):
            if axis != "C":
                dims += (
                    f'<DimensionDescription DimID="{DIMS[axis]}" NumberOfElements="{n}" Origin="0" '
                    f'Length="{(n - 1) * 5e-7}" Unit="m" BitInc="0" BytesInc="{step}"/>'
                )
            step *= n
        planes = array.shape[axes.index("C")] if "C" in axes else 1
        inc = array[0].nbytes if axes[0] == "C" else 0
        channels = "".join(
            f'<ChannelDescription DataType="0" ChannelTag="0" Resolution="8" Min="0" Max="1" '
            f'NameOfMeasuredQuantity="" Unit="" LUTName="Green" IsLUTInverted="0" '
            f'BytesInc="{c * inc}" BitInc="0"/>'
            for c in range(planes)
        )
        said += (
            f'<Element Name="{name}" Visibility="1"><Data><Image><ImageDescription><Channels>'
            f"{channels}</Channels><Dimensions>{dims}</Dimensions></ImageDescription></Image>"
            f'</Data><Memory Size="{array.nbytes}" MemoryBlockID="MemBlock_{i}"/></Element>'
        )
        label = f"MemBlock_{i}".encode("utf-16-le")
        head = struct.pack(
            "<IIBQBI", 0x70, 9 + 5 + len(label), 0x2A, array.nbytes, 0x2A, len(label) // 2
        )
        blocks += head + label + array.tobytes()
    text = (
        '<LMSDataContainerHeader Version="2"><Element Name="cells"><Data/><Children>'
        f"{said}</Children></Element></LMSDataContainerHeader>"
    ).encode("utf-16-le")
    start = struct.pack("<IIBI", 0x70, 5 + len(text), 0x2A, len(text) // 2)
    path.write_bytes(start + text + blocks)
    return path


def test_lif_images_are_listed_and_read(tmp_path):
    pytest.importorskip("liffile")
    stack = np.random.default_rng(0).integers(0, 255, (2, 3, 6, 8)).astype(np.uint8)
    plane = np.arange(20, dtype=np.uint8).reshape(4, 5)
    path = leica(tmp_path / "a.lif", {"stack": ("CZYX", stack), "plane": ("YX", plane)})
    assert [(s.name.rpartition("/")[2], s.sizes["y"]) for s in series_of(path)] == [
        ("stack", 6),
        ("plane", 4),
    ]
    image = read_image(path)
    assert "2 images" in image.notes[0]
    assert image.kept_axes == "czyx"
    assert image.unit == "µm"
    assert image.spacing["x"] == pytest.approx(0.5)
    np.testing.assert_array_equal(image.read(), stack)
    part = image.at(c=1).read({"z": slice(1, 3), "x": slice(2, 5)})
    np.testing.assert_array_equal(part, stack[1, 1:3, :, 2:5])
    np.testing.assert_array_equal(read_image(path, series=1).read(), plane)


def test_lif_scans_along_z_are_read(tmp_path):
    pytest.importorskip("liffile")
    stack = np.arange(120, dtype=np.uint8).reshape(2, 3, 4, 5)
    path = leica(tmp_path / "a.lif", {"many": ("CYZX", stack), "one": ("ZX", stack[0, 0])})
    image = read_image(path)
    assert image.kept_axes == "czyx"
    np.testing.assert_array_equal(image.read(), stack.swapaxes(1, 2))
    with pytest.raises(FormatError, match=r"a\.lif has axes 'zx' .* Name its axes with axes="):
        read_image(path, series=1)
    np.testing.assert_array_equal(read_image(path, series=1, axes="yx").read(), stack[0, 0])


def test_dv_is_read_with_its_axes(tmp_path):
    mrc = pytest.importorskip("mrc")
    array = np.arange(3 * 4 * 5, dtype=np.int16).reshape(3, 4, 5)
    mrc.imsave(str(tmp_path / "a.dv"), array, resolution=[100.0, 120.0, 300.0])
    image = read_image(tmp_path / "a.dv")
    np.testing.assert_array_equal(image.read().squeeze(), array)
    assert image.sizes["x"] == 5
    assert image.unit == "µm"


class FakeNd2:
    """Stands for a file of two positions, two times and two channels."""

    array = np.random.default_rng(0).integers(0, 99, (2, 2, 2, 4, 5)).astype(np.uint16)  # T P C Y X
    sizes = {"T": 2, "P": 2, "C": 2, "Y": 4, "X": 5}  # noqa: RUF012
    dtype = np.dtype(np.uint16)
    loop_indices = tuple({"T": t, "P": p} for t in range(2) for p in range(2))
    metadata = SimpleNamespace(
        channels=[SimpleNamespace(channel=SimpleNamespace(name=n)) for n in ("DAPI", "GFP")]
    )

    def __init__(self, path):
        assert Path(path).is_file()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """Close it."""

    def close(self):
        """Close it."""

    def voxel_size(self):
        """Return sizes in µm."""
        return SimpleNamespace(z=0.0, y=0.3, x=0.3)

    def read_frame(self, index):
        """Return the channels of a frame."""
        return self.array.reshape(4, 2, 4, 5)[index]


def test_nd2_positions_are_images(tmp_path, monkeypatch):
    nd2 = pytest.importorskip("nd2")
    monkeypatch.setattr(nd2, "ND2File", FakeNd2)
    (tmp_path / "a.nd2").write_bytes(b"stands for a file")
    path = tmp_path / "a.nd2"
    assert [s.name for s in series_of(path)] == ["position 0", "position 1"]
    image = read_image(path, series=1)
    assert (image.kept_axes, image.channels) == ("tcyx", ("DAPI", "GFP"))
    assert dict(image.spacing) == {"y": 0.3, "x": 0.3}
    np.testing.assert_array_equal(image.read(), FakeNd2.array[:, 1])
    part = image.at(t=1, c=0).read({"x": slice(1, 3)})
    np.testing.assert_array_equal(part, FakeNd2.array[1, 1, 0, :, 1:3])


class FakeOif:
    """Stands for a file of two channels in two planes, of which every pair is a TIFF."""

    array = np.random.default_rng(0).integers(0, 99, (2, 2, 4, 5)).astype(np.uint16)  # C Z Y X

    def __init__(self, path):
        assert Path(path).is_file()
        self.mainfile = {
            "Axis 0 Parameters Common": {
                "AxisCode": "X",
                "PixUnit": "nm",
                "StartPosition": 0.0,
                "EndPosition": 1000.0,
                "MaxSize": 5,
            }
        }
        places = list(np.ndindex(2, 2))
        self.series = [
            SimpleNamespace(
                axes="CZ",
                shape=(2, 2),
                indices=places,
                files=[f"s_C{c}Z{z}.tif" for c, z in places],
                dtype=np.dtype(np.uint16),
                imread=self.asarray,
            )
        ]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """Close it."""

    def close(self):
        """Close it."""

    def asarray(self, name):
        """Return a plane by the name of its TIFF."""
        return self.array[int(name[3]), int(name[5])]


def test_oib_is_read_plane_by_plane(tmp_path, monkeypatch):
    oiffile = pytest.importorskip("oiffile")
    monkeypatch.setattr(oiffile, "OifFile", FakeOif)
    (tmp_path / "a.oib").write_bytes(b"stands for a file")
    image = read_image(tmp_path / "a.oib")
    assert image.kept_axes == "czyx"
    assert dict(image.spacing) == {"x": 0.2}
    np.testing.assert_array_equal(image.read(), FakeOif.array)
    part = image.at(c=1).read({"y": slice(1, 3)})
    np.testing.assert_array_equal(part, FakeOif.array[1, :, 1:3])


NAMES = {"czi": "czifile", "lif": "liffile", "nd2": "nd2", "dv": "mrc", "oib": "oiffile"}


@pytest.mark.parametrize(("ending", "library"), NAMES.items())
def test_damaged_files_are_refused_by_name(tmp_path, ending, library):
    pytest.importorskip(library)
    path = tmp_path / f"odd.{ending}"
    for data in (b"nothing of the kind", bytes(4096)):
        path.write_bytes(data)
        with pytest.raises(FormatError, match=rf"odd\.{ending}"):
            read_image(path)


@pytest.mark.parametrize("size", [200, 3000])
def test_files_that_are_cut_short_are_refused_by_name(tmp_path, size):
    pytest.importorskip("czifile")
    path = tmp_path / "cut.czi"
    path.write_bytes((ORACLES / "plain.czi").read_bytes()[:size])
    with pytest.raises(FormatError, match=r"cut\.czi"):
        read_image(path).read()
