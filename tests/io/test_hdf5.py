"""HDF5: datasets are images, with their axes and sizes, and nothing outside the file is read."""

import json
import threading

import numpy as np
import pytest

from stroma.errors import FormatError
from stroma.io import read_image, series_of

h5py = pytest.importorskip("h5py")


@pytest.fixture
def path(tmp_path):
    """A file with two images, a table and a text."""
    with h5py.File(tmp_path / "a.h5", "w") as file:
        first = file.create_dataset("data", data=np.arange(60).reshape(3, 4, 5), chunks=(1, 2, 5))
        first.attrs["axistags"] = json.dumps({"axes": [{"key": k} for k in "cyx"]})
        second = file.create_dataset("t0/cells", data=np.ones((2, 6, 7), np.float32))
        second.attrs["element_size_um"] = (2.0, 0.5, 0.25)
        file["row"], file["text"] = np.arange(3), "none"
    return tmp_path / "a.h5"


def test_datasets_are_listed_and_the_first_is_read(path):
    assert [(s.name, s.sizes) for s in series_of(path)] == [
        ("data", {"c": 3, "y": 4, "x": 5}),
        ("t0/cells", {"z": 2, "y": 6, "x": 7}),
    ]
    image = read_image(path)
    assert image.kept_axes == "cyx"
    assert "2 images" in image.notes[0]
    assert image.read({"y": slice(1, 3)}).tolist() == (
        np.arange(60).reshape(3, 4, 5)[:, 1:3].tolist()
    )


def test_sizes_of_pixels_and_axes_that_are_given(path):
    image = read_image(path, series=1)
    assert (dict(image.spacing), image.unit) == ({"z": 2.0, "y": 0.5, "x": 0.25}, "µm")
    assert read_image(path, series=1, axes="tyx").kept_axes == "tyx"


def test_boxes_are_read_from_several_threads(path):
    image, found = read_image(path, series=0), []
    threads = [
        threading.Thread(target=lambda c=c: found.append(int(image.at(c=c).read().sum())))
        for c in (0, 1, 2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == np.arange(60).reshape(3, -1).sum(1).tolist()


def test_values_in_other_files_are_not_read(tmp_path):
    (tmp_path / "secret").write_bytes(b"a letter to my aunt")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        outside = [(str(tmp_path / "secret"), 0, 16)]
        file.create_dataset("data", (4, 4), np.uint8, external=outside)
        file["link"] = h5py.ExternalLink("other.h5", "/data")
    with pytest.raises(FormatError, match=r"a\.h5 keeps the values of '/data' in other files"):
        read_image(tmp_path / "a.h5")
    assert [s.name for s in series_of(tmp_path / "a.h5")] == ["data"]


def test_damaged_and_empty_files_are_refused_by_name(path, tmp_path):
    with pytest.raises(FormatError, match="no number 5"):
        read_image(path, series=5)
    path.write_bytes(path.read_bytes()[:600])
    with pytest.raises(FormatError, match=r"a\.h5"):
        read_image(path)
    with h5py.File(tmp_path / "e.h5", "w"):
        pass
    with pytest.raises(FormatError, match=r"e\.h5 has no dataset"):
        read_image(tmp_path / "e.h5")
