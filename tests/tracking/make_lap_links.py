"""Make ``lap_links.json``: what laptrack links in crowds, by the costs that `crowd` gives.

    pip install laptrack
    python tests/tracking/make_lap_links.py

Run with ``tests`` and ``src`` on the path, by a Python that has both packages.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

REACH = 15.0
SIZES = ((8, 20), (10, 40), (6, 80))
FILE = Path(__file__).with_name("lap_links.json")


def crowd(frames: int, objects: int) -> list[np.ndarray]:
    """Return the (n, 2) places of each frame: points that wander, some of which are missed."""
    random = np.random.default_rng(objects)
    place = random.uniform(0, 12 * np.sqrt(objects), (objects, 2))
    found = []
    for _ in range(frames):
        found.append(np.round(place[random.uniform(size=objects) > 0.05], 3))
        place = place + random.normal(0, 2.5, place.shape)
    return found


def main() -> None:
    from laptrack import LapTrack

    links = {}
    for frames, objects in SIZES:
        # A link costs the squared distance; to begin and to end, half of the cutoff each.
        tracker = LapTrack(
            cutoff=REACH**2,
            track_start_cost=REACH**2 / 2,
            track_end_cost=REACH**2 / 2,
            gap_closing_cutoff=False,
        )
        edges = tracker.predict(crowd(frames, objects)).edges
        rows = sorted([[*map(int, a), int(b[1])] for a, b in edges])
        links[f"{frames}x{objects}"] = rows
    FILE.write_text(json.dumps(links, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
