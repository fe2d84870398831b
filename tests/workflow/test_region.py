"""Where to segment: a mask image, or marks of other programs."""

import json

import numpy as np
import pytest

from stroma.data.image import Image
from stroma.errors import ShapeError
from stroma.workflow.applying.region import open_region

SQUARE = [[2, 3], [8, 3], [8, 7], [2, 7], [2, 3]]


@pytest.mark.parametrize("classified", [True, False])
def test_marks_of_qupath_are_a_region_whatever_their_class(tmp_path, classified):
    said = {"classification": {"name": "Region"}} if classified else {}
    feature = {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [SQUARE]},
        "properties": said,
    }
    (tmp_path / "a.geojson").write_text(json.dumps([feature]))
    image = Image(np.zeros((20, 30), np.uint8), "yx")
    region = open_region(tmp_path / "a.geojson", tmp_path / "a.tif", image)
    inside = region.inside({}, slice(0, 20), slice(0, 30))
    expected = np.zeros((20, 30), bool)
    expected[3:7, 2:8] = True
    np.testing.assert_array_equal(inside, expected)


def test_a_mask_of_another_size_is_refused(tmp_path):
    np.save(tmp_path / "mask.npy", np.ones((5, 6), bool))
    with pytest.raises(ShapeError, match="mask"):
        open_region(
            tmp_path / "mask.npy", tmp_path / "a.tif", Image(np.zeros((20, 30), np.uint8), "yx")
        )
