"""A network is chosen in the tab of the model, and seen with."""

import numpy as np
import pytest
from qtpy.QtWidgets import QDialog
from tests.zoo.programs import refused, seeing

from napari_scene import until
from stroma.features import EXTRACTORS
from stroma.napari.tabs.network import WhichNetwork


@pytest.fixture
def model(viewer, open_widget, monkeypatch):
    """The tab, beside an image."""
    monkeypatch.setattr(EXTRACTORS, "_added", {})
    widget = open_widget()
    viewer.add_image(np.zeros((20, 20), np.uint8))
    until(lambda: widget.panel.studio.bridge is not None)
    return widget.panel.model


def choose(monkeypatch, path, answer=QDialog.DialogCode.Accepted):
    def exec_(dialog):
        dialog.source.setText(str(path))
        dialog.own.setChecked(False)
        return answer

    monkeypatch.setattr(WhichNetwork, "exec", exec_)


def test_a_network_is_chosen_and_shown_by_the_name_of_its_file(model, tmp_path, monkeypatch):
    pytest.importorskip("onnxruntime")
    package = seeing(tmp_path / "nuclei.zip")
    session = model._studio.session
    choose(monkeypatch, package, QDialog.DialogCode.Rejected)
    model._ask_network()
    assert not model._studio.working
    choose(monkeypatch, package)
    model._ask_network()
    until(lambda: model.extractor.currentText() == "Features of nuclei.zip")
    assert session.settings.param.fe_name.startswith("nuclei_")


def test_a_program_is_refused_and_said(model, tmp_path, monkeypatch):
    choose(monkeypatch, refused(tmp_path / "a.zip"))
    told, before = [], model._studio.session.settings.param
    monkeypatch.setattr(model._studio, "warn", told.append)
    model._ask_network()
    until(lambda: told)
    assert "It runs only from the command line and Python, and only if you trust" in told[0]
    assert model._studio.session.settings.param == before
