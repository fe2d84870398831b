"""Painted labels: what is held of them, and what is learnt from large areas."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stroma.blocks.box import Box
from stroma.pixel.door import thinned
from stroma.session.core import packs
from stroma.session.core.packs import TILE
from stroma.session.strokes.tiles import StrokeTiles

SHAPE = (400, 500)


def painted() -> StrokeTiles:
    labels = np.zeros((2, *SHAPE), np.uint16)
    labels[0, :300, :400] = 1
    labels[1, 100:300, 50:450] = 300
    labels[:, 350:353] = 3
    return StrokeTiles.of(labels, SHAPE)


def filled(tiles: StrokeTiles, box: Box, label: int) -> None:
    def change(part: Box, labels: np.ndarray) -> None:
        labels[...] = label

    tiles.draw(0, box, change)


@pytest.mark.parametrize("cap", [1, 100, 3000, 50_000, 10**6])
def test_thinned_tile_by_tile_equals_thinned_at_once(cap: int) -> None:
    tiles = painted()
    for found, expected in zip(tiles.points(cap=cap), thinned(tiles.points(), cap), strict=True):
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == expected.dtype


def test_few_pixels_of_a_large_area_are_held_at_a_time(monkeypatch) -> None:
    tiles, held = StrokeTiles(1, (4096, 4096)), []
    filled(tiles, Box.of((4096, 4096)), 1)
    monkeypatch.setattr(
        "stroma.session.strokes.tiles.ranks",
        lambda points: held.append(len(points.label)) or np.arange(len(points.label), dtype="u8"),
    )
    assert len(tiles.points(cap=500).label) == 500
    assert max(held) <= 2 * 500 + 2 * TILE * TILE


def test_a_copy_stays_as_it_was() -> None:
    tiles = painted()
    before, copy = tiles.read(0, Box.of(SHAPE)), tiles.copy()
    filled(tiles, Box(0, 0, 200, 200), 7)
    filled(tiles, Box(300, 0, 400, 500), 0)
    np.testing.assert_array_equal(copy.read(0, Box.of(SHAPE)), before)
    assert copy.labels() == {1, 3, 300}
    assert tiles.labels() == {1, 3, 7, 300}


def test_tiles_that_were_not_changed_lately_are_kept_compressed(monkeypatch) -> None:
    plain = painted()
    monkeypatch.setattr(packs, "OPEN", 2)
    few = painted()
    assert few.nbytes < 4 * TILE * TILE * 2 < plain.nbytes
    again = StrokeTiles(2, SHAPE)
    for key, data in few.packed():
        again.put(key, data)
    assert again.nbytes < 4 * TILE * TILE * 2
    for tiles in (few, again):
        filled(tiles, Box(50, 50, 150, 350), 5)
    filled(plain, Box(50, 50, 150, 350), 5)
    for tiles in (few, again):
        assert tiles.count() == plain.count()
        assert tiles.labels() == plain.labels()
        assert tiles.painted_planes() == [0, 1]
        for plane in range(2):
            whole = Box.of(SHAPE)
            np.testing.assert_array_equal(tiles.read(plane, whole), plain.read(plane, whole))
    filled(few, Box.of(SHAPE), 0)
    assert few.painted_planes() == [1]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 170),
            st.integers(0, 170),
            st.integers(1, 90),
            st.integers(1, 90),
            st.integers(0, 3),
            st.integers(0, 9),
        ),
        min_size=1,
        max_size=6,
    ),
    st.booleans(),
)
def test_marking_is_drawing_tile_by_tile(steps, few) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packs, "OPEN", 1 if few else packs.OPEN)
        marked_as_drawn(steps)


def marked_as_drawn(steps) -> None:
    """Check that marking and drawing give the same, also where tiles are kept compressed."""
    marked, plain = StrokeTiles(1, (200, 190)), StrokeTiles(1, (200, 190))
    for top, left, height, width, label, seed in steps:
        box = Box(top, left, top + height, left + width)
        mask = np.random.default_rng(seed).random(box.shape) < 0.1 * seed

        def change(part, labels, box=box, mask=mask, label=label):
            labels[mask[part.relative(box).slices]] = label

        assert marked.mark(0, box, mask, label) == plain.draw(0, box, change)
    assert marked.packed() == plain.packed()
    copy, again = marked.copy(), StrokeTiles(1, (200, 190))
    for key, data in copy.packed():
        again.put(key, data)
    values = marked.read(0, Box.of((200, 190)))
    for other in (copy, again):
        np.testing.assert_array_equal(other.read(0, Box.of((200, 190))), values)
        assert other.count() == (values != 0).sum()
    values = marked.read(0, Box.of((200, 190)))
    assert marked.labels() == set(np.unique(values).tolist()) - {0}
    assert marked.count() == (values != 0).sum()
