"""Images that no reader here knows, and what reads them elsewhere."""

from __future__ import annotations

from pathlib import Path

MICROSCOPES = {
    **dict.fromkeys((".oir",), "Olympus FluoView (Evident)"),
    **dict.fromkeys((".vsi", ".ets"), "Olympus cellSens and VS slide scanners (Evident)"),
    **dict.fromkeys((".lof", ".xlif"), "Leica LAS X"),
    ".zvi": "Zeiss AxioVision",
    ".ims": "Imaris",
    **dict.fromkeys((".dm3", ".dm4"), "Gatan DigitalMicrograph"),
    ".mrxs": "3DHISTECH slide scanners",
    ".vms": "Hamamatsu slide scanners",
    ".bif": "Ventana slide scanners",
    ".sld": "SlideBook",
    ".r3d": "DeltaVision",
    ".ipw": "Image-Pro",
    ".fli": "Lambert Instruments",
    ".dcm": "DICOM",
    **dict.fromkeys((".ics", ".ids"), "the Image Cytometry Standard"),
    ".nrrd": "NRRD",
}
"""Whose images these are, by ending; Bio-Formats, a program in Java, reads them."""

PICTURES = (".jp2", ".jxl", ".jxr", ".heic", ".avif", ".psd", ".exr", ".dng")
"""Endings of pictures."""

FOREIGN = frozenset((*MICROSCOPES, *PICTURES))
"""Endings of images that no reader knows; files of other endings are taken for no images."""


def advice(path: Path, ending: str) -> str:
    """Return what to do with an image that no reader here knows; empty if it is none we know of."""
    if ending in MICROSCOPES:
        return (
            f"{path} is an image of {MICROSCOPES[ending]}, for which there is no reader here. "
            "Bio-Formats reads it: open it in Fiji (File > Import > Bio-Formats) and save it as "
            f"OME-TIFF, or run: bfconvert {path.name} {path.stem}.ome.tif"
        )
    if ending in PICTURES:
        return (
            f"{path} has the ending {ending!r}, for which there is no reader here. Save it as TIFF "
            "or PNG."
        )
    return ""
