"""What the page shows of tracks, and how it changes them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from typing import Any

import numpy as np

from stroma.data.tracks import Tracks
from stroma.errors import ParameterError
from stroma.io.tracks.lineage import families, rows
from stroma.session import Session
from stroma.session.tracks.book import frames_of
from stroma.web import exports
from stroma.workflow.moving.frame_objects import SMALLEST, write_objects

Values = Mapping[str, Any]
Plain = dict[str, Any]

LONGEST_TAIL = 50
SHOWN = 5000
"""Objects of a frame whose tails are told."""

LINES = 400
"""Tracks in a lineage plot; of a movie with more, those of one family, or of the first ones."""


def track(session: Session, values: Values) -> Plain:
    """Track the parts of a class over time, and answer with how many there are."""
    image, label = str(values["image"]), int(values["label"])
    smallest = int(values.get("smallest", SMALLEST))
    sizes = session.image(image).image.sizes
    if frames_of(sizes) < 2:
        raise ParameterError("Tracks need a movie, and this is a single frame.")
    folder = exports.project(session) / "tracks" / image
    folder.mkdir(parents=True, exist_ok=True)
    classes = session.export_labels(image, folder / "classes.zarr").result()
    objects = folder / "objects"
    shutil.rmtree(objects, ignore_errors=True)
    name = next((one.name for one in session.classes if one.label == label), "")
    write_objects(classes, objects, label=label, name=name, smallest=smallest)
    return _told(session.track(image, objects))


def solve(session: Session, values: Values) -> Plain:
    """Link everything again but for what was corrected, and answer like ``track``."""
    return _told(session.solve_tracks(values["image"]))


def _told(tracks: Tracks) -> Plain:
    divisions = int((tracks.children > 1).sum())
    return {"objects": len(tracks.detections), "tracks": tracks.count, "divisions": divisions}


def tails(session: Session, values: Values) -> Plain | None:
    """Answer with the objects of a frame, and where each was before; None for no tracks.

    "points" are [frame, y, x] from the earliest to the object itself, "count" says how many
    objects the frame has.
    """
    image, frame = values["image"], int(values["frame"])
    if not session.has_tracks(image):
        return None
    tracks = session.tracks(image)
    here = _of(tracks, frame)
    family = families(tracks)
    before = _before(tracks)
    told = []
    for i in here[:SHOWN].tolist():
        number = int(tracks.track[i])
        label = int(tracks.detections.label[i])
        points = _back(tracks, before, i)
        told.append({"label": label, "track": number, "family": family[number], "points": points})
    return {**_told(tracks), "frame": frame, "count": len(here), "tails": told}


def _of(tracks: Tracks, frame: int) -> np.ndarray:
    found = tracks.detections
    if not 0 <= frame < found.frames:
        return np.zeros(0, np.int64)
    rows = found.of(frame)
    return np.arange(rows.start, rows.stop)


def _before(tracks: Tracks) -> np.ndarray:
    """Return what each object was before, -1 for nothing; of several, one."""
    before = np.full(len(tracks.detections), -1, np.int64)
    before[tracks.links[:, 1]] = tracks.links[:, 0]
    return before


def _back(tracks: Tracks, before: np.ndarray, at: int) -> list[list[float]]:
    found, points = tracks.detections, []
    first = int(found.frame[at]) - LONGEST_TAIL
    while at >= 0 and found.frame[at] >= first:
        y, x = np.round(found.position[at, -2:], 1).tolist()
        points.append([int(found.frame[at]), y, x])
        at = int(before[at])
    return points[::-1]


def lineage(session: Session, values: Values) -> Plain | None:
    """Answer with a plot of who came from whom; None for no tracks.

    Parameters
    ----------
    session : Session
        Of which session.
    values : mapping
        "image", and "track": whose family is shown where there are too many tracks for all.
    """
    image = values["image"]
    if not session.has_tracks(image):
        return None
    tracks = session.tracks(image)
    family, row = families(tracks), rows(tracks)
    shown = np.arange(1, tracks.count + 1)
    wanted = int(values.get("track") or 0)
    if tracks.count > LINES and 0 < wanted <= tracks.count:
        shown = shown[np.asarray(family)[shown] == family[wanted]]
    shown = shown[np.argsort(row[shown], kind="stable")][:LINES]
    low = float(row[shown].min(initial=np.inf)) if len(shown) else 0.0
    frame = tracks.detections.frame
    lines = [
        {
            "track": int(t),
            "mother": int(tracks.mother[t - 1]),
            "family": family[t],
            "row": float(row[t]) - low,
            "frames": frame[tracks.ends[t - 1]].tolist(),
        }
        for t in shown
    ]
    return {"frames": tracks.detections.frames, "count": tracks.count, "lines": lines}


def member(session: Session, values: Values) -> Plain | None:
    """Answer with the object of a track that is nearest in time to a frame; None for no track."""
    image, number = values["image"], int(values["track"])
    if not session.has_tracks(image):
        return None
    tracks, frame = session.tracks(image), int(values["frame"])
    own = np.flatnonzero(tracks.track == number)
    if not len(own):
        return None
    found = tracks.detections
    at = int(own[np.abs(found.frame[own] - frame).argmin()])
    y, x = np.round(found.position[at, -2:], 1).tolist()
    return {"frame": int(found.frame[at]), "label": int(found.label[at]), "y": y, "x": x}


def correct(session: Session, values: Values) -> None:
    """Correct tracks by hand; one step of undo."""
    objects = [(int(frame), int(label)) for frame, label in values["objects"]]
    session.correct_tracks(values["image"], str(values["kind"]), objects)
