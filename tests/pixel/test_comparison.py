"""Comparing configurations on the strokes there are."""

import numpy as np
import pytest

from stroma.blocks.box import Box
from stroma.pixel.door import labelled_points, open_image
from stroma.pixel.guidance import compare as comparison
from stroma.pixel.guidance.compare import compare
from stroma.pixel.model import ConvpaintModel
from stroma.pixel.training.learn import Labelled


def test_unless_asked_by_name_nothing_is_fetched_and_nothing_tried_twice(disks, monkeypatch):
    image, _, strokes = disks
    split = strokes.copy()
    for gap in (slice(20, 32), slice(45, 57), slice(70, 82)):
        split[5:8, gap] = 0
    split[25:28, 22:38] = split[58:62, 78:88] = 0
    split[66:72, 20:28] = 2
    source = open_image(image, "single")
    given = {"a": Labelled(source, labelled_points(split, source))}
    monkeypatch.setattr(
        comparison,
        "status",
        lambda name: "missing" if name[:3] in ("vgg", "din") else "not needed",
    )
    height = source.plane_shape[0] - 10
    crop = comparison.Crop(source, {}, Box(10, 20, 10 + height, 60))
    found = {one.alias: one for one in compare(given, crop=crop)}
    assert {one.labels.shape for one in found.values() if not one.problem} == {(height, 40)}
    whole = ConvpaintModel("gaussian")
    whole.train(image, split)
    assert (found["gaussian"].labels == whole.segment(image)[10:, 20:60]).all()
    assert found["vgg"].problem.endswith("stroma fetch vgg16")
    assert "dinov2" not in found
    assert found["gaussian"].accuracy > 0.8
    assert found["gaussian"].training > 0
    assert found["gaussian"].segmenting > 0
    assert list(found)[-1] in {name for name, one in found.items() if one.problem}
    assert np.isnan(found["vgg"].accuracy)


@pytest.fixture(scope="module")
def volume():
    z, y, x = np.indices((8, 40, 40), np.float32)
    noise = np.random.default_rng(0).normal(0, 0.3, z.shape)
    image = np.where((z - 4) ** 2 * 4 + (y - 20) ** 2 + (x - 20) ** 2 < 200, 1, 0) + noise
    strokes = np.zeros(image.shape, np.uint8)
    for top in (4, 18, 32):
        strokes[4, top : top + 2, 2:5] = 1
        strokes[4, top : top + 2, 36:39] = 1
    for left in (8, 19, 30):
        strokes[4, 19:21, left : left + 2] = 2
    return image.astype(np.float32), strokes


@pytest.mark.parametrize(
    ("position", "shown"),
    [({"z": 3}, np.s_[3, 5:30, 8:33]), ({"y": 22}, np.s_[1:7, 22, 8:33])],
    ids=["a plane of the volume", "a plane across y"],
)
@pytest.mark.parametrize("alias", ["gaussian", "stroma-3d"])
def test_crops_of_a_volume_are_what_the_whole_volume_would_show(volume, alias, position, shown):
    image, strokes = volume
    source = open_image(image, "single")
    given = {"a": Labelled(source, labelled_points(strokes, source))}
    rows = shown[1] if "z" in position else shown[0]
    crop = comparison.Crop(source, position, Box(rows.start, 8, rows.stop, 33))
    (found,) = compare(given, [alias], crop=crop)
    model = ConvpaintModel(alias)
    model.train(image, strokes)
    np.testing.assert_array_equal(found.labels, model.segment(image)[shown])
    assert found.accuracy > 0.8


def test_the_middle_of_the_first_painted_plane_is_segmented(volume):
    image, strokes = volume
    source = open_image(image, "single")
    (found,) = compare({"a": Labelled(source, labelled_points(strokes, source))}, ["gaussian"])
    model = ConvpaintModel("gaussian")
    model.train(image, strokes)
    np.testing.assert_array_equal(found.labels, model.segment(image)[4])
