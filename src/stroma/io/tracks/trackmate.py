"""TrackMate's XML, which Fiji opens (Plugins, Tracking, Load a TrackMate file)."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np

from stroma.data.tracks import Tracks
from stroma.io.atomic import replaced
from stroma.io.tracks.movie import Movie

VERSION = "7.11.1"
STACKS = (".tif", ".tiff")
"""Endings of label images that TrackMate shows behind the tracks; else it makes an empty image."""

SPOT_FEATURES = (
    ("QUALITY", "Quality", "QUALITY", False),
    ("POSITION_X", "X", "POSITION", False),
    ("POSITION_Y", "Y", "POSITION", False),
    ("POSITION_Z", "Z", "POSITION", False),
    ("POSITION_T", "T", "TIME", False),
    ("FRAME", "Frame", "NONE", True),
    ("RADIUS", "Radius", "LENGTH", False),
    ("VISIBILITY", "Visibility", "NONE", True),
)
EDGE_FEATURES = (
    ("SPOT_SOURCE_ID", "Source spot ID", "NONE", True),
    ("SPOT_TARGET_ID", "Target spot ID", "NONE", True),
    ("LINK_COST", "Edge cost", "COST", False),
)
TRACK_FEATURES = (
    ("TRACK_INDEX", "Track index", "NONE", True),
    ("TRACK_ID", "Track ID", "NONE", True),
)

SHOWN = {
    "name": "CurrentDisplaySettings",
    "spotVisible": True,
    "spotDisplayedAsRoi": True,
    "spotShowName": False,
    "spotFilled": False,
    "spotDisplayRadius": 1.0,
    "spotTransparencyAlpha": 1.0,
    "spotColorByType": "TRACKS",
    "spotColorByFeature": "TRACK_INDEX",
    "spotMin": 0.0,
    "spotMax": 10.0,
    "spotUniformColor": "204, 51, 204, 255",
    "trackVisible": True,
    "trackDisplayMode": "LOCAL",
    "trackColorByType": "TRACKS",
    "trackColorByFeature": "TRACK_INDEX",
    "trackMin": 0.0,
    "trackMax": 10.0,
    "trackUniformColor": "204, 204, 51, 255",
    "fadeTracks": True,
    "fadeTrackRange": 30,
    "undefinedValueColor": "0, 0, 0, 255",
    "missingValueColor": "89, 89, 89, 255",
    "highlightColor": "51, 230, 51, 255",
    "colormap": "Jet",
    "limitZDrawingDepth": False,
    "drawingZDepth": 10.0,
    "useAntialiasing": True,
    "lineThickness": 1.0,
    "selectionLineThickness": 4.0,
    "font": {
        "name": "Arial",
        "style": 1,
        "size": 12,
        "pointSize": 12.0,
        "fontSerializedDataVersion": 1,
    },
    "trackschemeBackgroundColor1": "128, 128, 128, 255",
    "trackschemeBackgroundColor2": "192, 192, 192, 255",
    "trackschemeForegroundColor": "0, 0, 0, 255",
    "trackschemeDecorationColor": "0, 0, 0, 255",
    "trackschemeFillBox": False,
}
"""How TrackMate draws: each lineage in its colour. It complains of a file that does not say."""


def write(folder: Path, tracks: Tracks, movie: Movie | None, stem: str) -> list[Path]:
    """Write ``STEM_tracks.xml``; a TrackMate track is a whole lineage, divisions within it."""
    root = ET.Element("TrackMate", version=VERSION)
    found = tracks.detections
    time = "sec" if found.interval else "frame"
    unit = "pixel" if found.unit == "px" else found.unit.replace("µm", "micron")
    model = ET.SubElement(root, "Model", spatialunits=unit, timeunits=time)
    _declared(model)
    _spots(model, tracks)
    _edges(model, tracks)
    _settings(root, tracks, movie)
    path = folder / f"{stem}_tracks.xml"
    ET.indent(root)
    with replaced(path) as temporary:
        ET.ElementTree(root).write(temporary, encoding="UTF-8", xml_declaration=True)
    return [path]


def _declared(model: ET.Element) -> None:
    features = ET.SubElement(model, "FeatureDeclarations")
    for kind, listed in (
        ("SpotFeatures", SPOT_FEATURES),
        ("EdgeFeatures", EDGE_FEATURES),
        ("TrackFeatures", TRACK_FEATURES),
    ):
        group = ET.SubElement(features, kind)
        for name, title, dimension, whole in listed:
            ET.SubElement(
                group,
                "Feature",
                feature=name,
                name=title,
                shortname=title,
                dimension=dimension,
                isint=str(whole).lower(),
            )


def _spots(model: ET.Element, tracks: Tracks) -> None:
    found = tracks.detections
    spots = ET.SubElement(model, "AllSpots", nspots=str(len(found)))
    radius = _radii(tracks)
    xyz = np.zeros((len(found), 3))
    xyz[:, : found.places.shape[1]] = found.places[:, ::-1]
    step = found.interval or 1.0
    for frame in range(found.frames):
        group = ET.SubElement(spots, "SpotsInFrame", frame=str(frame))
        for i in range(*found.of(frame).indices(len(found))):
            ET.SubElement(
                group,
                "Spot",
                ID=str(i),
                name=f"ID{i}",
                QUALITY="1.0",
                POSITION_X=f"{xyz[i, 0]:.6g}",
                POSITION_Y=f"{xyz[i, 1]:.6g}",
                POSITION_Z=f"{xyz[i, 2]:.6g}",
                POSITION_T=f"{frame * step:.6g}",
                FRAME=str(frame),
                RADIUS=f"{radius[i]:.6g}",
                VISIBILITY="1",
            )


def _radii(tracks: Tracks) -> np.ndarray:
    """Return the radius of a disk, or ball, as large as each object."""
    found = tracks.detections
    area = found.measures.get("area")
    pixel = float(np.prod(found.spacing))
    if area is None:
        return np.full(len(found), 2.5 * min(found.spacing))
    if found.places.shape[1] == 3:
        return np.asarray(np.cbrt(area * pixel * 3 / (4 * np.pi)))
    return np.asarray(np.sqrt(area * pixel / np.pi))


def _edges(model: ET.Element, tracks: Tracks) -> None:
    """Write connected detections as tracks, each with its edges; lone ones are in none."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(tracks.detections)
    ones = np.ones(len(tracks.links))
    graph = coo_array((ones, (tracks.links[:, 0], tracks.links[:, 1])), shape=(n, n))
    _, group = connected_components(graph, directed=False)
    listed = ET.SubElement(model, "AllTracks")
    kept = ET.SubElement(model, "FilteredTracks")
    order = np.argsort(group[tracks.links[:, 0]], kind="stable")
    numbers = group[tracks.links[order, 0]]
    for index, name in enumerate(np.unique(numbers)):
        track = ET.SubElement(
            listed,
            "Track",
            name=f"Track_{index}",
            TRACK_ID=str(index),
            TRACK_INDEX=str(index),
        )
        for i, j in tracks.links[order[numbers == name]].tolist():
            ET.SubElement(
                track,
                "Edge",
                SPOT_SOURCE_ID=str(i),
                SPOT_TARGET_ID=str(j),
                LINK_COST="-1.0",
            )
        ET.SubElement(kept, "TrackID", TRACK_ID=str(index))


def _settings(root: ET.Element, tracks: Tracks, movie: Movie | None) -> None:
    found = tracks.detections
    shape = (1, 1, 1) if movie is None else np.shape(movie.read(0))
    sizes = (*(1,) * (3 - len(shape)), *shape)
    spacing = (*(1.0,) * (3 - len(found.spacing)), *found.spacing)
    settings = ET.SubElement(root, "Settings")
    source = Path(movie.source) if movie is not None and movie.source else Path()
    stack = source.suffix.lower() in STACKS
    ET.SubElement(
        settings,
        "ImageData",
        filename=source.name if stack else "",
        folder=str(source.resolve().parent) if stack else "",
        width=str(sizes[2]),
        height=str(sizes[1]),
        nslices=str(sizes[0]),
        nframes=str(found.frames),
        pixelwidth=f"{spacing[2]:.6g}",
        pixelheight=f"{spacing[1]:.6g}",
        voxeldepth=f"{spacing[0]:.6g}",
        timeinterval=f"{found.interval or 1.0:.6g}",
    )
    crop = {
        f"{axis}{end}": str(at)
        for axis, size in zip("zyxt", (*sizes, found.frames), strict=True)
        for end, at in (("start", 0), ("end", size - 1))
    }
    ET.SubElement(settings, "BasicSettings", crop)
    _by_hand(settings, float(np.median(_radii(tracks))) if len(found) else 1.0)
    ET.SubElement(root, "GUIState", state="ConfigureViews")
    ET.SubElement(root, "DisplaySettings").text = json.dumps(SHOWN, indent=1)


def _by_hand(settings: ET.Element, radius: float) -> None:
    """Write settings without which TrackMate does not load a file: as if found by hand, no filters.

    TrackMate 7 stops at a file that lacks the filter of spots by quality, or the lists of filters.
    """
    detector = {"DETECTOR_NAME": "MANUAL_DETECTOR", "RADIUS": f"{radius:.6g}"}
    ET.SubElement(settings, "DetectorSettings", detector)
    ET.SubElement(settings, "InitialSpotFilter", feature="QUALITY", value="0.0", isabove="true")
    ET.SubElement(settings, "SpotFilterCollection")
    ET.SubElement(settings, "TrackerSettings", TRACKER_NAME="MANUAL_TRACKER")
    ET.SubElement(settings, "TrackFilterCollection")
    analysers = ET.SubElement(settings, "AnalyzerCollection")
    for kind in ("SpotAnalyzers", "EdgeAnalyzers", "TrackAnalyzers"):
        ET.SubElement(analysers, kind)
