import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stroma.data.classes import Class
from stroma.errors import LabelError, ParameterError, UnknownNameError
from stroma.session.core.disk.snapshot import read, to_json
from stroma.session.core.document import Document
from stroma.session.core.operations import AddImage, Redo, Undo, from_json
from stroma.session.strokes.bench import Strokes
from stroma.session.strokes.operations import (
    Clear,
    Fill,
    Import,
    Paint,
    RemoveClass,
    SetClass,
    SetClasses,
)
from stroma.session.strokes.painted.tiles import StrokeTiles

SHAPE = (150, 300)  # more than one tile along each axis

coordinate = st.tuples(st.integers(-20, 170), st.integers(-20, 320))
plane = st.integers(0, 1)
edits = st.one_of(
    st.builds(
        Paint,
        st.just("1"),
        plane,
        st.lists(coordinate, min_size=1, max_size=3).map(tuple),
        st.sampled_from([0, 2, 30]),
        st.integers(0, 2),
    ),
    st.builds(
        Fill,
        st.just("1"),
        plane,
        st.lists(coordinate, min_size=3, max_size=4).map(tuple),
        st.integers(0, 2),
    ),
    st.builds(Clear, st.just("1"), st.sampled_from([None, 0]), st.sampled_from([None, 1])),
    st.builds(SetClass, st.integers(1, 4), st.just("name"), st.just("#123456")),
    st.builds(SetClasses, st.sampled_from([(), (Class(2, "x"), Class(5))])),
)
steps = st.lists(st.one_of(edits, st.just(Undo()), st.just(Redo())), max_size=14)


def blank():
    document = Document(Strokes())
    document.apply(AddImage("1", "cells", {"z": 2, "y": SHAPE[0], "x": SHAPE[1]}))
    return document


def state(document):
    labels = [document.benches["strokes"].tiles["1"].read(p, whole()) for p in (0, 1)]
    return np.stack(labels), document.benches["strokes"].classes


def whole():
    from stroma.blocks.box import Box

    return Box.of(SHAPE)


def run(operations):
    document = blank()
    for operation in operations:
        document.apply(operation)
    return document


def kept(given):
    """Return the edits that a plain list with a cursor says are in force."""
    done, undone, seen = [], [], blank()
    applied = []
    for step in given:
        if isinstance(step, Undo):
            if not done:
                continue
            undone.append(done.pop())
        elif isinstance(step, Redo):
            if not undone:
                continue
            done.append(undone.pop())
        else:
            before = len(seen.done)
            changed = bool(seen.apply(step))
            assert changed == (len(seen.done) != before)
            if not changed:
                continue
            done.append(step)
            undone.clear()
            applied.append(step)
            continue
        applied.append(step)
        seen.apply(step)
    return done, applied


@settings(max_examples=60, deadline=None)
@given(steps)
def test_undo_and_redo_give_what_painting_the_remaining_edits_afresh_gives(given_steps):
    remaining, applied = kept(given_steps)
    labels, classes = state(run(applied))
    fresh_labels, fresh_classes = state(run(remaining))
    np.testing.assert_array_equal(labels, fresh_labels)
    assert classes == fresh_classes


@settings(max_examples=30, deadline=None)
@given(steps)
def test_a_document_comes_back_from_a_snapshot_and_from_its_operations(given_steps):
    _, applied = kept(given_steps)
    document = run(applied)
    again = read(to_json(document), Document(Strokes()))
    replayed = run(from_json(step.to_json(), blank().operations) for step in applied)
    for other in (again, replayed):
        np.testing.assert_array_equal(state(document)[0], state(other)[0])
        assert document.benches["strokes"].classes == other.benches["strokes"].classes
        assert [e.number for e in document.done] == [e.number for e in other.done]
        while other.done:
            other.apply(Undo())
        assert not state(other)[0].any()


def test_pieces_of_one_stroke_are_undone_together():
    document = blank()
    document.apply(Paint("1", 0, ((5, 5),), 2, 1))
    first = document.last_edit
    document.apply(Paint("1", 0, ((5, 5), (90, 250)), 2, 1, continues=first))
    assert document.last_edit == first
    document.apply(Undo())
    assert not state(document)[0].any()
    document.apply(Redo())
    assert state(document)[0][0, 90, 249] == 1


def test_after_a_new_stroke_nothing_is_left_to_redo():
    document = run([Paint("1", 0, ((5, 5),), 2, 1), Undo(), Paint("1", 0, ((50, 50),), 2, 1)])
    with pytest.raises(ParameterError, match="nothing to redo"):
        document.apply(Redo())


def test_removing_a_class_erases_its_strokes_and_undo_brings_both_back():
    document = run([Paint("1", 0, ((5, 5),), 3, 1), Paint("1", 1, ((5, 5),), 3, 2)])
    before, classes = state(document)
    document.apply(RemoveClass(1))
    assert np.unique(state(document)[0]).tolist() == [0, 2]
    assert list(document.benches["strokes"].classes) == [2]
    document.apply(Undo())
    np.testing.assert_array_equal(state(document)[0], before)
    assert document.benches["strokes"].classes == classes


def test_imported_labels_lie_over_strokes_or_replace_them():
    labels = np.zeros((2, *SHAPE), np.uint16)
    labels[1, 140:, 290:] = 40
    tiles = tuple(StrokeTiles.of(labels, SHAPE).packed())
    document = run([Paint("1", 0, ((5, 5),), 3, 1), Import("1", tiles)])
    assert np.unique(state(document)[0]).tolist() == [0, 1, 40]
    assert 40 in document.benches["strokes"].classes
    document.apply(Import("1", tiles, replace=True))
    np.testing.assert_array_equal(state(document)[0], labels)


@pytest.mark.parametrize(
    ("operation", "error", "match"),
    [
        (lambda: Paint("1", 0, ((1, 1),), 2, 7), LabelError, "no class with the label 7"),
        (lambda: Paint("9", 0, ((1, 1),), 2, 1), UnknownNameError, "no image '9'"),
        (lambda: Paint("1", 9999, ((1, 1),), 2, 1), ParameterError, "planes, got number 9999"),
        (lambda: Paint("1", 0, ((1, float("nan")),), 2, 1), ParameterError, "coordinate"),
        (lambda: Paint("1", 0, ((1, 1),), 1e9, 1), ParameterError, "radius"),
        (lambda: Fill("1", 0, ((1, 1), (2, 2)), 1), ParameterError, "3 to"),
        (lambda: Import("1", (((0, 9, 0), b"xx"),)), ParameterError, "import has"),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(operation, error, match):
    document = run([Paint("1", 0, ((5, 5),), 3, 1)])
    before = state(document)
    with pytest.raises(error, match=match):
        document.apply(operation())
    np.testing.assert_array_equal(state(document)[0], before[0])
    assert len(document.done) == 1


def test_a_few_strokes_on_a_huge_image_take_little_memory():
    document = Document(Strokes())
    document.apply(AddImage("1", "slide", {"y": 100_000, "x": 100_000}))
    document.apply(Paint("1", 0, ((90_000, 99_000), (90_100, 99_500)), 5, 1))
    assert document.benches["strokes"].tiles["1"].nbytes < 1_000_000
    assert len(document.benches["strokes"].tiles["1"].points().label) > 4000


def test_classes_and_strokes_of_one_step_are_undone_together():
    document = blank()
    before = state(document)
    document.apply(SetClasses((Class(3),)))
    document.apply(Paint("1", 0, ((9, 9),), 2, 3, continues=1))
    document.apply(SetClasses((Class(4),), continues=1))
    after = state(document)
    assert len(document.done) == 1
    document.apply(Undo())
    np.testing.assert_array_equal(state(document)[0], before[0])
    assert state(document)[1] == before[1]
    document.apply(Redo())
    np.testing.assert_array_equal(state(document)[0], after[0])
    assert state(document)[1] == after[1]
    assert set(after[1]) == {1, 2, 3, 4}
