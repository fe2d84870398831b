"""Networks beside models of strokes that learn from the same dense labels: mean IoU of both.

    python benchmarks/learn.py FOLDER --minutes 10

FOLDER holds one folder per set, as for ``quality.py``. The first images of a set, by name, are
learned from by both, the rest is scored: mean intersection over union of the classes that occur,
over all pixels of these images together. The network is the default one and knows nothing but the
budget; it keeps a part of what it is given for its own scores, as it always does. Every set is
learned in a process of its own, whose largest memory is told beside what the plan estimates for a
training step.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from quality import truth
from skimage.io import imread

IGNORED = (0, 255)
LEARNED = {
    "em_membrane_isbi_dev": 7,
    "wbc_ds1_dev": 16,
    "vessels_drive_dev": 3,
    "roads_camvid_dev": 7,
}
"""How many images of a set are learned from."""


@dataclass(frozen=True)
class Row:
    """What came of a set.

    Parameters
    ----------
    learned, scored : int
        Images.
    network, strokes : float
        Mean IoU.
    steps : int
        Steps of the network.
    seconds, busy, strokes_seconds : float
        Time for learning, that of the processors among it, and that of the strokes.
    gigabytes, planned : float
        Memory that learning added, at most, and what the plan estimates.
    setup : str
        What was trained.
    """

    learned: int
    scored: int
    network: float
    strokes: float
    steps: int
    seconds: float
    busy: float
    strokes_seconds: float
    gigabytes: float
    planned: float
    setup: str


def read(folder: Path, name: str) -> tuple[Any, NDArray[np.int32]]:
    """Return an image with named axes and its classes."""
    from stroma import Image

    values = imread(folder / "images" / name)
    colours = values.ndim == 3
    image = Image(np.moveaxis(values[..., :3], -1, 0) if colours else values, "cyx"[not colours :])
    return image, truth(folder, name, ()).astype(np.int32)


def mean_iou(results: Sequence[Any], truths: Sequence[Any]) -> float:
    """Return the mean IoU of the classes that occur, over all pixels."""
    from stroma.metrics.semantic import confusion, iou_of

    labels = [n for n in np.unique(np.concatenate([t.ravel() for t in truths])) if n not in IGNORED]
    pairs = zip(results, truths, strict=True)
    return float(np.nanmean(iou_of(np.sum([confusion(*p, labels=labels) for p in pairs], axis=0))))


def by_strokes(images: list[Any], labels: list[Any], others: list[Any]) -> list[Any]:
    """Return what a model of strokes says of other images, given every pixel of these."""
    from stroma import ConvpaintModel

    model = ConvpaintModel("stroma")
    if "c" in images[0].sizes:
        model.set_param("channel_mode", "rgb")
    painted = [np.where(np.isin(one, IGNORED), 0, one).astype(np.uint8) for one in labels]
    model.train(images, painted)
    return [np.asarray(model.segment(one)) for one in others]


def by_processors(cores: int) -> None:
    """Have trainings of this process count the time of processors, as that of so many cores.

    Where other work shares the machine, a training so gets what a quiet machine would give it.
    """
    from stroma.training.learning import loop, task

    clock = SimpleNamespace(monotonic=lambda: time.process_time() / cores)
    loop.time = task.time = clock  # type: ignore[assignment]


def learned(folder: Path, count: int, how: dict[str, Any], cores: int | None) -> Row:
    """Learn from the first images of a set, and score the others."""
    import stroma

    if cores is not None:
        by_processors(cores)
    names = sorted(f.name for f in (folder / "masks").iterdir())
    images, truths = zip(*[read(folder, name) for name in names], strict=True)
    known, rest = (list(images[:count]), list(truths[:count])), list(images[count:])
    before, began, at_work = _gigabytes(), time.perf_counter(), time.process_time()
    network = stroma.learn(*known, ignore=IGNORED, device="cpu", **how)
    seconds, used = time.perf_counter() - began, _gigabytes() - before
    busy = time.process_time() - at_work
    found = mean_iou([network.segment(one) for one in rest], truths[count:])
    began = time.perf_counter()
    by_hand = by_strokes(*known, rest)
    return Row(
        count,
        len(rest),
        found,
        mean_iou(by_hand, truths[count:]),
        network.about.training["steps"],
        seconds,
        busy,
        time.perf_counter() - began,
        used,
        _planned(network),
        _told(network),
    )


def _gigabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def _planned(network: Any) -> float:
    """Return what is foretold for a step."""
    from stroma.training.planning.memory import step_gigabytes

    plan, about = network.plan_, network.about
    return step_gigabytes(network.module, about.channels, plan["patch"], plan["batch"])


def _told(network: Any) -> str:
    plan = network.plan_
    patch = " x ".join(map(str, plan["patch"]))
    features = plan["params"].get("features", ())
    stages = f" of {len(features)} stages" if features else ""
    return f"{plan['network']}{stages}, {plan['batch']} of {patch}"


def main(args: list[str] | None = None) -> None:
    """Learn from every set and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--minutes", type=float, default=10, help="for every network")
    parser.add_argument("--steps", type=int, help="instead of a time")
    parser.add_argument("--cores", type=int, help="minutes are those of so many processors")
    parser.add_argument("--sets", default=",".join(LEARNED), help="names, joined by commas")
    given = parser.parse_args(args)
    how = {"minutes": given.minutes} if given.steps is None else {"steps": given.steps}
    print("| set | learned, scored | network | strokes | steps | trained | memory, planned |")
    print("|---|---|---|---|---|---|---|")
    for name in given.sets.split(","):
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
            row = alone.submit(learned, given.data / name, LEARNED[name], how, given.cores).result()
        print(
            f"| {name.removesuffix('_dev')} | {row.learned}, {row.scored} | {row.network:.3f} "
            f"| {row.strokes:.3f} ({row.strokes_seconds:.0f} s) "
            f"| {row.steps} ({row.seconds:.0f} s, {row.busy:.0f} of processors) | {row.setup} "
            f"| {row.gigabytes:.1f} GB, {row.planned:.1f} GB |",
            flush=True,
        )


if __name__ == "__main__":
    main()
