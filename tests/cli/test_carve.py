"""Carving on the command line: an image and strokes to a label image."""

import json

import numpy as np

from stroma.io import read_image, write_image, write_labels


def test_an_object_is_carved_and_faults_name_their_file(stroma, tmp_path):
    scene = np.full((40, 60), 10, np.uint8)
    scene[10:30, 10:25] = 100
    strokes = np.zeros(scene.shape, np.uint8)
    strokes[20, 15:20], strokes[3, 5:50] = 2, 1
    image, seeds, out = (tmp_path / f"{n}.tif" for n in ("scene", "strokes", "found"))
    write_image(image, scene, axes="yx")
    write_labels(seeds, strokes, like=read_image(image))
    done = stroma("carve", image, "--seeds", seeds, "--out", out, "--sigma", 1, "--json")
    assert done.code == 0, done.err
    found = read_image(out).read() == 1
    truth = scene == 100
    assert (found & truth).sum() / (found | truth).sum() > 0.9
    assert json.loads(done.out)["pixels"] == found.sum()
    again = stroma("carve", image, "--seeds", seeds, "--out", out)
    assert (again.code, "exists already" in again.err) == (2, True)
    write_labels(seeds, strokes // 2, like=read_image(image))
    fault = stroma("carve", image, "--seeds", seeds, "--out", out, "--overwrite")
    assert fault.code == 2
    assert f"{seeds}: There is no stroke on the object" in fault.err
