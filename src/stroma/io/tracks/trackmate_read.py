"""Tracks from TrackMate's XML, as TrackMate 4 and later save them."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import numpy as np

from stroma.data.tracks import Detections, Floats, Tracks
from stroma.errors import FormatError
from stroma.io.units import seconds, symbol

LARGEST = 2_000_000_000
"""Bytes of a file that is read."""

PIXELS = ("pixel", "pixels")
OWN = {
    *("POSITION_X", "POSITION_Y", "POSITION_Z", "POSITION_T", "FRAME", "RADIUS", "VISIBILITY"),
    *("ID", "name", "ROI_N_POINTS", "MANUAL_SPOT_COLOR"),
}


def read(path: Path) -> Tracks:
    """Return the spots and the tracks of a file; spots and tracks that are filtered out are not.

    Pixel size, unit and interval are those of the file. The radius of a spot becomes its "area",
    that of a disk, or the volume of a ball, in pixels; other features that all spots have are
    measures by their names.

    Raises
    ------
    FormatError
        If it is no such file, or an edge names a spot that is not there.
    """
    root = _root(path)
    model = root.find("Model")
    if root.tag != "TrackMate" or model is None:
        raise FormatError(f"{path} is XML, but not TrackMate's: it begins with <{root.tag}>.")
    try:
        edges = list(_edges(model))
        found, at = _spots(model, root.find("Settings/ImageData"), set(chain(*edges)))
    except (KeyError, ValueError) as error:
        raise FormatError(f"{path} lacks a value, or has one that is none: {error}.") from error
    lost = [(a, b) for a, b in edges if not (a in at and b in at)]
    if lost:
        raise FormatError(f"{path}: an edge names the spots {lost[0]}, which are not both there.")
    frame, links = found.frame, [(at[a], at[b]) for a, b in edges]
    ordered = [(a, b) if frame[a] < frame[b] else (b, a) for a, b in links if frame[a] != frame[b]]
    return Tracks(found, np.array(ordered, np.int64).reshape(-1, 2))


def _root(path: Path) -> ET.Element:
    if path.stat().st_size > LARGEST:
        raise FormatError(f"{path} is larger than {LARGEST // 10**9} GB; nothing larger is read.")
    with path.open("rb") as file:
        if b"<!DOCTYPE" in file.read(4096).upper():
            raise FormatError(f"{path} declares a document type, which TrackMate's files do not.")
    try:
        return ET.parse(path).getroot()
    except (ET.ParseError, ValueError) as error:
        raise FormatError(f"{path} cannot be read as XML: {error}.") from error


def _spots(
    model: ET.Element, image: ET.Element | None, linked: set[int]
) -> tuple[Detections, dict[int, int]]:
    """Return the spots frame by frame, and the position of each by its number.

    Of those that are hidden, only those that are linked.
    """
    told = {} if image is None else image.attrib
    spots = [
        s.attrib
        for s in model.iterfind("AllSpots/SpotsInFrame/Spot")
        if s.attrib.get("VISIBILITY", "1") not in ("0", "0.0") or int(s.attrib["ID"]) in linked
    ]
    spots.sort(key=lambda s: float(s["FRAME"]))
    frame = np.array([float(s["FRAME"]) for s in spots]).astype(np.int64)
    xyz = np.array([[float(s[f"POSITION_{a}"]) for a in "ZYX"] for s in spots]).reshape(-1, 3)
    flat = not len(xyz) or (int(told.get("nslices", 1)) <= 1 and not np.ptp(xyz[:, 0]))
    first = 1 if flat else 0
    sizes = [float(told.get(n, 1)) for n in ("voxeldepth", "pixelheight", "pixelwidth")][first:]
    spacing = tuple(size if size > 0 else 1.0 for size in sizes)
    unit = model.get("spatialunits", "pixel")
    count = int(frame[-1]) + 1 if len(frame) else 0
    found = Detections(
        frame,
        (np.arange(len(frame)) - np.searchsorted(frame, frame) + 1).astype(np.int64),
        xyz[:, first:] / np.array(spacing),
        _measures(spots, spacing),
        spacing,
        "px" if unit.lower() in PIXELS else symbol(unit) or unit,
        _interval(model.get("timeunits", ""), float(told.get("timeinterval", 0))),
        max(count, min(int(told.get("nframes", 0)), 10**7)),
    )
    return found, {int(s["ID"]): i for i, s in enumerate(spots)}


def _measures(spots: list[dict[str, str]], spacing: tuple[float, ...]) -> dict[str, Floats]:
    measures = {}
    if spots and all("RADIUS" in s for s in spots):
        radius = np.array([float(s["RADIUS"]) for s in spots])
        whole = np.pi * radius**2 if len(spacing) == 2 else 4 / 3 * np.pi * radius**3
        measures["area"] = whole / float(np.prod(spacing))
    names = [n for n in (spots[0] if spots else ()) if n not in OWN and all(n in s for s in spots)]
    for name in names:
        values = np.array([float(s[name]) for s in spots])
        if np.isfinite(values).all():
            measures[name.lower()] = values
    return measures


def _interval(unit: str, value: float) -> float | None:
    return seconds(value, unit) if value > 0 else None


def _edges(model: ET.Element) -> Iterator[tuple[int, int]]:
    """Yield the spots of the edges of all tracks that are not filtered out."""
    filtered = model.find("FilteredTracks")
    kept = None if filtered is None else {t.get("TRACK_ID") for t in filtered}
    for track in model.iterfind("AllTracks/Track"):
        if kept is None or track.get("TRACK_ID") in kept:
            for edge in track.iterfind("Edge"):
                yield int(edge.attrib["SPOT_SOURCE_ID"]), int(edge.attrib["SPOT_TARGET_ID"])
