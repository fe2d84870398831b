"""Count touching objects in a volume larger than memory should hold, OME-Zarr to OME-Zarr.

    python benchmarks/many_objects.py                                         some minutes
    python benchmarks/many_objects.py --sides 500 2000 2000 --objects 20000   a quarter of an hour
    python benchmarks/many_objects.py --smoke                                 to see that it runs

Balls lie on a lattice, each moved a little, so that neighbours touch; intensities fall from their
middle to their border. With ``--objects`` only so many sites of the lattice have one, those nearest
to a curve that winds upwards like a cochlea, and a mask says where they are, so that blocks without
any are left out. The network is one layer with known weights that makes of intensity what
``distances`` learns: what is measured is blocks, decoding, and joining of objects across blocks.
The count is to be exact. Memory is what is needed at most above the imports.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from measuring import Spent, forget_peak, memory
from scipy.spatial import cKDTree

from stroma.io import read_image
from stroma.training.files.about import About
from stroma.training.model import Network
from stroma.workflow.applying.outputs import Outputs
from stroma.workflow.applying.segment import Progress, segment_files

SIDES = (128, 768, 768)
SMOKE = (64, 160, 160)
SMOKE_OBJECTS = 40
STEP = 24
RADIUS = 13.0
MOVED = 1.5
CHUNK = (64, 128, 128)
TURNS = 1.5
"""Of the curve that objects lie around."""


class Layer(torch.nn.Module):
    """Foreground, nearness and depth as logits of intensity, each voxel by itself."""

    stride, halo = (1, 1, 1), (0, 0, 0)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return (B, 3, z, y, x)."""
        level = images / 255
        return torch.cat([40 * (level - 0.1), 20 * (level - 0.5), 20 * (level - 0.5)], 1)


def network() -> Network:
    """Return the layer as a network of volumes."""
    params = {"diameter": 2 * RADIUS, "smallest": 200}
    about = About("", {}, "distances", params, 3, 1, {"schemes": ["none"]}, (32, 32, 32))
    return Network(Layer(), about)


def sites(sides: tuple[int, ...], count: int | None) -> Any:
    """Return the (n, 3) sites of the lattice that have a ball: all, or so many around a curve."""
    every = [np.arange(STEP // 2, n - STEP // 2 + 1, STEP) for n in sides]
    found = np.stack(np.meshgrid(*every, indexing="ij"), -1).reshape(-1, 3)
    if count is None:
        return found
    if count > len(found):
        raise SystemExit(f"There is room for {len(found)} objects, not for {count}.")
    distance, _ = cKDTree(curve(sides)).query(found)
    return found[np.argsort(distance, kind="stable")[:count]]


def curve(sides: tuple[int, ...]) -> Any:
    """Return points along a curve that winds up and inwards through a volume."""
    along = np.linspace(0, 1, 5000)
    angle = 2 * np.pi * TURNS * along
    radius = 0.36 - 0.18 * along
    turning = [0.5 + radius * np.sin(angle), 0.5 + radius * np.cos(angle)]
    return np.stack([0.3 + 0.4 * along, *turning], -1) * sides


def write_volume(folder: Path, sides: tuple[int, ...], count: int | None) -> int:
    """Write an OME-Zarr of balls and one of where they are, and return how many they are."""
    found = sites(sides, count)
    tree = cKDTree(found)
    values, mask = (new_volume(folder / name, sides) for name in ("balls.zarr", "mask.zarr"))
    for corner in product(*(range(0, n, c) for n, c in zip(sides, CHUNK, strict=True))):
        box = tuple(slice(a, min(a + c, n)) for a, c, n in zip(corner, CHUNK, sides, strict=True))
        middle = [(s.start + s.stop) / 2 for s in box]
        near = found[tree.query_ball_point(middle, np.linalg.norm(CHUNK) / 2 + 2 * RADIUS)]
        if len(near):
            values[box], mask[box] = chunk_of(box, near)
    return len(found)


def new_volume(path: Path, sides: tuple[int, ...]) -> Any:
    """Return an empty OME-Zarr."""
    import zarr

    group = zarr.create_group(path, overwrite=True)
    options = {"chunks": CHUNK, "dtype": "uint8", "dimension_names": ("z", "y", "x")}
    array = group.create_array("0", shape=sides, **options)
    scale = [{"type": "scale", "scale": [1.0] * 3}]
    level = {"path": "0", "coordinateTransformations": scale}
    axes = [{"name": name, "type": "space"} for name in "zyx"]
    multiscales = [{"axes": axes, "datasets": [level]}]
    group.attrs["ome"] = {"version": "0.5", "multiscales": multiscales}
    return array


def chunk_of(box: tuple[slice, ...], near: Any) -> tuple[Any, Any]:
    """Return the intensities of a box, for each voxel that of the nearest ball; and where any is.

    Around every ball the mask is a cube.
    """
    values = np.zeros([s.stop - s.start for s in box])
    mask = np.zeros(values.shape, np.uint8)
    for middle in near.tolist():
        moved = np.random.default_rng(middle).uniform(-MOVED, MOVED, 3) + middle
        part = tuple(
            slice(max(int(m - RADIUS), s.start), min(int(m + RADIUS) + 2, s.stop))
            for m, s in zip(moved, box, strict=True)
        )
        if any(p.stop <= p.start for p in part):
            continue
        grid = np.meshgrid(
            *(np.arange(p.start, p.stop) - m for p, m in zip(part, moved, strict=True)),
            indexing="ij",
            sparse=True,
        )
        level = 1 - np.sqrt(sum(g**2 for g in grid)) / RADIUS
        inside = tuple(
            slice(p.start - s.start, p.stop - s.start) for p, s in zip(part, box, strict=True)
        )
        values[inside] = np.maximum(values[inside], level)
        mask[inside] = 1
    return np.rint(255 * values.clip(0, 1)).astype(np.uint8), mask


def count_of(path: Path) -> int:
    """Return how many different objects are in a file, read plane by plane."""
    image = read_image(path)
    seen = np.zeros(2**24, bool)
    for z in range(image.sizes["z"]):
        seen[image.at(z=z).read()] = True
    return int(seen[1:].sum())


def measured(sides: tuple[int, ...], count: int | None) -> dict[str, Any]:
    """Return what a volume of some sides takes, and how many objects are counted."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        true = write_volume(folder, sides, count)
        mask = None if count is None else folder / "mask.zarr"
        wanted = Outputs(format=".zarr", mask=mask)
        blocks: list[Progress] = []
        model, spent, before = network(), Spent(), forget_peak()
        with spent.running():
            result = segment_files(
                model, [folder / "balls.zarr"], folder, outputs=wanted, progress=blocks.append
            )
        if result.failed:
            raise SystemExit(str(result))
        peak = memory("VmHWM") - before
        found = count_of(folder / "balls_objects.zarr")
    return {
        "sides": list(sides),
        "true": true,
        "found": found,
        "blocks": len(blocks),
        "s": round(spent.wall, 1),
        "cpu s": round(spent.cpu, 1),
        "MB": round(peak),
    }


def main() -> None:
    """Print one row."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sides", type=int, nargs=3, default=SIDES, metavar=("Z", "Y", "X"))
    parser.add_argument("--objects", type=int, help="how many; as many as fit, unless given")
    parser.add_argument("--smoke", action="store_true")
    options = parser.parse_args()
    sides, count = tuple(options.sides), options.objects
    row = measured(SMOKE, SMOKE_OBJECTS) if options.smoke else measured(sides, count)
    print(json.dumps(row))
    if row["found"] != row["true"]:
        raise SystemExit(f"{row['found']} objects were found, there are {row['true']}.")


if __name__ == "__main__":
    main()
