"""Servers that a project of somebody else names are asked when the user agrees, and not before."""

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from qtpy.QtWidgets import QMessageBox

from napari_scene import two_halves, until
from stroma.io import write_image
from stroma.session import Session
from stroma.session.recent import is_known


class Quiet(SimpleHTTPRequestHandler):
    def send_head(self):
        self.server.asked.append(self.path)
        return super().send_head()

    def log_message(self, *words):
        """Say nothing."""


@pytest.fixture
def server(tmp_path):
    (tmp_path / "web").mkdir()
    write_image(tmp_path / "web" / "cells.zarr", two_halves(), axes="yx")
    handler = partial(Quiet, directory=str(tmp_path / "web"))
    made = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    made.asked = []
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.fixture
def project(server, tmp_path, monkeypatch):
    """A project of an image that lies on the server, which was never opened here."""
    monkeypatch.setenv("STROMA_CACHE", str(tmp_path / "cache"))
    with Session.create(tmp_path / "theirs.stroma", mode="demand") as session:
        session.add_image(f"http://127.0.0.1:{server.server_port}/cells.zarr")
    server.asked.clear()
    return tmp_path / "theirs.stroma"


def opened(widget, project, answer, monkeypatch):
    """Open a project, and return what the user was asked meanwhile."""
    said = []
    monkeypatch.setattr(QMessageBox, "question", lambda *words: (said.append(words[-1]), answer)[1])
    widget.panel.files.open(project)
    until(lambda: said and not widget.panel.studio.working)
    return said


def test_a_server_is_not_asked_where_the_user_does_not_agree(
    open_widget, project, server, monkeypatch
):
    widget = open_widget()
    [said] = opened(widget, project, QMessageBox.StandardButton.No, monkeypatch)
    assert f"127.0.0.1:{server.server_port}/cells.zarr" in said
    assert server.asked == []
    assert widget.panel.studio.session.images[0].missing
    assert not is_known(project)


def test_images_on_a_server_are_shown_once_the_user_agrees(
    open_widget, project, server, viewer, monkeypatch
):
    widget = open_widget()
    opened(widget, project, QMessageBox.StandardButton.Yes, monkeypatch)
    until(lambda: not widget.panel.studio.session.images[0].missing)
    until(lambda: any(np.asarray(layer.data).max() > 100 for layer in viewer.layers))
    assert server.asked
    assert is_known(project)
