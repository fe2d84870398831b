"""Images that no reader here knows by itself, and what reads them elsewhere."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from stroma.errors import install

BIOFORMATS = {
    **dict.fromkeys((".oir",), "Olympus FluoView (Evident)"),
    **dict.fromkeys((".vsi", ".ets"), "Olympus cellSens and VS slide scanners (Evident)"),
    **dict.fromkeys((".lof", ".xlef"), "Leica LAS X"),
    ".zvi": "Zeiss AxioVision",
    ".ims": "Imaris",
    **dict.fromkeys((".dm3", ".dm4"), "Gatan DigitalMicrograph"),
    ".vms": "Hamamatsu slide scanners",
    ".bif": "Ventana slide scanners",
    **dict.fromkeys((".sld", ".sldy"), "SlideBook"),
    ".mvd2": "Volocity",
    ".flex": "Opera and Operetta",
    ".xdce": "IN Cell",
    ".cxd": "SimplePCI",
    ".r3d": "DeltaVision",
    ".ipw": "Image-Pro",
    ".fli": "Lambert Instruments",
    ".dcm": "DICOM",
    **dict.fromkeys((".ics", ".ids"), "the Image Cytometry Standard"),
    ".nrrd": "NRRD",
}
"""Whose images these are that Bio-Formats, a program in Java, reads, by ending."""

OPENSLIDE = (".mrxs",)
"""Endings of slides of 3DHISTECH's scanners."""

PICTURES = (".jp2", ".jxl", ".jxr", ".heic", ".avif", ".psd", ".exr", ".dng")
"""Endings of pictures."""

FOREIGN = frozenset((*BIOFORMATS, *OPENSLIDE, *PICTURES))
"""Endings of images that no reader knows; files of other endings are taken for no images."""


CELLPOSE = "_seg.npy"
"""What follows an image's name in that of what the window of Cellpose keeps of it: no array."""


def part_of(path: Path, beside: Collection[str]) -> str:
    """Return why a file is no image of its own beside others; empty if it is one.

    Parameters
    ----------
    path : Path
        The file.
    beside : collection of str
        Names of the images in its folder, in small letters.
    """
    name = path.name.lower()
    if name.endswith(".ids") and f"{name[:-4]}.ics" in beside:
        return "They hold the pixels of the .ics of the same name, which is taken."
    if name.endswith(".ets") and (_has_slide(path) or any(n.endswith(".vsi") for n in beside)):
        return "They hold the pixels of a .vsi. Give that."
    if name.endswith(".xdce") and any(n.endswith((".tif", ".tiff")) for n in beside):
        return (
            "They list the TIFFs in the folder, which are taken one by one. To have the channels "
            "of a field together, give the .xdce itself."
        )
    if name.endswith(CELLPOSE):
        return (
            "They are what the window of Cellpose keeps of images. To have the objects in one, "
            "run: stroma import"
        )
    return ""


def _has_slide(path: Path) -> bool:
    """Tell whether a file lies as those of "a.vsi" do: in a folder of "_a_", beside it."""
    room = path.absolute().parent.parent
    stem = room.name.removeprefix("_").removesuffix("_")
    return room.name == f"_{stem}_" and (room.parent / f"{stem}.vsi").exists()


def advice(path: Path, ending: str) -> str:
    """Return what to do with an image that no reader here knows; empty if it is none we know of."""
    if ending in BIOFORMATS:
        return (
            f"{path} is an image of {BIOFORMATS[ending]}, which Bio-Formats reads. Install what "
            f"asks it, where Java may run: {install('bioformats')}. Or open the image in Fiji "
            "(File > Import > Bio-Formats) and save it as OME-TIFF, or run: "
            f"bfconvert {path.name} {path.stem}.ome.tif"
        )
    if ending in OPENSLIDE:
        return (
            f"{path} is a slide of a scanner of 3DHISTECH, for which there is no reader here. "
            "Open it in QuPath and export it as OME-TIFF."
        )
    if ending in PICTURES:
        return (
            f"{path} has the ending {ending!r}, for which there is no reader here. Save it as TIFF "
            "or PNG."
        )
    return ""
