"""Clicks to an object: a simulated user corrects every engine until the mask is right.

    python benchmarks/prompts.py FOLDER --engine graph --engine walker --engine grabcut

FOLDER has ``images/`` and ``masks/``. Masks that number objects give up to ``--objects`` of each
image; a folder whose masks are classes needs ``--classes``: 3,2+3 means that class 3 is an object
and classes 2 and 3 together are another. The user clicks into the middle of the largest part that
is wrong, into the object first. Every engine sees the same view: the part of the image around the
object that is four times as wide as it, at least 128 pixels. ``--part develop`` takes every second
image, which the engine was tuned on; ``--part report`` the others.

``walker`` is scikit-image's random walker and ``grabcut`` OpenCV's GrabCut, with clicks as discs;
of both, what hangs together with a click into the object counts, and no holes.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.draw import disk
from skimage.segmentation import random_walker

from stroma.io import read_image

Bools = NDArray[np.bool_]
LEVELS = (0.8, 0.9)
AFTER = (1, 3, 5)
DISC = 3
"""Radius of a click for the methods beside ours."""


@dataclass(frozen=True)
class Task:
    """An object to be found in a view.

    Parameters
    ----------
    name : str
        Image and object.
    view : (C, y, x) float32
        What the engine sees.
    truth : (y, x) bool
        The object.
    ignored : (y, x) bool
        Pixels that nobody judges.
    rgb : bool
        Whether the channels are colours.
    """

    name: str
    view: NDArray[np.float32]
    truth: Bools
    ignored: Bools
    rgb: bool


@dataclass(frozen=True)
class Course:
    """What came of the clicks on one object.

    Parameters
    ----------
    ious : sequence of float
        Overlap after each click; kept at the last where the user stopped.
    embed, seconds : float
        Time to take the image, and mean time of an answer.
    """

    ious: tuple[float, ...]
    embed: float
    seconds: float

    def clicks(self, level: float) -> int:
        """Return how many clicks reach an overlap; one more than there were if none did."""
        reached = [i for i, iou in enumerate(self.ious) if iou >= level]
        return reached[0] + 1 if reached else len(self.ious) + 1


def walker(view: NDArray[np.float32], rgb: bool) -> Callable[..., Bools]:
    """Return scikit-image's random walker; the frame of the view is background."""
    low, high = np.percentile(view, [1, 99])
    ready = np.moveaxis(np.clip((view - low) / (high - low + 1e-6), 0, 1), 0, -1)

    def predict(points: NDArray[np.float64], labels: NDArray[np.int64]) -> Bools:
        seeds = np.zeros(view.shape[1:], np.int32)
        seeds[[0, -1]] = seeds[:, [0, -1]] = 2
        for (y, x), label in zip(points, labels, strict=True):
            seeds[disk((y, x), DISC, shape=seeds.shape)] = 1 if label else 2
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = random_walker(ready, seeds, beta=130, mode="cg_j", tol=1e-3, channel_axis=-1)
        return np.asarray(found == 1)

    return predict


def grabcut(view: NDArray[np.float32], rgb: bool) -> Callable[..., Bools]:
    """Return OpenCV's GrabCut; around a click the object is likely, elsewhere it is not."""
    low, high = np.percentile(view, [1, 99])
    scaled = (np.clip((view - low) / (high - low + 1e-6), 0, 1) * 255).astype(np.uint8)
    picture = np.ascontiguousarray(
        np.moveaxis(scaled if len(scaled) == 3 else scaled[[0] * 3], 0, -1)
    )

    def predict(points: NDArray[np.float64], labels: NDArray[np.int64]) -> Bools:
        mask = np.full(view.shape[1:], cv2.GC_PR_BGD, np.uint8)
        for (y, x), label in zip(points, labels, strict=True):
            if label:
                mask[disk((y, x), 4 * DISC, shape=mask.shape)] = cv2.GC_PR_FGD
        for (y, x), label in zip(points, labels, strict=True):
            mask[disk((y, x), DISC, shape=mask.shape)] = cv2.GC_FGD if label else cv2.GC_BGD
        cv2.setRNGSeed(0)
        models = np.zeros((1, 65)), np.zeros((1, 65))
        cv2.grabCut(picture, mask, None, *models, 5, cv2.GC_INIT_WITH_MASK)
        return (mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD)

    return predict


def ours(name: str, weights: Path | None = None) -> Callable[..., Callable[..., Bools]]:
    """Return an engine of Stroma."""

    def begin(view: NDArray[np.float32], rgb: bool) -> Callable[..., Bools]:
        from stroma.prompts.build import engine as built

        engine = built(name, weights=weights)
        engine.set_image(view, rgb=rgb)

        def predict(points: NDArray[np.float64], labels: NDArray[np.int64]) -> Bools:
            masks, _ = engine.predict(points=points, labels=labels)
            return np.asarray(masks[0])

        return predict

    return begin


BESIDE = {"walker": walker, "grabcut": grabcut}


def whole(mask: Bools, points: NDArray[np.float64], labels: NDArray[np.int64]) -> Bools:
    """Return the parts that a click into the object lies in, without holes."""
    parts, _ = ndimage.label(mask)
    hit = {int(parts[int(y), int(x)]) for (y, x), k in zip(points, labels, strict=True) if k}
    return np.asarray(ndimage.binary_fill_holes(np.isin(parts, sorted(hit - {0}))))


def next_click(wrong: Bools) -> tuple[int, int]:
    """Return the middle of the largest part that is wrong."""
    parts, _ = ndimage.label(wrong)
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    depth = cv2.distanceTransform(
        np.pad(parts == sizes.argmax(), 1).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE
    )
    y, x = np.unravel_index(depth[1:-1, 1:-1].argmax(), wrong.shape)
    return int(y), int(x)


def overlap(found: Bools, task: Task) -> float:
    """Return the intersection over union."""
    seen = ~task.ignored
    both, either = found & task.truth & seen, (found | task.truth) & seen
    return float(both.sum() / max(1, either.sum()))


def course(task: Task, begin: Callable[..., Callable[..., Bools]], most: int, tidy: bool) -> Course:
    """Let the user click until the object is right, ``most`` times at most."""
    start = time.perf_counter()
    predict = begin(task.view, task.rgb)
    embed = time.perf_counter() - start
    points: list[tuple[int, int]] = []
    labels: list[int] = []
    found = np.zeros_like(task.truth)
    ious: list[float] = []
    seconds = []
    for _ in range(most):
        wrong = (found != task.truth) & ~task.ignored
        points.append(next_click(wrong))
        labels.append(int(task.truth[points[-1]]))
        given = np.array(points, float), np.array(labels)
        start = time.perf_counter()
        found = predict(*given)
        seconds.append(time.perf_counter() - start)
        found = whole(found, *given) if tidy else found
        ious.append(overlap(found, task))
        if ious[-1] >= max(LEVELS):
            break
    ious += ious[-1:] * (most - len(ious))
    return Course(tuple(ious), embed, float(np.mean(seconds)))


def view_of(box: tuple[slice, ...], shape: tuple[int, ...]) -> tuple[slice, ...]:
    """Return the part of the image around an object that is shown."""
    side = max(128, 4 * max(s.stop - s.start for s in box))
    starts = [
        max(0, min((s.start + s.stop - side) // 2, n - side))
        for s, n in zip(box, shape, strict=True)
    ]
    return tuple(slice(a, min(a + side, n)) for a, n in zip(starts, shape, strict=True))


def tasks_in(folder: Path, classes: str, objects: int, part: str) -> Iterator[Task]:
    """Yield the objects of a folder."""
    images = sorted((folder / "images").iterdir())
    for path in images[part == "report" :: 2] if part != "all" else images:
        image = read_image(path)
        values = image.read().astype(np.float32)
        values = (
            np.moveaxis(values, image.kept_axes.index("c"), 0)
            if "c" in image.sizes
            else values[None]
        )
        [truth_path] = (folder / "masks").glob(f"{path.stem}.*")
        labels = read_image(truth_path).read().squeeze()
        for name, truth in _truths(labels, classes, objects):
            [box] = ndimage.find_objects(truth.astype(np.uint8))
            view = view_of(box, truth.shape)
            ignored = labels[view] == 255 if classes else np.zeros_like(truth[view])
            yield Task(
                f"{path.stem} {name}", values[(slice(None), *view)], truth[view], ignored, image.rgb
            )


def _truths(labels: NDArray[Any], classes: str, objects: int) -> Iterator[tuple[str, Bools]]:
    if classes:
        for group in classes.split(","):
            yield group, np.isin(labels, [int(k) for k in group.split("+")])
        return
    numbers = np.flatnonzero(np.bincount(labels.ravel()) >= 40)[1:]
    for number in np.random.default_rng(0).permutation(numbers)[:objects]:
        yield str(number), labels == number


def row(name: str, courses: Sequence[Course]) -> str:
    """Return a line of the table."""
    clicks = [np.mean([c.clicks(level) for c in courses]) for level in LEVELS]
    after = [np.mean([c.ious[n - 1] for c in courses]) for n in AFTER]
    times = [np.mean([c.embed for c in courses]), np.mean([c.seconds for c in courses])]
    cells = [
        *(f"{v:.2f}" for v in clicks),
        *(f"{v:.3f}" for v in after),
        *(f"{v:.3f}" for v in times),
    ]
    return f"| `{name}` | " + " | ".join(cells) + " |"


HEADER = (
    "| engine | clicks to 0.8 | to 0.9 | IoU after 1 | 3 | 5 | s to take the image | s to answer |",
    "|---|---|---|---|---|---|---|---|",
)


def smoke_tasks() -> Iterator[Task]:
    """Yield two discs on noise."""
    for seed in range(2):
        away = np.indices((64, 64)) - np.array([32, 30])[:, None, None]
        truth = (away**2).sum(0) < 150
        noise = np.random.default_rng(seed).normal(0, 0.1, truth.shape)
        view = (truth + noise)[None].astype(np.float32)
        yield Task(f"disc {seed}", view, truth, np.zeros_like(truth), False)


def main() -> None:
    """Print a table for every folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--engine", action="append", help="graph, walker, grabcut or a plugin's")
    parser.add_argument(
        "--weights", type=Path, help="file of the network of an engine that has one"
    )
    parser.add_argument("--classes", default="", help="classes that are objects, such as 3,2+3")
    parser.add_argument("--objects", type=int, default=4, help="objects of each image")
    parser.add_argument("--part", choices=("develop", "report", "all"), default="report")
    parser.add_argument("--clicks", type=int, default=10, help="clicks at most")
    parser.add_argument("--smoke", action="store_true", help="two small discs, three clicks")
    given = parser.parse_args()
    if not given.smoke and given.folder is None:
        parser.error("FOLDER is needed, with images/ and masks/ in it")
    most = max(AFTER) if given.smoke else given.clicks
    found = tasks_in(given.folder, given.classes, given.objects, given.part)
    tasks = list(smoke_tasks() if given.smoke else found)
    where = "discs" if given.smoke else given.folder.name
    print(f"{where}: {len(tasks)} objects, at most {most} clicks; not reached counts {most + 1}\n")
    print(*HEADER, sep="\n", flush=True)
    for name in given.engine or ["graph", *BESIDE]:
        begin = BESIDE.get(name) or ours(name, None if name == "graph" else given.weights)
        done = [course(task, begin, most, tidy=name in BESIDE) for task in tasks]
        print(row(name, done), flush=True)


if __name__ == "__main__":
    main()
