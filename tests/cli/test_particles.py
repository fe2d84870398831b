"""``stroma particles`` on files."""

import numpy as np

from stroma.io import write_labels


def test_points_on_a_membrane_are_written_beside_their_table(stroma, tmp_path):
    labels = np.zeros((20, 30), np.uint8)
    labels[5] = 1
    membranes = write_labels(tmp_path / "a_labels.tif", labels)
    (tmp_path / "a_points.csv").write_text("y,x\n6,4\n15,4\n")
    done = stroma("particles", tmp_path / "a_points.csv", membranes)
    assert done.code == 0, done.err
    assert "1 points on membranes" in done.out
    rows = (tmp_path / "a_points_particles.csv").read_text().splitlines()
    assert len(rows) == 2
    assert "--overwrite" in stroma("particles", tmp_path / "a_points.csv", membranes).err
