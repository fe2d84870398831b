"""Count touching objects in a volume larger than memory should hold, OME-Zarr to OME-Zarr.

    python benchmarks/many_objects.py                          some minutes
    python benchmarks/many_objects.py --sides 500 2000 2000    20,000 objects and more: an hour
    python benchmarks/many_objects.py --smoke                  a small one, to see that it runs

Balls lie on a lattice, each moved a little, so that neighbours touch; intensities fall from their
middle to their border. The network is one layer with known weights that makes of intensity what
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

from stroma.io import read_image
from stroma.training.files.about import About
from stroma.training.model import Network
from stroma.workflow.applying.outputs import Outputs
from stroma.workflow.applying.segment import segment_files

SIDES = (128, 768, 768)
SMOKE = (64, 96, 96)
STEP = 24
RADIUS = 13.0
MOVED = 1.5
CHUNK = (64, 128, 128)


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


def write_volume(path: Path, sides: tuple[int, ...]) -> int:
    """Write an OME-Zarr of balls, chunk by chunk, and return how many they are."""
    import zarr

    group = zarr.create_group(path, overwrite=True)
    options = {"chunks": CHUNK, "dtype": "uint8", "dimension_names": ("z", "y", "x")}
    array = group.create_array("0", shape=sides, **options)
    scale = [{"type": "scale", "scale": [1.0] * 3}]
    level = {"path": "0", "coordinateTransformations": scale}
    axes = [{"name": name, "type": "space"} for name in "zyx"]
    multiscales = [{"axes": axes, "datasets": [level]}]
    group.attrs["ome"] = {"version": "0.5", "multiscales": multiscales}
    middles = [np.arange(STEP // 2, n - STEP // 2 + 1, STEP) for n in sides]
    for corner in product(*(range(0, n, c) for n, c in zip(sides, CHUNK, strict=True))):
        box = tuple(slice(a, min(a + c, n)) for a, c, n in zip(corner, CHUNK, sides, strict=True))
        array[box] = chunk_of(box, middles)
    return int(np.prod([len(m) for m in middles]))


def chunk_of(box: tuple[slice, ...], middles: list[Any]) -> Any:
    """Return the intensities of a box: of each voxel that of the ball whose middle is nearest."""
    values = np.zeros([s.stop - s.start for s in box])
    near = [
        [int(m) for m in all_ if s.start - RADIUS - MOVED < m < s.stop + RADIUS + MOVED]
        for s, all_ in zip(box, middles, strict=True)
    ]
    for middle in product(*near):
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
    return np.rint(255 * values.clip(0, 1)).astype(np.uint8)


def count_of(path: Path) -> int:
    """Return how many different objects are in a file, read slab by slab."""
    image = read_image(path)
    seen: set[int] = set()
    for z in range(0, image.sizes["z"], CHUNK[0]):
        slab = image.read({"z": slice(z, min(z + CHUNK[0], image.sizes["z"]))})
        seen.update(np.unique(slab).tolist())
    return len(seen - {0})


def measured(sides: tuple[int, ...]) -> dict[str, Any]:
    """Return what a volume of some sides takes, and how many objects are counted."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        true = write_volume(folder / "balls.zarr", sides)
        model, spent, before = network(), Spent(), forget_peak()
        with spent.running():
            result = segment_files(
                model, [folder / "balls.zarr"], folder, outputs=Outputs(format=".zarr")
            )
        if result.failed:
            raise SystemExit(str(result))
        peak = memory("VmHWM") - before
        found = count_of(folder / "balls_objects.zarr")
    return {
        "sides": list(sides),
        "true": true,
        "found": found,
        "s": round(spent.wall, 1),
        "cpu s": round(spent.cpu, 1),
        "MB": round(peak),
    }


def main() -> None:
    """Print one row."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sides", type=int, nargs=3, default=SIDES, metavar=("Z", "Y", "X"))
    parser.add_argument("--smoke", action="store_true")
    options = parser.parse_args()
    row = measured(SMOKE if options.smoke else tuple(options.sides))
    print(json.dumps(row))
    if row["found"] != row["true"]:
        raise SystemExit(f"{row['found']} objects were found, there are {row['true']}.")


if __name__ == "__main__":
    main()
