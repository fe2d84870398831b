import napari
import napari.layers
import numpy as np
import pytest

from stroma.data.classes import Class
from stroma.data.image import Image
from stroma.errors import LabelError, StromaError
from stroma.io import read_labels
from stroma.napari import colors, readers, samples, writers


def test_a_labels_layer_is_written_with_its_classes(tmp_path):
    classes = (Class(1, "sky", "#0000ff"), Class(2, "tree", "#00ff00"))
    layer = napari.layers.Labels(
        np.array([[0, 1], [2, 2]]),
        colormap=colors.label_colors(classes),
        features=colors.class_features(classes),
    )
    data, attributes, _ = layer.as_layer_data_tuple()
    [path] = writers.write_labels(str(tmp_path / "labels.tif"), data, attributes)
    found = read_labels(tmp_path / "labels.tif", Image(np.zeros((2, 2)), "yx"))
    assert path == str(tmp_path / "labels.tif")
    np.testing.assert_array_equal(found.labels, data)
    assert found.classes == classes


def test_labels_that_do_not_fit_are_refused(tmp_path):
    with pytest.raises(LabelError, match="70000"):
        writers.write_labels(str(tmp_path / "x.tif"), np.array([[70000]]), {})
    assert not list(tmp_path.iterdir())


def test_only_projects_and_models_are_read(tmp_path):
    assert readers.reader("image.tif") is None
    assert readers.reader([str(tmp_path)]) is None
    (tmp_path / "empty.stroma").mkdir()
    assert readers.reader(str(tmp_path / "empty.stroma")) is None
    assert readers.reader("model.pkl") is readers.read_model


def test_without_a_viewer_reading_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(napari, "current_viewer", lambda: None)
    with pytest.raises(StromaError, match="start napari"):
        readers.read_model(tmp_path / "model.pkl")


@pytest.mark.parametrize("sample", [samples.tissue, samples.stack])
def test_samples_are_layers(sample):
    for data in sample():
        assert napari.layers.Layer.create(*data).name
