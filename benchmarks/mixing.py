"""Can strokes that are left out tell whether features of networks help? Mixes of three ensembles.

One ensemble sees the filters of ``stroma``, one EfficientNet-Lite0 beside them, with cells of 2, 4,
8 and 16 pixels, one ``strokenet`` beside them. Every mix, in steps of a sixth, is scored on all
pixels, and estimated by strokes that are left out, a fifth at a time: drawn at random, and lying
together. What a program could choose is the mix with the best estimate, or, to be cautious, the one
that is best when half a standard error of its gain over the filters alone is taken off.

    python benchmarks/mixing.py FOLDER --limit 2

FOLDER is that of ``quality.py``; the extra ``pretrained`` is needed.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import quality
from numpy.typing import NDArray
from scipy import ndimage
from scipy.cluster.vq import kmeans2

STEPS = 6
MIXES = np.array(
    [(STEPS - a - b, a, b) for a in range(STEPS + 1) for b in range(STEPS + 1 - a)], np.float32
)
"""What filters, EfficientNet-Lite0 and strokenet have to say; first, filters alone."""

SHOWN = {"filters": (6, 0, 0), "lite": (0, 6, 0), "strokenet": (0, 0, 6), "fixed": (4, 1, 1)}

CAUTION = 0.5
"""Standard errors that a cautious choice takes off a gain."""

PARTS = 5
STAGES = ["stage1", "stage2", "stage3", "stage5"]
LEAST = 0.02
"""Probability that counts for smaller ones."""

Rows = list[NDArray[np.float32]]


def features(image: NDArray[np.generic]) -> Rows:
    """Return the (n, F) features of all pixels that each ensemble sees."""
    from stroma import ConvpaintModel

    found = []
    parts = ("texture_2d+color_2d", None), ("efficientnet_lite0", STAGES), ("strokenet", None)
    for name, layers in parts:
        model = ConvpaintModel(fe_name=name)
        model.set_params(**({"fe_layers": layers} if layers else {}))
        shown = image
        if image.ndim == 3:
            model.set_param("channel_mode", "rgb")
            shown = np.moveaxis(image[..., :3], -1, 0)
        maps = np.asarray(model.get_feature_image(shown), np.float32)
        found.append(maps.reshape(len(maps), -1).T)
    filters = np.ascontiguousarray(found[0])
    return [filters, *(np.concatenate([filters, own], axis=1) for own in found[1:])]


def said(rows: Rows, labels: quality.Labels, asked: Rows) -> NDArray[np.float32]:
    """Return the (3, n, K) probabilities of all ensembles, fitted to rows, for those asked."""
    from stroma.classify.ensemble import Ensemble

    pairs = zip(rows, asked, strict=True)
    return np.stack([Ensemble().fit(own, labels).predict_proba(other) for own, other in pairs])


def parts_of(painted: quality.Labels, together: bool) -> NDArray[np.intp]:
    """Return which part every painted pixel is in; a stroke is in one part."""
    strokes = np.zeros(painted.shape, int)
    for label in np.unique(painted[painted > 0]):
        own, _ = ndimage.label(painted == label, np.ones((3, 3)))
        strokes[own > 0] = own[own > 0] + strokes.max()
    number = strokes[painted > 0] - 1
    where = np.argwhere(painted > 0)
    count = number.max() + 1
    if not together or count <= PARTS:
        return (np.random.default_rng(0).permutation(count) % PARTS)[number]
    middle = np.stack([np.bincount(number, w) / np.bincount(number) for w in where.T], 1)
    return kmeans2(middle, PARTS, minit="++", rng=0)[1][number]


def losses(
    rows: Rows, labels: quality.Labels, parts: NDArray[np.intp]
) -> list[NDArray[np.float32]]:
    """Return what every part that is left out adds to the loss of every mix.

    Classes count alike, and all parts together are the mean over classes.
    """
    found, asked = [], []
    for part in np.unique(parts):
        known = np.unique(labels[parts != part])
        left_out = (parts == part) & np.isin(labels, known)
        if len(known) < 2 or not left_out.any():
            continue
        learned = [own[parts != part] for own in rows]
        each = said(learned, labels[parts != part], [own[left_out] for own in rows])
        at = np.arange(left_out.sum()), np.searchsorted(known, labels[left_out])
        told = MIXES / STEPS @ np.stack([one[at] for one in each])
        found.append(-np.log(np.maximum(told, LEAST)))
        asked.append(labels[left_out])
    if not found:
        return []
    codes, number = np.unique(np.concatenate(asked), return_inverse=True)
    weight = 1 / np.bincount(number) / len(codes)
    return [
        loss @ weight[np.searchsorted(codes, own)] for loss, own in zip(found, asked, strict=True)
    ]


def choices(rows: Rows, labels: quality.Labels, painted: quality.Labels) -> tuple[int, int]:
    """Return which mix strokes that are left out tell to be best, boldly and cautiously."""
    every = [one for way in (False, True) for one in losses(rows, labels, parts_of(painted, way))]
    if len(every) < 2:
        return 0, 0
    gains = np.array(every) - np.array(every)[:, :1]
    error = gains.std(axis=0, ddof=1) / np.sqrt(len(gains))
    bold, cautious = (gains.mean(axis=0) + times * error for times in (0, CAUTION))
    return int(bold.argmin()), int(cautious.argmin())


def main(args: list[str] | None = None) -> None:
    """Print scores of all mixes, of the best, and of what estimates choose."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--limit", type=int, default=2, help="images of each set")
    given = parser.parse_args(args)
    table = defaultdict(list)
    for folder in sorted(d for d in given.data.iterdir() if (d / "masks").is_dir()):
        if folder.name.startswith(("tiny", "scrib_misc", "dots")):
            continue
        for name in sorted(f.name for f in (folder / "masks").iterdir())[: given.limit]:
            for row in rows_of(folder, name):
                table[folder.name, row[0]].append(row[1])
    print("| set | strokes |", " | ".join([*SHOWN, "best", "told best", "told, cautiously"]), "|")
    print("|---" * (len(SHOWN) + 5) + "|")
    means = {key: np.mean(rows, axis=0) for key, rows in sorted(table.items())}
    for key, mean in means.items():
        print("|", " | ".join([*key, *(f"{one:.3f}" for one in mean)]), "|")
    print("| mean | |", " | ".join(f"{one:.4f}" for one in np.mean(list(means.values()), 0)), "|")


def rows_of(folder: Path, name: str):
    """Yield the kind of strokes, and the scores of one image."""
    instances = ("nuclei_dsb", "phase_usiigaci")
    for kind, image, mask, painted in quality.cases(
        folder, name, ["0.0025", "0.01"], 512, instances
    ):
        rows = features(image)
        inside = painted.ravel() > 0
        labels = painted.ravel()[inside].astype(np.int64)
        learned = [own[inside] for own in rows]
        each, classes = said(learned, labels, rows), np.unique(labels)
        scores = []
        for mix in MIXES:
            found = classes[np.tensordot(mix, each, 1).argmax(axis=1)]
            scores.append(quality.score(found.reshape(mask.shape), mask, painted))
        shown = [scores[MIXES.tolist().index(list(mix))] for mix in SHOWN.values()]
        chosen = [scores[at] for at in choices(learned, labels, painted)]
        print(folder.name, name, kind, file=sys.stderr)
        yield kind, [*shown, max(scores), *chosen]


if __name__ == "__main__":
    main()
