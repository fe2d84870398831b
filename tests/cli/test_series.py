"""Files of several images on the command line: a note, and ``--series``."""

import numpy as np
import tifffile

from stroma.io import read_image


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
