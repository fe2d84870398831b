"""Points and restored images on the command line."""

import csv
import json

import numpy as np

from stroma.io import read_image, write_image
from stroma.io.points import read_points

NETWORK = "--set=network_options={features: [6, 8]}"
SET = [f"--set={s}" for s in ("steps=100", "patch=[32,32]", "rate=0.01")]


def write_scenes(folder, count):
    for name in ("images", "truth", "clean"):
        (folder / name).mkdir()
    for n in range(count):
        rng = np.random.default_rng(n)
        points = np.array(list(np.ndindex(4, 5))) * 14 + 8 + rng.uniform(-3, 3, (20, 2))
        points = points[rng.random(20) < 0.8]
        y, x = np.mgrid[:60, :74]
        far = np.hypot(y[..., None] - points[:, 0], x[..., None] - points[:, 1]).min(-1)
        clean = 30 + 120 * np.exp(-(far**2) / 8)
        noisy = (clean + rng.normal(0, 8, clean.shape)).clip(0, 255).astype(np.uint8)
        write_image(
            folder / "images" / f"s{n}.tif", noisy, axes="yx", spacing={"y": 0.5, "x": 0.5},
            unit="µm",
        )  # fmt: skip
        write_image(folder / "clean" / f"s{n}.tif", clean.astype(np.float32), axes="yx")
        with (folder / "truth" / f"s{n}.csv").open("w", newline="") as file:
            csv.writer(file).writerows([["y", "x"], *points.tolist()])


def test_points_are_learned_found_and_compared(stroma, tmp_path):
    write_scenes(tmp_path, 5)
    images, truth, model = (tmp_path / n for n in ("images", "truth", "m.safetensors"))
    out = tmp_path / "out"
    done = stroma(
        "learn", images, truth, "--target=spots", "-m", model, NETWORK, *SET, "--device=cpu"
    )
    assert done.code == 0, done.err
    done = stroma("segment", model, images, "--out", out)
    assert done.code == 0, done.err
    lines = (out / "s0_points.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "y,x,y_µm,x_µm,probability"
    first = [float(v) for v in lines[1].split(",")]
    assert np.allclose(np.multiply(first[:2], 0.5), first[2:4], rtol=1e-5)
    scores = json.loads(stroma("evaluate", out, truth, "--json").out)
    assert scores["kind"] == "points"
    assert scores["overall"]["f1"] > 0.9
    assert scores["images"][0]["true"] == len(read_points(truth / "s0.csv"))
    assert "recall" in stroma("evaluate", out, truth, "--cutoff=1").out


def test_noise_is_removed_without_labels(stroma, tmp_path):
    write_scenes(tmp_path, 2)
    images, model, out = tmp_path / "images", tmp_path / "m.safetensors", tmp_path / "out"
    done = stroma("learn", images, "--target=denoise", "-m", model, NETWORK, *SET, "--device=cpu")
    assert done.code == 0, done.err
    assert stroma("segment", model, images, "--out", out).code == 0
    restored = read_image(out / "s0_restored.tif")
    assert restored.shape == (60, 74)
    assert restored.spacing["y"] == 0.5
    scores = json.loads(stroma("evaluate", out, tmp_path / "clean", "--json").out)
    noisy = stroma("evaluate", images, tmp_path / "clean", "--kind=images", "--json")
    before = json.loads(noisy.out)["overall"]
    assert scores["kind"] == "images"
    assert scores["overall"]["psnr"] > before["psnr"] + 2


def test_files_that_hold_no_points_are_told(stroma, tmp_path):
    (tmp_path / "a.csv").write_text("row,column\n1,2\n")
    (tmp_path / "b.csv").write_text("y,x\n1,two\n")
    for name, said in (("a.csv", "row, column"), ("b.csv", "no numbers")):
        done = stroma("evaluate", tmp_path / name, tmp_path / name, "--kind=points")
        assert done.code != 0
        assert said in done.err
