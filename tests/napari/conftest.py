import gc
import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

pytest.importorskip("napari", reason="needs napari: pip install 'stroma-seg[napari]'")

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what napari and its dependencies use is not ours to mend
    from napari.components import ViewerModel

    from stroma.errors import DISTRIBUTION
    from stroma.napari.menus import commands
    from stroma.napari.studio.bridge import Bridge

from napari_scene import until
from stroma.session import Session

IGNORED = (
    "ignore::DeprecationWarning:napari",
    "ignore::DeprecationWarning:vispy",
    "ignore::FutureWarning:napari",
    "ignore:Conversion from CIE-LAB:UserWarning",
    "ignore::pydantic.warnings.PydanticDeprecatedSince20",
)
HERE = Path(__file__).parent
NO_DISPLAY = "needs a display: install Xvfb (apt-get install xvfb libxcb-cursor0) or set DISPLAY"


def pytest_collection_modifyitems(items):
    for item in items:
        if HERE in item.path.parents:
            for ignored in IGNORED:
                item.add_marker(pytest.mark.filterwarnings(ignored))


@pytest.fixture
def session():
    with Session("gaussian") as made:
        yield made


@pytest.fixture
def model_viewer():
    return ViewerModel()


@pytest.fixture
def bridge(model_viewer, session):
    made = Bridge(model_viewer, session)
    yield made
    made.close()


@pytest.fixture(scope="session")
def display():
    """A display; one of our own where there is none."""
    if os.environ.get("DISPLAY"):
        yield
        return
    if shutil.which("Xvfb") is None:
        pytest.skip(NO_DISPLAY)
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1400x1000x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    with os.fdopen(read) as answer:
        os.environ["DISPLAY"] = f":{answer.readline().strip()}"
    yield
    del os.environ["DISPLAY"]
    server.terminate()
    server.wait()


@pytest.fixture(scope="session")
def only_viewer(display):
    """One real viewer for all tests: making one takes seconds."""
    import napari

    made = napari.Viewer(show=False)
    gc.freeze()  # napari looks for garbage whenever a layer goes; what stays anyway is left out
    yield made
    made.close()


@pytest.fixture
def viewer(only_viewer, monkeypatch):
    """The viewer, empty; what goes wrong in one of Qt's calls fails the test."""
    from qtpy.QtWidgets import QApplication

    raised = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, error, trace: raised.append(error))
    yield only_viewer
    only_viewer.window.remove_dock_widget("all")
    only_viewer.layers.clear()
    QApplication.processEvents()
    if raised:
        raise raised[0]


@pytest.fixture
def open_widget(viewer):
    """Open the widget, and wait until its tabs are there."""
    widgets = []

    def opened():
        _, widget = viewer.window.add_plugin_dock_widget(DISTRIBUTION, "Stroma")
        widgets.append(widget)
        until(lambda: widget.panel is not None and widget.panel.studio.bridge is not None)
        widget.panel.studio.session.set_alias("gaussian")
        return widget

    yield opened
    for widget in widgets:
        widget.close()
        until(lambda: not commands.studio_of(viewer).working)
