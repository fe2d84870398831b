import numpy as np
import pytest
from qtpy.QtWidgets import QPushButton

from napari_scene import two_halves, until
from stroma.io import write_image
from stroma.napari.tabs.help import show_help
from stroma.napari.tabs.help import text as help_text


@pytest.fixture
def panel(viewer, open_widget):
    """The tabs, over an image that is painted and segmented."""
    made = open_widget().panel
    session = made.studio.session
    viewer.add_image(two_halves(), name="halves")
    until(lambda: made.studio.bridge.image is not None)
    for x, label in ((20, 1), (80, 2)):
        session.paint("1", [(10, x), (40, x)], label=label, radius=3)
    until(lambda: session.result("1").values.all() and not session.status.busy)
    return made


def test_probabilities_of_all_classes_go_to_a_layer_and_saved_labels_come_back(
    panel, viewer, tmp_path
):
    panel.files.exchange.keep_probabilities()
    until(lambda: "probabilities_halves" in viewer.layers)
    found = viewer.layers["probabilities_halves"].data
    assert found.shape == (2, 64, 96)
    np.testing.assert_allclose(found.sum(axis=0), 1, atol=1e-3)
    result = panel.studio.session.result("1").values
    write_image(tmp_path / "saved.tif", result, axes="yx")
    panel.files.exchange.open(tmp_path / "saved.tif")
    until(lambda: "saved.tif" in viewer.layers)
    np.testing.assert_array_equal(viewer.layers["saved.tif"].data, result)


def test_the_model_learns_from_the_images_that_are_chosen(panel):
    panel.advanced._set_training("chosen")
    assert panel.studio.session.settings.chosen == ("1",)


def test_a_class_is_added_where_it_is_painted_and_help_tells_the_keys(panel):
    buttons = panel.home.widget.findChildren(QPushButton)
    [add] = [b for b in buttons if b.text() == "Add class"]
    add.click()
    layer = panel.studio.bridge.board.layer("strokes")
    assert (layer.selected_label, layer.mode) == (3, "paint")
    assert [c.label for c in panel.studio.session.classes] == [1, 2, 3]
    shown = show_help(panel.home.widget)
    assert "paint this class" in help_text()
    shown.close()


def test_components_of_a_whole_stack_are_one_layer(viewer, open_widget):
    widget = open_widget()
    studio, advanced = widget.panel.studio, widget.panel.advanced
    viewer.add_image(np.stack([two_halves()] * 3), name="stack", scale=(2, 1, 1))
    until(lambda: studio.bridge.image is not None)
    advanced.stack.setChecked(True)
    advanced.components.setValue(1)
    advanced.show_components()
    until(lambda: any("main components" in layer.name for layer in viewer.layers))
    [made] = [layer for layer in viewer.layers if "main components" in layer.name]
    assert made.data.shape == (3, 64, 96)
    assert made.scale.tolist() == [2, 1, 1]
