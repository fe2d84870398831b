"""Strokes are whole numbers, and know their classes."""

import numpy as np
import pytest

from stroma.data.classes import Class
from stroma.data.strokes import Strokes, as_labels, named
from stroma.errors import LabelError, ShapeError


@pytest.mark.parametrize("dtype", ["float16", "bool", "uint8", "int64", "float32", "float64"])
def test_whole_numbers_of_any_type_become_labels(dtype):
    labels = as_labels(np.array([[0, 1]]).astype(dtype))
    assert labels.dtype == np.uint16
    assert labels.tolist() == [[0, 1]]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([0.0, 0.5], "whole numbers"),
        ([0, -1], "from -1 to 0"),
        ([0, 65536], "0 to 65536"),
        ([0, np.nan], "whole numbers"),
        ([0, np.inf], "inf"),
        ([0, 1j], "complex"),
    ],
)
def test_other_values_are_refused_not_cast(values, message):
    with pytest.raises(LabelError, match=message):
        as_labels(np.array(values))


def test_strokes_complete_their_classes():
    labels = np.array([[0, 300], [2, 2]], np.uint16)
    strokes = Strokes(labels, "yx", (Class(2, "cell"), Class(5, "unused")))
    assert [(c.label, c.name) for c in strokes.classes] == [
        (2, "cell"),
        (5, "unused"),
        (300, "class 300"),
    ]
    with pytest.raises(LabelError, match="uint16"):
        Strokes(labels.astype(int), "yx")
    with pytest.raises(ShapeError, match="do not fit"):
        Strokes(labels, "cyx")


def test_a_name_keeps_its_label_and_a_new_one_gets_the_next():
    known = (Class(1, "a"), Class(3, "b"))
    assert named("b", "", known) == (known[1], known)
    new, classes = named("c", "#112233", known)
    assert (new.label, new.color, len(classes)) == (2, "#112233", 3)
    assert named("class 7", "", known)[0].label == 7
    assert named("class 1", "", known)[0].label == 2
