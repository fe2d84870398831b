"""``stroma segment`` writes what was asked for each file, and says what became of it."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from stroma import errors
from stroma.io import read_image, write_image
from stroma.workflow.applying import outputs


def test_labels_are_written_for_every_image(stroma, model: Path) -> None:
    ended = stroma("segment", "model.pkl", "a.png", "b.png", "--out", "res")
    assert ended.code == 0
    for name in "ab":
        assert f"res/{name}_labels.tif" in ended.out
        labels = read_image(f"res/{name}_labels.tif").read()
        assert (labels[:, :12] == 1).all()
        assert (labels[:, 28:] == 2).all()


def test_pictures_tables_and_probabilities_on_request(stroma, model: Path) -> None:
    ended = stroma(
        *("segment", "model.pkl", "a.png", "--out", "res", "--format", "png", "--json"),
        *("--probabilities", "--overlay", "--table", "--min-size", 5),
    )
    [file] = json.loads(ended.out)["files"]
    assert (file["status"], file["error"]) == ("done", None)
    assert {Path(path).name for path in file["outputs"]} == {
        "a_labels.png",
        "a_probabilities.tif",
        "a_overlay.png",
        "a_components.csv",
        "a_summary.csv",
    }
    with Path("res/a_components.csv").open(newline="") as table:
        assert sum(int(row["area_px"]) for row in csv.DictReader(table)) == 800
    assert read_image("res/a_probabilities.tif").sizes["c"] == 2


def test_nothing_is_segmented_outside_the_mask(stroma, model: Path) -> None:
    mask = np.zeros((20, 40), np.uint8)
    mask[:10] = 255
    write_image("mask.png", mask, axes="yx")
    stroma("segment", "model.pkl", "a.png", "--mask", "mask.png", "--out", "res")
    labels = read_image("res/a_labels.tif").read()
    assert (labels[:10] > 0).all()
    assert (labels[10:] == 0).all()


def test_what_is_done_is_skipped_until_overwritten(stroma, model: Path) -> None:
    arguments = ("segment", "model.pkl", "a.png", "--out", "res")
    stroma(*arguments)
    before = Path("res/a_labels.tif").stat().st_mtime_ns
    assert "done before" in stroma(*arguments).out
    assert Path("res/a_labels.tif").stat().st_mtime_ns == before
    stroma(*arguments, "--overwrite")
    assert Path("res/a_labels.tif").stat().st_mtime_ns > before


def test_a_failed_file_does_not_stop_the_others_and_gives_1(stroma, model: Path) -> None:
    Path("broken.png").write_bytes(b"not a picture")
    ended = stroma("segment", "model.pkl", "broken.png", "b.png", "--out", "res")
    assert ended.code == 1
    assert "broken.png: failed:" in ended.err
    assert "Traceback" not in ended.err
    assert Path("res/b_labels.tif").exists()


def test_json_says_why_a_file_failed(stroma, model: Path) -> None:
    Path("broken.png").write_bytes(b"not a picture")
    ended = stroma("segment", "model.pkl", "broken.png", "--out", "res", "--json")
    [file] = json.loads(ended.out)["files"]
    assert (ended.code, file["status"]) == (1, "failed")
    assert "not a PNG" in file["error"]


def test_missing_weights_for_all_files_give_3(
    stroma, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_weights(*_: object, **__: object) -> None:
        raise errors.WeightsError("No weights here.")

    monkeypatch.setattr(outputs, "read_image", without_weights)
    assert stroma("segment", "model.pkl", "a.png", "--out", "res").code == 3


def test_cancelling_gives_130(stroma, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(outputs, "read_image", interrupted)
    assert stroma("segment", "model.pkl", "a.png", "--out", "res").code == 130


def test_a_folder_stands_for_its_images(stroma, model: Path) -> None:
    Path("plate").mkdir()
    Path("a.png").rename("plate/a.png")
    stroma("segment", "model.pkl", "plate", "--out", "res")
    assert Path("res/a_labels.tif").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["no.pkl", "a.png"], "no model file 'no.pkl'"),
        (["a.png", "a.png"], ".pkl or .yml"),
        (["model.pkl", "no.png"], "no image no.png"),
        (["model.pkl", "a.png", "--format", "bmp"], "Known: auto"),
        (["model.pkl"], "Missing argument"),
    ],
)
def test_wrong_input_is_said_and_writes_nothing(stroma, model, arguments, said: str) -> None:
    ended = stroma("segment", *arguments, "--out", "res")
    assert ended.code == 2
    assert said in ended.err
    assert not Path("res").exists()
