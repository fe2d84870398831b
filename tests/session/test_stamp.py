import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from stroma.blocks.box import Box
from stroma.errors import LabelError, ParameterError
from stroma.session import Session
from stroma.session.core.operations import from_json
from stroma.session.strokes import operations as ops
from stroma.session.strokes.drawing import brush
from stroma.session.strokes.drawing.brush import packed_mask, stamped
from stroma.session.strokes.painted import tiles

SHAPE = (200, 300)


@pytest.fixture
def desk():
    with Session(mode="paused") as made:
        made.add_image(np.zeros(SHAPE, np.uint8))
        yield made


@given(hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, max_side=20)))
def test_a_mask_comes_back_from_its_bits(mask):
    box = Box.of(mask.shape)
    [(found, pixels)] = stamped(packed_mask(mask), box, (50, 50))
    assert found == box
    np.testing.assert_array_equal(pixels, mask)


@given(hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, max_side=20)))
def test_a_mask_comes_back_a_few_rows_at_a_time(mask):
    box = Box(5, 6, 5 + mask.shape[0], 6 + mask.shape[1])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(brush, "BAND", (3, 3))
        parts = list(stamped(packed_mask(mask), box, (50, 50)))
    assert all(part.shape[0] <= 3 for part, _ in parts)
    np.testing.assert_array_equal(np.concatenate([pixels for _, pixels in parts]), mask)


def test_only_marked_pixels_get_the_label(desk):
    mask = np.eye(5, dtype=bool)
    desk.stamp("1", mask, corner=(126, 10), label=2)
    expected = np.zeros(SHAPE, int)
    expected[126:131, 10:15] = 2 * mask
    np.testing.assert_array_equal(desk.strokes("1"), expected)


def test_label_0_erases_and_undo_brings_back(desk):
    desk.stamp("1", np.ones((4, 4), bool), corner=(0, 0), label=1)
    desk.stamp("1", np.ones((2, 4), bool), corner=(0, 0), label=0)
    assert np.count_nonzero(desk.strokes("1")) == 8
    assert desk.undoable.kind == "erase"
    desk.undo()
    assert np.count_nonzero(desk.strokes("1")) == 16


def test_a_stroke_in_pieces_is_one_step_of_undo(desk):
    edit = desk.stamp("1", np.ones((1, 1), bool), corner=(0, 0), label=1)
    assert desk.stamp("1", np.ones((1, 1), bool), corner=(9, 9), label=2, continues=edit) == edit
    desk.undo()
    assert not desk.strokes("1").any()


def test_an_operation_comes_back_from_plain_values():
    given = ops.Stamp("1", 0, Box(1, 2, 3, 5), packed_mask(np.ones((2, 3), bool)), 7)
    assert from_json(given.to_json(), {kind.op: kind for kind in ops.OPERATIONS}) == given


def test_a_step_that_is_refused_half_way_changes_nothing(desk, monkeypatch):
    desk.paint("1", [(5, 5), (20, 90)], label=1)
    before, steps = desk.strokes("1"), len(desk.core.document.done)
    monkeypatch.setattr(brush, "BAND", (16, 300))  # of which the first fit
    monkeypatch.setattr(tiles, "MOST", 1200)
    with pytest.raises(ParameterError, match="Paint or erase fewer"):
        desk.stamp("1", np.tile([True, False], (100, 20)), corner=(0, 0), label=2)
    np.testing.assert_array_equal(desk.strokes("1"), before)
    assert len(desk.core.document.done) == steps
    assert desk.painted_pixels("1") == np.count_nonzero(before)


@pytest.mark.parametrize("corner", [(-1, 0), (198, 0), (0, 297)])
def test_a_mask_outside_the_image_is_refused(desk, corner):
    with pytest.raises(ParameterError, match="outside"):
        desk.stamp("1", np.ones((4, 4), bool), corner=corner, label=1)
    assert not desk.strokes("1").any()


def test_an_unknown_class_is_refused(desk):
    with pytest.raises(LabelError, match="no class with the label 3"):
        desk.stamp("1", np.ones((4, 4), bool), corner=(0, 0), label=3)


@pytest.mark.parametrize("bits", [b"no", zlib.compress(b""), zlib.compress(bytes(10_000_000))])
def test_a_mask_that_does_not_fit_its_box_is_refused(bits):
    with pytest.raises(ParameterError, match="A mask"):
        next(stamped(bits, Box(0, 0, 8, 8), SHAPE))


@given(st.binary(max_size=50))
def test_any_bytes_are_refused_or_understood(data):
    try:
        [(_, pixels)] = stamped(data, Box(0, 0, 8, 8), SHAPE)
    except ParameterError:
        return
    assert pixels.shape == (8, 8)
