"""A row for every track: when, how long, how far, how fast."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from stroma.data.tracks import Floats, Tracks, physical


def summary(
    tracks: Tracks, numbers: Sequence[int] | None = None
) -> tuple[list[str], list[list[Any]]]:
    """Return the header and the rows of a table of tracks.

    Lengths and areas are in the unit of the detections, times in seconds where the interval is
    known and in frames otherwise. ``displacement`` is from first to last, ``path`` along the way,
    ``msd`` the mean squared displacement from one detection to the next. ``divides`` is when its
    daughters are first seen, ``cycle`` the time from its own birth by division to then.

    Parameters
    ----------
    tracks : Tracks
        The tracks.
    numbers : sequence of int, optional
        What the frames are called; 0, 1, 2 ... unless given.
    """
    found = tracks.detections
    named = numbers or range(found.frames)
    step, time = (1.0, "frames") if found.interval is None else (found.interval, "s")
    unit = found.unit
    measures = dict(physical(found))
    header = [
        *("track", "mother", "first_frame", "last_frame", "detections", f"duration_{time}"),
        *(f"path_{unit}", f"displacement_{unit}", f"speed_{unit}_per_{time}", f"msd_{unit}2"),
        *("daughters", f"divides_{time}", f"cycle_{time}", *(f"mean_{name}" for name in measures)),
    ]
    daughters = np.bincount(tracks.lineage[:, 0], minlength=tracks.count + 1)
    divided = _divided(tracks)
    order = np.argsort(tracks.track, kind="stable")
    cuts = np.flatnonzero(np.diff(tracks.track[order])) + 1
    rows = []
    for number, members in enumerate(np.split(order, cuts) if len(order) else [], 1):
        frames, mother = found.frame[members], int(tracks.mother[number - 1])
        own, when = _moved(found.places[members], float(frames[-1] - frames[0]) * step), None
        if number in divided:
            when = (divided[number] + (named[0] if len(named) else 0)) * step
        born = int(daughters[mother]) > 1 if mother else False
        cycle = (divided[number] - int(frames[0])) * step if born and number in divided else None
        rows.append(
            [
                *(number, mother, int(named[frames[0]]), int(named[frames[-1]]), len(members)),
                *own,
                *(
                    int(daughters[number]),
                    *("" if t is None else round(t, 4) for t in (when, cycle)),
                ),
                *(round(float(m[members].mean()), 4) for m in measures.values()),
            ]
        )
    return header, rows


def _moved(places: Floats, duration: float) -> list[Any]:
    """Return duration, path, displacement, speed and mean squared displacement of a track."""
    steps = np.linalg.norm(np.diff(places, axis=0), axis=1)
    path = float(steps.sum())
    return [
        round(duration, 4),
        round(path, 4),
        round(float(np.linalg.norm(places[-1] - places[0])), 4),
        round(path / duration, 6) if duration else "",
        round(float(np.square(steps).mean()), 6) if len(steps) else "",
    ]


def _divided(tracks: Tracks) -> dict[int, int]:
    """Return the frame in which the first daughter of each track that divides is seen."""
    found: dict[int, int] = {}
    for i, j in tracks.links[tracks.children[tracks.links[:, 0]] > 1].tolist():
        mother, frame = int(tracks.track[i]), int(tracks.detections.frame[j])
        found[mother] = min(frame, found.get(mother, frame))
    return found
