"""Objects on the command line: learned, found, written and compared."""

import json

import numpy as np
import pytest
from tests.targets.objects import touching

from stroma.io import read_image, write_image, write_labels

SET = [f"--set={s}" for s in ("steps=40", "patch=[32,32]", "rate=0.01", "seed=1")]
NETWORK = "--set=network_options={features: [4, 8]}"


def write_scenes(folder, count):
    (folder / "images").mkdir()
    (folder / "labels").mkdir()
    for n in range(count):
        labels = touching((64, 72), radius=0.3, seed=n)
        noise = np.random.default_rng(n).normal(20, 4, labels.shape)
        image = np.where(labels > 0, 150, 0) + noise
        write_image(folder / "images" / f"s{n}.tif", image.clip(0, 255).astype(np.uint8), axes="yx")
        write_labels(folder / "labels" / f"s{n}.png", labels.astype(np.uint8))


def test_objects_are_learned_found_and_compared(stroma, tmp_path):
    write_scenes(tmp_path, 5)
    images, labels, model = (tmp_path / n for n in ("images", "labels", "cells.safetensors"))
    done = stroma(
        "learn", images, labels, "--target=distances", "-m", model, NETWORK, *SET, "--device=cpu",
        "--json",
    )  # fmt: skip
    assert done.code == 0, done.err
    said = json.loads(done.out)
    assert said["channels"] == ["foreground", "nearness", "depth"]
    assert said["scores"]["ap50"] > 0.4

    out = tmp_path / "out"
    done = stroma("segment", model, images, "--out", out)
    assert done.code == 0, done.err
    found = read_image(out / "s0_objects.tif").read()
    assert found.dtype == np.uint16
    assert len(np.unique(found)) == found.max() + 1
    again = json.loads(stroma("segment", model, images, "--out", out, "--json").out)
    assert {f["status"] for f in again["files"]} == {"skipped"}

    scores = json.loads(stroma("evaluate", out, labels, "--json").out)
    assert scores["kind"] == "objects"
    assert [one["name"] for one in scores["images"]] == [f"s{n}_objects.tif" for n in range(5)]
    assert scores["overall"]["ap 0.50"] > 0.4
    mean = np.mean([one["pq"] for one in scores["images"]])
    assert scores["overall"]["pq"] == pytest.approx(mean)
    assert "AP50" in stroma("evaluate", out, labels).out

    wrong = stroma("segment", model, images, "--out", tmp_path / "b", "--table", "--overlay")
    assert wrong.code == 2
    assert "--overlay, --table go with models of classes" in wrong.err
    wrong = stroma("evaluate", out, labels, "--kind=cells")
    assert "objects" in wrong.err


def test_a_perfect_result_scores_one_and_ignored_objects_do_not_count(stroma, tmp_path):
    write_scenes(tmp_path, 1)
    labels, out = tmp_path / "labels", tmp_path / "out"
    out.mkdir()
    truth = read_image(labels / "s0.png").read()
    write_labels(out / "s0_objects.tif", np.where(truth == 3, 0, truth.astype(np.uint16) + 300))
    wrong = json.loads(stroma("evaluate", out, labels, "--json").out)["overall"]
    assert wrong["ap 0.95"] < 1  # the background is an object, 3 is missed
    found = np.where((truth == 3) | (truth == 0), 0, truth.astype(np.uint16) + 300)
    write_labels(out / "s0_objects.tif", found)
    assert json.loads(stroma("evaluate", out, labels, "--json").out)["overall"]["f1"] < 1
    right = json.loads(stroma("evaluate", out, labels, "--ignore=3", "--json").out)
    assert right["overall"]["mean ap"] == 1


def test_a_mask_leaves_out_what_lies_outside(stroma, tmp_path):
    from stroma.training.learner import Learner

    write_scenes(tmp_path, 2)
    folder = tmp_path / "images"
    options = {"target": "distances", "steps": 2, "patch": [32, 32], "device": "cpu"}
    learner = Learner(**options, network_options={"features": [4, 8]})
    paths = sorted(folder.iterdir()), sorted((tmp_path / "labels").iterdir())
    learner.fit(*paths).save(tmp_path / "m.safetensors")
    mask = np.zeros((64, 72), np.uint8)
    mask[:, 40:] = 1
    write_image(tmp_path / "mask.tif", mask, axes="yx")
    args = (tmp_path / "m.safetensors", folder / "s0.tif", "--mask", tmp_path / "mask.tif")
    assert stroma("segment", *args, "--out", tmp_path / "out").code == 0
    whole = read_image(tmp_path / "out" / "s0_objects.tif").read()
    assert whole.shape == (64, 72)
    assert whole[:, :40].max() == 0
