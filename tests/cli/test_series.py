"""Files of several images on the command line: a note, and ``--series``."""

from pathlib import Path

import numpy as np
import tifffile

from stroma.io import read_image, write_labels


def two_images(path):
    with tifffile.TiffWriter(path, ome=True) as file:
        for i in range(2):
            picture = np.zeros((20, 40), np.uint8)
            picture[:, 20:] = 200 - 50 * i
            file.write(picture, metadata={"axes": "YX", "Name": f"scene {i}"})


def test_the_others_are_noted_once_and_one_can_be_chosen(stroma, model) -> None:
    two_images("two.ome.tif")
    ended = stroma("segment", "model.pkl", "two.ome.tif", "--out", "res")
    assert ended.code == 0
    assert ended.err.count("holds 2 images") == 1
    assert "1 'scene 1'" in ended.err
    chosen = stroma("segment", "model.pkl", "two.ome.tif", "--out", "res", "--series", "0,1")
    assert "holds 2 images" not in chosen.err
    assert read_image("res/two_s1_labels.tif").shape == (20, 40)
    wrong = stroma("segment", "model.pkl", "two.ome.tif", "--series", "first")
    assert "numbers from 0" in wrong.err


def test_train_and_features_take_a_series(stroma, model) -> None:
    two_images("two.ome.tif")
    strokes = np.zeros((20, 40), np.uint8)
    strokes[5:9, 2:9], strokes[5:9, 30:38] = 1, 2
    tifffile.imwrite("marks.tif", strokes)
    train = ("train", "two.ome.tif", "marks.tif", "--alias", "gaussian", "--series")
    assert stroma(*train, 1, "-m", "one.pkl").code == 0
    beyond = stroma(*train, 2, "-m", "two.pkl")
    assert (beyond.code, "no number 2" in beyond.err) == (2, True)
    shown = stroma("features", "two.ome.tif", "--alias", "gaussian", "--series", 1, "--pca", 1)
    assert shown.code == 0, shown.err


def test_commands_that_take_an_image_choose_one_of_several(stroma, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with tifffile.TiffWriter("two.ome.tif", ome=True) as file:
        for side in (40, 48):
            values = np.full((side, side), 20, np.uint8)
            values[10:20, 10:20] = 200
            file.write(values, metadata={"axes": "YX"})
    seeds = np.zeros((48, 48), np.uint8)
    seeds[30:34, 5:40], seeds[13:17, 13:17] = 1, 2
    write_labels("seeds.png", seeds)
    for words in (
        ("carve", "two.ome.tif", "--seeds", "seeds.png", "--out", "a.tif"),
        ("prompt", "two.ome.tif", "--box", "8,8,22,22", "--out", "b.tif"),
        ("objects", "a.tif", "--image", "two.ome.tif", "--table", "c.csv"),
    ):
        ended = stroma(*words, "--series", "1")
        assert ended.code == 0, ended.err
        assert "holds 2 images" not in ended.err
    assert read_image("a.tif").shape == read_image("b.tif").shape == (48, 48)
    assert len(Path("c.csv").read_text().splitlines()) == 2
