"""Make the picture of objects in napari, docs/images/napari-objects.png.

Opens napari, clicks coins one by one and classes five of them, as the how-to page says. Needs a
display:

    xvfb-run -a -s "-screen 0 1400x1000x24" python docs/make_napari_objects_picture.py
"""

from __future__ import annotations

from typing import Any

import napari
from make_napari_screenshots import shot, spin, until
from qtpy.QtCore import QThreadPool
from skimage.data import coins

from stroma.errors import DISTRIBUTION
from stroma.napari.objects.hand import Press
from stroma.napari.objects.tools import CLICK, LABEL

Place = tuple[float, float]

LARGE: tuple[Place, ...] = ((259, 45), (260, 172), (263, 300), (263, 244))
SMALL: tuple[Place, ...] = ((196, 43), (197, 154), (265, 113), (193, 273), (267, 358), (195, 101))
NEXT: Place = (119, 270)
"""The one that is proposed."""


def main() -> None:
    """Write the picture."""
    viewer = napari.Viewer(show=True)
    viewer.window.resize(1400, 900)
    viewer.add_image(coins(), name="coins")
    _, widget = viewer.window.add_plugin_dock_widget(DISTRIBUTION, "Stroma")
    until(lambda: widget.panel is not None and widget.panel.studio.bridge is not None)
    until(lambda: widget.panel.studio.bridge.image is not None)
    tab = widget.panel.objects
    widget.tabs.setCurrentIndex(widget.tabs.indexOf(tab.widget))
    spin(1)
    viewer.reset_view()
    click_all(tab)
    class_some(tab)
    tab.take(CLICK)
    propose(tab, NEXT)
    spin(1)
    shot(viewer, "napari-objects")
    widget.close()
    until(lambda: not widget.panel.studio.working)
    viewer.close()
    QThreadPool.globalInstance().waitForDone()


def propose(tab: Any, at: Place) -> None:
    """Click, and wait for what is proposed."""
    tab.clicks.done(Press((at,)))
    until(lambda: tab.clicks.draft.found is not None)


def click_all(tab: Any) -> None:
    """Click coins, and commit each."""
    for count, at in enumerate((*LARGE, *SMALL), 1):
        propose(tab, at)
        tab.clicks.commit()
        until(lambda wanted=count: len(tab.desk.numbers) == wanted)


def class_some(tab: Any) -> None:
    """Name two classes, and give them to two and three coins: the others follow."""
    session = tab.desk.studio.session
    tab.take(LABEL)
    named = (("large", LARGE[:2]), ("small", SMALL[:3]))
    for one, (name, places) in zip(session.object_classes, named, strict=True):
        session.change_object_class(one.label, name=name)
        tab.desk.choose_class(one.label)
        for at in places:
            tab.desk.toggle(at)
            until(lambda: not tab.desk.errands.busy)
    until(lambda: "class" in (tab.desk.table or {}) and bool((tab.desk.classes() > 0).all()))


if __name__ == "__main__":
    main()
