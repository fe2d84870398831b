import os
import pickle
from pathlib import Path

import napari
import napari.layers
import numpy as np
import pytest
from napari.utils.notifications import notification_manager

from napari_scene import two_halves, until
from stroma.data.classes import Class
from stroma.data.image import Image
from stroma.errors import DISTRIBUTION, LabelError, StromaError
from stroma.io import read_labels
from stroma.napari.layers import colors
from stroma.napari.menus import readers, samples, writers


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
    assert readers.reader("cells.safetensors") is readers.read_model


def test_without_a_viewer_reading_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(napari, "current_viewer", lambda: None)
    with pytest.raises(StromaError, match="start napari"):
        readers.read_model(tmp_path / "model.pkl")


@pytest.mark.parametrize("sample", [samples.tissue, samples.stack])
def test_samples_are_layers(sample):
    for data in sample():
        assert napari.layers.Layer.create(*data).name


def damaged(kind, folder):
    """Return the path of a file that looks like ours and is not."""
    paths = {
        "noise.pkl": bytes(range(256)) * 20,
        "empty.pkl": b"",
        "hostile.pkl": pickle.dumps(Hostile(folder / "harm")),
        "noise.yml": b"\xff\xfe not: [yaml",
        "hostile.yml": b"!!python/object/apply:os.mkdir ['harm']",
        "wrong.yml": b"normalize: 77\n",
    }
    if kind in paths:
        (folder / kind).write_bytes(paths[kind])
        return folder / kind
    (folder / kind).mkdir()
    (folder / kind / "project.json").write_bytes({"list.stroma": b"[1, 2]"}.get(kind, b"\0\1"))
    return folder / kind


class Hostile:
    """What makes a folder when it is unpickled by something that runs what it reads."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize(
    "kind",
    [
        *("noise.pkl", "empty.pkl", "hostile.pkl", "noise.yml", "hostile.yml", "wrong.yml"),
        *("noise.stroma", "list.stroma"),
    ],
)
def test_damaged_and_hostile_files_are_refused_in_words_and_nothing_is_lost(
    kind, viewer, open_widget, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    widget = open_widget()
    studio = widget.panel.studio
    viewer.add_image(two_halves(), name="mine")
    until(lambda: studio.bridge.image is not None)
    studio.session.paint("1", [(5, 5)], label=1)
    session, settings = studio.session, studio.session.settings
    notification_manager.records.clear()
    viewer.open(damaged(kind, tmp_path), plugin=DISTRIBUTION)
    until(lambda: notification_manager.records and not studio.working)
    assert kind in notification_manager.records[-1].message
    assert "Traceback" not in notification_manager.records[-1].message
    assert studio.session is session
    assert studio.session.settings == settings
    assert session.strokes("1")[5, 5] == 1
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize(("sample", "axes"), [("tissue", "yx"), ("stack", "zyx")])
def test_samples_open_from_the_menu_and_are_taken(sample, axes, viewer, open_widget):
    widget = open_widget()
    viewer.open_sample(DISTRIBUTION, sample)
    bridge = widget.panel.studio.bridge
    until(lambda: bridge.image is not None)
    assert bridge.axes(bridge.image) == axes


@pytest.mark.parametrize("name", ["a.tif", "b.ome.tif", "c.zarr"])
def test_layers_are_saved_by_the_writer_with_their_classes(name, viewer, tmp_path):
    classes = (Class(1, "sky", "#0000ff"), Class(300, "tree", "#00ff00"))
    layer = viewer.add_labels(
        np.array([[0, 1], [300, 300]]),
        colormap=colors.label_colors(classes),
        features=colors.class_features(classes),
    )
    assert layer.save(str(tmp_path / name), plugin=DISTRIBUTION)
    found = read_labels(tmp_path / name, Image(np.zeros((2, 2)), "yx"))
    np.testing.assert_array_equal(found.labels, layer.data)
    assert found.classes == classes


@pytest.mark.parametrize("ndim", [1, 5])
def test_labels_of_too_many_or_too_few_axes_are_refused(ndim, tmp_path):
    with pytest.raises(StromaError, match="axes"):
        writers.write_labels(str(tmp_path / "x.tif"), np.ones((2,) * ndim, np.uint8), {})


def test_features_and_colours_of_others_do_not_disturb_the_writer(tmp_path):
    odd = {
        "features": {"index": [0, 1, 99999], "Class": ["none", None, "far"]},
        "colormap": napari.layers.Labels(np.ones((2, 2), int)).colormap,
    }
    [path] = writers.write_labels(str(tmp_path / "x.tif"), np.ones((2, 2), np.int32), odd)
    found = read_labels(Path(path), Image(np.zeros((2, 2)), "yx"))
    assert [c.label for c in found.classes] == [1]
