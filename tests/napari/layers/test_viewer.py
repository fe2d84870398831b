"""What happens to the layers of a real viewer while the session works."""

import threading

import numpy as np
import pytest
from napari.utils._test_utils import read_only_mouse_event
from napari.utils.interactions import (
    mouse_move_callbacks,
    mouse_press_callbacks,
    mouse_release_callbacks,
)
from napari.utils.progress import progress
from qtpy.QtWidgets import QFileDialog

from napari_scene import two_halves, until
from stroma.errors import DISTRIBUTION


@pytest.fixture
def studio(open_widget):
    return open_widget().panel.studio


def drag(layer, *world):
    calls = [("mouse_press", mouse_press_callbacks), ("mouse_move", mouse_move_callbacks)]
    for (kind, call), at in zip(
        [*calls, ("mouse_release", mouse_release_callbacks)], [*world, world[-1]], strict=True
    ):
        call(layer, read_only_mouse_event(type=kind, is_dragging=True, position=at))


def ready(studio):
    until(lambda: studio.bridge.image is not None and studio.bridge.is_shown("segmentation"))
    layer = studio.bridge.board.layer("strokes")
    until(lambda: layer.mode == "paint")
    return layer


def paint_halves(layer, at=()):
    for label, x in ((1, 20), (2, 80)):
        for y in (10, 40):
            layer.paint((*at, y, x), label)


def seen(studio):
    """Return the segmentation as napari drew it last."""
    return np.asarray(studio.bridge.board.layer("segmentation")._slice.image.raw)


def test_the_plane_that_is_turned_to_while_a_round_runs_is_the_one_that_is_shown(viewer, studio):
    viewer.add_image(np.stack([two_halves(), two_halves()[:, ::-1]] * 4))
    layer = ready(studio)
    viewer.dims.set_point(0, 0)
    paint_halves(layer, (0,))
    for z in (3, 6, 1):
        viewer.dims.set_point(0, z)
    until(lambda: seen(studio).all())
    assert (seen(studio)[:, :40] == 2).all()
    viewer.dims.set_point(0, 4)
    until(lambda: (seen(studio)[:, :40] == 1).all())
    assert studio.bridge.gaze.plane() == {"z": 4}


@pytest.mark.parametrize("rgb", [False, True])
def test_a_stroke_lands_where_it_is_drawn_on_a_scaled_and_shifted_stack(viewer, studio, rgb):
    values = np.stack([two_halves()] * 3)
    image = viewer.add_image(
        np.stack([values] * 3, -1) if rgb else values,
        rgb=rgb,
        scale=(4, 0.5, 0.25),
        translate=(8, 100, -20),
    )
    layer = ready(studio)
    viewer.dims.set_point(0, 8 + 4)
    layer.brush_size = 1
    layer.selected_label = 2
    drag(layer, image.data_to_world((1, 30, 10)[:3]), image.data_to_world((1, 30, 15)[:3]))
    painted = studio.session.points(studio.bridge.image)
    assert set(painted.plane.tolist()) == {1}
    assert set(map(tuple, painted.yx.tolist())) == {(30, x) for x in range(10, 16)}


def test_channels_in_layers_of_their_own_are_segmented_as_one_image(viewer, studio):
    first, second = np.full((64, 96), 7, np.uint8), two_halves()
    viewer.add_image(first, name="a")
    viewer.add_image(second, name="b")
    ready(studio)
    viewer.layers.selection = set(viewer.layers[:2])
    studio.bridge.paint_on(viewer.layers[:2], "yx")
    assert studio.session.image(studio.bridge.image).image.channels == ("a", "b")
    paint_halves(ready(studio))
    until(lambda: (seen(studio)[:, 56:] == 2).all())


def test_layers_that_are_renamed_or_removed_come_back_when_they_are_ticked(viewer, open_widget):
    widget = open_widget()
    studio, home = widget.panel.studio, widget.panel.home
    viewer.add_image(two_halves())
    paint_halves(ready(studio))
    until(lambda: seen(studio).all())
    viewer.layers["segmentation"].name = "mine"
    viewer.layers.remove("mine")
    assert not home.shown["segmentation"].isChecked()
    studio.session.paint("1", [(50, 20)], label=1)
    until(lambda: not studio.session.status.busy)
    home.shown["segmentation"].setChecked(True)
    until(lambda: seen(studio).all())
    studio.bridge.board.layer("segmentation").visible = False
    assert not home.shown["segmentation"].isChecked()
    viewer.layers.remove(studio.bridge.board.layer("strokes"))
    home.shown["strokes"].setChecked(True)
    assert set(np.unique(studio.bridge.board.layer("strokes").data)) == {0, 1, 2}


@pytest.fixture
def endless(studio, monkeypatch):
    """Make segmenting everything go on until it is cancelled."""
    begun, stopped = threading.Event(), threading.Event()

    def segment(image, *, progress, cancelled):
        from stroma.errors import Cancelled

        begun.set()
        while not cancelled():
            threading.Event().wait(0.05)
            progress(1, 10)
        stopped.set()
        raise Cancelled("The work was cancelled.")

    monkeypatch.setattr(studio.session, "segment", segment)
    return begun, stopped


@pytest.mark.parametrize("where", ["widget", "activity dock"])
def test_segmenting_everything_says_how_far_it_is_and_is_cancelled(
    viewer, open_widget, studio, endless, where
):
    begun, stopped = endless
    panel = open_widget().panel
    viewer.add_image(two_halves())
    ready(studio)
    panel.home._segment_all()
    until(begun.is_set)
    until(lambda: any("Segmenting" in bar.desc for bar in progress._all_instances))
    [bar] = [bar for bar in progress._all_instances if "Segmenting" in bar.desc]
    assert (bar.n, bar.total) == (1, 10)
    until(lambda: "Segmenting" in panel.widget.status.text())
    assert panel.widget.stop.isEnabled()
    panel.widget.stop.click() if where == "widget" else bar.cancel()
    until(stopped.is_set)
    until(lambda: not any("Segmenting" in bar.desc for bar in progress._all_instances))
    until(lambda: not panel.widget.stop.isEnabled())
    assert [layer.name for layer in viewer.layers if "Image segmentation" in layer.name] == []


def test_all_planes_are_kept_in_a_layer_of_their_own(viewer, open_widget, studio):
    home = open_widget().panel.home
    viewer.add_image(np.stack([two_halves()] * 3), name="stack", scale=(3, 1, 1))
    paint_halves(ready(studio), (0,))
    until(lambda: studio.session.status.trained == studio.session.revision)
    home._segment_all()
    until(lambda: "stack segmentation" in viewer.layers)
    kept = viewer.layers["stack segmentation"]
    assert isinstance(kept.data, np.ndarray)
    assert (kept.data[:, :, :40] == 1).all()
    assert kept.scale.tolist() == [3, 1, 1]


def test_models_are_saved_and_loaded_by_dialog_and_a_dialog_that_is_left_does_nothing(
    viewer, open_widget, studio, tmp_path, monkeypatch
):
    model = open_widget().panel.model
    viewer.add_image(two_halves())
    paint_halves(ready(studio))
    until(lambda: studio.session.status.trained == studio.session.revision)
    answers = ["", str(tmp_path / "mine.pkl"), str(tmp_path / "mine.yml")]
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (answers.pop(0), ""))
    for _ in range(3):
        model._ask_save()
        until(lambda: not studio.working)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mine.pkl", "mine.yml"]

    before = studio.session.model
    opened = ["", str(tmp_path / "mine.pkl")]
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (opened.pop(0), ""))
    model._ask_load()
    assert studio.session.model is before
    model._ask_load()
    until(lambda: studio.session.model is not before)
    until(lambda: studio.session.status.trained == studio.session.revision)


def test_a_tab_that_is_chosen_before_there_is_a_session_is_brought_up_to_date(viewer):
    _, widget = viewer.window.add_plugin_dock_widget(DISTRIBUTION, "Stroma")
    until(lambda: widget.tabs.count() == 2)
    widget.tabs.setCurrentIndex(1)
    until(lambda: widget.panel.model.alias.findData("ilastik") >= 0)
    widget.close()
    until(lambda: not widget.panel.studio.working)


def test_the_model_tab_offers_what_is_here_and_explains_the_device(viewer, open_widget):
    panel = open_widget().panel
    model, session = panel.model, panel.studio.session
    panel.widget.tabs.setCurrentIndex(1)
    until(lambda: model.alias.findData("ilastik") >= 0 and "features" in model.alias.itemText(0))
    assert model.alias.currentData() == "gaussian"
    assert not model.device.isEnabled()
    assert "no network" in model.device.toolTip()
    assert model.device.currentData() == "cpu"
    session.set_params(fe_use_gpu="auto")
    until(lambda: model.device.currentData() == "auto")
    session.set_alias("stroma")
    until(lambda: model._fields["fe_scalings"].currentText() == "1 + 1")
    model._fields["crf"].setValue(0.5)
    assert session.settings.param.crf == 0.5
    session.set_params(crf=2.0)
    until(lambda: model._fields["crf"].value() == 2.0)
