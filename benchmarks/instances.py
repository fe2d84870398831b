"""Objects, points and clean images: networks that learned for minutes, beside plain methods.

    python benchmarks/instances.py FOLDER --test 6 --target distances --target rays --minutes 10
    python benchmarks/instances.py FOLDER --test 3 --target spots --cutoff 8
    python benchmarks/instances.py FOLDER --test 4 --target denoise --target restore

FOLDER has ``images/`` and one of ``masks/`` (objects numbered from 1), ``points/`` (CSV files of
y, x) and ``targets/`` (clean images), with files of the same names. Images are drawn for the test
by the seed; with ``--groups`` all images whose names agree up to the last ``_`` stay together.
Beside objects stand Otsu's threshold and a model of strokes (1 % of the pixels painted), each with
a watershed, beside points the Laplacian of a Gaussian, beside clean images a Gaussian and total
variation, all with what serves the training images best.
``--steps`` stands for the minutes where a machine is busy with other things.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.feature import peak_local_max
from skimage.filters import threshold_otsu
from skimage.restoration import denoise_tv_chambolle
from skimage.segmentation import watershed

from stroma.io import read_image
from stroma.io.points import read_points
from stroma.metrics.detection import detection_scores
from stroma.metrics.instances import instance_scores
from stroma.metrics.restoration import restoration_scores

APART = (3, 5, 8, 12)
"""Least distances of the middles of objects that are tried, in pixels."""

Scores = dict[str, float]
Pair = tuple[Path, Path]
WITHOUT_LABELS = ("denoise",)
SHOWN = {
    "masks": ("ap 0.50", "mean ap", "f1", "pq"),
    "points": ("f1", "precision", "recall", "count error"),
    "targets": ("si psnr", "psnr", "ssim"),
}


def pairs_in(folder: Path) -> tuple[str, list[Pair]]:
    """Return what kind of truth a folder has, and every image with it."""
    [kind] = [name for name in SHOWN if (folder / name).is_dir()]
    truths = {path.stem: path for path in (folder / kind).iterdir()}
    images = sorted((folder / "images").iterdir())
    return kind, [(path, truths[path.stem]) for path in images]


def split(pairs: Sequence[Pair], count: int, seed: int, *, groups: bool) -> tuple[list[Pair], ...]:
    """Return pairs to learn from and ``count`` (or whole groups of about as many) to test on."""
    named = [p.stem.rpartition("_")[0] if groups else p.stem for p, _ in pairs]
    names = sorted(set(named))
    order = np.random.default_rng(seed).permutation(len(names))
    chosen: set[str] = set()
    for i in order:
        if sum(name in chosen for name in named) >= count:
            break
        chosen.add(names[i])
    learned = [p for p, n in zip(pairs, named, strict=True) if n not in chosen]
    return learned, [p for p, n in zip(pairs, named, strict=True) if n in chosen]


def grey(path: Path) -> NDArray[np.float64]:
    """Return an image as one channel."""
    image = read_image(path)
    values = image.read().astype(np.float64)
    return values.mean(image.kept_axes.index("c")) if "c" in image.sizes else values


def truth_of(kind: str, path: Path) -> Any:
    """Return the truth of an image."""
    if kind == "points":
        return read_points(path)
    return read_image(path).read().squeeze().astype(np.int64 if kind == "masks" else np.float64)


def scored(kind: str, found: Any, true: Any, cutoff: float) -> Scores:
    """Return the scores of one image."""
    if kind == "masks":
        return instance_scores(found, true)
    if kind == "points":
        return detection_scores(found[:, :2], true, cutoff=cutoff)
    return restoration_scores(found.squeeze(), true)


def otsu(image: NDArray[np.float64], sigma: float, apart: int) -> NDArray[np.integer[Any]]:
    """Return objects: what is rarer of dark and bright, cut where it is narrow."""
    smooth = ndimage.gaussian_filter(image, sigma)
    front = smooth > threshold_otsu(smooth)
    return parted(ndimage.binary_fill_holes(~front if front.mean() > 0.5 else front), apart)


def parted(front: NDArray[np.bool_], apart: int) -> NDArray[np.integer[Any]]:
    """Return objects of a foreground, cut where it is narrow."""
    depth = ndimage.gaussian_filter(ndimage.distance_transform_edt(front), 1)
    peaks = peak_local_max(depth, min_distance=apart, labels=ndimage.label(front)[0])
    seeds = np.zeros(front.shape, int)
    seeds[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    return watershed(-depth, seeds, mask=front)


def log(image: NDArray[np.float64], sigma: float, sign: int, least: float) -> NDArray[np.float64]:
    """Return where the Laplacian of a Gaussian is largest, in deviations of the image."""
    ready = (image - image.mean()) / image.std()
    response = sign * sigma**2 * ndimage.gaussian_laplace(ready, sigma)
    apart = max(1, round(sigma))
    return peak_local_max(response, min_distance=apart, threshold_abs=least).astype(float)


def by_strokes(learned: list[Pair]) -> Callable[[Path], NDArray[np.bool_]]:
    """Return what tells the foreground of an image: a model of strokes on those to learn from."""
    from quality import strokes

    from stroma import ConvpaintModel

    model = ConvpaintModel("stroma")
    images = [grey(image) for image, _ in learned]
    known = [np.where(truth_of("masks", true) > 0, 2, 1) for _, true in learned]
    model.train(images, [strokes(one, 0.01, seed) for seed, one in enumerate(known)])
    return lambda path: np.asarray(model.segment(grey(path))) == 2


def painted(learned: list[Pair], tested: list[Pair], cutoff: float) -> Any:
    """Return the name of strokes and watershed with their scores, tuned like the plain methods."""
    front, first = by_strokes(learned), SHOWN["masks"][0]

    def scores(pairs: list[Pair], apart: int) -> list[Scores]:
        return [
            scored("masks", parted(front(image), apart), truth_of("masks", true), cutoff)
            for image, true in pairs
        ]

    tried = {n: np.mean([one[first] for one in scores(learned, n)]) for n in APART}
    best = max(tried, key=lambda n: tried[n])
    return f"strokes and watershed {best}", scores(tested, best), ""


def smoothed(image: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    return ndimage.gaussian_filter(image, sigma)


def varied_least(image: NDArray[np.float64], weight: float) -> NDArray[np.float64]:
    return denoise_tv_chambolle(image / 255, weight=weight)


PLAIN: dict[str, dict[str, tuple[Callable[..., Any], tuple[Sequence[Any], ...]]]] = {
    "masks": {"Otsu and watershed": (otsu, ((0.5, 1, 2), APART))},
    "points": {"LoG": (log, ((2, 3, 4, 5, 6, 8), (-1, 1), (0.05, 0.1, 0.2, 0.4, 0.6, 0.9, 1.2)))},
    "targets": {
        "Gaussian": (smoothed, ((0.5, 0.8, 1.0, 1.3, 1.7, 2.2, 3.0),)),
        "total variation": (varied_least, ((0.02, 0.05, 0.08, 0.12, 0.2, 0.3),)),
    },
}


def plain(kind: str, learned: list[Pair], tested: list[Pair], cutoff: float) -> Iterator[Any]:
    """Yield names of plain methods with their scores, tuned on the images to learn from."""
    first = SHOWN[kind][0]

    def scores(method: Callable[..., Any], options: tuple[Any, ...], pairs: list[Pair]) -> Any:
        return [
            scored(kind, method(grey(image), *options), truth_of(kind, true), cutoff)
            for image, true in pairs
        ]

    for name, (method, grid) in PLAIN[kind].items():
        tried = {
            options: np.mean([one[first] for one in scores(method, options, learned)])
            for options in itertools.product(*grid)
        }
        best = max(tried, key=lambda options: tried[options])
        yield f"{name} {best}", scores(method, best, tested), ""
    if kind == "masks":
        yield painted(learned, tested, cutoff)


def trained(
    target: str, kind: str, learned: list[Pair], tested: list[Pair], asked: argparse.Namespace
) -> Any:
    """Return a target's scores, and what it took."""
    import stroma
    from stroma.training.learning.learner import Learner

    options = {"steps": asked.steps, "network": asked.network, "seed": asked.seed}
    learner = Learner(target=target, minutes=asked.minutes, **options)
    images = [str(image) for image, _ in learned]
    labels = None if target in WITHOUT_LABELS else [str(true) for _, true in learned]
    began = time.process_time()
    network = learner.fit(images, labels)
    took = time.process_time() - began
    if asked.keep is not None:
        asked.keep.mkdir(exist_ok=True)
        path = network.save(asked.keep / f"{target}.safetensors")
        network = stroma.load(path)
    scores = [
        scored(
            kind,
            network.segment(str(image), mirror=asked.mirror),
            truth_of(kind, true),
            asked.cutoff,
        )
        for image, true in tested
    ]
    about = network.about.training
    return scores, f"{about['steps']} steps, {about['seconds']:.0f} s, {took:.0f} s of processors"


def told(name: str, kind: str, scores: list[Scores], took: str, *, each: bool) -> None:
    """Print one row of the table, and maybe the first score of every image."""
    means = " | ".join(f"{np.mean([s[n] for s in scores]):.3f}" for n in SHOWN[kind])
    print(f"| {name} | {means} | {took} |", flush=True)
    if each:
        print("  ", " ".join(f"{s[SHOWN[kind][0]]:.2f}" for s in scores), flush=True)


def main() -> None:
    """Compare on one folder."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--target", action="append", default=[])
    parser.add_argument("--test", type=int, default=6, help="images to test on")
    parser.add_argument("--groups", action="store_true")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--network", default="auto")
    parser.add_argument("--cutoff", type=float, default=8.0, help="for points, in pixels")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--mirror", action=argparse.BooleanOptionalAction)
    parser.add_argument("--each", action="store_true", help="print the score of every image")
    parser.add_argument("--keep", type=Path, help="folder for the networks")
    asked = parser.parse_args()
    kind, pairs = pairs_in(asked.folder)
    learned, tested = split(pairs, asked.test, asked.seed, groups=asked.groups)
    print(f"{asked.folder.name}: learned from {len(learned)}, tested on {len(tested)} images\n")
    print(f"| method | {' | '.join(SHOWN[kind])} | |\n|---|{'---|' * len(SHOWN[kind])}---|")
    for name, scores, took in plain(kind, learned, tested, asked.cutoff):
        told(name, kind, scores, took, each=asked.each)
    for target in asked.target:
        told(target, kind, *trained(target, kind, learned, tested, asked), each=asked.each)


if __name__ == "__main__":
    main()
