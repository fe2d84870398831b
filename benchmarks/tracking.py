"""Scores, time and memory of linking, beside laptrack where it is installed.

    python benchmarks/tracking.py FOLDER

FOLDER is one of the Cell Tracking Challenge: ``tra/`` with markers of every cell, and
``man_track.txt``. Markers are taken as detections. Without a folder (``--smoke``), a generated
crowd is linked.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
import tracemalloc
from pathlib import Path

import numpy as np

from stroma.data.tracks import Detections, Tracks
from stroma.metrics.tracking import Matches, scores
from stroma.tracking.detect import Seen, detect
from stroma.tracking.track import Linking, link
from stroma.workflow.compared import tracks_of

COSTS = ("distance", "overlap+distance")


def crowd(frames: int, objects: int, rng: int = 0) -> Seen:
    """Return points that wander in a square where each has room of 30 pixels."""
    random = np.random.default_rng(rng)
    side = 30 * np.sqrt(objects)
    place = random.uniform(0, side, (objects, 2))
    rows = []
    for t in range(frames):
        rows.append(np.column_stack([np.full(objects, t), place]))
        place = np.clip(place + random.normal(0, 2.5, place.shape), 0, side)
    values = np.concatenate(rows)
    frame = values[:, 0].astype(np.int64)
    label = np.tile(np.arange(1, objects + 1), frames)
    return Seen(
        Detections(frame, label, values[:, 1:]), np.zeros((0, 2), np.int64), np.zeros(0, np.int64)
    )


def timed(seen: Seen, how: Linking) -> tuple[Tracks, float, float]:
    """Return tracks, seconds of processors, and the peak of memory in megabytes."""
    start = time.process_time()
    tracks = link(seen, how)
    seconds = time.process_time() - start
    tracemalloc.start()
    link(seen, how)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return tracks, seconds, peak / 2**20


def markers(folder: Path) -> None:
    """Link the markers of a movie by every cost and solver."""
    truth, movie = tracks_of(folder)
    seen = detect((np.asarray(f), None) for f in movie)
    same = Matches(np.repeat(np.arange(len(truth.detections))[:, None], 2, axis=1))
    head("cost", "solver", "TRA", "LNK", "division F1", "seconds", "memory")
    for cost in COSTS:
        for solver in ("greedy", "lap", "ilp"):
            tracks, seconds, memory = timed(seen, Linking(cost=cost, solver=solver))
            found = scores(truth, tracks, same)
            print(
                f"| {cost} | {solver} | {found['TRA']:.4f} | {found['LNK']:.4f} | "
                f"{found['division_f1']:.2f} | {seconds:.2f} | {memory:.0f} MB |"
            )
    if importlib.util.find_spec("laptrack"):
        tracks, seconds = by_laptrack(seen.detections)
        found = scores(truth, tracks, same)
        print(
            f"| distance | laptrack | {found['TRA']:.4f} | {found['LNK']:.4f} | "
            f"{found['division_f1']:.2f} | {seconds:.2f} | |"
        )


def by_laptrack(found: Detections, reach: float = 20.0) -> tuple[Tracks, float]:
    """Return the tracks of laptrack, and seconds of processors."""
    from laptrack import LapTrack

    coordinates = [found.position[found.of(t)] for t in range(found.frames)]
    start = time.process_time()
    cut = reach**2
    tree = LapTrack(cutoff=cut, gap_closing_cutoff=cut, splitting_cutoff=cut).predict(coordinates)
    seconds = time.process_time() - start
    at = found.starts
    links = [(at[a[0]] + a[1], at[b[0]] + b[1]) for a, b in tree.edges]
    return Tracks(found, np.array(links, np.int64).reshape(-1, 2)), seconds


def head(*columns: str) -> None:
    print(f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|")


def sizes(smoke: bool) -> None:
    """Link crowds of several sizes."""
    print()
    head("frames", "objects", "solver", "right links", "seconds", "memory")
    wanted = ((4, 30),) if smoke else ((20, 300), (100, 500), (1440, 500))
    for frames, objects in wanted:
        seen = crowd(frames, objects)
        truth = set(map(tuple, _truth(frames, objects).tolist()))
        for solver in ("greedy", "lap", "ilp")[: 2 if frames > 1000 else 3]:
            how = Linking(cost="distance", solver=solver, divisions=False)
            tracks, seconds, memory = timed(seen, how)
            right = len(truth & set(map(tuple, tracks.links.tolist()))) / len(truth)
            numbers = f"{right:.4f} | {seconds:.2f} | {memory:.0f} MB"
            print(f"| {frames} | {objects} | {solver} | {numbers} |", flush=True)


def _truth(frames: int, objects: int) -> np.ndarray:
    first = np.arange((frames - 1) * objects)
    return np.stack([first, first + objects], axis=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--smoke", action="store_true", help="small, to see that it runs")
    given = parser.parse_args()
    if given.folder:
        markers(given.folder)
    sizes(given.smoke)


if __name__ == "__main__":
    main()
