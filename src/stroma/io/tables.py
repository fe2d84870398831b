"""Which file of code reads or writes a name's ending."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import PurePath

from stroma.io.foreign import BIOFORMATS
from stroma.registry import Registry

TIFFS = (
    *(".tif", ".tiff", ".tf2", ".tf8", ".btf"),
    *(".lsm", ".stk", ".svs", ".ndpi", ".scn", ".qptiff"),
)
"""Endings of TIFFs, those of microscopes among them."""

MRCS = (".mrc", ".mrcs", ".map", ".ccp4", ".rec", ".st", ".ali", ".mrc.gz", ".map.gz")
"""Endings of MRC files: those of the format, and of steps of tomography."""

NIFTIS = (".nii", ".nii.gz")
"""Endings of NIfTI files that hold header and values."""

HDF5S = (".h5", ".hdf5", ".hdf")
"""Endings of HDF5 files."""

MICROSCOPES = {
    ".czi": "stroma.io.microscopes.czi",
    ".lif": "stroma.io.microscopes.lif",
    ".nd2": "stroma.io.microscopes.nd2",
    ".dv": "stroma.io.microscopes.dv",
    **dict.fromkeys((".oib", ".oif"), "stroma.io.microscopes.oif"),
}
"""Endings of files of microscopes, and the modules that read them."""

BY_JAVA = dict.fromkeys(
    BIOFORMATS if find_spec("bioio_bioformats") else (), "stroma.io.microscopes.bioformats"
)
"""Endings that Bio-Formats reads where it is installed; else they are refused with advice."""

READERS = Registry(
    "reader of image files",
    {
        ".png": "stroma.io.pictures.png:read",
        **dict.fromkeys((".bmp", ".gif", ".webp"), "stroma.io.pictures.others:read"),
        ".jpg": "stroma.io.pictures.jpeg:read",
        ".jpeg": "stroma.io.pictures.jpeg:read",
        **dict.fromkeys(TIFFS, "stroma.io.tiff.read:read"),
        **dict.fromkeys(MRCS, "stroma.io.mrc:read"),
        **dict.fromkeys(NIFTIS, "stroma.io.nifti:read"),
        **dict.fromkeys(HDF5S, "stroma.io.hdf5:read"),
        **{e: f"{module}:read" for e, module in (MICROSCOPES | BY_JAVA).items()},
        ".n5": "stroma.io.n5:read",
        ".npy": "stroma.io.npy:read",
        ".zarr": "stroma.io.omezarr.read:read",
    },
    group="stroma.readers",
    extras={
        **dict.fromkeys((*MRCS, *NIFTIS, *HDF5S, *MICROSCOPES), "formats"),
        **dict.fromkeys(BY_JAVA, "bioformats"),
    },
)
"""Ending of a file's name -> ``read(path, *, axes, series) -> Image``; series may be None."""

SERIES = Registry(
    "list of the images of a file",
    {
        **dict.fromkeys(TIFFS, "stroma.io.tiff.opening:list_series"),
        **dict.fromkeys(HDF5S, "stroma.io.hdf5:list_series"),
        **{e: f"{m}:list_series" for e, m in (MICROSCOPES | BY_JAVA).items() if e != ".dv"},
        ".n5": "stroma.io.n5:list_series",
        ".zarr": "stroma.io.omezarr.series:list_series",
    },
    group="stroma.series",
    extras=dict.fromkeys((*HDF5S, *MICROSCOPES), "formats"),
)
"""Ending of a file's name -> ``list_series(path) -> tuple of Series``; others hold one image."""

WRITERS = Registry(
    "writer of image files",
    {
        ".png": "stroma.io.pictures.png:write",
        ".tif": "stroma.io.tiff.write:write",
        ".tiff": "stroma.io.tiff.write:write",
        ".ome.tif": "stroma.io.tiff.write:write_ome",
        ".ome.tiff": "stroma.io.tiff.write:write_ome",
        ".npy": "stroma.io.npy:write",
        ".zarr": "stroma.io.omezarr.write:write",
    },
    group="stroma.writers",
)
"""Ending of a file's name -> ``write(path, array, description)``; the longest ending wins."""

CLASS_READERS = Registry(
    "reader of class names",
    {
        ".png": "stroma.io.pictures.png:read_classes",
        ".tif": "stroma.io.tiff.facts:read_classes",
        ".tiff": "stroma.io.tiff.facts:read_classes",
        ".zarr": "stroma.io.omezarr.read:read_classes",
    },
)
"""Ending of a label file's name -> ``read_classes(path)``."""

PALETTES = Registry(
    "reader of palettes",
    {
        ".png": "stroma.io.pictures.png:read_indices",
        ".bmp": "stroma.io.pictures.others:read_indices",
        ".gif": "stroma.io.pictures.others:read_indices",
    },
)
"""Ending of a file's name -> ``read_indices(path)``: the positions in its palette, or None."""

ORIENTATIONS = Registry(
    "reader of orientations",
    dict.fromkeys(NIFTIS, "stroma.io.nifti:orientation"),
)
"""Ending of a file's name -> ``orientation(path)``: where its axes run to in the sample, or ""."""

STROKE_READERS = Registry(
    "reader of strokes",
    {
        ".roi": "stroma.io.imagej.read:read",
        ".zip": "stroma.io.imagej.read:read_zip",
        ".geojson": "stroma.io.qupath.geojson:read",
        ".json": "stroma.io.qupath.geojson:read",
    },
    group="stroma.stroke_readers",
)
"""Ending of a file's name -> ``read(path, image, width) -> list of Mark``; others are images."""

STROKE_WRITERS = Registry(
    "writer of strokes",
    {
        ".zip": "stroma.io.imagej.write:write_zip",
        ".geojson": "stroma.io.qupath.geojson:write",
        ".json": "stroma.io.qupath.geojson:write",
    },
    group="stroma.stroke_writers",
)
"""Ending of a file's name -> ``write(path, marks)``; others are label images."""


def ending_of(name: str | PurePath) -> str:
    """Return the ending of a name in small letters: the longest known to a reader (".nii.gz")."""
    low = PurePath(name).name.lower()
    known = [ending for ending in READERS if low.endswith(ending)]
    return max(known, key=len, default=PurePath(low).suffix)


def stem_of(name: str | PurePath) -> str:
    """Return a name without its ending, and without the ".ome" before it."""
    full = PurePath(name).name
    stem = full[: len(full) - len(ending_of(name))]
    return stem[:-4] if stem.lower().endswith(".ome") else stem
