"""Networks are downloaded when the user agrees."""

import numpy as np
import pytest
from qtpy.QtWidgets import QMessageBox

from napari_scene import until
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
