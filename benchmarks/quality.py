"""Quality from a few strokes: mean intersection over union on images whose every pixel is known.

Strokes are drawn at random inside each class of the true labels, with a seed per image, so that
every method gets the same; an image that comes with real scribbles is scored with those. Pixels
under strokes, and those marked 255 in the truth, do not count.

    python benchmarks/quality.py FOLDER skimage stroma:ilastik:clf=forest stroma:stroma

FOLDER holds one folder per set, each with ``images/`` and ``masks/`` of the same names: classes
1 to K, 255 to ignore; ``scribbles1/`` and ``fov/`` (1 inside the field of view) where they exist.
In sets named with ``--instances``, all labels above 0 are one class.
"""

from __future__ import annotations

import argparse
import time
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray
from scipy import ndimage
from skimage.io import imread

Labels = NDArray[np.integer]
Method = Callable[[NDArray[np.generic], Labels], Labels]

BRUSH = np.ones((3, 3), bool)
LENGTHS = (15, 60)
CAMVID = np.array([0, 1, 2, 3, 4, 4, 5, 3, 3, 6, 6, 6, 255], np.uint8)
"""The twelve classes of street scenes, joined to six."""


def truth(folder: Path, name: str, instances: tuple[str, ...]) -> Labels:
    """Return the classes of an image."""
    mask = imread(folder / "masks" / name)
    if folder.name.startswith(instances):
        mask = np.where(mask > 0, 2, 1).astype(np.uint8)
    if folder.name.startswith("roads_camvid"):
        mask = CAMVID[mask]
    inside = folder / "fov" / name
    return np.where(imread(inside) > 0, mask, 255) if inside.exists() else mask


def strokes(mask: Labels, budget: float, seed: int) -> Labels:
    """Return random walks inside each class, about ``budget`` of all pixels in equal shares."""
    rng = np.random.default_rng(seed)
    painted = np.zeros(mask.shape, np.uint16)
    classes = [c for c in np.unique(mask) if c not in (0, 255)]
    share = max(30, int(budget * mask.size / len(classes)))
    for label in classes:
        region = mask == label
        core = ndimage.binary_erosion(region, BRUSH)
        core = core if core.sum() >= 10 else region
        wanted = min(share, int(0.5 * region.sum()))
        for _ in range(500):
            missing = wanted - int((painted == label).sum())
            if missing <= 0:
                break
            line = ndimage.binary_dilation(_walk(core, rng), BRUSH) & region & (painted == 0)
            painted.flat[np.flatnonzero(line)[:missing]] = label
    return painted


def _walk(core: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.bool_]:
    rows, columns = np.nonzero(core)
    start = rng.integers(len(rows))
    y, x = float(rows[start]), float(columns[start])
    angle, line = rng.uniform(0, 2 * np.pi), np.zeros(core.shape, bool)
    for _ in range(int(rng.integers(*LENGTHS))):
        line[int(y), int(x)] = True
        angle += rng.normal(0, 0.35)
        below, right = y + np.sin(angle), x + np.cos(angle)
        inside = 0 <= below < core.shape[0] and 0 <= right < core.shape[1]
        if not inside or not core[int(below), int(right)]:
            break
        y, x = below, right
    return line


def score(found: Labels, mask: Labels, painted: Labels) -> float:
    """Return the mean intersection over union of the classes."""
    valid = (mask != 255) & (mask != 0) & (painted == 0)
    each = []
    for label in np.unique(mask[valid]):
        ours, true = (found == label) & valid, (mask == label) & valid
        each.append((ours & true).sum() / (ours | true).sum())
    return float(np.mean(each))


def method(name: str) -> Method:
    """Return ``skimage``, or ``stroma:ALIAS[:KEY=VALUE...]``, as a function."""
    if name == "skimage":
        return by_skimage
    _, alias, *settings = name.split(":")
    values = {k: yaml.safe_load(v) for k, v in (s.split("=", 1) for s in settings)}

    def run(image: NDArray[np.generic], painted: Labels) -> Labels:
        from stroma import ConvpaintModel

        model = ConvpaintModel(alias)
        model.set_params(**values)
        if image.ndim == 3:
            image = np.moveaxis(image[..., :3], -1, 0)
            model.set_param("channel_mode", "rgb")
        model.train(image, painted)
        return np.asarray(model.segment(image))

    return run


def by_skimage(image: NDArray[np.generic], painted: Labels) -> Labels:
    """Segment with scikit-image's multiscale features and a random forest."""
    from skimage.feature import multiscale_basic_features
    from sklearn.ensemble import RandomForestClassifier

    axis = -1 if image.ndim == 3 else None
    features = multiscale_basic_features(image, channel_axis=axis, sigma_min=0.7, sigma_max=10)
    forest = RandomForestClassifier(100, n_jobs=-1, random_state=0)
    forest.fit(features[painted > 0], painted[painted > 0])
    return forest.predict(features.reshape(-1, features.shape[-1])).reshape(painted.shape)


def cases(
    folder: Path,
    name: str,
    budgets: list[str],
    crop: int,
    instances: tuple[str, ...],
    draw: int = 0,
) -> Iterator[tuple[str, NDArray[np.generic], Labels, Labels]]:
    """Yield the kind of strokes, the image, its truth and the strokes of one draw."""
    image = imread(folder / "images" / name)[:crop, :crop]
    mask = truth(folder, name, instances)[:crop, :crop]
    real = folder / "scribbles1" / name
    if real.exists():
        yield "real", image, mask, imread(real)[:crop, :crop]
        return
    seed = zlib.crc32(f"{folder.name}/{name}".encode()) + draw
    for budget in budgets:
        painted = strokes(mask, float(budget), seed)
        if len(np.unique(painted[painted > 0])) > 1:
            yield budget, image, mask, painted


def main(args: list[str] | None = None) -> None:
    """Score methods on sets of images and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("methods", nargs="+")
    parser.add_argument("--sets", default="", help="names, joined by commas; all unless given")
    parser.add_argument("--budgets", default="0.0025,0.01", help="share of pixels painted")
    parser.add_argument("--skip", type=int, default=0, help="images of each set to leave out")
    parser.add_argument("--limit", type=int, default=4, help="images of each set to take then")
    parser.add_argument("--crop", type=int, default=512)
    parser.add_argument("--leave-out", default="tiny,scrib_misc,dots")
    parser.add_argument("--instances", default="nuclei_dsb,phase_usiigaci")
    given = parser.parse_args(args)
    omitted, instances = tuple(given.leave_out.split(",")), tuple(given.instances.split(","))
    here = sorted(d for d in given.data.iterdir() if (d / "masks").is_dir())
    sets = [d for d in here if not d.name.startswith(omitted)]
    if given.sets:
        sets = [given.data / name for name in given.sets.split(",")]
    table: dict[tuple[str, str], dict[str, list[tuple[float, float]]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for folder in sets:
        names = sorted(f.name for f in (folder / "masks").iterdir())
        for name in names[given.skip : given.skip + given.limit]:
            budgets = given.budgets.split(",")
            for kind, image, mask, painted in cases(folder, name, budgets, given.crop, instances):
                for one in given.methods:
                    start = time.perf_counter()
                    found = method(one)(image, painted)
                    seconds = time.perf_counter() - start
                    table[folder.name, kind][one].append((score(found, mask, painted), seconds))
    show(table, given.methods)


def show(
    table: dict[tuple[str, str], dict[str, list[tuple[float, float]]]], methods: list[str]
) -> None:
    """Print mean scores (and seconds per image) by set, and the mean over all rows."""
    print("| set | strokes | " + " | ".join(methods) + " |")
    print("|---|---|" + "---|" * len(methods))
    means: dict[str, list[float]] = defaultdict(list)
    for (folder, kind), row in sorted(table.items()):
        cells = []
        for one in methods:
            quality, seconds = np.mean(row[one], axis=0)
            means[one].append(quality)
            cells.append(f"{quality:.3f} ({seconds:.2f} s)")
        print(f"| {folder} | {kind} | " + " | ".join(cells) + " |")
    overall = " | ".join(f"**{np.mean(means[one]):.4f}**" for one in methods)
    print(f"| mean | | {overall} |")


if __name__ == "__main__":
    main()
