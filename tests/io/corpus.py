"""Tiny files of every format and variant, each made here, with what reading them must give.

``oracle`` reads the values with the library that knows the format best, in the axes of the image.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
import zarr
from numpy.typing import NDArray
from PIL import Image as Picture

Values = NDArray[Any]
Make = Callable[[Path], Values]
"""Writes the file and returns the values it must give."""


@dataclass(frozen=True)
class Case:
    """A file, and what reading it must give.

    Parameters
    ----------
    name : str
        What the file is called.
    make : callable
        Writes it, and returns the values expected, in the axes of the image.
    axes : str
        Axes of the image.
    spacing, unit
        As the image must have them.
    rgb, channels
        The same.
    note : str
        Part of what must be said; empty where nothing is.
    needs : str
        A package without which the file cannot be made or read.
    """

    name: str
    make: Make
    axes: str = "yx"
    spacing: Mapping[str, float] = field(default_factory=dict)
    unit: str = ""
    rgb: bool = False
    channels: tuple[str, ...] = ()
    note: str = ""
    needs: str = ""


def values(*shape: int, dtype: Any = np.uint16, seed: int = 0) -> Values:
    """Return random numbers of any type."""
    rng = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "f":
        return rng.normal(size=shape).astype(dtype)
    if np.dtype(dtype) == bool:
        return rng.random(shape) < 0.5
    top = min(np.iinfo(dtype).max, 2**31)
    return rng.integers(0, top, shape).astype(dtype)


def tiff(*shape: int, dtype: Any = np.uint16, turn: str = "", **options: Any) -> Make:
    """Return what writes a TIFF with tifffile, and reads it back with it."""

    def make(path: Path) -> Values:
        tifffile.imwrite(path, values(*shape, dtype=dtype), **options)
        found = tifffile.imread(path)
        return np.moveaxis(found, -1, -3) if turn == "last" else found

    return make


def microns(size: float) -> dict[str, Any]:
    """Return resolution tags for a pixel size in micrometres."""
    return {"resolution": (1e4 / size, 1e4 / size), "resolutionunit": "CENTIMETER"}


def imagej(
    *shape: int, axes: str, resolution: tuple[float, float] | None = None, **said: Any
) -> Make:
    """Return what writes a TIFF as ImageJ does."""
    options: dict[str, Any] = {"resolution": resolution} if resolution else {}
    return tiff(*shape, imagej=True, metadata={"axes": axes, **said}, **options)


def ome(*shape: int, axes: str, dtype: Any = np.uint16, **said: Any) -> Make:
    """Return what writes an OME-TIFF."""
    return tiff(*shape, dtype=dtype, ome=True, metadata={"axes": axes, **said})


def lsm(path: Path) -> Values:
    """Write a TIFF with the record of a Zeiss LSM."""
    record = bytearray(500)
    struct.pack_into("<Ii", record, 0, 0x0400494C, 500)
    struct.pack_into("<5i", record, 8, 9, 8, 3, 1, 1)  # x, y, z, channels, times
    struct.pack_into("<i", record, 28, 2)  # type of the values: 12 bit
    struct.pack_into("<3d", record, 40, 2e-7, 2e-7, 1e-6)  # metres
    struct.pack_into("<d", record, 112, 0.5)  # seconds
    stack = values(3, 8, 9)
    with tifffile.TiffWriter(path) as file:
        for i, plane in enumerate(stack):
            tags = [(34412, 1, len(record), bytes(record), True)] if i == 0 else []
            file.write(plane, extratags=tags, metadata=None)
            file.write(np.ascontiguousarray(plane[::2, ::3]), subfiletype=1, metadata=None)
    return stack


def stk(
    *shape: int,
    step: float = 0,
    seconds: float = 0,
    calibrated: bool = True,
    wavelengths: Sequence[int] = (),
) -> Make:
    """Return what writes a stack as MetaMorph does: one page, whose planes lie one behind another.

    Its own tags say how many planes there are, when each was taken and how far they are apart;
    pixels have 0.25 x 0.5 of its unit.
    """

    def make(path: Path) -> Values:
        stack = values(*shape)
        pixels = stack.astype("<u2").tobytes()
        count, height, width = shape
        name = b"um\0"
        sizes = 8 + len(pixels)  # where what the tags tell begins
        lengths = struct.pack("<4I", 1, 4, 1, 2)  # fractions, x and y
        unit = struct.pack("<I", len(name)) + name + bytes(1)
        listed = ((3, int(calibrated)), (4, sizes), (5, sizes + 8), (6, sizes + 16))
        said = b"".join(struct.pack("<2I", *one) for one in listed)
        days = 2460000
        planes = b"".join(
            struct.pack("<6I", round(step * 10), 10, days, round(1000 * seconds * i), days, 0)
            for i in range(count)
        )
        colours = b"".join(struct.pack("<2I", one, 1) for one in wavelengths)
        told = lengths + unit + said + planes + colours
        at = sizes + len(lengths + unit), sizes + len(lengths + unit + said)
        coloured = ((33630, 5, count, at[1] + len(planes)),) if wavelengths else ()
        tags = (
            *((256, 3, 1, width), (257, 3, 1, height), (258, 3, 1, 16), (259, 3, 1, 1)),
            *((262, 3, 1, 1), (273, 4, 1, 8), (277, 3, 1, 1), (278, 3, 1, height)),
            (279, 4, 1, len(pixels) // count),
            *((33628, 4, len(listed), at[0]), (33629, 5, count, at[1]), *coloured),
        )
        page = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *t) for t in tags)
        start = struct.pack("<2sHI", b"II", 42, sizes + len(told))
        path.write_bytes(start + pixels + told + page + bytes(4))
        np.testing.assert_array_equal(tifffile.imread(path), np.squeeze(stack))
        return np.squeeze(stack)

    return make


def metaxpress(path: Path) -> Values:
    """Write a TIFF as MetaXpress does, which says its pixel size in a description."""
    said = "".join(
        f'<prop id="spatial-calibration-{key}" type="{kind}" value="{value}"/>'
        for key, kind, value in (
            ("x", "float", 0.65),
            ("y", "float", 0.65),
            ("units", "string", "um"),
        )
    )
    xml = f"<MetaData><PlaneInfo>{said}</PlaneInfo></MetaData>"
    tifffile.imwrite(path, values(8, 9), description=xml, software="MetaSeries", metadata=None)
    return tifffile.imread(path)


def svs(path: Path) -> Values:
    """Write a TIFF as Aperio's scanner does: a picture, and a label."""
    scan = values(64, 96, 3, dtype=np.uint8)
    said = "Aperio Image Library v1\n96x64 [0,0 96x64] |AppMag = 20|MPP = 0.4990"
    with tifffile.TiffWriter(path) as file:
        file.write(scan, tile=(32, 32), description=said, metadata=None, photometric="rgb")
        thumb = np.ascontiguousarray(scan[::4, ::4])
        file.write(thumb, description=said, metadata=None, photometric="rgb")
        label = values(20, 20, 3, dtype=np.uint8)
        file.write(label, description="Aperio\nlabel 20x20", metadata=None, photometric="rgb")
    return np.moveaxis(scan, -1, 0)


def two_pages_of_other_sizes(path: Path) -> Values:
    """Write pages that do not fit together."""
    first = values(8, 9)
    with tifffile.TiffWriter(path) as file:
        file.write(first, metadata=None)
        file.write(values(7, 4), metadata=None)
    return first


def pyramid(path: Path) -> Values:
    """Write an image with a coarser level in a page within its page."""
    fine = values(64, 64, dtype=np.uint8)
    with tifffile.TiffWriter(path) as file:
        file.write(fine, subifds=1, tile=(32, 32), metadata=None)
        file.write(fine[::2, ::2], subfiletype=1, tile=(16, 16), metadata=None)
    return fine


def ome_pair(path: Path) -> Values:
    """Write one image whose channels lie in two files."""
    stack = values(2, 8, 9)
    names = [path.name, path.with_name("second.ome.tif").name]
    planes = "".join(
        f'<TiffData FirstC="{i}" IFD="0" PlaneCount="1"><UUID FileName="{n}">urn:uuid:{i}</UUID>'
        "</TiffData>"
        for i, n in enumerate(names)
    )
    for i, name in enumerate(names):
        xml = _ome_xml(planes, uuid=f"urn:uuid:{i}")
        tifffile.imwrite(path.with_name(name), stack[i], description=xml, metadata=None)
    return stack


def ome_member(path: Path) -> Values:
    """Write a member of a set that a companion file describes."""
    stack = values(2, 8, 9)
    names = [path.name, "other.tif"]
    planes = "".join(
        f'<TiffData FirstC="{i}" IFD="0" PlaneCount="1"><UUID FileName="{n}">urn:uuid:{i}</UUID>'
        "</TiffData>"
        for i, n in enumerate(names)
    )
    path.with_name("set.companion.ome").write_text(_ome_xml(planes, uuid="urn:uuid:9"))
    only = (
        '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" '
        'UUID="urn:uuid:{}"><BinaryOnly MetadataFile="set.companion.ome" UUID="urn:uuid:9"/></OME>'
    )
    for i, name in enumerate(names):
        described = only.format(i)
        tifffile.imwrite(path.with_name(name), stack[i], description=described, metadata=None)
    return stack


def ome_with_missing_plane(path: Path) -> Values:
    """Write an OME-TIFF whose description tells of more planes than there are."""
    stack = np.zeros((2, 8, 9), np.uint16)
    stack[0] = values(8, 9)
    tifffile.imwrite(
        path, stack[0], description=_ome_xml('<TiffData IFD="0" PlaneCount="1"/>'), metadata=None
    )
    return stack


def _ome_xml(planes: str, uuid: str = "") -> str:
    said = f' UUID="{uuid}"' if uuid else ""
    return (
        '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"'
        f'{said}><Image ID="Image:0" Name="one"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" '
        'Type="uint16" SizeX="9" SizeY="8" SizeZ="1" SizeC="2" SizeT="1" PhysicalSizeX="0.5" '
        'PhysicalSizeY="0.5"><Channel ID="Channel:0:0" Name="a" SamplesPerPixel="1"/>'
        f'<Channel ID="Channel:0:1" Name="b" SamplesPerPixel="1"/>{planes}</Pixels></Image></OME>'
    )


def picture(*shape: int, dtype: Any = np.uint8, **options: Any) -> Make:
    """Return what writes a picture without loss with Pillow."""

    def make(path: Path) -> Values:
        found = values(*shape, dtype=dtype)
        Picture.fromarray(found).save(path, **options)
        if found.ndim == 3:
            return np.moveaxis(found[..., :3], -1, 0)
        return found

    return make


def palette(path: Path) -> Values:
    """Write a picture of four colours."""
    indices = values(8, 9, dtype=np.uint8) % 4
    made = Picture.fromarray(indices)
    colours = np.array([[0, 0, 0], [255, 0, 0], [0, 255, 0], [0, 0, 250]], np.uint8)
    made.putpalette(colours.tobytes())
    made.save(path)
    return np.moveaxis(colours[indices], -1, 0)


def moving_gif(path: Path) -> Values:
    """Write two frames."""
    frames = [Picture.fromarray(np.full((8, 9), n, np.uint8)) for n in (10, 200)]
    frames[0].save(path, save_all=True, append_images=frames[1:])
    return np.full((8, 9), 10, np.uint8)


def jpeg(*shape: int, **options: Any) -> Make:
    """Return what writes a JPEG; the values are those another decoder gives."""

    def make(path: Path) -> Values:
        Picture.fromarray(values(*shape, dtype=np.uint8)).save(path, quality=95, **options)
        found = np.asarray(Picture.open(path))
        return np.moveaxis(found, -1, 0) if found.ndim == 3 else found

    return make


def turned_jpeg(path: Path) -> Values:
    """Write a JPEG that asks to be shown turned."""
    exif = Picture.Exif()
    exif[0x0112] = 6
    return jpeg(16, 24, 3, exif=exif)(path)


def png_chunk(name: bytes, body: bytes) -> bytes:
    """Return a chunk with length and checksum."""
    check = zlib.crc32(name + body)
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", check)


def png_bytes(pixels: Values, colour: int, extra: bytes = b"") -> bytes:
    """Return a PNG of 8 or 16 bit of (y, x) or (y, x, samples), not filtered."""
    bits = 8 * pixels.dtype.itemsize
    head = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], bits, colour, 0, 0, 0)
    big = pixels.astype(pixels.dtype.newbyteorder(">"))
    rows = b"".join(b"\0" + row.tobytes() for row in big)
    body = png_chunk(b"IHDR", head) + extra + png_chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + body + png_chunk(b"IEND", b"")


def png16(colour: int, samples: int, *, animated: bool = False) -> Make:
    """Return what writes a PNG of 16 bit samples, with or without a second frame."""

    def make(path: Path) -> Values:
        pixels = values(8, 9, samples) if samples > 1 else values(8, 9)
        control = struct.pack(">IIIIIHHBB", 0, 9, 8, 0, 0, 1, 10, 0, 0)
        extra = png_chunk(b"acTL", struct.pack(">II", 2, 0)) + png_chunk(b"fcTL", control)
        path.write_bytes(png_bytes(pixels, colour, extra if animated else b""))
        if samples == 2:
            return pixels[..., 0]
        return np.moveaxis(pixels[..., :3], -1, 0) if samples > 2 else pixels

    return make


def npy(*shape: int, dtype: Any = np.uint16, order: str = "C", last: bool = False) -> Make:
    """Return what writes an NPY file."""

    def make(path: Path) -> Values:
        found = np.asarray(values(*shape, dtype=dtype), order=order)  # type: ignore[call-overload]
        np.save(path, found)
        loaded: Values = np.load(path)
        return np.moveaxis(loaded, -1, -3) if last else loaded

    return make


def omezarr(
    *shape: int, axes: str, units: Mapping[str, str] | None = None, version: int = 2, **options: Any
) -> Make:
    """Return what writes an OME-Zarr with spacings of 2 along every axis but c."""

    def make(path: Path) -> Values:
        group = zarr.open_group(path, mode="w", zarr_format=version)  # type: ignore[arg-type]
        made = group.create_array("0", data=values(*shape), **options)
        kinds = {"t": "time", "c": "channel"}
        listed = [
            {"name": a, "type": kinds.get(a, "space")}
            | ({"unit": units[a]} if units and a in units else {})
            for a in axes
        ]
        scale = [1.0 if a == "c" else 2.0 for a in axes]
        transform = [{"type": "scale", "scale": scale}]
        datasets = [{"path": "0", "coordinateTransformations": transform}]
        said = {"multiscales": [{"axes": listed, "datasets": datasets, "version": "0.4"}]}
        group.attrs.update(said if version == 2 else {"ome": {"version": "0.5", **said}})
        return np.asarray(made[:])

    return make


def hdf5(path: Path) -> Values:
    """Write a dataset with its axes as ilastik names them."""
    import h5py

    found = values(5, 8, 9, dtype=np.int16)
    with h5py.File(path, "w") as file:
        data = file.create_dataset(
            "exported_data", data=found, chunks=(2, 4, 9), compression="gzip"
        )
        data.attrs["axistags"] = json.dumps({"axes": [{"key": a} for a in "zyx"]})
        data.attrs["element_size_um"] = (2.0, 0.5, 0.5)
    return found


def mrc(*shape: int, dtype: Any = np.int16, voxel: Any = 4.0, **header: Any) -> Make:
    """Return what writes an MRC file with mrcfile, and reads it back with it."""

    def make(path: Path) -> Values:
        import mrcfile

        packed = "gzip" if path.suffix == ".gz" else None
        with mrcfile.new(path, values(*shape, dtype=dtype), compression=packed) as file:
            file.voxel_size = voxel
            for name, value in header.items():
                file.header[name] = value
        with mrcfile.open(path) as file:
            return np.array(file.data)

    return make


def mrc_stack(path: Path) -> Values:
    """Write images that are no volume, with a record of the microscope before them."""
    import mrcfile

    with mrcfile.new(path, values(5, 8, 9, dtype=np.float32)) as file:
        file.set_image_stack()
        file.voxel_size = 2.5
        file.set_extended_header(np.zeros(640, "V1"))
        return np.array(file.data)


def mrc_turned(path: Path) -> Values:
    """Write a map whose columns are z, rows x and sections y."""
    import mrcfile

    found = values(5, 8, 9, dtype=np.float32)
    with mrcfile.new(path, found) as file:
        file.header.mapc, file.header.mapr, file.header.maps = 3, 1, 2
        file.header.cella = (8 * 2, 5 * 3, 9 * 4)
        file.header.mx, file.header.my, file.header.mz = 8, 5, 9
    return found.transpose(2, 0, 1)


def mrc_motorola(path: Path) -> Values:
    """Write numbers with their highest byte first."""
    import mrcfile

    found = values(5, 8, 9, dtype=np.int16)
    with mrcfile.new(path, found) as file:
        file.voxel_size = 4.0
        head = file.header.byteswap().tobytes()
    head = bytearray(head)
    head[208:216] = b"MAP " + b"\x11\x11\0\0"
    path.write_bytes(bytes(head) + found.astype(">i2").tobytes())
    with mrcfile.open(path) as file:
        return np.array(file.data)


def mrc_unsigned(path: Path) -> Values:
    """Write bytes as IMOD does: it says whether they are signed."""
    mrc(5, 8, 9, dtype=np.int8)(path)
    data = bytearray(path.read_bytes())
    data[152:160] = struct.pack("<ii", 1146047817, 0)
    path.write_bytes(bytes(data))
    return np.frombuffer(data[1024:], np.uint8).reshape(5, 8, 9)


def nifti(
    *shape: int,
    dtype: Any = np.int16,
    units: Any = ("micron", "sec"),
    version: int = 1,
    endian: str = "<",
    **scaling: float,
) -> Make:
    """Return what writes a NIfTI of (x, y, z, t, c) with nibabel, and reads it back with it."""

    def make(path: Path) -> Values:
        import nibabel

        kind = nibabel.Nifti1Image if version == 1 else nibabel.Nifti2Image
        header = kind.header_class(endianness=endian)
        made = kind(values(*shape, dtype=dtype), np.diag([0.5, 0.5, 2, 1]), header, dtype=dtype)
        made.header.set_xyzt_units(*units)
        if len(shape) > 3:
            made.header.set_zooms((0.5, 0.5, 2, 30)[: len(shape)] + (1,) * (len(shape) - 4))
        if scaling:
            made.header.set_slope_inter(**scaling)
        nibabel.save(made, path)
        return np.squeeze(np.asarray(nibabel.load(path).get_fdata(dtype=np.float32)).T)

    return make


def nifti_colours(path: Path) -> Values:
    """Write red, green and blue."""
    import nibabel

    found = values(9, 8, 5, 3, dtype=np.uint8)
    kind = np.dtype([(c, "u1") for c in "RGB"])
    nibabel.save(nibabel.Nifti1Image(found.view(kind)[..., 0], np.eye(4)), path)
    return found.transpose(2, 3, 1, 0)


UM = {"y": 0.5, "x": 0.5}
PRINTS = (72, 96, 150, 200, 300, 600)

ANGSTROM: Any = {
    "axes": "zyx",
    "spacing": dict.fromkeys("zyx", 4.0),
    "unit": "Å",
    "needs": "mrcfile",
}
MICRONS: Any = {
    "axes": "zyx",
    "spacing": {"x": 0.5, "y": 0.5, "z": 2.0},
    "unit": "µm",
    "needs": "nibabel",
}

CASES = (
    # Plain TIFF
    Case("plain.tif", tiff(8, 9)),
    Case("signed.tif", tiff(8, 9, dtype=np.int16)),
    Case("float.tif", tiff(8, 9, dtype=np.float32)),
    Case("double.tif", tiff(8, 9, dtype=np.float64)),
    Case("bits.tif", tiff(8, 16, dtype=bool)),
    Case("big.tif", tiff(8, 9, bigtiff=True)),
    Case("motorola.tif", tiff(8, 9, byteorder=">")),
    Case("deflate.tif", tiff(8, 9, compression="zlib")),
    Case("predictor.tif", tiff(8, 9, compression="zlib", predictor=2), needs="imagecodecs"),
    Case("lzw.tif", tiff(8, 9, compression="lzw"), needs="imagecodecs"),
    Case("zstd.tif", tiff(8, 9, compression="zstd"), needs="imagecodecs"),
    Case("packbits.tif", tiff(8, 9, dtype=np.uint8, compression="packbits"), needs="imagecodecs"),
    Case("jpeg2000.tif", tiff(16, 16, compression="jpeg2000"), needs="imagecodecs"),
    Case("tiled.tif", tiff(40, 50, tile=(16, 16))),
    Case("strips.tif", tiff(40, 50, rowsperstrip=7)),
    Case(
        "colours.tif",
        tiff(8, 9, 3, dtype=np.uint8, photometric="rgb", turn="last"),
        axes="cyx",
        rgb=True,
    ),
    Case(
        "planar.tif",
        tiff(3, 8, 9, dtype=np.uint8, photometric="rgb", planarconfig="separate"),
        axes="cyx",
        rgb=True,
    ),
    Case("stack.tif", tiff(5, 8, 9), axes="zyx"),
    Case("pyramid.tif", pyramid),
    Case("turned.tif", tiff(8, 9, extratags=[(274, 3, 1, 6, True)]), note="turned by 90 degrees"),
    Case("sizes.tif", two_pages_of_other_sizes, note="holds 2 images"),
    # Resolution
    Case("microns.tif", tiff(8, 9, **microns(0.5)), spacing=UM, unit="µm"),
    Case("inches.tif", tiff(8, 9, resolution=(25400, 25400), resolutionunit="INCH")),
    *(
        Case(
            f"print{dpi}.tif",
            tiff(8, 9, resolution=(dpi / 2.54, dpi / 2.54), resolutionunit="CENTIMETER"),
        )
        for dpi in PRINTS
    ),
    Case("one.tif", tiff(8, 9, resolution=(1, 1), resolutionunit="CENTIMETER")),
    Case("rounded.tif", tiff(8, 9, resolution=(28, 28), resolutionunit="CENTIMETER")),
    # ImageJ
    Case(
        "imagej.tif",
        imagej(3, 2, 8, 9, axes="ZCYX", resolution=(2, 2), unit="micron", spacing=1.5),
        axes="zcyx",
        spacing=UM | {"z": 1.5},
        unit="µm",
    ),
    Case("inch.tif", imagej(8, 9, axes="YX", resolution=(72, 72), unit="inch")),
    Case("cm.tif", imagej(8, 9, axes="YX", resolution=(28.346, 28.346), unit="cm")),
    Case("pixel.tif", imagej(8, 9, axes="YX", resolution=(1, 1), unit="pixel")),
    Case(
        "minutes.tif",
        imagej(4, 8, 9, axes="TYX", finterval=2.0, tunit="min"),
        axes="tyx",
        spacing={"t": 120.0},
    ),
    Case(
        "units.tif",
        imagej(
            3,
            8,
            9,
            axes="ZYX",
            resolution=(0.01, 10),
            unit="nm",
            yunit="micron",
            zunit="micron",
            spacing=2.0,
        ),
        axes="zyx",
        spacing={"x": 100.0, "y": 100.0, "z": 2000.0},
        unit="nm",
    ),
    # OME-TIFF
    Case(
        "size.ome.tif",
        ome(2, 8, 9, axes="CYX", PhysicalSizeX=500, PhysicalSizeXUnit="nm", PhysicalSizeY=0.5),
        axes="cyx",
        spacing={"x": 500.0, "y": 500.0},
        unit="nm",
    ),
    Case(
        "minutes.ome.tif",
        ome(4, 8, 9, axes="TYX", TimeIncrement=2, TimeIncrementUnit="min"),
        axes="tyx",
        spacing={"t": 120.0},
    ),
    Case(
        "names.ome.tif",
        ome(2, 8, 9, axes="CYX", Channel={"Name": ["DAPI", "GFP"]}),
        axes="cyx",
        channels=("DAPI", "GFP"),
    ),
    Case("pair.ome.tif", ome_pair, axes="cyx", spacing=UM, unit="µm", channels=("a", "b")),
    Case("member.tif", ome_member, axes="cyx", spacing=UM, unit="µm", channels=("a", "b")),
    Case(
        "absent.ome.tif",
        ome_with_missing_plane,
        axes="cyx",
        spacing=UM,
        unit="µm",
        channels=("a", "b"),
        note="lacks 1 of the 2 planes",
    ),
    # TIFFs of microscopes
    Case("zeiss.lsm", lsm, axes="zyx", spacing={"x": 0.2, "y": 0.2, "z": 1.0}, unit="µm"),
    Case(
        "metamorph.stk",
        stk(3, 8, 9, step=1.5),
        axes="zyx",
        spacing={"x": 0.25, "y": 0.5, "z": 1.5},
        unit="µm",
    ),
    Case(
        "times.stk",
        stk(4, 8, 9, seconds=2.5),
        axes="tyx",
        spacing={"x": 0.25, "y": 0.5, "t": 2.5},
        unit="µm",
    ),
    Case(
        "wavelengths.stk",
        stk(3, 8, 9, seconds=0.2, wavelengths=(405, 488, 561)),
        axes="cyx",
        spacing={"x": 0.25, "y": 0.5},
        unit="µm",
        channels=("405 nm", "488 nm", "561 nm"),
    ),
    Case(
        "stained.stk",
        stk(3, 8, 9, step=1.5, wavelengths=(488, 488, 488)),
        axes="zyx",
        spacing={"x": 0.25, "y": 0.5, "z": 1.5},
        unit="µm",
    ),
    Case(
        "mixed.stk",
        stk(4, 8, 9, wavelengths=(405, 488, 405, 488)),
        axes="zyx",
        spacing={"x": 0.25, "y": 0.5},
        unit="µm",
        note="planes of 2 wavelengths along one axis",
    ),
    Case("excitation.tif", tiff(5, 8, 9, metadata={"axes": "EYX"}), axes="cyx"),
    Case(
        "lifetime.tif",
        tiff(5, 8, 9, metadata={"axes": "HYX"}),
        axes="zyx",
        note="5 images along an axis that images have not (lifetime); they are read as planes",
    ),
    *(
        Case(
            f"axis_{axis}.tif",
            tiff(5, 8, 9, metadata={"axes": f"{axis}YX"}),
            axes="zyx",
            note=f"images have not ({axis}); they are read as planes",
        )
        for axis in "BNb"
    ),
    Case("plane.stk", stk(1, 8, 9), spacing={"x": 0.25, "y": 0.5}, unit="µm"),
    Case("uncalibrated.stk", stk(3, 8, 9, step=1.5, calibrated=False), axes="zyx"),
    Case("metaxpress.tif", metaxpress, spacing={"x": 0.65, "y": 0.65}, unit="µm"),
    Case(
        "aperio.svs",
        svs,
        axes="cyx",
        rgb=True,
        spacing={"x": 0.499, "y": 0.499},
        unit="µm",
        note="holds 3 images",
    ),
    # Pictures
    Case("grey.png", picture(8, 9)),
    Case("grey16.png", picture(8, 9, dtype=np.uint16)),
    Case("bits.png", picture(8, 9, dtype=bool)),
    Case("colours.png", picture(8, 9, 3), axes="cyx", rgb=True),
    Case("opacity.png", picture(8, 9, 4), axes="cyx", rgb=True),
    Case("palette.png", palette, axes="cyx", rgb=True),
    Case("grey_opacity16.png", png16(4, 2)),
    Case("colours16.png", png16(2, 3), axes="cyx", rgb=True),
    Case("opacity16.png", png16(6, 4), axes="cyx", rgb=True),
    Case("moving16.png", png16(0, 1, animated=True), note="holds 2 pictures"),
    Case("moving_opacity16.png", png16(4, 2, animated=True), note="holds 2 pictures"),
    Case("grey.jpg", jpeg(16, 24)),
    Case("colours.jpg", jpeg(16, 24, 3), axes="cyx", rgb=True),
    Case("turned.jpg", turned_jpeg, axes="cyx", rgb=True, note="turned by 90 degrees"),
    Case("grey.bmp", picture(8, 9)),
    Case("colours.bmp", picture(8, 9, 3), axes="cyx", rgb=True),
    Case("palette.gif", palette, axes="cyx", rgb=True),
    Case("grey.gif", picture(8, 9)),
    Case("moving.gif", moving_gif, note="holds 2 pictures"),
    Case("colours.webp", picture(8, 9, 3, lossless=True), axes="cyx", rgb=True),
    # NPY
    Case("plain.npy", npy(8, 9)),
    Case("columns.npy", npy(8, 9, order="F")),
    Case("motorola.npy", npy(8, 9, dtype=">u2")),
    Case("stack.npy", npy(5, 8, 9), axes="zyx"),
    Case("colours.npy", npy(8, 9, 3, dtype=np.uint8, last=True), axes="cyx", rgb=True),
    Case("colours_stack.npy", npy(5, 8, 9, 3, dtype=np.uint8, last=True), axes="zcyx", rgb=True),
    # MRC
    *(
        Case(f"{np.dtype(kind)}.mrc", mrc(5, 8, 9, dtype=kind), **ANGSTROM)
        for kind in (np.int8, np.int16, np.uint16, np.float16, np.float32)
    ),
    Case(
        "sides.mrc",
        mrc(5, 8, 9, voxel=(2.0, 3.0, 4.0)),
        axes="zyx",
        spacing={"x": 2.0, "y": 3.0, "z": 4.0},
        unit="Å",
        needs="mrcfile",
    ),
    *(
        Case(
            f"data{ending}",
            hdf5,
            axes="zyx",
            spacing={"z": 2.0, "y": 0.5, "x": 0.5},
            unit="µm",
            needs="h5py",
        )
        for ending in (".h5", ".hdf5", ".hdf")
    ),
    Case("motorola.mrc", mrc_motorola, **ANGSTROM),
    Case("unsigned.mrc", mrc_unsigned, **ANGSTROM),
    Case("packed.mrc.gz", mrc(5, 8, 9), **ANGSTROM),
    Case("plane.mrc", mrc(8, 9, voxel=0), needs="mrcfile"),
    Case(
        "images.mrc",
        mrc_stack,
        axes="tyx",
        spacing={"x": 2.5, "y": 2.5},
        unit="Å",
        needs="mrcfile",
    ),
    Case("volumes.mrc", mrc(2, 5, 8, 9), **ANGSTROM | {"axes": "tzyx"}),
    Case("unnamed.mrc", mrc(5, 8, 9, mapc=0, mapr=0, maps=0), **ANGSTROM),
    Case(
        "turned.mrc",
        mrc_turned,
        axes="zyx",
        spacing={"x": 2.0, "y": 3.0, "z": 4.0},
        unit="Å",
        needs="mrcfile",
    ),
    # NIfTI
    *(
        Case(f"{np.dtype(kind)}.nii", nifti(9, 8, 5, dtype=kind), **MICRONS)
        for kind in (np.uint8, np.int16, np.uint16, np.float32)
    ),
    Case("second.nii", nifti(9, 8, 5, version=2), **MICRONS),
    Case("motorola.nii", nifti(9, 8, 5, endian=">"), **MICRONS),
    Case("packed.nii.gz", nifti(9, 8, 5), **MICRONS),
    Case("scaled.nii", nifti(9, 8, 5, slope=0.5, inter=-10), **MICRONS),
    Case("scaled.nii.gz", nifti(9, 8, 5, slope=0.5, inter=-10), **MICRONS),
    Case(
        "metres.nii",
        nifti(9, 8, 5, units=("meter", None)),
        axes="zyx",
        spacing={"x": 0.5, "y": 0.5, "z": 2.0},
        unit="m",
        needs="nibabel",
    ),
    Case("unknown.nii", nifti(9, 8, 5, units=(None, None)), **MICRONS | {"unit": ""}),
    Case("plane.nii", nifti(9, 8), spacing=UM, unit="µm", needs="nibabel"),
    Case(
        "series.nii",
        nifti(9, 8, 5, 4, units=("micron", "msec")),
        axes="tzyx",
        spacing=MICRONS["spacing"] | {"t": 0.03},
        unit="µm",
        needs="nibabel",
    ),
    Case("channels.nii", nifti(9, 8, 5, 1, 3), **MICRONS | {"axes": "czyx"}),
    Case(
        "colours.nii",
        nifti_colours,
        axes="zcyx",
        spacing={"x": 1.0, "y": 1.0, "z": 1.0},
        rgb=True,
        needs="nibabel",
    ),
    # OME-Zarr
    Case(
        "microns.zarr",
        omezarr(3, 8, 9, axes="zyx", units=dict.fromkeys("zyx", "micrometer")),
        axes="zyx",
        spacing=dict.fromkeys("zyx", 2.0),
        unit="µm",
    ),
    Case(
        "units.zarr",
        omezarr(3, 8, 9, axes="zyx", units={"z": "micrometer", "y": "nanometer", "x": "nanometer"}),
        axes="zyx",
        spacing={"z": 2000.0, "y": 2.0, "x": 2.0},
        unit="nm",
    ),
    Case(
        "milliseconds.zarr",
        omezarr(4, 8, 9, axes="tyx", units={"t": "millisecond"}),
        axes="tyx",
        spacing={"t": 0.002, "y": 2.0, "x": 2.0},
    ),
    Case(
        "third.zarr", omezarr(2, 8, 9, axes="cyx", version=3), axes="cyx", spacing={"y": 2, "x": 2}
    ),
    Case(
        "shards.zarr",
        omezarr(64, 64, axes="yx", version=3, chunks=(16, 16), shards=(32, 32)),
        spacing={"y": 2, "x": 2},
    ),
)
