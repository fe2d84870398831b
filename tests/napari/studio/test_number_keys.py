import numpy as np

from napari_scene import two_halves


def test_number_keys_choose_a_class_and_paint_with_it(bridge):
    from napari.utils.key_bindings import KeymapHandler

    bridge.paint_on([bridge.viewer.add_image(two_halves())], "yx")
    keys, layer = KeymapHandler(), bridge.board.layer("strokes")
    keys.keymap_providers = [layer]
    layer.mode = "pan_zoom"
    keys.press_key("2")
    assert (layer.selected_label, layer.mode) == (2, "paint")
    keys.press_key("9")
    assert layer.selected_label == 2


def test_probabilities_of_all_classes_are_one_layer_that_lies_over_the_image(bridge):
    scale = (3, 2, 2)
    layer = bridge.viewer.add_image(np.stack([two_halves()] * 2), scale=scale, translate=(1, 2, 3))
    bridge.paint_on([layer], "zyx")
    made = bridge.board.keep_probabilities(np.zeros((2, 2, 64, 96), np.float32), "probabilities")
    assert made.scale.tolist() == [1, *scale]
    assert made.translate.tolist() == [0, 1, 2, 3]
    assert made.metadata["classes"] == ["background", "foreground"]
    assert bridge.gaze.plane() == {"z": 0}
