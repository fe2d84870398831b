"""From a few strokes on two frames to scores of tracks: segmentation, parts, links.

    python benchmarks/tracking_segmented.py FOLDER [--labels LABELS]

FOLDER is laid out as that of ``tracking.py``, with the movie in ``images/`` and true outlines of
some frames in ``seg/``. A quarter of a percent of the pixels of two outlined frames is painted (as
in ``quality.py``), all frames are segmented, and the parts of the class are tracked by every cost
and solver. SEG says how good outlines are, DET and TRA how many objects are found, LNK how they are
linked. Frames that were painted count. laptrack and motile link the same objects, where they are
installed. LABELS are label images that were made before, which are tracked instead.
"""

from __future__ import annotations

import argparse
import importlib.util
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from quality import strokes
from scipy import ndimage
from tracking_movies import OTHERS

from stroma import ConvpaintModel
from stroma.data.tracks import Tracks
from stroma.io import read_image, write_image
from stroma.io.tracks import TRACK_WRITERS
from stroma.io.tracks.movie import read_movie
from stroma.tracking import SOLVERS
from stroma.tracking.detect import Seen, detect
from stroma.tracking.track import Linking, link
from stroma.workflow.moving.frame_objects import parts_of
from stroma.workflow.scoring.compared import track_scores
from tracking import REACH, timed

BUDGET = 0.0025
MARGIN = 12
"""Pixels around markers and outlines that may be of a cell."""

SMALLEST = 300
COSTS = ("distance", "overlap+distance")


def painted(folder: Path, name: str) -> np.ndarray:
    """Return strokes on a frame: 1 beside all cells, 2 in cells whose outlines are known."""
    outlines, markers = (np.squeeze(read_image(folder / p / name).read()) for p in ("seg", "tra"))
    near = ndimage.binary_dilation((outlines > 0) | (markers > 0), iterations=MARGIN)
    classes = np.where(outlines > 0, 2, np.where(near, 255, 1)).astype(np.uint8)
    return strokes(classes, BUDGET, 0)


def segmented(folder: Path, into: Path) -> float:
    """Write the parts of the class of cells in every frame, and return seconds of processors."""
    names = sorted(p.name for p in (folder / "seg").iterdir())
    chosen = [names[0], names[len(names) // 2]]
    images = [np.squeeze(read_image(folder / "images" / n).read()) for n in chosen]
    start = time.process_time()
    model = ConvpaintModel("stroma")
    model.train(images, [painted(folder, n) for n in chosen])
    movie = read_movie(folder / "images")
    for number, frame in zip(movie.numbers, movie, strict=True):
        found = parts_of(np.asarray(model.segment(frame)), 2, smallest=SMALLEST)
        write_image(into / f"t{number:03d}.tif", found, axes="yx")
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--labels", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        labels = given.labels or Path(place) / "labels"
        if not given.labels:
            labels.mkdir()
            seconds = segmented(given.folder, labels)
            print(f"Training and segmenting: {seconds:.1f} s of processors\n")
        movie = read_movie(labels)
        seen = detect((np.asarray(f), None) for f in movie)
        print("| cost | solver | SEG | DET | TRA | LNK | seconds | memory |\n" + "|---" * 8 + "|")
        for cost, solver, linked in ways(seen):
            out = Path(place) / f"{cost}-{solver}"
            out.mkdir()
            tracks, seconds, memory = timed(linked)
            TRACK_WRITERS["ctc"](out, tracks, movie, "cells")
            found = track_scores(out, given.folder / "tra", outlines=given.folder / "seg")
            numbers = " | ".join(f"{found[k]:.4f}" for k in ("SEG", "DET", "TRA", "LNK"))
            print(
                f"| {cost} | {solver} | {numbers} | {seconds:.2f} | {memory:.0f} MB |", flush=True
            )


def ways(seen: Seen) -> Iterator[tuple[str, str, Callable[[], Tracks]]]:
    """Yield costs, solvers, and what links by them: ours, and others that are installed."""
    for cost in COSTS:
        for solver in SOLVERS:
            yield cost, solver, partial(link, seen, Linking(cost=cost, solver=solver))
    for name, other in OTHERS.items():
        if importlib.util.find_spec(name):
            yield "distance", name, partial(other, seen.detections, REACH)


if __name__ == "__main__":
    main()
