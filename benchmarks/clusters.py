"""Classes without any label: mean intersection over union with the best naming of the clusters.

    python benchmarks/clusters.py FOLDER slic cluster:gaussian cluster:stroma cluster:lite

FOLDER is that of ``quality.py``. As many clusters are asked for as the truth has classes; which
cluster is which class is chosen to fit best. ``slic`` is scikit-image's superpixels, their mean
colours grouped by k-means. ``cluster:stroma:complete`` joins the groups that are found at first by
complete linkage, ``cluster:stroma`` by Ward's criterion.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from quality import Labels, score, truth
from scipy.optimize import linear_sum_assignment
from skimage.io import imread

CROP = 512


def clusters(name: str, image: NDArray[np.generic], count: int) -> Labels:
    """Return as many clusters of an image, from 1."""
    if name == "slic":
        return by_superpixels(image, count)
    from stroma import ConvpaintModel

    _, alias, *join = name.split(":")
    model = ConvpaintModel(alias)
    if image.ndim == 3:
        image = np.moveaxis(image[..., :3], -1, 0)
        model.set_param("channel_mode", "rgb")
    model.cluster(image, classes=count, join=join[0] if join else "ward")
    return model.segment(image)


def by_superpixels(image: NDArray[np.generic], count: int) -> Labels:
    """Return superpixels grouped by their mean colour."""
    from skimage.color import rgb2lab
    from skimage.segmentation import slic
    from sklearn.cluster import KMeans

    colour = image.ndim == 3
    values = rgb2lab(image[..., :3]) if colour else image[..., None].astype(np.float32)
    parts = slic(image, n_segments=800, channel_axis=-1 if colour else None, start_label=0)
    size = np.maximum(np.bincount(parts.ravel()), 1)
    sums = [np.bincount(parts.ravel(), weights=v.ravel()) for v in np.moveaxis(values, -1, 0)]
    means = np.stack([s / size for s in sums], axis=1)
    return KMeans(count, n_init=4, random_state=0).fit_predict(means)[parts] + 1


def named(found: Labels, mask: Labels) -> Labels:
    """Return clusters under the names of the classes that they fit best, one each."""
    classes = [c for c in np.unique(mask) if c not in (0, 255)]
    groups = np.unique(found)
    valid = (mask != 0) & (mask != 255)
    overlap = np.array(
        [
            [
                ((found == g) & (mask == c)).sum() / (((found == g) & valid) | (mask == c)).sum()
                for c in classes
            ]
            for g in groups
        ]
    )
    chosen, classes_of = linear_sum_assignment(-overlap)
    result = np.zeros_like(mask)
    for g, c in zip(chosen, classes_of, strict=True):
        result[found == groups[g]] = classes[c]
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("methods", nargs="+")
    parser.add_argument("--sets", default="")
    parser.add_argument("--limit", type=int, default=2, help="images of each set")
    parser.add_argument("--instances", default="nuclei_dsb,phase_usiigaci")
    given = parser.parse_args()
    instances = tuple(given.instances.split(","))
    wanted = given.sets.split(",") if given.sets else None
    folders = [d for d in sorted(given.data.iterdir()) if (d / "masks").is_dir()]
    print("| set | " + " | ".join(given.methods) + " |\n" + "|---" * (1 + len(given.methods)) + "|")
    every = defaultdict(list)
    for folder in folders:
        if wanted and folder.name not in wanted:
            continue
        rows = defaultdict(list)
        for path in sorted((folder / "masks").iterdir())[: given.limit]:
            image, mask = imread(folder / "images" / path.name), truth(folder, path.name, instances)
            image, mask = image[:CROP, :CROP], mask[:CROP, :CROP]
            count = len([c for c in np.unique(mask) if c not in (0, 255)])
            if count < 2:
                continue
            for method in given.methods:
                found = named(clusters(method, image, count), mask)
                rows[method].append(score(found, mask, np.zeros_like(mask)))
        if rows:
            shown = [f"{np.mean(rows[m]):.3f}" for m in given.methods]
            print(f"| {folder.name} | " + " | ".join(shown) + " |", flush=True)
            for m in given.methods:
                every[m].append(np.mean(rows[m]))
    print("| mean | " + " | ".join(f"**{np.mean(every[m]):.3f}**" for m in given.methods) + " |")


if __name__ == "__main__":
    main()
