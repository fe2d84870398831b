"""Segment images much larger than memory should hold, from OME-Zarr to OME-Zarr.

    python benchmarks/large.py                             4k, 8k and 16k: some minutes
    python benchmarks/large.py --smoke                     small ones, to see that everything runs

The image is uint8 and made block by block of a seeded texture. A model trained on a corner of it
segments it with ``out=``; every size runs in a process of its own, whose memory is what is needed
at most above the imports, and after a small image so that everything is compiled. The last rows
are the same work on one and on two workers of dask, each a process of one thread; of all times,
those of the clock and of the processors.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from measuring import Spent, alone, forget_peak, memory, scene

SIDES = (4096, 8192, 16384)
PIECE = 1024
CHUNK = 512
CORNER = 256
PIXELS = 1e6


# ---------------------------------------------------------------------- the image


def write_image(path: Path, side: int) -> None:
    """Write an OME-Zarr of a texture that repeats, with noise that does not."""
    import zarr

    pattern = scene(min(side, PIECE), 1)[0]
    group = zarr.create_group(path, overwrite=True)
    options = {"chunks": (CHUNK, CHUNK), "dtype": "uint8", "dimension_names": ("y", "x")}
    array = group.create_array("0", shape=(side, side), **options)
    group.attrs["ome"] = {"version": "0.5", "multiscales": [multiscale()]}
    random = np.random.default_rng(0)
    for y in range(0, side, PIECE):
        for x in range(0, side, PIECE):
            noise = random.integers(-8, 9, pattern.shape, np.int8)
            array[y : y + PIECE, x : x + PIECE] = np.clip(pattern + noise, 0, 255).astype(np.uint8)


def multiscale() -> dict[str, Any]:
    """Return the metadata of one level, without a unit."""
    scale = [{"type": "scale", "scale": [1.0, 1.0]}]
    axes = [{"name": name, "type": "space"} for name in "yx"]
    return {"axes": axes, "datasets": [{"path": "0", "coordinateTransformations": scale}]}


# ---------------------------------------------------------------------- the work


def trained(alias: str, path: Path) -> Any:
    """Return a model trained on strokes in a corner of the image."""
    from stroma import ConvpaintModel
    from stroma.io import read_image

    corner = read_image(path).at(y=slice(0, CORNER), x=slice(0, CORNER))
    model = ConvpaintModel(alias)
    model.train(corner, scene(CORNER, 1000)[1])
    return model


def one_run(alias: str, path: Path, workers: int) -> None:
    """Segment one image in this process, or on workers of dask; print what it took."""
    model, corner = trained(alias, path), scene(4 * CORNER, 1)[0]
    with tempfile.TemporaryDirectory(dir=path.parent) as results, cluster(workers) as running:
        model.segment(corner, out=Path(results) / "small.zarr", use_dask=running)
        before, spent = forget_peak(), Spent()
        with spent.running():
            model.segment(path, out=Path(results) / "result.zarr", use_dask=running)
        print(json.dumps({**vars(spent), "memory": memory("VmHWM") - before}))


@contextmanager
def cluster(workers: int) -> Iterator[bool]:
    """Provide so many workers of dask, each a process; none for 0."""
    if not workers:
        yield False
        return
    from distributed import Client, LocalCluster

    options = {"n_workers": workers, "threads_per_worker": 1, "dashboard_address": ":0"}
    with LocalCluster(**options) as made, Client(made):
        yield True


def measured(alias: str, path: Path, workers: int = 0) -> dict[str, Any]:
    """Return what a run in a process of its own took."""
    return alone(__file__, "--alias", alias, "--run", path, "--workers", workers)


def main(arguments: list[str] | None = None) -> None:
    """Make the images, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sides", nargs="*", type=int, default=SIDES, help="of images, in pixels")
    parser.add_argument(
        "--dask-side", type=int, default=4096, help="of the image for dask; 0: none"
    )
    parser.add_argument("--alias", default="ilastik")
    parser.add_argument("--smoke", action="store_true", help="small images")
    parser.add_argument("--run", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--workers", type=int, default=0, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.run:
        one_run(given.alias, given.run, given.workers)
        return
    sides, dask_side = given.sides, given.dask_side
    if given.smoke:
        sides, dask_side, given.alias = (2 * CORNER,), 2 * CORNER, "gaussian"
    print("| image | seconds | of processors | µs per pixel, of processors | memory |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "image.zarr"
        for side in sides:
            write_image(path, side)
            print(line(f"{side} x {side}", side, measured(given.alias, path)), flush=True)
        if dask_side:
            write_image(path, dask_side)
            compare_workers(given.alias, path)


def line(name: str, side: int, found: dict[str, Any]) -> str:
    """Return a row of the table."""
    each = found["cpu"] / side**2 * PIXELS
    cells = [f"{found['wall']:.1f}", f"{found['cpu']:.1f}", f"{each:.2f}"]
    return f"| {name} | {' | '.join(cells)} | {found['memory']:.0f} MB |"


def compare_workers(alias: str, path: Path) -> None:
    """Print how much faster two workers are than one."""
    one, two = (measured(alias, path, workers)["wall"] for workers in (1, 2))
    print(f"\nOne worker of dask {one:.1f} s, two {two:.1f} s: {one / two:.2f} times as fast.")


if __name__ == "__main__":
    main()
