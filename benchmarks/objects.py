"""Measuring many objects, classes of nuclei from ten labelled ones, and carving of cells.

    python benchmarks/objects.py --side 4096 --objects 6250
    python benchmarks/objects.py FOLDER
    python benchmarks/objects.py --parts FOLDER
    python benchmarks/objects.py --necks FOLDER
    python benchmarks/objects.py --along FOLDER
    python benchmarks/objects.py --file --side 16384 --objects 100000
    python benchmarks/objects.py --carve 128
    python benchmarks/objects.py --carve-session 256

The first measures generated discs, beside scikit-image on some of them; seconds are those of the
processor. FOLDER has ``images/`` and ``masks/`` with nuclei numbered from 1; the classes are made
up from their size, brightness and form. The third classes small regions of pictures (truth in
``masks/``, three classes) from five labelled ones of each, beside a model of pixels that learns
from a few pixels of the same regions. The fourth parts nuclei, drawn as one class, at their necks,
and tells how many of the true ones are found. The fifth carves cells with bright membranes out of a
noisy volume of so many voxels a side, each with two strokes: seven voxels in its middle, and a
line around it on one plane. The sixth does so in a session, as the page and napari do: seconds
from drawing a stroke until what it means is known on the plane in view, of the clock and of the
processor. ``--along`` parts cells in electron micrographs along their membranes (the rarer label of
``masks/``): a model learns cell and membrane from 25 dots of each in the left half; cells in the
right half are the connected pixels without membrane, of 50 at least, and membranes do not count.
``--file`` finds and measures discs, one of twenty joined to its neighbour, from an OME-Zarr to a
table and a label image, block by block and as a whole, each in a process of its own; memory is
what it needed at most above the imports.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from measuring import Spent, alone, forget_peak, memory
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree
from skimage.segmentation import slic

from stroma.data.image import Image
from stroma.data.objects import ObjectTable, stacked
from stroma.io import read_image, write_image, write_labels
from stroma.objects.carving import Carving, Priority
from stroma.objects.classes import ObjectClassifier
from stroma.objects.find import objects_of
from stroma.objects.finding.how import Finding
from stroma.objects.measure import measure
from stroma.pixel.model import ConvpaintModel
from stroma.session import Session
from stroma.workflow.measuring import objects as workflow

THEIRS = (
    *("area", "bbox", "centroid", "perimeter", "axis_major_length", "axis_minor_length"),
    *("eccentricity", "solidity", "feret_diameter_max", "euler_number", "orientation"),
    *("intensity_mean", "intensity_std", "intensity_min", "intensity_max"),
)
REPEATS = 20
WAYS = ("blocks", "whole")
BODY, RIM, DOTS, LEAST = 1, 2, 25, 50
RISES = (0.2, 0.3, 0.4, 0.5)
REGIONS = 300
SMALLEST = 30
SPACING = 32
CELLS = 8
"""Cells inside of a volume that are carved."""


def discs(side: int, count: int) -> NDArray[np.int32]:
    """Return discs of differing size on a lattice."""
    random = np.random.default_rng(0)
    across = int(np.ceil(np.sqrt(count)))
    step = side // across
    labels = np.zeros((side, side), np.int32)
    y, x = np.ogrid[:step, :step]
    for i in range(count):
        top, left = (i // across) * step, (i % across) * step
        radius = random.uniform(0.25, 0.48) * step
        inside = (y - step / 2) ** 2 + ((x - step / 2) * random.uniform(1, 1.5)) ** 2 < radius**2
        labels[top : top + step, left : left + step][inside] = i + 1
    return labels


def speed(side: int, count: int) -> None:
    """Tell seconds and memory of measuring discs, and seconds of scikit-image for each."""
    from skimage.measure import regionprops_table

    measure(discs(64, 4), np.zeros((64, 64), np.uint8))
    labels = discs(side, count)
    image = np.random.default_rng(1).integers(0, 255, labels.shape, np.uint8)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    table = measure(labels, image)
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        f"{table.rows} objects in {side} x {side}: {seconds:.1f} s of processors, peak "
        f"{peak / 1024:.0f} MB ({before / 1024:.0f} MB before)"
    )
    part = labels[: side // 8]
    start = time.process_time()
    known = regionprops_table(part, image[: side // 8], properties=THEIRS)
    seconds = (time.process_time() - start) / len(known["area"])
    print(f"scikit-image, fewer measures: {seconds * count:.1f} s for as many")


def nuclei(folder: Path) -> ObjectTable:
    """Return the measurements of all nuclei of a folder that are not tiny."""
    tables = []
    for path in sorted((folder / "masks").iterdir()):
        image = read_image(folder / "images" / path.name)
        values = image.read().astype(np.float64)
        if "c" in image.kept_axes:
            values = values.mean(axis=0)
        table = measure(read_image(path).read(), values)
        tables.append(ObjectTable({n: c[table["area_px"] >= SMALLEST] for n, c in table.items()}))
    return stacked(tables)


def truths(table: ObjectTable) -> dict[str, NDArray[np.int64]]:
    """Return made-up classes: 1 below, 2 above the median of a measure."""
    asked = {"large": "area_px", "bright": "intensity_mean", "long": "eccentricity"}
    return {k: 1 + (table[n] > np.median(table[n])).astype(np.int64) for k, n in asked.items()}


def accuracy(folder: Path, only: str | None = None) -> None:
    """Tell how many nuclei are classed rightly from ten labelled ones, all columns or one."""
    table = nuclei(folder)
    own = {"large": "area_px", "bright": "intensity_mean", "long": "eccentricity"}
    print("| classes | classifier | columns | accuracy | lowest |\n|---|---|---|---|---|")
    for name, truth in truths(table).items():
        for columns in (None,) if only else (None, [own[name]]):
            for kind in (only,) if only else ("ensemble", "forest", "logistic"):
                for asked in (False, True):
                    scores = [_score(table, truth, kind, columns, s, asked) for s in range(REPEATS)]
                    told = "all" if columns is None else columns[0]
                    told += ", asked" if asked else ""
                    print(
                        f"| {name} | {kind} | {told} | {np.mean(scores):.3f} | {min(scores):.3f} |",
                        flush=True,
                    )


def _score(table, truth, kind, columns, seed, asked) -> float:
    """Return the accuracy on objects that are not labelled; five of each class, or as asked."""
    random = np.random.default_rng(seed)
    labels = np.zeros(table.rows, np.int64)
    for cls in (1, 2):
        rows = random.choice(np.flatnonzero(truth == cls), 1 if asked else 5, replace=False)
        labels[rows] = cls
    model = ObjectClassifier(kind, columns).fit(table, labels)
    while (labels > 0).sum() < 10:
        row = model.next_to_label(table, labels)
        labels[row] = truth[row]
        model = model.fit(table, labels)
    free = labels == 0
    return float((model.predict(table)[free] == truth[free]).mean())


def parts(folder: Path) -> None:
    """Tell how well regions are classed, and pixels are, from the same few places."""
    found = [
        _parts_of(path, seed) for seed, path in enumerate(sorted((folder / "masks").iterdir()))
    ]
    print("| learnt from | mean IoU | lowest |\n|---|---|---|")
    for name in ("best possible with these regions", "regions", "pixels"):
        scores = [one[name] for one in found]
        print(f"| {name} | {np.mean(scores):.3f} | {min(scores):.3f} |")


def _parts_of(path: Path, seed: int) -> dict[str, float]:
    """Return the mean IoU of both on one picture; five regions of each class are labelled."""
    picture = read_image(path.parent.parent / "images" / path.name).read()
    truth = read_image(path).read().astype(np.int64)
    truth = np.unique(truth, return_inverse=True)[1].reshape(truth.shape) + 1
    colours = np.moveaxis(picture[:3], 0, -1)
    regions = slic(colours, n_segments=REGIONS, compactness=10, start_label=1)
    classes = ndimage.labeled_comprehension(
        truth, regions, np.arange(1, regions.max() + 1), _most, np.int64, 0
    )
    random, labels = np.random.default_rng(seed), np.zeros(len(classes), np.int64)
    for cls in np.unique(classes):
        known = np.flatnonzero(classes == cls)
        labels[random.choice(known, min(5, len(known)), replace=False)] = cls
    table = measure(regions, Image(picture[:3], "cyx"))
    told = ObjectClassifier().fit(table, labels).predict(table)
    strokes = np.zeros(truth.shape, np.uint8)
    for number in np.flatnonzero(labels) + 1:
        away = ndimage.distance_transform_edt(np.pad(regions == number, 1))[1:-1, 1:-1]
        y, x = np.unravel_index(away.argmax(), away.shape)
        strokes[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2] = labels[number - 1]
    model = ConvpaintModel("stroma")
    model.set_params(channel_mode="rgb")
    model.train(picture[:3], strokes)
    return {
        "best possible with these regions": _overlap(classes[regions - 1], truth),
        "regions": _overlap(told[regions - 1], truth),
        "pixels": _overlap(np.asarray(model.segment(picture[:3])), truth),
    }


def necks(folder: Path) -> None:
    """Tell how many nuclei are found again where those that touch are parted at their necks."""
    masks = [read_image(path).read() for path in sorted((folder / "masks").iterdir())]
    truths = [np.unique(m, return_inverse=True)[1].reshape(m.shape).astype(np.int64) for m in masks]
    print("| depth, px | F1 | objects | true ones |\n|---|---|---|---|")
    for depth in (0, 0.5, 1, 2, 3):
        found = [objects_of(truth > 0, split=depth) for truth in truths]
        matched = sum(matched(a, b) for a, b in zip(found, truths, strict=True))
        ours, true = (sum(int(one.max()) for one in many) for many in (found, truths))
        print(f"| {depth} | {2 * matched / (ours + true):.4f} | {ours} | {true} |", flush=True)


def matched(found: NDArray[Any], truth: NDArray[Any]) -> int:
    """Return how many objects share more than half of their union with a true one."""
    shape = int(found.max()) + 1, int(truth.max()) + 1
    pairs = np.ravel_multi_index((found.ravel(), truth.ravel()), shape)
    shared = np.bincount(pairs, minlength=shape[0] * shape[1]).reshape(shape)
    union = shared.sum(1)[:, None] + shared.sum(0)[None] - shared
    return int((2 * shared[1:, 1:] > union[1:, 1:]).sum())


def _most(values: NDArray[np.int64]) -> int:
    return int(np.bincount(values).argmax())


def _overlap(found: NDArray[Any], truth: NDArray[Any]) -> float:
    """Return the mean intersection over union of all classes."""
    return float(
        np.mean(
            [
                ((found == c) & (truth == c)).sum() / ((found == c) | (truth == c)).sum()
                for c in np.unique(truth)
            ]
        )
    )


def membranes(side: int, seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return cells with bright membranes in noise, and their numbers."""
    rng = np.random.default_rng(seed)
    across = side // SPACING
    centres = (np.indices((across,) * 3).reshape(3, -1).T + 0.5) * SPACING
    centres += rng.uniform(-0.25, 0.25, centres.shape) * SPACING
    image, cells = np.empty((side,) * 3, np.float32), np.empty((side,) * 3, np.int64)
    tree, plane = cKDTree(centres), np.indices((1, side, side)).reshape(3, -1).T
    for z in range(side):
        away, cell = tree.query(plane + np.array([z, 0, 0]), k=2)
        wall = np.exp(-(((away[:, 1] - away[:, 0]) / 2) ** 2))
        image[z] = (wall + rng.normal(0, 0.2, wall.shape)).reshape(side, side)
        cells[z] = cell[:, 0].reshape(side, side)
    return image, cells


def two_strokes(inside: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Draw along the middle of a cell, and around it on one plane."""
    strokes = np.zeros(inside.shape, np.uint8)
    z, y, x = (round(c) for c in ndimage.center_of_mass(inside))
    wide, near = (ndimage.binary_dilation(inside[z], iterations=n) for n in (9, 8))
    strokes[z][wide & ~near] = 1
    strokes[z, y, x - 3 : x + 4] = 2
    return strokes


def inner(side: int) -> list[int]:
    """Return the numbers of cells that do not lie at the border."""
    across = side // SPACING
    numbers = np.arange(across**3).reshape((across,) * 3)
    return [int(n) for n in numbers[1:-1, 1:-1, 1:-1].ravel()[:CELLS]]


def answers(carving: Carving, cells: NDArray[Any], numbers: list[int]) -> tuple[float, float]:
    """Return the mean intersection over union of cells, and the median seconds of an answer."""
    overlaps, seconds = [], []
    for number in numbers:
        truth = cells == number
        strokes = two_strokes(truth)
        start = time.process_time()
        found = carving.carve(strokes)
        seconds.append(time.process_time() - start)
        overlaps.append((found & truth).sum() / (found | truth).sum())
    return float(np.mean(overlaps)), float(np.median(seconds))


def carve(side: int, seeds: int) -> None:
    """Print a row for each seed."""
    print("| voxels a side | regions | to cut, s | answer, s | IoU | IoU without bias |")
    print("|---|---|---|---|---|---|")
    Carving.of(membranes(SPACING)[0], boundary="bright")  # compiles
    for seed in range(seeds):
        image, cells = membranes(side, seed)
        start = time.process_time()
        carving = Carving.of(image, boundary="bright")
        cut = time.process_time() - start
        found, seconds = answers(carving, cells, inner(side))
        plain = Carving(carving.regions, carving.shape, priority=Priority(bias=1.0))
        without, _ = answers(plain, cells, inner(side))
        row = f"{side} | {carving.regions.count:,} | {cut:.1f} | {seconds:.3f}"
        print(f"| {row} | {found:.2f} | {without:.2f} |", flush=True)


def carve_in_session(side: int, sigma: float) -> None:
    """Print, for each cell, the seconds until a stroke is answered."""
    image, cells = membranes(side)
    with Session(mode="demand") as session:
        key = session.add_image(Image(image, "zyx"))
        session.set_boundaries(key, "bright", sigma=sigma)
        regions = session.prepare_carving(key).result()
        print(f"{side} voxels a side, {regions:,} regions, sigma {sigma}")
        print("| stroke | clock, s: median, most | processor, s: median, most |\n|---|---|---|")
        took = [_strokes_answered(session, key, cells == n) for n in inner(side)]
    for place, name in enumerate(("on the object", "beside it", "one more")):
        clock, processor = np.array([one[place] for one in took]).T
        row = f"{np.median(clock):.3f}, {clock.max():.3f} | {np.median(processor):.3f}"
        print(f"| {name} | {row}, {processor.max():.3f} |")


def _strokes_answered(
    session: Session, key: str, inside: NDArray[np.bool_]
) -> list[tuple[float, float]]:
    """Return the seconds that three strokes take, and take back what they say."""
    z, y, x = (round(c) for c in ndimage.center_of_mass(inside))
    rows, columns = np.nonzero(ndimage.binary_dilation(inside[z], iterations=8))
    top, bottom, left, right = rows.min(), rows.max(), columns.min(), columns.max()
    around = [(top, left), (top, right), (bottom, right), (bottom, left), (top, left)]
    plane, took = {"z": z}, []
    for points, on in (([(y, x - 3), (y, x + 3)], True), (around, False), ([(y + 2, x)], True)):
        start = time.perf_counter(), time.process_time()
        session.carve_stroke(key, [(float(a), float(b)) for a, b in points], on=on, plane=plane)
        session.carved(key, plane=plane)
        took.append((time.perf_counter() - start[0], time.process_time() - start[1]))
    session.clear_carving(key)
    return took


def make_files(folder: Path, side: int, count: int) -> None:
    """Write the class and the values."""
    mask = (discs(side, count) > 0).astype(np.uint8)
    step = side // int(np.ceil(np.sqrt(count)))
    for row in range(step // 2, side, step):
        bridged = mask[row].reshape(-1)
        for column in range(step // 2, side - step, step):
            if (column // step) % 20 == 1:
                bridged[column : column + step] = 1
    write_labels(folder / "class.zarr", mask, axes="yx")
    values = np.random.default_rng(1).integers(0, 255, mask.shape, np.uint8)
    write_image(folder / "values.zarr", values, axes="yx")


def measure_files(folder: Path, way: str, split: float) -> None:
    """Find and measure in one way, and tell what it took."""
    measure(discs(64, 4), np.zeros((64, 64), np.uint8))  # compiles
    limit = 0 if way == "blocks" else 2**62
    workflow.LARGE = limit
    measure.__globals__["LARGE"] = limit
    wanted = workflow.Wanted(folder / f"{way}.csv", folder / f"{way}.zarr", overwrite=True)
    before, spent = forget_peak(), Spent()
    with spent.running():
        found = workflow.measure_file(
            folder / "class.zarr",
            wanted,
            image=folder / "values.zarr",
            of_class="1",
            how=Finding(split=split),
        )
    told = {"way": way, "objects": found.objects, "split": split}
    told |= {"seconds": round(spent.wall, 1), "processor": round(spent.cpu, 1)}
    print(json.dumps(told | {"MB": round(memory("VmHWM") - before)}))


def same_files(folder: Path) -> bool:
    """Tell whether both ways gave the same label image and table."""
    one, other = (read_image(folder / f"{way}.zarr") for way in WAYS)
    bands = range(0, one.shape[0], 1024)
    equal = all(
        np.array_equal(*(i.read({"y": slice(y, y + 1024)}) for i in (one, other))) for y in bands
    )
    tables = (np.genfromtxt(folder / f"{way}.csv", delimiter=",", skip_header=1) for way in WAYS)
    return equal and np.allclose(*tables, rtol=1e-5, equal_nan=True)


def large(side: int, count: int, split: float) -> None:
    """Tell what finding and measuring takes from file to file, block by block and as a whole."""
    with tempfile.TemporaryDirectory() as name:
        make_files(Path(name), side, count)
        for way in WAYS:
            told = alone(__file__, "--way", name, way, "--split", split)
            print(json.dumps(told), flush=True)
        print(f"{side} x {side}, both ways the same: {same_files(Path(name))}")


def micrographs(folder: Path) -> None:
    """Tell how many cells of electron micrographs are found."""
    heads = ["parts of the class", "necks of 3", *(f"along, rise {r}" for r in RISES)]
    print(f"| image | cells | {' | '.join(heads)} |\n{'|---' * (len(heads) + 2)}|")
    for path in sorted((folder / "images").iterdir()):
        values = read_image(path).read().astype(np.float32)
        mask = read_image(folder / "masks" / path.name).read()
        numbers, counts = np.unique(mask, return_counts=True)
        membrane = mask == numbers[counts.argmin()]
        model = ConvpaintModel("stroma")
        model.train(values, dots(membrane))
        likely = np.asarray(model.predict_probas(values))
        labels, how = model.segment(values), {"min_size": LEAST}
        found = [
            objects_of(labels, label=BODY, **how),
            objects_of(labels, label=BODY, split=3, **how),
        ]
        along = {"axes": "cyx", "label": BODY, "boundary": RIM, **how}
        found += [objects_of(likely, **along, rise=rise) for rise in RISES]
        right = np.s_[:, mask.shape[1] // 2 :]
        truth = objects_of(~membrane, connectivity="side", min_size=LEAST)[right]
        told = " | ".join(score(np.where(membrane, 0, one)[right], truth) for one in found)
        print(f"| {path.stem} | {len(np.unique(truth)) - 1} | {told} |", flush=True)


def score(found: NDArray[Any], truth: NDArray[Any]) -> str:
    """Return F1, and how many objects there are, as cells of a table."""
    ours, true = (len(np.unique(one)) - (0 in one) for one in (found, truth))
    return f"{2 * matched(found, truth) / max(1, ours + true):.3f}, {ours}"


def dots(membrane: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return dots of seven pixels a side on cells and on membranes of the left half."""
    random, strokes = np.random.default_rng(0), np.zeros(membrane.shape, np.uint8)
    inner = ndimage.binary_erosion(~membrane, iterations=3)
    for label, where in ((BODY, inner), (RIM, membrane)):
        places = np.argwhere(where[:, : where.shape[1] // 2])
        for y, x in random.choice(places, DOTS, replace=False):
            dot = np.s_[max(0, y - 3) : y + 4, max(0, x - 3) : x + 4]
            strokes[dot][where[dot]] = label
    return strokes


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--side", type=int, default=4096)
    parser.add_argument("--objects", type=int, default=6250)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--classifier", help="one instead of all, on all measures")
    parser.add_argument("--parts", type=Path, metavar="FOLDER", help="class regions of pictures")
    parser.add_argument("--necks", type=Path, metavar="FOLDER", help="part nuclei that touch")
    parser.add_argument("--along", type=Path, metavar="FOLDER", help="part along membranes")
    parser.add_argument("--file", action="store_true", help="from file to file")
    parser.add_argument("--split", type=float, default=0.0, help="of discs in a file")
    parser.add_argument("--way", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--carve", type=int, metavar="SIDE", help="voxels a side, from 96")
    parser.add_argument("--carve-session", type=int, metavar="SIDE", help="the same, in a session")
    parser.add_argument("--sigma", type=float, default=1.6, help="of boundaries in the session")
    parser.add_argument("--seeds", type=int, default=3, help="volumes")
    parser.add_argument("--smoke", action="store_true", help="small sizes")
    asked = parser.parse_args()
    if asked.smoke:
        asked.side, asked.objects = 256, 64
    globals()["REPEATS"] = asked.repeats
    if asked.way is not None:
        measure_files(Path(asked.way[0]), asked.way[1], asked.split)
    elif asked.file:
        large(asked.side, asked.objects, asked.split)
    elif asked.along is not None:
        micrographs(asked.along)
    elif asked.carve_session is not None:
        carve_in_session(asked.carve_session, asked.sigma)
    elif asked.carve is not None:
        carve(asked.carve, asked.seeds)
    elif asked.necks is not None:
        necks(asked.necks)
    elif asked.parts is not None:
        parts(asked.parts)
    elif asked.folder is not None:
        accuracy(asked.folder, asked.classifier)
    else:
        speed(asked.side, asked.objects)


if __name__ == "__main__":
    main()
