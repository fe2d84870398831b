"""Can strokes that are left out tell whether features of a network help? Mixes of two ensembles.

One ensemble sees the filters of ``stroma``, the other EfficientNet-Lite0 beside them, with cells of
2, 4, 8 and 16 pixels. Every mix is scored on all pixels, and estimated by strokes that are left
out, a fifth at a time: drawn at random, or lying together. The mix with the best estimate is what
a program could choose.

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

SHARES = (0.0, 1 / 3, 0.5, 1.0)
"""What the ensemble with the network has to say."""

PARTS = 5
STAGES = ["stage1", "stage2", "stage3", "stage5"]
LEAST = 0.02
"""Probability that counts for smaller ones."""

Probabilities = tuple[NDArray[np.float32], NDArray[np.float32]]


def features(image: NDArray[np.generic]) -> tuple[NDArray[np.float32], int]:
    """Return the (n, F) features of all pixels, and how many of them are filters."""
    from stroma import ConvpaintModel

    found = []
    for name, layers in (("texture_2d+color_2d", None), ("efficientnet_lite0", STAGES)):
        model = ConvpaintModel(fe_name=name)
        model.set_params(**({"fe_layers": layers} if layers else {}))
        shown = image
        if image.ndim == 3:
            model.set_param("channel_mode", "rgb")
            shown = np.moveaxis(image[..., :3], -1, 0)
        found.append(np.asarray(model.get_feature_image(shown), np.float32))
    rows = np.concatenate([maps.reshape(len(maps), -1) for maps in found]).T
    return np.ascontiguousarray(rows), len(found[0])


def said(rows: NDArray, labels: quality.Labels, asked: NDArray, filters: int) -> Probabilities:
    """Return the probabilities of both ensembles, fitted to rows, for those that are asked."""
    from stroma.classify.ensemble import Ensemble

    def of(columns: int) -> NDArray[np.float32]:
        fitted = Ensemble().fit(np.ascontiguousarray(rows[:, :columns]), labels)
        return fitted.predict_proba(np.ascontiguousarray(asked[:, :columns]))

    return of(filters), of(rows.shape[1])


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


def estimates(
    rows: NDArray, labels: quality.Labels, parts: NDArray[np.intp], filters: int
) -> list[float]:
    """Return the mean loss of every mix on strokes that are left out, averaged over classes."""
    losses: list[list[NDArray]] = [[] for _ in SHARES]
    true = []
    for part in np.unique(parts):
        known = np.unique(labels[parts != part])
        asked = (parts == part) & np.isin(labels, known)
        if len(known) < 2 or not asked.any():
            continue
        both = said(rows[parts != part], labels[parts != part], rows[asked], filters)
        at = np.arange(asked.sum()), np.searchsorted(known, labels[asked])
        for share, own in zip(SHARES, losses, strict=True):
            mixed = (1 - share) * both[0][at] + share * both[1][at]
            own.append(-np.log(np.maximum(mixed, LEAST)))
        true.append(labels[asked])
    if not true:
        return [0.0] * len(SHARES)
    codes = np.unique(np.concatenate(true), return_inverse=True)[1]
    each = [np.bincount(codes, np.concatenate(own)) / np.bincount(codes) for own in losses]
    return [float(one.mean()) for one in each]


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
    heads = [f"share {share:.2f}" for share in SHARES]
    print("| set | strokes |", " | ".join([*heads, "best", "at random", "lying together"]), "|")
    print("|---" * (len(SHARES) + 5) + "|")
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
        rows, filters = features(image)
        inside = painted.ravel() > 0
        labels = painted.ravel()[inside].astype(np.int64)
        both = said(rows[inside], labels, rows, filters)
        classes = np.unique(labels)
        scores = []
        for share in SHARES:
            found = classes[((1 - share) * both[0] + share * both[1]).argmax(1)]
            scores.append(quality.score(found.reshape(mask.shape), mask, painted))
        chosen = [
            scores[int(np.argmin(estimates(rows[inside], labels, parts, filters)))]
            for parts in (parts_of(painted, False), parts_of(painted, True))
        ]
        print(folder.name, name, kind, file=sys.stderr)
        yield kind, [*scores, max(scores), *chosen]


if __name__ == "__main__":
    main()
