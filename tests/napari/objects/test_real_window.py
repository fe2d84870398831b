"""The tab in a real window: keys on the canvas, and what a change of tab does."""

from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_scene import squares, until
from stroma.napari.objects.hand import Press


def test_keys_on_the_canvas_commit_what_is_proposed_and_another_tab_ends_the_tool(
    viewer, open_widget
):
    widget = open_widget()
    studio, tab = widget.panel.studio, widget.panel.objects
    viewer.add_image(squares(4)[0], name="squares")
    until(lambda: studio.bridge.image is not None)
    widget.tabs.setCurrentIndex(widget.tabs.indexOf(tab.widget))
    until(lambda: tab.chosen == "click" and viewer.layers.selection.active is tab.layers.objects)
    canvas = viewer.window._qt_viewer.canvas.native
    for number, place in enumerate([(16.0, 10.0), (13.0, 27.0)], 1):
        tab.clicks.done(Press((place,)))
        until(lambda: tab.clicks.draft.found is not None)
        QTest.keyClick(canvas, Qt.Key.Key_C)
        until(lambda count=number: len(tab.desk.numbers) == count)
        assert tab.desk.at(place) == number
    widget.tabs.setCurrentIndex(0)
    assert not tab.chosen
    assert tab.layers.objects.mouse_pan
