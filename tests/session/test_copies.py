import numpy as np
import pytest
from tests.session.scene import settle

from stroma.data.classes import Class
from stroma.errors import ShapeError
from stroma.io import write_image
from stroma.session.copies import (
    copied_probabilities,
    copied_results,
    copied_strokes,
    saved_labels,
)


@pytest.mark.parametrize("label", [3, 300])
def test_copies_hold_every_label_also_of_a_class_that_was_removed(session, halves, label):
    key = session.add_image(np.stack([halves] * 2))
    session.set_classes([Class(label)])
    session.paint(key, [(10, 10), (40, 12)], label=1, plane={"z": 1})
    session.paint(key, [(10, 80), (40, 82)], label=label, plane={"z": 1})
    settle(session)
    strokes = copied_strokes(session, key)
    assert strokes.dtype == (np.uint8 if label < 256 else np.uint16)
    assert np.unique(strokes[0]).tolist() == [0]
    assert np.unique(strokes[1]).tolist() == [0, 1, label]
    session.set_mode("paused")
    session.remove_class(label)
    results = copied_results(session, key)
    np.testing.assert_array_equal(results[1], session.result(key, plane={"z": 1}).values)
    assert not copied_strokes(session, key)[1, :, 60:].any()


def test_probabilities_of_all_classes_are_copied_one_after_the_other(session, halves):
    key = session.add_image(np.stack([halves] * 2))
    for x, label in ((10, 1), (80, 2)):
        session.paint(key, [(10, x), (40, x + 2)], label=label, plane={"z": 1})
    settle(session)
    session.look(key, plane={"z": 1})
    settle(session)
    copied = copied_probabilities(session, key)
    assert copied.shape == (2, 2, *halves.shape)
    np.testing.assert_allclose(copied[:, 1].sum(axis=0), 1, atol=1e-3)
    np.testing.assert_array_equal(
        copied[1, 1], session.result(key, plane={"z": 1}, layer="probability", label=2).values
    )


def test_saved_labels_come_back_with_the_axes_of_the_image(tmp_path):
    labels = np.arange(12, dtype=np.uint8).reshape(1, 3, 4)
    write_image(tmp_path / "a_labels.tif", labels[0], axes="yx")
    np.testing.assert_array_equal(saved_labels(tmp_path / "a_labels.tif", (1, 3, 4)), labels)
    with pytest.raises(ShapeError, match=r"a_labels.tif has 3 x 4 pixels, the image 3 x 5"):
        saved_labels(tmp_path / "a_labels.tif", (3, 5))
