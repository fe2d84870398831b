"""Networks that models of strokes teach, beside their teachers, on the images that both see.

    python benchmarks/teaching.py FOLDER --sets wbc_ds1_dev,em_membrane_isbi_dev --steps 150

FOLDER holds one folder per set, as for ``quality.py``, whose strokes these are. The first images of
a set get strokes; one model of strokes learns from all of them, and a network from what that says
and the strokes, as ``stroma learn --from`` does. Both are scored on the same images:
mean over images of the mean intersection over union, without the pixels that were painted.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from measuring import Spent
from quality import cases, score

from stroma.training.learning.learner import Learner
from stroma.workflow.learning.teach import CONFIDENCE, lesson

INSTANCES = ("nuclei_dsb", "phase_usiigaci")
ALIAS = "stroma"


def given(folder: Path, count: int, crop: int, budget: str) -> list[tuple[Any, Any, Any]]:
    """Return the first images of a set, channels first, with truths and strokes."""
    found = []
    for path in sorted((folder / "images").iterdir()):
        for _, image, mask, painted in cases(folder, path.name, [budget], crop, INSTANCES):
            colours = image.ndim == 3
            values = np.ascontiguousarray(np.moveaxis(image[..., :3], -1, 0)) if colours else image
            found.append((values, mask, painted.astype(np.uint16)))
        if len(found) == count:
            break
    return found


def taught(images: list[Any], painted: list[Any]) -> Any:
    """Return a model of strokes that learned from all images."""
    from stroma import ConvpaintModel

    model = ConvpaintModel(ALIAS)
    if images[0].ndim == 3:
        model.set_param("channel_mode", "rgb")
    model.train(images, painted)
    return model


def measured(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Return the scores of teacher and network on a set."""
    every = given(folder, options.images, options.crop, options.budget)
    images, painted = [one[0] for one in every], [one[2] for one in every]
    teacher, spent = taught(images, painted), Spent()
    learned = lesson(teacher, images, strokes=painted, confidence=options.confidence)
    axes = "cyx" if images[0].ndim == 3 else "yx"
    with spent.running():
        learner = Learner(steps=options.steps, axes=axes)
        network = learner.fit(images, learned.labels, classes=learned.classes)
    scores = [
        [score(model.segment(image), mask, marks) for image, mask, marks in every]
        for model in (teacher, network)
    ]
    return {
        "set": folder.name.removesuffix("_dev"),
        "images": len(every),
        "learned from": round(float(np.mean(learned.certain)), 3),
        "teacher": round(float(np.mean(scores[0])), 3),
        "network": round(float(np.mean(scores[1])), 3),
        "cpu s": round(spent.cpu),
    }


def main() -> None:
    """Print a row for every set."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--sets", default="wbc_ds1_dev,em_membrane_isbi_dev", help="comma-separated"
    )
    parser.add_argument("--images", type=int, default=4, help="of each set")
    parser.add_argument("--crop", type=int, default=256, help="largest side of an image")
    parser.add_argument("--budget", default="0.01", help="share of pixels that are painted")
    parser.add_argument("--steps", type=int, default=150, help="of the network")
    parser.add_argument(
        "--confidence", type=float, default=CONFIDENCE, help="from which a pixel is learned from"
    )
    options = parser.parse_args()
    for name in options.sets.split(","):
        print(json.dumps(measured(options.folder / name, options)), flush=True)


if __name__ == "__main__":
    main()
