"""Comparing configurations on the strokes there are."""

import numpy as np

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
    crop = comparison.Crop(source.image, Box(10, 20, 1000, 60))
    found = {one.alias: one for one in compare(given, crop=crop)}
    height = source.plane_shape[0] - 10
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
