"""``stroma cluster`` finds classes, and leaves a model that finds them again."""

from __future__ import annotations

import json

import numpy as np
from skimage.io import imread, imsave


def test_cluster_segments_images_and_saves_the_classes_as_a_model(stroma, tmp_path) -> None:
    values = np.zeros((40, 60), np.uint8)
    values[:, 30:] = 200
    values += np.random.default_rng(0).integers(0, 20, values.shape).astype(np.uint8)
    for name, image in (("a", values), ("b", values[:, ::-1])):
        imsave(tmp_path / f"{name}.png", image, check_contrast=False)
    ended = stroma(
        "cluster", tmp_path / "a.png", tmp_path / "b.png", "--classes", 2, "--out",
        tmp_path / "out", "--alias", "gaussian", "--json",
    )  # fmt: skip
    found = json.loads(ended.out)
    assert [f["status"] for f in found["files"]] == ["done", "done"]
    a, b = (imread(tmp_path / "out" / f"{name}_labels.tif") for name in "ab")
    assert (a == b[:, ::-1]).mean() > 0.95
    assert set(np.unique(a)) == {1, 2}
    model = tmp_path / "out" / "clusters.pkl"
    stroma("segment", model, tmp_path / "a.png", "--out", tmp_path / "again")
    assert np.array_equal(imread(tmp_path / "again" / "a_labels.tif"), a)


def test_cluster_does_not_replace_a_model_unasked(stroma, tmp_path) -> None:
    imsave(tmp_path / "a.png", np.zeros((8, 8), np.uint8), check_contrast=False)
    (tmp_path / "clusters.pkl").write_bytes(b"mine")
    ended = stroma("cluster", tmp_path / "a.png", "--out", tmp_path)
    assert ended.code != 0
    assert "clusters.pkl" in ended.err
    assert (tmp_path / "clusters.pkl").read_bytes() == b"mine"


def test_a_way_to_join_that_there_is_not_is_refused_before_any_work(stroma, tmp_path) -> None:
    ended = stroma("cluster", tmp_path / "none.png", "--join", "wards", "--out", tmp_path)
    assert ended.code == 2
    assert "There is no way 'wards' to join groups" in ended.err
    assert "Use --join ward or --join complete." in ended.err
