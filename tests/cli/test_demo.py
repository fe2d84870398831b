"""``stroma demo`` does the whole job, and says where everything is."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
from skimage.data import immunohistochemistry

from stroma.cli.demo import STROKES, WHAT
from stroma.io import read_image, read_strokes


def test_the_demo_segments_tissue_and_says_where_everything_is(stroma, tmp_path: Path) -> None:
    ended = stroma("demo", "--out", tmp_path, "--json")
    assert ended.code == 0
    made = [Path(path) for path in json.loads(ended.out)]
    assert {path.name for path in made} == set(WHAT)
    assert all(path.exists() for path in made)

    image = read_image(tmp_path / "tissue.png")
    np.testing.assert_array_equal(image.read(), immunohistochemistry().transpose(2, 0, 1))
    labels = read_image(tmp_path / "tissue_labels.tif").read()
    strokes = read_strokes(STROKES, image).labels
    painted = strokes > 0
    assert (labels[painted] == strokes[painted]).mean() > 0.95
    with (tmp_path / "tissue_summary.csv").open(newline="") as table:
        rows = list(csv.DictReader(table))
    assert [row["class"] for row in rows] == ["epithelium", "stroma", "lumen"]
    assert all(0.02 < float(row["share"]) < 0.9 for row in rows)

    refused = stroma("demo", "--out", tmp_path)
    assert refused.code == 2
    assert "--overwrite" in refused.err
