"""A long movie of many cells, from label images in files to tracks in files.

    python benchmarks/tracking_long.py FOLDER --frames 1440 --cells 500 --solver ilp

The movie is simulated (cells wander, divide and die) and written to FOLDER first, unless it is
there. Tracking runs in a process of its own, whose time and greatest memory are told, with the
share of the true links that was found, and of the links that are true.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import tempfile
from pathlib import Path

import numpy as np
import tifffile
from measuring import Spent, alone, memory
from movies import Scene, filmed

from stroma.tracking.track import Linking
from stroma.workflow.moving.track import track_files

ROOM = 1500.0
"""Square pixels of the view for each cell."""

CHANGE = 0.002
"""Chance of a division, and of a death, per cell and frame."""


def film(folder: Path, frames: int, cells: int) -> None:
    """Write the frames of a movie, labelled anew in each, and the true link of every object."""
    side = round(np.sqrt(ROOM * cells))
    scene = Scene(frames=frames, cells=cells, side=side, step=2.5, divide=CHANGE, die=CHANGE)
    mothers: dict[int, int] = {}
    names = []
    (folder / "labels").mkdir(parents=True)
    for t, (true, found) in enumerate(filmed(scene, mothers)):
        tifffile.imwrite(folder / f"labels/t{t:04d}.tif", found, compression="zlib")
        name = np.zeros(int(found.max()) + 1, np.int64)
        name[found[found > 0]] = true[found > 0]
        names.append(name)
    kept = {"mothers": np.array(sorted(mothers.items())).reshape(-1, 2)}
    np.savez_compressed(folder / "truth.npz", *names, **kept)


def true_links(folder: Path) -> set[tuple[int, int, int, int]]:
    """Return the true links: frame and label of the earlier object, and of the later."""
    kept = np.load(folder / "truth.npz")
    mother = dict(kept["mothers"].tolist())
    names = [kept[f"arr_{t}"].tolist() for t in range(len(kept.files) - 1)]
    links = set()
    for t, (before, after) in enumerate(itertools.pairwise(names)):
        at = {name: label for label, name in enumerate(before) if name}
        for label, name in enumerate(after):
            own = at.get(name) or at.get(mother.get(name, 0))
            if name and own:
                links.add((t, own, t + 1, label))
    return links


def found_links(table: Path) -> set[tuple[int, int, int, int]]:
    """Return the links that a table of tracks tells, like `true_links`."""
    of: dict[str, list[tuple[int, int]]] = {}
    mother: dict[str, str] = {}
    with table.open(newline="") as file:
        for row in csv.DictReader(file):
            of.setdefault(row["track"], []).append((int(row["frame"]), int(row["label"])))
            mother[row["track"]] = row["mother"]
    links = {(*a, *b) for rows in of.values() for a, b in itertools.pairwise(rows)}
    links |= {(*of[m][-1], *of[own][0]) for own, m in mother.items() if m != "0"}
    return links


def track_once(folder: Path, out: Path, solver: str) -> None:
    """Track the movie, and print what it took as JSON."""
    spent, how = Spent(), Linking(solver=solver)
    with spent.running():
        found = track_files(folder / "labels", out, how=how, formats=("ctc", "csv"))
    took = {"wall": spent.wall, "cpu": spent.cpu, "memory": memory("VmHWM")}
    print(json.dumps({**took, "objects": found.detections, "divisions": found.divisions}))


def measured(folder: Path, solver: str) -> str:
    """Return a row of the table: what a solver takes, and how true its links are."""
    with tempfile.TemporaryDirectory() as out:
        took = alone(__file__, folder, "--solver", solver, "--into", out)
        ours, true = found_links(Path(out) / "labels_tracks.csv"), true_links(folder)
    right = len(ours & true)
    return (
        f"| {solver} | {took['objects']} | {took['divisions']} | {took['wall']:.0f} | "
        f"{took['cpu']:.0f} | {took['memory']:.0f} MB | {right / len(true):.4f} | "
        f"{right / max(1, len(ours)):.4f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--frames", type=int, default=1440)
    parser.add_argument("--cells", type=int, default=500)
    parser.add_argument("--solver", action="append", metavar="NAME")
    parser.add_argument("--into", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--smoke", action="store_true", help="small, to see that it runs")
    given = parser.parse_args()
    if given.into:
        track_once(given.folder, given.into, *given.solver)
        return
    frames, cells = (4, 12) if given.smoke else (given.frames, given.cells)
    with tempfile.TemporaryDirectory() as own:
        folder = given.folder or Path(own) / "movie"
        if not folder.exists():
            film(folder, frames, cells)
        print("| solver | objects | divisions | clock s | processors s | memory | found | true |")
        print("|---" * 8 + "|")
        for solver in given.solver or ["lap", "ilp"]:
            print(measured(folder, solver), flush=True)


if __name__ == "__main__":
    main()
