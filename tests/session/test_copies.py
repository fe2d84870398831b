import numpy as np
import pytest
from tests.session.scene import settle

from stroma.data.classes import Class
from stroma.session.copies import copied_results, copied_strokes


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
