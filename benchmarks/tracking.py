"""Scores, time and memory of linking, beside laptrack and motile where those are installed.

    python benchmarks/tracking.py FOLDER

FOLDER is one of the Cell Tracking Challenge: ``tra/`` with markers of every cell, and
``man_track.txt``. Markers are taken as detections. Links that are learned are learned from the
first half of the frames and scored on the second, on which all are scored as well. Without a
folder (``--smoke``), a generated crowd is linked.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from tracking_movies import OTHERS

from stroma.data.tracks import Detections, Tracks
from stroma.metrics.tracking import Matches, scores
from stroma.tracking import LEARNERS, SOLVERS
from stroma.tracking.annotated import Annotated
from stroma.tracking.detect import Seen, detect
from stroma.tracking.track import Linking, link
from stroma.workflow.scoring.compared import tracks_of

COSTS = ("distance", "overlap+distance")
REACH = 20.0
"""Pixels that objects get, which laptrack and motile are told."""


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


def timed(linked: Callable[[], Tracks]) -> tuple[Tracks, float, float]:
    """Return tracks, seconds of processors, and the peak of memory in megabytes."""
    start = time.process_time()
    tracks = linked()
    seconds = time.process_time() - start
    tracemalloc.start()
    linked()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return tracks, seconds, peak / 2**20


def part(seen: Seen, links: np.ndarray, frames: range) -> tuple[Seen, np.ndarray]:
    """Return what is seen, and linked, in some of the frames."""
    found = seen.detections
    kept = (found.frame >= frames.start) & (found.frame < frames.stop)
    own = seen.only(kept)
    inside = kept[links].all(axis=1)
    moved = replace(own.detections, frame=own.detections.frame - frames.start, frames=len(frames))
    drift = None if seen.drift is None else seen.drift[frames.start : frames.stop - 1]
    return replace(own, detections=moved, drift=drift), (np.cumsum(kept) - 1)[links[inside]]


def markers(folder: Path) -> None:
    """Link the markers of a movie by every cost and solver."""
    truth, movie = tracks_of(folder)
    seen = detect((np.asarray(f), None) for f in movie)
    half = len(movie) // 2
    first, later = (
        part(seen, truth.links, frames) for frames in (range(half), range(half, len(movie)))
    )
    head("cost", "solver", "TRA", "LNK", "division F1", "LNK, second half", "seconds", "memory")

    def row(
        cost: str, solver: str, linked: Callable[[Seen], Tracks], *, whole: bool = True
    ) -> None:
        tracks, seconds, memory = timed(partial(linked, seen if whole else later[0]))
        known = truth.links if whole else later[1]
        found = _scores(tracks, known)
        second = found if not whole else _scores(linked(later[0]), later[1])
        told = (found["TRA"], found["LNK"], found["division_f1"])
        numbers = " | ".join(f"{n:.4f}" if whole else "" for n in told)
        print(
            f"| {cost} | {solver} | {numbers} | {second['LNK']:.4f} | {seconds:.2f} | "
            f"{memory:.0f} MB |",
            flush=True,
        )

    for cost in COSTS:
        for solver in SOLVERS:
            how = Linking(cost=cost, solver=solver)
            row(cost, solver, lambda found, how=how: link(found, how))
    for name in LEARNERS:
        model = LEARNERS[name]().fit([Annotated(*first)])
        for solver in SOLVERS:
            how = Linking(cost=model, solver=solver)
            row(f"learned: {name}", solver, lambda one, how=how: link(one, how), whole=False)
    for name, other in OTHERS.items():
        if importlib.util.find_spec(name):
            row("distance", name, lambda one, other=other: other(one.detections, REACH))


def _scores(tracks: Tracks, links: np.ndarray) -> dict[str, float]:
    """Return scores of links of detections that are those of the truth."""
    n = np.arange(len(tracks.detections))
    same = Matches(np.repeat(n[:, None], 2, axis=1))
    return scores(Tracks(tracks.detections, links), tracks, same)


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
        for solver in ("greedy", "lap", "ilp", "hypotheses")[: 2 if frames > 1000 else 4]:
            how = Linking(cost="distance", solver=solver, divisions=False)
            tracks, seconds, memory = timed(partial(link, seen, how))
            right = len(truth & set(map(tuple, tracks.links.tolist()))) / len(truth)
            numbers = f"{right:.4f} | {seconds:.2f} | {memory:.0f} MB"
            print(f"| {frames} | {objects} | {solver} | {numbers} |", flush=True)


def _truth(frames: int, objects: int) -> np.ndarray:
    first = np.arange((frames - 1) * objects)
    return np.stack([first, first + objects], axis=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--alone", action="store_true", help="without the crowds")
    parser.add_argument("--smoke", action="store_true", help="small, to see that it runs")
    given = parser.parse_args()
    if given.folder:
        markers(given.folder)
    if not given.alone:
        sizes(given.smoke)


if __name__ == "__main__":
    main()
