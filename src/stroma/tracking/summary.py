"""A row for every track: when, how long, how far, how fast."""

from __future__ import annotations

from typing import Any

import numpy as np

from stroma.data.tracks import Tracks


def summary(tracks: Tracks) -> tuple[list[str], list[list[Any]]]:
    """Return the header and the rows of a table of tracks.

    Lengths are in the unit of the detections, times in seconds where the interval is known and in
    frames otherwise. ``displacement`` is from first to last, ``path`` along the way, ``msd`` the
    mean squared displacement from one detection to the next.
    """
    found = tracks.detections
    step, time = (1.0, "frames") if found.interval is None else (found.interval, "s")
    unit = found.unit
    header = [
        *("track", "mother", "first_frame", "last_frame", "detections", f"duration_{time}"),
        *(f"path_{unit}", f"displacement_{unit}", f"speed_{unit}_per_{time}", f"msd_{unit}2"),
        *("daughters", *(f"mean_{name}" for name in found.measures)),
    ]
    daughters = np.bincount(tracks.lineage[:, 0], minlength=tracks.count + 1)
    order = np.argsort(tracks.track, kind="stable")
    cuts = np.flatnonzero(np.diff(tracks.track[order])) + 1
    rows = []
    for number, members in enumerate(np.split(order, cuts) if len(order) else [], 1):
        places, frames = found.places[members], found.frame[members]
        steps = np.linalg.norm(np.diff(places, axis=0), axis=1)
        duration = float(frames[-1] - frames[0]) * step
        path = float(steps.sum())
        rows.append(
            [
                number,
                int(tracks.mother[number - 1]),
                int(frames[0]),
                int(frames[-1]),
                len(members),
                round(duration, 4),
                round(path, 4),
                round(float(np.linalg.norm(places[-1] - places[0])), 4),
                round(path / duration, 6) if duration else "",
                round(float(np.square(steps).mean()), 6) if len(steps) else "",
                int(daughters[number]),
                *(round(float(m[members].mean()), 4) for m in found.measures.values()),
            ]
        )
    return header, rows
