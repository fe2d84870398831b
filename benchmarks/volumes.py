"""Time rounds on a volume, and measure what three dimensions are worth.

    python benchmarks/volumes.py                    the numbers of the documentation, minutes
    python benchmarks/volumes.py --smoke            small volumes, to see that everything runs
    python benchmarks/volumes.py gain               one part alone: rounds, large, gain or filters

``rounds``: a volume of 256 x 256 x 256 voxels (float32) with strokes on two planes, ``ilastik_3d``
and a random forest. The first round trains and segments, the next one does so after one more
stroke. The plain path beside it computes the same filters with scipy (gaussian derivatives of the
whole volume, numpy's eigenvalues), keeps one dense array of rows, and lets scikit-learn's forest
learn and predict. It is measured on a part of the volume, ``--plain`` voxels a side, and both
are told in microseconds per voxel.

``large``: an OME-Zarr of 1,000 planes of 2,000 x 2,000 voxels (uint8), most chunks of which are not
there, is trained on and segmented into another one, as far as ``--planes`` go; time and memory
of the whole are extrapolated from that part.

``gain``: the mean intersection over union on phantoms (see ``phantom.py``) of models with features
of planes and of volumes, which learn from the same strokes on two planes; these do not count.

``filters``: what one value of a filter costs in a block of a volume, and in a block of a plane, all
filters of ilastik computed in turns. Blocks are as large as in a model, and pay for their halo;
values are normalised before, and kept in half precision after, as there.

Processor seconds are those of all threads; they are what to compare where other work shares the
processors.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from measuring import Spent, forget_peak, memory
from numpy.typing import NDArray
from phantom import mean_iou, phantom, strokes
from scipy import ndimage

SIGMAS = (0.3, 0.7, 1.0, 1.6, 3.5, 5.0, 10.0)
PARTS = ("rounds", "large", "gain", "filters")
MODELS = [
    *("texture_2d", "ilastik_2d", "texture_3d", "ilastik_3d", "orthogonal:texture_2d"),
    "stroma-3d",
]
KINDS = [(1, 0.25), (1, 0.5), (1, 1.0), (4, 0.5)]
"""How many times further apart planes are than pixels, and the deviation of the noise."""


def rounds(side: int, plain_side: int) -> None:
    """Time the first and the next round, and the plain path."""
    from stroma import ConvpaintModel

    volume, truth = phantom((side, side, side))
    painted = strokes(truth, (side // 3, 2 * side // 3))
    model = ConvpaintModel(fe_name="ilastik_3d", clf="forest")
    warm = min(side, max(32, side // 8))
    model.train(volume[:warm, :warm, :warm], some_strokes(warm))
    print("| path | wall, µs per voxel | processors, µs per voxel | memory |\n|---|---|---|---|")
    before = forget_peak()
    for name in ("first round", "next round"):
        spent = Spent()
        with spent.running():
            model.train(volume, painted)
            model.segment(volume)
        tell(f"ours, {name}", spent, volume.size, memory("VmHWM") - before)
        painted[side // 2, :4, :25] = truth[side // 2, :4, :25]
    part = tuple(slice((side - plain_side) // 2, (side + plain_side) // 2) for _ in range(3))
    before, spent = forget_peak(), Spent()
    with spent.running():
        plainly(volume[part], truth[part])
    tell("scipy and scikit-learn", spent, plain_side**3, memory("VmHWM") - before)


def tell(name: str, spent: Spent, voxels: int, needed: float) -> None:
    """Print a row of the table."""
    wall, cpu = (1e6 * seconds / voxels for seconds in (spent.wall, spent.cpu))
    print(f"| {name} | {wall:.2f} | {cpu:.2f} | {needed:.0f} MB |", flush=True)


def some_strokes(side: int) -> NDArray[np.uint8]:
    """Return two classes on one plane."""
    painted = np.zeros((side, side, side), np.uint8)
    painted[side // 2, :5], painted[side // 2, -5:] = 1, 2
    return painted


def plainly(volume: NDArray[np.float32], truth: NDArray[np.uint8]) -> NDArray[Any]:
    """Return labels of a volume, from dense rows and the libraries themselves."""
    from sklearn.ensemble import RandomForestClassifier

    z = (volume - volume.mean()) / volume.std()
    rows = np.stack([f for s in SIGMAS for f in filters(z, s)]).reshape(10 * len(SIGMAS), -1).T
    y = strokes(truth, (len(volume) // 3, 2 * len(volume) // 3)).ravel()
    forest = RandomForestClassifier(100, n_jobs=-1, random_state=0).fit(rows[y > 0], y[y > 0])
    found: NDArray[Any] = forest.predict(rows)
    return found


def filters(z: NDArray[np.float32], sigma: float) -> list[NDArray[np.float32]]:
    """Return the ten filters of ilastik at one scale."""

    def derivative(scale: float, *axes: int) -> NDArray[np.float32]:
        order = [axes.count(axis) for axis in range(3)]
        return ndimage.gaussian_filter(z, scale, order=order, truncate=3.5)

    pairs = [(i, j) for i in range(3) for j in range(i, 3)]
    smooth, second = derivative(sigma), [derivative(sigma, *p) for p in pairs]
    first, inner = ([derivative(s, axis) for axis in range(3)] for s in (sigma, sigma / 2))
    products = [ndimage.gaussian_filter(inner[i] * inner[j], sigma, truncate=3) for i, j in pairs]
    laplacian = second[0] + second[3] + second[5]
    gradient = np.sqrt(sum(f**2 for f in first))
    dog = smooth - derivative(sigma / 2)
    return [smooth, laplacian, gradient, dog, *eigenvalues(products), *eigenvalues(second)]


def eigenvalues(entries: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return the eigenvalues of symmetric matrices, largest first."""
    a, b, c, d, e, f = entries
    matrices = np.stack([a, b, c, b, d, e, c, e, f], axis=-1).reshape(*a.shape, 3, 3)
    found: NDArray[np.float32] = np.moveaxis(np.linalg.eigvalsh(matrices), -1, 0)[::-1]
    return found


def large(side: int, depth: int, planes: int, alias: str) -> None:
    """Train on and segment a part of a large OME-Zarr, out of core."""
    import zarr

    from stroma import ConvpaintModel
    from stroma.io import read_image
    from stroma.pixel.predicting.stored import write_result

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "volume.zarr"
        group = zarr.open_group(path, mode="w", zarr_format=2)
        chunk = min(128, side, depth)
        array = group.create_array(
            "0", shape=(depth, side, side), chunks=(chunk,) * 3, dtype="uint8", fill_value=0
        )
        random = np.random.default_rng(0)
        filled = random.integers(20, 230, (planes, min(side, 512), min(side, 512)), np.uint8)
        array[:planes, : filled.shape[1], : filled.shape[2]] = filled
        scale = [{"type": "scale", "scale": [1.0] * 3}]
        group.attrs["multiscales"] = [
            {
                "version": "0.4",
                "axes": [{"name": a, "type": "space"} for a in "zyx"],
                "datasets": [{"path": "0", "coordinateTransformations": scale}],
            }
        ]
        image = read_image(path)
        part = image.at(z=slice(0, planes))
        model = ConvpaintModel(alias)
        warm = some_strokes(32)
        model.train(random.normal(size=warm.shape).astype(np.float32), warm)
        painted = zarr.create_array(
            Path(folder) / "painted.zarr",
            shape=(planes, side, side),
            chunks=(1, side, side),
            dtype="uint8",
        )
        painted[planes // 2, 10:20, 10:200], painted[planes // 2, -20:-10, 10:200] = 1, 2
        before, spent = forget_peak(), Spent()
        with spent.running():
            model.train(part, painted)
            write_result(model, part, Path(folder) / "labels.zarr")
        voxels = planes * side * side
        tell(
            f"{alias}, {planes} of {depth} planes of {side}²",
            spent,
            voxels,
            memory("VmHWM") - before,
        )
        hours = spent.cpu * depth / planes / 3600
        print(f"\nThe whole volume takes {hours:.1f} hours of processors, by that rate.")


def gain(shape: tuple[int, int, int], kinds: list[tuple[int, float]], models: list[str]) -> None:
    """Print how good models of planes and of volumes are."""
    from stroma import ConvpaintModel, Image

    heads = [f"noise {noise}" + (f", planes {a} apart" if a > 1 else "") for a, noise in kinds]
    print("\n| features | " + " | ".join(heads) + " |\n|" + "---|" * (len(kinds) + 1))
    found: dict[str, list[str]] = {name: [] for name in models}
    for seed, (apart, noise) in enumerate(kinds):
        depth = shape[0] if apart == 1 else shape[0] // 2
        volume, truth = phantom((depth, *shape[1:]), anisotropy=apart, noise=noise, rng=seed)
        seen = depth // 3, 2 * depth // 3
        rest = [z for z in range(depth) if z not in seen]
        image = Image(volume, "zyx", spacing={"z": float(apart), "y": 1.0, "x": 1.0}, unit="µm")
        painted = strokes(truth, seen)
        for name, cells in found.items():
            known = {"fe_name": name, "clf": "ensemble"}
            model = ConvpaintModel(name) if name == "stroma-3d" else ConvpaintModel(**known)
            model.train(image, painted)
            cells.append(f"{mean_iou(model.segment(image)[rest], truth[rest]):.3f}")
    for name, cells in found.items():
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


def filters_in_turns(core: tuple[int, int, int], side: int, turns: int) -> None:
    """Print nanoseconds of processors for a value of a filter, in volumes and in planes."""
    from stroma import Image
    from stroma.blocks.box import Box
    from stroma.data.statistics import measure
    from stroma.features.build import pipeline
    from stroma.features.part import Feed, Piece

    random = np.random.default_rng(0)
    known = measure(Image(random.normal(size=(64, 64)).astype(np.float32), "yx"))
    feed = Feed(("grey",), known, half=True)
    works: list[tuple[Any, list[Piece]]] = []
    for name, region in (("ilastik_3d", Box.of(core)), ("ilastik_2d", Box.of((1, side, side)))):
        made = pipeline(name)
        seen = made.sees(region, region)
        values = random.normal(size=(1, *seen.sides)).astype(np.float32)
        works.append((made, [Piece(values, seen, region, region, feed)]))
    costs: list[list[float]] = []
    for _ in range(turns + 1):  # the first compiles
        costs.append([])
        for made, pieces in works:
            spent = Spent()
            with spent.running():
                [[found]] = made.compute(pieces)
            costs[-1].append(1e9 * spent.cpu / found.values.size)
    rows = np.array(costs[1:])
    solid_ns, flat_ns = np.median(rows, axis=0)
    ratio = np.median(rows[:, 0] / rows[:, 1])
    print(
        f"A value takes {solid_ns:.1f} ns in volumes, {flat_ns:.1f} in planes: {ratio:.2f} times."
    )


def main(arguments: list[str] | None = None) -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", help=", ".join(PARTS) + "; all unless given")
    parser.add_argument("--side", type=int, default=256, help="voxels of the rounds' volume")
    parser.add_argument("--plain", type=int, default=96, help="voxels of the plain path's part")
    parser.add_argument("--planes", type=int, default=16, help="of the large volume")
    parser.add_argument("--alias", default="stroma-3d", help="what segments the large volume")
    parser.add_argument("--smoke", action="store_true", help="small volumes")
    given = parser.parse_args(arguments)
    for part in given.parts or PARTS:
        if part == "rounds":
            side, plain = (24, 24) if given.smoke else (given.side, given.plain)
            rounds(side, plain)
        elif part == "filters":
            filters_in_turns(*((8, 16, 16), 32, 1) if given.smoke else ((32, 128, 128), 256, 15))
        elif part == "large":
            size = (64, 16, 8) if given.smoke else (2000, 1000, given.planes)
            large(*size, "gaussian" if given.smoke else given.alias)
        elif part == "gain":
            if given.smoke:
                gain((12, 48, 48), KINDS[:1], ["texture_2d", "gaussian_3d"])
            else:
                gain((64, 128, 128), KINDS, MODELS)
        else:
            parser.error(f"{part!r} is none of {', '.join(PARTS)}")


if __name__ == "__main__":
    main()
