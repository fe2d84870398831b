"""Training on files gives what training on their arrays gives, with the classes named."""

import json

import numpy as np
import pytest
from tests.workflow.conftest import scene

from stroma import ConvpaintModel
from stroma.data.classes import Class
from stroma.errors import MissingFileError
from stroma.io import write_image
from stroma.workflow.learning.train import pair_up, read_pairs, train_files


def square(name, top, left, size=8):
    corners = [[left, top], [left + size, top], [left + size, top + size], [left, top + size]]
    return {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [corners]},
        "properties": {"classification": {"name": name, "color": [1, 2, 3]}},
    }


@pytest.fixture
def pairs(tmp_path):
    """Two images; the first has strokes of one class, the second of the other."""
    found = []
    for i, feature in enumerate((square("ground", 0, 50), square("square", 12, 12))):
        image = write_image(tmp_path / f"{i}.tif", scene(seed=i)[0], axes="yx")
        (tmp_path / f"{i}.geojson").write_text(json.dumps(feature))
        found.append((image, tmp_path / f"{i}.geojson"))
    return found


def quick():
    model = ConvpaintModel("gaussian")
    model.set_params(clf_iterations=10)
    return model


def test_a_name_is_one_class_in_all_files(pairs):
    _, strokes = read_pairs(pairs)
    assert [set(np.unique(s.labels)) for s in strokes] == [{0, 1}, {0, 2}]
    assert [c.name for c in strokes[-1].classes] == ["ground", "square"]


@pytest.mark.parametrize("remember", [False, True])
def test_files_train_as_their_arrays_do(pairs, remember):
    model = train_files(quick(), pairs, remember=remember)
    images, strokes = read_pairs(pairs)
    other = quick()
    other.train([i.read() for i in images], [s.labels for s in strokes])
    image, truth = scene(seed=5)
    np.testing.assert_array_equal(model.segment(image), other.segment(image))
    assert (model.segment(image) == truth + 1).mean() > 0.9
    assert model.classes == (Class(1, "ground", "#010203"), Class(2, "square", "#010203"))


def test_known_classes_keep_their_labels(pairs):
    model = train_files(quick(), pairs, classes=[Class(7, "square", "#ff0000")])
    assert [(c.label, c.name) for c in model.classes] == [(1, "ground"), (7, "square")]
    assert model.classes_.tolist() == [1, 7]


def test_strokes_are_found_by_the_name_of_their_image(tmp_path, pairs):
    folder = tmp_path / "strokes"
    folder.mkdir()
    for name in ("0.txt", "0_strokes.png", "1.zip", "10.zip", "0a_strokes.png"):
        (folder / name).touch()
    images = [image for image, _ in pairs]
    assert [s.name for _, s in pair_up(images, folder)] == ["0_strokes.png", "1.zip"]
    with pytest.raises(MissingFileError, match=r"no strokes for 2\.tif"):
        pair_up(["2.tif"], folder)
    assert [s.name for _, s in pair_up(images, tmp_path)] == ["0.geojson", "1.geojson"]
