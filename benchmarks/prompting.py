r"""A small Segment Anything learns from scratch, on shapes that are drawn, to answer clicks.

    python benchmarks/prompting.py --steps 700 --model shapes.safetensors
    python benchmarks/prompts.py nuclei_dsb_dev --objects 2 --engine trained \
        --weights shapes.safetensors

It learns from images of ellipses, polygons and blobs of many sizes on uneven noise, which touch
in some of them, and is asked about images that it did not see: one click in the middle of each
object, and two more where the answer is wrong. The training goes on where it was cut off. Seconds
of processors are told, as other work shares the machine.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.draw import polygon

from prompts import next_click

SIDE = 256
LEARNED, HELD = 64, 6
CLICKS = 3
LEAST = 40
"""Pixels of an object that is asked about, at least."""

Images = tuple[list[NDArray[np.float32]], list[NDArray[np.int32]]]


def outline(rng: np.random.Generator, size: float) -> NDArray[np.float64]:
    """Return the corners (n, 2) of a shape around 0: round, angular or wavy."""
    kind = rng.integers(3)
    count = int(rng.integers(3, 8)) if kind == 1 else 64
    angles = (
        np.sort(rng.uniform(0, 2 * np.pi, count)) if kind == 1 else np.linspace(0, 2 * np.pi, count)
    )
    radius = np.full(count, size)
    if kind == 2:
        for wave in range(2, 6):
            radius += size * rng.normal(0, 0.35 / wave) * np.cos(wave * angles + rng.uniform(0, 7))
    corners = np.stack([radius * np.sin(angles), radius * np.cos(angles) * rng.uniform(0.5, 1)], 1)
    turn = rng.uniform(0, 2 * np.pi)
    return corners @ np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])


def drawn(seed: int, side: int = SIDE) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Return an image (y, x) and its objects by number."""
    rng = np.random.default_rng(seed)
    labels = np.zeros((side, side), np.int32)
    usual, crowded = np.exp(rng.uniform(np.log(8), np.log(40))), rng.random() < 0.3
    for number in range(1, int(rng.integers(4, max(6, 6000 / usual**1.5))) + 1):
        corners = outline(rng, usual * rng.uniform(0.6, 1.5)) + rng.uniform(0, side, 2)
        rows, columns = polygon(corners[:, 0], corners[:, 1], labels.shape)
        near = labels if crowded else ndimage.maximum_filter(labels, 5)
        taken = np.count_nonzero(near[rows, columns])
        if taken <= (0.1 * len(rows) if crowded else 0):
            free = labels[rows, columns] == 0
            labels[rows[free], columns[free]] = number
    ground = ndimage.gaussian_filter(rng.normal(0, 1, labels.shape), rng.uniform(15, 60))
    image = rng.uniform(0, 0.3) * ground / ground.std()
    levels = rng.choice([-1, 1]) * rng.uniform(0.7, 1.6, labels.max() + 1)
    levels[0] = 0
    image = image + levels[labels]
    if rng.random() < 0.3:  # bright at the border alone
        image += 0.7 * (ndimage.maximum_filter(labels, 3) != ndimage.minimum_filter(labels, 3))
    image = ndimage.gaussian_filter(image, rng.uniform(0.5, 1.5))
    texture = ndimage.gaussian_filter(rng.normal(0, 1, labels.shape), rng.uniform(0.5, 2))
    image += rng.uniform(0, 0.25) * texture / texture.std() * (labels > 0)
    return (image + rng.normal(0, rng.uniform(0.02, 0.2), image.shape)).astype(np.float32), labels


def many(count: int, first: int, side: int = SIDE) -> Images:
    """Return images with their objects."""
    images, labels = zip(*(drawn(first + n, side) for n in range(count)), strict=True)
    return list(images), list(labels)


def learned(
    steps: int, folder: Path | None, count: int, *, side: int = SIDE, **options: Any
) -> Any:
    """Return a network that learned from drawn shapes."""
    from stroma.workflow.learning.learn import learn

    images, labels = many(count, 10_000, side)
    return learn(
        images,
        labels,
        target="distances",
        network="sam",
        objective="prompting",
        steps=steps,
        rate=1.5e-3,
        network_options={"width": 8},  # half as wide: what draws all objects took most of the time
        device="cpu",
        folder=folder,
        **options,
    )


def overlaps(engine: Any, images: Images, clicks: int = CLICKS) -> NDArray[np.float64]:
    """Return the overlap (objects, clicks) of what is answered to one click after the other.

    The first is in the middle of the object, others are in the largest part that is wrong.
    """
    found = []
    for image, labels in zip(*images, strict=True):
        engine.set_image(image[None])
        for number in np.flatnonzero(np.bincount(labels.ravel()) >= LEAST)[1:]:
            truth, mask = labels == number, np.zeros(labels.shape, bool)
            points: list[tuple[int, int]] = []
            row = []
            for _ in range(clicks):
                points += [next_click(mask ^ truth)] if (mask ^ truth).any() else []
                masks, _ = engine.predict(points=points, labels=[int(truth[p]) for p in points])
                mask = masks[0]
                row.append((mask & truth).sum() / (mask | truth).sum())
            found.append(row)
    return np.array(found)


def main() -> None:
    """Train, and print how right one click is beside the engine without learning."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=700)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--objects", type=int, default=10, help="of each patch")
    parser.add_argument("--rounds", type=int, default=2, help="answers for each object")
    parser.add_argument("--images", type=int, default=LEARNED)
    parser.add_argument("--model", type=Path, default=Path("shapes.safetensors"))
    parser.add_argument("--smoke", action="store_true", help="two steps, on small images")
    given = parser.parse_args()
    steps, count, side = (2, 4, 96) if given.smoke else (given.steps, given.images, SIDE)
    from stroma.prompts import ENGINES

    start = time.process_time()
    if not given.model.exists():
        network = learned(
            steps,
            None if given.smoke else given.model.with_suffix(""),
            count,
            side=side,
            batch=given.batch,
            objective_options={"objects": given.objects, "rounds": given.rounds},
        )
        if not given.smoke:
            network.save(given.model)
    print(f"{time.process_time() - start:.0f} seconds of processors in this run\n")
    print("| engine | objects | IoU after 1 click | at least 0.8 | IoU after 3 |")
    print("|---|---|---|---|---|")
    held = many(1 if given.smoke else HELD, 0, side)
    engines = {"graph": ENGINES["graph"]()}
    if not given.smoke:
        engines["trained"] = ENGINES["trained"](weights=given.model)
    for name, engine in engines.items():
        first, *_, last = overlaps(engine, held).T
        means = f"{first.mean():.3f} | {np.mean(first >= 0.8):.3f} | {last.mean():.3f}"
        print(f"| `{name}` | {len(first)} | {means} |", flush=True)


if __name__ == "__main__":
    main()
