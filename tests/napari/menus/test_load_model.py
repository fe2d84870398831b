import numpy as np
import pytest
from napari.utils.notifications import notification_manager

import stroma
from napari_scene import two_halves, until
from random_network import random_network
from stroma import ConvpaintModel
from stroma.data.classes import Class
from stroma.errors import DISTRIBUTION
from stroma.napari.menus import commands


@pytest.fixture
def saved(tmp_path):
    """A model that calls the dark half 3, "glass", in red."""
    labels = np.zeros((64, 96), np.uint8)
    labels[5:40, 5:10], labels[5:40, 80:85] = 3, 2
    model = ConvpaintModel("gaussian")
    model.train(two_halves(), labels)
    model.classes = [Class(3, "glass", "#ff0000")]
    model.save(tmp_path / "glass.pkl", create_yml=False)
    return tmp_path / "glass.pkl"


def shown(studio):
    layer = studio.bridge.board.layer("segmentation")
    return np.asarray(layer._slice.image.raw) if layer is not None else np.zeros((1, 1))


def test_a_model_answers_on_the_strokes_and_images_that_are_there(viewer, open_widget, saved):
    widget = open_widget()
    studio = widget.panel.studio
    viewer.add_image(two_halves(), name="mine")
    until(lambda: studio.bridge.image is not None)
    session = studio.session
    studio.bridge.board.layer("strokes").paint((10, 20), 1)
    strokes = session.strokes("1")
    widget.panel.model.load(saved)
    until(lambda: (shown(studio)[:, :40] == 3).all())
    assert studio.session is session
    np.testing.assert_array_equal(session.strokes("1"), strokes)
    palette = [button.text() for button in widget.panel.home._classes.buttons()]
    assert "glass" in palette
    layer = studio.bridge.board.layer("segmentation")
    np.testing.assert_allclose(layer.get_color(3)[:3], (1, 0, 0))
    until(lambda: "; trained." in widget.panel.model.about.text())


def test_a_network_is_shown_and_said_to_be_one(viewer, open_widget, tmp_path):
    network = random_network(labels=(0, 1, 3))
    path = network.save(tmp_path / "cells.safetensors")
    widget = open_widget()
    studio = widget.panel.studio
    viewer.add_image(two_halves(), name="mine")
    until(lambda: studio.bridge.image is not None)
    widget.panel.model.load(path)
    wanted = network.segment(two_halves())
    until(lambda: shown(studio).shape == wanted.shape and (shown(studio) == wanted).all())
    until(lambda: "A trained network" in widget.panel.model.about.text())
    widget.panel.model.save(tmp_path / "again.safetensors")
    until(lambda: not studio.working)
    assert stroma.load(tmp_path / "again.safetensors").fingerprint() == network.fingerprint()


def test_a_model_that_does_not_fit_is_refused_in_words_and_nothing_is_lost(
    viewer, open_widget, saved
):
    widget = open_widget()
    studio = widget.panel.studio
    viewer.add_image(np.stack([two_halves()] * 3, -1), rgb=True, name="colours")
    until(lambda: studio.bridge.image is not None)
    studio.bridge.board.layer("strokes").paint((10, 20), 1)
    before = studio.session.settings, studio.session.strokes("1").sum()
    widget.panel.model.load(saved)
    until(lambda: not studio.working)
    assert "The model was not taken" in notification_manager.records[-1].message
    assert (studio.session.settings, studio.session.strokes("1").sum()) == before


def test_a_model_dropped_into_an_empty_viewer_opens_the_widget_with_it(viewer, saved):
    viewer.open(saved, plugin=DISTRIBUTION)
    studio = commands.studio_of(viewer)
    until(lambda: studio.bridge is not None and studio.session.status.trained >= 0)
    viewer.add_image(two_halves())
    until(lambda: studio.bridge.image is not None and (shown(studio)[:, :40] == 3).all())
    studio.close()
