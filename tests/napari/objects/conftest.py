"""A tab of objects without a window: what is asked for is done at once."""

from types import SimpleNamespace

import numpy as np
import pytest
from napari.utils._proxies import ReadOnlyWrapper
from napari.utils.interactions import (
    mouse_move_callbacks,
    mouse_press_callbacks,
    mouse_release_callbacks,
)
from napari.utils.key_bindings import KeymapHandler
from psygnal import Signal

from napari_scene import settle, squares
from stroma.errors import StromaError


class Quiet:
    """What a studio is for the tab; errors are kept, and work is done before it returns."""

    replaced = Signal()
    told = Signal(object)
    chosen = Signal()
    shown = Signal()
    watched = Signal()

    def __init__(self, viewer):
        self.viewer, self.bridge = viewer, None
        self.said, self.errors = [], []

    def take(self, bridge):
        self.bridge = bridge
        for name in ("told", "chosen", "shown"):
            getattr(bridge, name).connect(getattr(self, name).emit)
        bridge.gaze.looked.connect(self.watched.emit)
        self.replaced.emit()

    @property
    def session(self):
        return self.bridge.session

    def image_and_plane(self):
        return self.bridge.image, self.bridge.gaze.plane()

    def call(self, what, function, then=None, failed=None):
        try:
            found = function()
        except StromaError as error:
            self.errors.append(str(error))
            if failed is not None:
                failed()
            return
        if then is not None:
            then(found)
        self.settle()

    def do(self, begin, then):
        self.call("", lambda: begin().result(), then)

    def attempt(self, function):
        try:
            return function()
        except StromaError as error:
            self.errors.append(str(error))

    def tell(self, message):
        self.said.append(message)

    warn = tell

    def say(self, error):
        self.errors.append(str(error))

    def settle(self):
        """Let the session come to rest, and show that."""
        settle(self.bridge)
        self.bridge.gaze.look()
        settle(self.bridge)
        self.watched.emit()


class Pointer:
    """Presses buttons on the layer of objects, at places of the image (row, column)."""

    def __init__(self, tab):
        self.tab = tab

    def click(self, *at, **keys):
        self.drag([at], **keys)

    def drag(self, places, *, button=1, keys=()):
        layer = self.tab.layers.objects
        event = SimpleNamespace(
            button=button,
            modifiers=keys,
            dims_displayed=[0, 1],
            handled=False,
            is_dragging=True,
            type="mouse_press",
        )

        def at(place, kind):
            before = layer.data_to_world(np.zeros(layer.ndim))[:-2]
            world = layer.data_to_world((*before, *(v - 0.5 for v in place)))
            event.type, event.position, event.pos = kind, world, np.array(place[::-1]) * 8
            return ReadOnlyWrapper(event, exceptions=("handled",))

        mouse_press_callbacks(layer, at(places[0], "mouse_press"))
        for place in places[1:]:
            mouse_move_callbacks(layer, at(place, "mouse_move"))
        mouse_release_callbacks(layer, at(places[-1], "mouse_release"))
        self.tab._studio.settle()


@pytest.fixture
def studio(model_viewer):
    return Quiet(model_viewer)


@pytest.fixture(scope="session")
def application(display):
    """What widgets need; held, or Qt would be gone."""
    from qtpy.QtWidgets import QApplication

    return QApplication.instance() or QApplication([])


@pytest.fixture
def tab(application, studio, bridge):
    """The tab over an image of squares."""
    from stroma.napari.objects.tab import Objects

    made = Objects(studio)
    studio.take(bridge)
    image, _ = squares()
    bridge.hide("segmentation")  # nothing is looked at there
    bridge.paint_on([bridge.viewer.add_image(image, name="squares")], "yx")
    yield made
    made.close()
    made.widget.deleteLater()
    application.processEvents()


@pytest.fixture
def labelled(tab, studio):
    """The tab over squares that are objects."""
    studio.session.set_objects("1", squares()[1])
    studio.settle()
    tab.show()
    return tab


@pytest.fixture
def pointer(tab):
    return Pointer(tab)


@pytest.fixture
def press(tab, studio):
    """Press a key on the layer of objects."""

    def pressed(key):
        keys = KeymapHandler()
        keys.keymap_providers = [tab.layers.objects]
        keys.press_key(key)
        studio.settle()

    return pressed
