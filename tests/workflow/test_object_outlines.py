"""Outlines of objects as other programs count and show them."""

from __future__ import annotations

import json
import zipfile

import numpy as np
import pytest

from stroma.data.classes import Class
from stroma.data.image import Image
from stroma.errors import FormatError
from stroma.io.imagej.read import read_zip
from stroma.io.strokes import read_strokes
from stroma.objects.measure import measure
from stroma.workflow.measuring.object_outlines import write_outlines
from stroma.zoo.cellpose import take

CELL = Class(2, "cell", "#ff0080")


@pytest.fixture
def labels() -> Image:
    """Two squares that touch at a corner alone, as one object, and a ring."""
    values = np.zeros((20, 30), np.uint16)
    values[2:6, 2:6] = values[6:9, 6:9] = 4
    values[10:17, 15:22] = 7
    values[12:15, 17:20] = 0
    return Image(values, "yx")


def features(path) -> dict[str, dict]:
    found = json.loads(path.read_text())
    assert found["type"] == "FeatureCollection"
    assert all(f["type"] == "Feature" for f in found["features"])
    assert len({f["properties"]["name"] for f in found["features"]}) == len(found["features"])
    return {f["properties"]["name"]: f for f in found["features"]}


def test_an_object_in_two_parts_is_one_for_qupath_and_imagej(tmp_path, labels):
    table = measure(labels.read(), np.ones(labels.shape))
    for ending in ("geojson", "zip"):
        write_outlines(tmp_path / f"a.{ending}", labels, table)
        read = read_strokes(tmp_path / f"a.{ending}", labels, unnamed="object")
        np.testing.assert_array_equal(read.labels > 0, labels.read() > 0)
    found = features(tmp_path / "a.geojson")
    assert {n: f["geometry"]["type"] for n, f in found.items()} == {
        "object-4": "MultiPolygon",
        "object-7": "Polygon",
    }
    assert [len(p) for p in found["object-4"]["geometry"]["coordinates"]] == [1, 1]
    assert len(found["object-7"]["geometry"]["coordinates"]) == 2, "an outline and a hole"
    with zipfile.ZipFile(tmp_path / "a.zip") as rois:
        assert len(rois.namelist()) == 2
    marks = read_zip(tmp_path / "a.zip", labels, 1.0)
    colours = {mark.color for mark in marks}
    assert len(set(bytes.fromhex(colours.pop()[1:]))) == 3, "grey is not seen on a grey image"
    assert not colours


def test_qupath_is_told_detections_with_their_measurements_and_classes(tmp_path, labels):
    table = measure(labels.read(), np.arange(600.0).reshape(20, 30))
    contrast = np.array([1.0, np.nan])
    table = table.extended({"class": np.array([2, 0]), "contrast": contrast})
    write_outlines(tmp_path / "a.geojson", labels, table, [CELL])
    found = features(tmp_path / "a.geojson")
    said = {n: f["properties"] for n, f in found.items()}
    assert {one["objectType"] for one in said.values()} == {"detection"}
    assert said["cell-4"]["classification"] == {"name": "cell", "color": [255, 0, 128]}
    assert "classification" not in said["object-7"], "what has no class has none in QuPath"
    values = said["cell-4"]["measurements"]
    assert values["label"] == 4
    assert values["area_px"] == 25
    assert values["intensity_mean"] == pytest.approx(table["intensity_mean"][0], rel=1e-6)
    assert "class" not in values
    assert "contrast" in values
    assert "contrast" not in said["object-7"]["measurements"], "not measured"


def test_objects_of_a_volume_are_one_on_each_plane(tmp_path, labels):
    volume = np.stack([np.zeros_like(labels.read()), labels.read(), labels.read()])
    write_outlines(tmp_path / "a.geojson", Image(volume, "zyx"), measure(volume))
    told = json.loads((tmp_path / "a.geojson").read_text())["features"]
    planes = [(f["properties"]["name"], f["geometry"]["plane"]["z"]) for f in told]
    assert sorted(planes) == [("object-4", 1), ("object-4", 2), ("object-7", 1), ("object-7", 2)]
    assert {tuple(f["properties"]["measurements"]) for f in told} == {("label",)}


def test_cellpose_gets_objects_counted_without_gaps_and_their_edges(tmp_path, labels):
    values = labels.read()
    table = measure(values, np.ones(labels.shape))
    path = tmp_path / "cells_seg.npy"
    write_outlines(path, labels, table)
    found = np.load(path, allow_pickle=True).item()  # as Cellpose does it
    np.testing.assert_array_equal(found["masks"], np.searchsorted([0, 4, 7], values))
    assert found["outlines"].max() == len(found["ismanual"]) == 2
    assert found["outlines"][4, 4] == 0
    assert found["outlines"][2, 2] == 1
    taken = take(path, ())
    np.testing.assert_array_equal(taken.pictures[0].objects, found["masks"])


def test_cellpose_gets_only_the_objects_of_the_table_of_planes_and_volumes(tmp_path, labels):
    volume = Image(np.stack([labels.read()] * 2), "zyx")
    table = measure(np.where(volume.read() == 4, 0, volume.read()), np.ones(volume.shape))
    write_outlines(tmp_path / "v_seg.npy", volume, table)
    found = np.load(tmp_path / "v_seg.npy", allow_pickle=True).item()
    np.testing.assert_array_equal(found["masks"], (volume.read() == 7).astype(int))
    frames = Image(volume.read(), "tyx")
    with pytest.raises(FormatError, match="room for one time"):
        write_outlines(tmp_path / "t_seg.npy", frames, table)
