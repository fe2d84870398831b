"""Networks are downloaded when the user agrees."""

import numpy as np
import pytest
from qtpy.QtWidgets import QMessageBox

from napari_scene import until
from stroma.napari.tabs.survey import Survey
from stroma.pixel.choices import catalogue


@pytest.fixture
def fetched(monkeypatch):
    """What was fetched; before that it is missing."""
    names = []
    monkeypatch.setattr(catalogue, "status", lambda n: "here" if n in names else "missing")
    monkeypatch.setattr(catalogue, "fetch", lambda name, progress: names.append(name))
    return names


def answer(monkeypatch, button):
    asked = []

    def question(parent, title, text):
        asked.append(text)
        return button

    monkeypatch.setattr(QMessageBox, "question", question)
    return asked


@pytest.mark.parametrize("choose", ["_set_alias", "_set_extractor"])
def test_a_network_is_downloaded_only_when_the_user_agrees(
    choose, viewer, open_widget, fetched, monkeypatch
):
    pytest.importorskip("transformers")
    widget = open_widget()
    model, studio = widget.panel.model, widget.panel.studio
    viewer.add_image(np.zeros((20, 20), np.uint8))
    until(lambda: studio.bridge is not None)
    name = "vgg" if choose == "_set_alias" else "vgg16"
    before = studio.session.settings.param.fe_name
    asked = answer(monkeypatch, QMessageBox.StandardButton.No)
    getattr(model, choose)(name)
    assert "MB" in asked[0]
    assert "Licence" in asked[0]
    assert fetched == []
    assert studio.session.settings.param.fe_name == before
    answer(monkeypatch, QMessageBox.StandardButton.Yes)
    getattr(model, choose)(name)
    until(lambda: studio.session.settings.param.fe_name == "vgg16")
    assert fetched == ["vgg16"]


def test_deeper_layers_of_a_network_that_is_here_are_asked_for_again(
    viewer, open_widget, fetched, monkeypatch
):
    pytest.importorskip("transformers")
    from stroma.features.networks.cnn import VGG16

    shallow = [key for key in VGG16.layer_keys() if key.startswith("features.0 ")]
    monkeypatch.setattr(VGG16, "is_here", property(lambda made: list(made.layers) == shallow))
    deeper = []
    monkeypatch.setattr(VGG16, "fetch", lambda made, progress: deeper.append(made.layers))
    widget = open_widget()
    model, studio = widget.panel.model, widget.panel.studio
    viewer.add_image(np.zeros((20, 20), np.uint8))
    until(lambda: studio.bridge is not None)
    fetched.append("vgg16")
    model._set_extractor("vgg16")
    both = [*shallow, next(key for key in VGG16.layer_keys() if key.startswith("features.2 "))]
    model._known = Survey((), {"vgg16": VGG16.layer_keys()}, ("cpu",))
    model._show()

    def choose(layers):
        for i in range(model.layers.count()):
            if model.layers.item(i).text() in layers:
                model.layers.item(i).setSelected(True)

    asked = answer(monkeypatch, QMessageBox.StandardButton.No)
    choose(both)
    assert "vgg16: up to" in asked[0]
    assert studio.session.settings.param.fe_layers == shallow
    assert [item.text() for item in model.layers.selectedItems()] == shallow
    asked = answer(monkeypatch, QMessageBox.StandardButton.Yes)
    choose(both)
    until(lambda: studio.session.settings.param.fe_layers == both)
    assert deeper == [tuple(both)]
