"""Points on membranes, how far from them, and which way is out."""

import csv

import numpy as np
import pytest

from stroma.errors import LabelError, ParameterError, ShapeError
from stroma.io import write_labels
from stroma.workflow.measuring.particles import on_surface, write_particles


def test_points_on_a_shell_have_its_normals():
    z, y, x = np.indices((41, 41, 41)) - 20
    far = np.sqrt(z**2 + y**2 + x**2)
    shell = (far >= 12) & (far <= 14)
    ways = np.random.default_rng(0).normal(size=(40, 3))
    ways /= np.linalg.norm(ways, axis=1, keepdims=True)
    points = np.concatenate([20 + 16 * ways, 20 + 10 * ways, 20 + 3 * ways[:5]])
    found = on_surface(points, shell, spacing=(1, 1, 1), within=3)
    assert found.kept.tolist() == list(range(80))
    assert found.distances == pytest.approx(1.5, abs=0.6)
    along = (found.normals * np.concatenate([ways, -ways])).sum(1)
    assert along.min() > 0.95  # Outside it points out, inside in.


def test_within_a_membrane_the_way_out_is_the_shortest():
    mask = np.zeros((9, 21), bool)
    mask[2:7] = True
    found = on_surface(np.array([[3.0, 10.0], [4.0, 4.0]]), mask, spacing=(1, 1), within=3)
    assert found.distances[0] < 0
    assert found.normals[0] == pytest.approx([-1, 0], abs=1e-6)
    assert abs(found.normals[1][0]) == pytest.approx(1)


def test_distances_are_in_the_unit_of_the_image():
    mask = np.zeros((20, 10, 10), bool)
    mask[:10] = True
    points = np.array([[12.0, 5.0, 5.0]])
    near = on_surface(points, mask, spacing=(4, 1, 1), within=12)
    assert near.distances == pytest.approx(11.5)
    assert len(on_surface(points, mask, spacing=(4, 1, 1), within=8).kept) == 0


def test_a_table_of_those_on_one_membrane_is_written(tmp_path):
    labels = np.zeros((20, 30), np.uint8)
    labels[5], labels[15] = 1, 2
    path = write_labels(tmp_path / "labels.tif", labels)
    points = tmp_path / "a_points.csv"
    points.write_text("y,x,probability\n7,8,0.9\n13,8,0.8\n")
    assert write_particles(points, path, tmp_path / "all.csv") == 2
    assert write_particles(points, path, tmp_path / "one.csv", label=2) == 1
    with (tmp_path / "one.csv").open() as file:
        [row] = csv.DictReader(file)
    assert list(row) == ["y", "x", "distance_pixels", "normal_y", "normal_x"]
    assert (row["y"], row["distance_pixels"], row["normal_y"]) == ("13", "1.5", "-1")


def test_what_cannot_be_is_refused(tmp_path):
    mask = np.ones((4, 4), bool)
    with pytest.raises(LabelError, match="no membrane"):
        on_surface(np.zeros((1, 2)), ~mask, spacing=(1, 1), within=1)
    with pytest.raises(ParameterError, match="within"):
        on_surface(np.zeros((1, 2)), mask, spacing=(1, 1), within=-1)
    path = write_labels(tmp_path / "labels.tif", mask.astype(np.uint8))
    (tmp_path / "p.csv").write_text("z,y,x\n1,2,3\n")
    with pytest.raises(ShapeError, match="3 coordinates"):
        write_particles(tmp_path / "p.csv", path, tmp_path / "out.csv")
