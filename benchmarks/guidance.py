"""Whether the accuracy estimated from strokes is true, on images whose every pixel is known.

    python benchmarks/guidance.py FOLDER [--limit N] [--draws N] [--crop SIDE]

Strokes are those of ``quality.py``, on its sets, drawn twice for every image. For every
configuration, the accuracy that leaving out strokes estimates is compared with the accuracy on all
pixels that were not painted: the mean, over the classes that were tested, of the share of their
pixels that was recognised. Printed are the mean error and its direction, how often the truth lies
in the range that is told (nine of ten would, if strokes were a fair sample of the image), and of
all pairs of configurations on one image how many the strokes tell apart, and how many of those the
truth ranks the same way. Pairs whose truths differ by less than half a percent have no order and
are left out.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from quality import Labels, cases

from stroma import ConvpaintModel
from stroma.data.image import Image
from stroma.errors import LabelError
from stroma.pixel.door import labelled_points, open_image
from stroma.pixel.guidance.validate import validate
from stroma.pixel.guidance.validation import Validation, better
from stroma.pixel.training.learn import Labelled

SETTINGS = {
    "gaussian": ("gaussian", {}),
    "ilastik": ("ilastik", {}),
    "texture": (None, {"fe_name": "texture_2d"}),
    "stroma": ("stroma", {}),
    "logistic": ("ilastik", {"clf": "logistic"}),
}
ALIKE = 0.005
"""Difference of two true accuracies below which they have no order."""


@dataclass(frozen=True)
class Tried:
    """What was estimated for one configuration on one image, and what is true."""

    estimate: Validation
    truth: float


def tried(image: Image, mask: Labels, painted: Labels, name: str) -> Tried:
    """Return estimate and truth of a configuration."""
    alias, values = SETTINGS[name]
    model = ConvpaintModel(alias, **(values if alias is None else {}))
    if alias is not None:
        model.set_params(**values)
    source = open_image(image, "single")
    strokes = {"image": Labelled(source, labelled_points(painted, source))}
    estimate = validate(strokes, model.get_params(), model.cache)
    model.train(image, painted)
    tested = [k for k in estimate.labels if k not in estimate.untested]
    return Tried(estimate, accuracy(model.segment(image), mask, painted, tested))


def accuracy(found: Labels, mask: Labels, painted: Labels, classes: list[int]) -> float:
    """Return the mean share of some classes' unpainted pixels that was found."""
    places = [(mask == label) & (painted == 0) for label in classes]
    return float(np.mean([(found[p] == k).mean() for k, p in zip(classes, places, strict=True)]))


def as_image(values: NDArray[np.generic]) -> Image:
    """Return pixels of a file as an image."""
    if values.ndim == 2:
        return Image(values, "yx")
    return Image(np.ascontiguousarray(np.moveaxis(values[..., :3], -1, 0)), "cyx", rgb=True)


def main() -> None:
    """Try all configurations on all images and print how true the estimates are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--limit", type=int, default=3, help="images of each set")
    parser.add_argument(
        "--draws", type=int, default=2, help="strokes that are drawn for each image"
    )
    parser.add_argument("--crop", type=int, default=320)
    parser.add_argument("--budgets", default="0.01,0.03", help="share of pixels painted")
    parser.add_argument("--leave-out", default="tiny,scrib_misc,dots")
    given = parser.parse_args()
    found: list[dict[str, Tried]] = []
    told_too_little = 0
    for name, image, mask, painted in every_case(given):
        try:
            row = {n: tried(image, mask, painted, n) for n in SETTINGS}
        except LabelError:
            told_too_little += 1
            continue
        found.append(row)
        told = (f"{n} {t.estimate.accuracy:.2f} ({t.truth:.2f})" for n, t in row.items())
        print(f"{name}: {', '.join(told)}", flush=True)
    print(f"{told_too_little} more drawings had too few separate strokes, which is what is said")
    show(found)


def every_case(given: argparse.Namespace) -> Iterator[tuple[str, Image, Labels, Labels]]:
    """Yield what each case is called, its image, its truth and its strokes."""
    omitted, instances = tuple(given.leave_out.split(",")), ("nuclei_dsb", "phase_usiigaci")
    budgets = given.budgets.split(",")
    for folder in sorted(d for d in given.data.iterdir() if (d / "masks").is_dir()):
        if folder.name.startswith(omitted):
            continue
        for name in sorted(f.name for f in (folder / "masks").iterdir())[: given.limit]:
            drawn = given.draws if not (folder / "scribbles1" / name).exists() else 1
            for draw in range(drawn):
                for kind, values, mask, painted in cases(
                    folder, name, budgets, given.crop, instances, draw
                ):
                    painted = np.where(mask == 255, 0, painted)
                    yield f"{folder.name} {name} {kind}", as_image(values), mask, painted


def show(found: list[dict[str, Tried]]) -> None:
    """Print how far estimates are from the truth, and how well they rank."""
    every = [t for row in found for t in row.values()]
    errors = np.array([t.estimate.accuracy - t.truth for t in every])
    held = np.mean([t.estimate.range[0] <= t.truth <= t.estimate.range[1] for t in every])
    print(f"{len(found)} images and strokes, {len(every)} estimates")
    print(f"error {np.abs(errors).mean():.3f} on average, {errors.mean():+.3f} in direction")
    print(f"the truth lies in the range that is told in {held:.0%}")
    pairs = [pair for row in found for pair in combinations(row.values(), 2)]
    ordered = [(a, b) for a, b in pairs if abs(a.truth - b.truth) >= ALIKE]
    show_ranking(ordered)


def show_ranking(ordered: list[tuple[Tried, Tried]]) -> None:
    """Print how many pairs strokes tell apart, and how often they and the truth agree."""
    true = np.sign([a.truth - b.truth for a, b in ordered])
    said = np.array([better(a.estimate, b.estimate) for a, b in ordered])
    plain = np.sign([a.estimate.accuracy - b.estimate.accuracy for a, b in ordered])
    decided = said != 0
    print(f"{len(ordered)} pairs with an order, {decided.sum()} told apart by strokes")
    print(f"of those, {np.mean(said[decided] == true[decided]):.0%} as the truth ranks them")
    print(f"of all, {np.mean(plain == true):.0%} by the accuracy alone")


if __name__ == "__main__":
    main()
