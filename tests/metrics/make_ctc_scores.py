"""Make ``ctc_scores.json``: what py-ctcmetrics says of movies with known faults.

    pip install py-ctcmetrics
    python tests/metrics/make_ctc_scores.py

Run with ``tests`` and ``src`` on the path, by a Python that has both packages.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import numpy as np

from stroma.data.tracks import Tracks
from stroma.tracking.detect import detect
from stroma.workflow.moving.track import track

NAMES = ("perfect", "swapped", "missing", "joined", "no-division", "noise")
KEYS = ("DET", "TRA", "LNK", "CHOTA")


def crowd(rng: int = 0) -> np.ndarray:
    """Return 12 frames of disks of which two divide."""
    random = np.random.default_rng(rng)
    frames = np.zeros((12, 120, 160), np.uint16)
    y, x = np.indices(frames.shape[1:])
    number = 0
    for row in range(3):
        for column in range(4):
            number += 1
            centre = np.array([20 + 40 * row, 20 + 40 * column], float)
            step, divides = random.normal(0, 0.6, 2), number in (3, 8)
            for t in range(12):
                place = centre + step * t
                if divides and t >= 6:
                    apart = np.array([6 + 0.5 * (t - 6), 0])
                    frames[t][
                        np.hypot(*(np.stack([y, x]) - (place - apart)[:, None, None])) < 5
                    ] = 100 + number
                    frames[t][
                        np.hypot(*(np.stack([y, x]) - (place + apart)[:, None, None])) < 5
                    ] = 200 + number
                else:
                    frames[t][np.hypot(*(np.stack([y, x]) - place[:, None, None])) < 8] = number
    return frames


def case(name: str) -> tuple[np.ndarray, Tracks, np.ndarray, Tracks]:
    """Return true label images and tracks, and those of a result with a fault."""
    images = crowd()
    truth = _true(images)
    ours = images.copy()
    if name == "missing":
        ours[4][ours[4] == 5] = 0
        ours[:, :, :30] = 0
    if name == "joined":
        ours[7][ours[7] == 2] = 1
    if name == "noise":
        random = np.random.default_rng(3)
        for t in range(12):
            for label in random.choice(np.unique(ours[t])[1:], 2, replace=False):
                ours[t][ours[t] == label] = 0
            ours[t, 56 + t : 60 + t, 36:40] = 900
    result = track(ours, divisions=name != "no-division", max_distance=12)
    if name == "swapped":
        result = _swapped(result, 5)
    return images, truth, ours, result


def _true(images: np.ndarray) -> Tracks:
    found = detect((f, None) for f in images).detections
    at = {(f, k): i for i, (f, k) in enumerate(zip(found.frame, found.label, strict=True))}
    links = [(i, at[f + 1, k]) for (f, k), i in at.items() if (f + 1, k) in at]
    links += [(at[5, n], at[6, far + n]) for n in (3, 8) for far in (100, 200)]
    return Tracks(found, np.array(links))


def _swapped(tracks: Tracks, frame: int) -> Tracks:
    """Exchange where the first two links of a frame lead to."""
    links = tracks.links.copy()
    here = np.flatnonzero(tracks.detections.frame[links[:, 0]] == frame)[:2]
    links[here, 1] = links[here[::-1], 1]
    return tracks.with_links(links)


def main() -> None:
    from ctc_metrics import evaluate_sequence

    from stroma.io.tracks.ctc import write
    from stroma.io.tracks.movie import movie_of

    found = {}
    for name in NAMES:
        images, truth, ours, result = case(name)
        with tempfile.TemporaryDirectory() as folder:
            gt, res = Path(folder) / "01_GT" / "TRA", Path(folder) / "01_RES"
            gt.mkdir(parents=True)
            res.mkdir()
            write(res, result, movie_of(ours), "a")
            for path in write(gt, truth, movie_of(images), "a"):
                path.rename(gt / path.name.replace("mask", "man_track").replace("res_", "man_"))
            scores = evaluate_sequence(str(res), str(gt.parent), metrics=[*KEYS])
        found[name] = {key: round(float(scores[key]), 7) for key in KEYS if key in scores}
    target = Path(__file__).with_name("ctc_scores.json")
    target.write_text(json.dumps(found, indent=1) + "\n")
    sys.stdout.write(target.read_text())


if __name__ == "__main__":
    main()
