"""``stroma locate`` finds what stands out, and writes masks, boxes and outlines."""

from __future__ import annotations

import json

import numpy as np
import pytest
from skimage.io import imread, imsave

from stroma import ConvpaintModel
from stroma.errors import ParameterError
from stroma.io import read_image, read_strokes
from stroma.workflow.unlabelled.locate import locate_image


@pytest.fixture
def disk(tmp_path):
    """Return the path of an image of a bright disk, and where the disk is."""
    rows, columns = np.indices((64, 80))
    inside = np.hypot(rows - 30, columns - 44) < 14
    noise = np.random.default_rng(0).normal(0, 5, inside.shape)
    path = tmp_path / "disk.png"
    imsave(path, (40 + 120 * inside + noise).astype(np.uint8), check_contrast=False)
    return path, inside


def test_masks_boxes_and_outlines_are_written(stroma, disk, tmp_path) -> None:
    path, inside = disk
    out = tmp_path / "out"
    ended = stroma(
        "locate", path, "--out", out, "--alias", "gaussian", "--outlines", "geojson",
        "--outlines", "roi", "--json",
    )  # fmt: skip
    [told] = json.loads(ended.out)["files"]
    mask = imread(out / "disk_foreground.tif") > 0
    assert (mask & inside).sum() > 0.95 * inside.sum()
    assert mask.sum() < 2 * inside.sum()  # what is blurred at its edge may stand out, too
    boxes = json.loads((out / "disk_boxes.json").read_text())
    assert boxes["boxes"] == told["boxes"]
    first = boxes["boxes"][0]
    rows, columns = np.nonzero(mask)
    assert (first["top"], first["left"]) == (rows.min(), columns.min())
    assert (first["bottom"], first["right"], first["group"]) == (
        rows.max() + 1,
        columns.max() + 1,
        0,
    )
    for ending in (".geojson", ".zip"):
        drawn = read_strokes(out / f"disk_foreground{ending}", read_image(path))
        names = {c.name: c.label for c in drawn.classes}
        assert set(names) == {"object", "box"}
        painted = np.asarray(drawn.labels)
        assert (painted[mask] == names["object"]).all()
        assert (painted == names["box"]).any()
    assert set(np.unique(imread(out / "disk_labels.tif"))) >= {1, 2}
    again = stroma("segment", out / "foreground.pkl", path, "--out", tmp_path / "again")
    assert again.code == 0


def test_a_format_that_is_not_written_and_a_model_in_the_way_are_named(stroma, disk, tmp_path):
    path, _ = disk
    ended = stroma("locate", path, "--outlines", "svg")
    assert ended.code != 0
    assert "geojson or roi, got svg" in " ".join(ended.err.split())
    (tmp_path / "foreground.pkl").write_bytes(b"mine")
    assert stroma("locate", path, "--out", tmp_path).code != 0
    assert (tmp_path / "foreground.pkl").read_bytes() == b"mine"


def test_planes_of_a_stack_have_boxes_of_their_own(disk) -> None:
    path, _ = disk
    plane = imread(path)
    stack = np.stack([plane, plane[::-1]])
    made = locate_image(ConvpaintModel("gaussian"), stack)
    assert made.mask.shape == stack.shape
    tops = {one.plane["z"]: one.object.box.top for one in made.found if one.object.group == 0}
    assert tops.keys() == {0, 1}
    assert tops[0] < tops[1] - 1
    with pytest.raises(ParameterError, match="got -1"):
        locate_image(ConvpaintModel("gaussian"), plane, least=-1)
