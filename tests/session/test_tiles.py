"""Painted labels: what is held of them, what is written, and what is learnt from large areas."""

import base64
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stroma.blocks.box import Box
from stroma.errors import ParameterError
from stroma.pixel.door import thinned
from stroma.session.core.packs import TILE, packed
from stroma.session.strokes.drawing.runs import of_boxes, of_mask
from stroma.session.strokes.painted import packing
from stroma.session.strokes.painted import tiles as held_tiles
from stroma.session.strokes.painted.packing import (
    delta_to_json,
    layer_to_json,
    read_delta,
    read_layers,
    read_parts,
    read_tiles,
)
from stroma.session.strokes.painted.tiles import StrokeTiles

SHAPE = (400, 500)
WHOLE = Box.of(SHAPE)


def labelled() -> np.ndarray:
    labels = np.zeros((2, *SHAPE), np.uint16)
    labels[0, :300, :400] = 1
    labels[1, 100:300, 50:450] = 300
    labels[:, 350:353] = 3
    return labels


def painted() -> StrokeTiles:
    return StrokeTiles.of(labelled(), SHAPE)


def fill(tiles: StrokeTiles, box: Box, label: int) -> None:
    runs, _ = of_boxes([box])
    tiles.mark(0, runs, label)


@pytest.mark.parametrize("cap", [1, 100, 3000, 50_000, 10**6])
def test_thinned_some_tiles_at_a_time_equals_thinned_at_once(cap: int) -> None:
    tiles = painted()
    for found, expected in zip(tiles.points(cap=cap), thinned(tiles.points(), cap), strict=True):
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == expected.dtype


def test_points_are_the_labelled_pixels_tile_by_tile() -> None:
    plane, yx, label = painted().points()
    seen = np.zeros((2, *SHAPE), np.uint16)
    seen[plane, *yx.T] = label
    np.testing.assert_array_equal(seen, labelled())
    assert len(label) == np.count_nonzero(labelled())
    (y, x), tile = yx.T, yx.T // TILE
    order = np.lexsort((x, y, tile[1], tile[0], plane))
    np.testing.assert_array_equal(order, np.arange(len(label)))


def test_few_pixels_of_a_large_area_are_held_at_a_time(monkeypatch) -> None:
    tiles, held = StrokeTiles(1, (4096, 4096)), []
    fill(tiles, Box.of((4096, 4096)), 1)
    monkeypatch.setattr(
        "stroma.session.strokes.painted.sampling.ranks",
        lambda points: held.append(len(points.label)) or np.arange(len(points.label), dtype="u8"),
    )
    assert len(tiles.points(cap=500).label) == 500
    assert max(held) <= 2 * 500 + 2 * TILE * TILE


def test_a_copy_stays_as_it_was() -> None:
    tiles = painted()
    before, copy = tiles.read(0, WHOLE), tiles.copy()
    fill(tiles, Box(0, 0, 200, 200), 7)
    fill(tiles, Box(300, 0, 400, 500), 0)
    np.testing.assert_array_equal(copy.read(0, WHOLE), before)
    assert copy.labels() == {1, 3, 300}
    assert tiles.labels() == {1, 3, 7, 300}


def test_strokes_take_the_memory_of_their_rows() -> None:
    tiles = StrokeTiles(1, (20_000, 20_000))
    fill(tiles, Box.of((20_000, 20_000)), 1)
    assert tiles.count() == 20_000**2
    assert tiles.nbytes < 2e6  # 24,649 tiles, each one run
    lines = StrokeTiles(1, (20_000, 20_000))
    fill(lines, Box(0, 300, 20_000, 304), 1)
    assert lines.nbytes < 4 * 20_000 * 2


def test_more_runs_than_an_image_may_hold_are_refused_and_change_nothing(monkeypatch) -> None:
    monkeypatch.setattr(held_tiles, "MOST", 200)
    tiles = StrokeTiles(1, SHAPE)
    fill(tiles, Box(0, 10, 90, 12), 1)
    with pytest.raises(ParameterError, match="erase fewer"):
        fill(tiles, Box(0, 20, 90, 22), 2)
    assert tiles.labels() == {1}
    assert tiles.count() == np.count_nonzero(tiles.read(0, WHOLE)) == 180


def test_what_was_erased_pixel_by_pixel_can_be_opened_again(monkeypatch) -> None:
    for module in (held_tiles, packing):
        monkeypatch.setattr(module, "MOST", 600)
    tiles = StrokeTiles(1, SHAPE)
    fill(tiles, Box(0, 0, 128, 128), 1)
    odd = np.nonzero(np.indices((128, 128)).sum(axis=0) % 2)
    kept = 1
    for some in np.array_split(np.arange(len(odd[0])), 8):
        row, column = (axis[some] for axis in odd)
        try:
            tiles.mark(0, (row, column, column + 1), 0)
        except ParameterError:
            break
        kept += 1
    assert 1 < kept < 9
    again = StrokeTiles(1, SHAPE)
    read_layers(layer_to_json(tiles.layer()), again)
    np.testing.assert_array_equal(again.read(0, WHOLE), tiles.read(0, WHOLE))
    tiles.erase([(0, Box(0, 0, 128, 128))])
    assert not tiles.count()


step = st.tuples(
    st.tuples(st.integers(0, 170), st.integers(0, 170), st.integers(1, 90), st.integers(1, 90)),
    st.integers(0, 3),
    st.integers(0, 9),
    st.sampled_from([None, None, 1, 2]),
    st.integers(0, 1),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(step, min_size=1, max_size=6))
def test_marking_is_painting_an_array(steps) -> None:
    tiles, plain = StrokeTiles(2, (200, 190)), np.zeros((2, 200, 190), np.uint16)
    states, deltas = [plain.copy()], []
    for (top, left, height, width), label, seed, only, plane in steps:
        box = Box(top, left, top + height, left + width).clipped(Box.of((200, 190)))
        mask = np.random.default_rng(seed).random(box.shape) < 0.11 * seed
        part = plain[plane][box.slices]
        part[mask & ((part == only) if only else True)] = label
        deltas.append(tiles.mark(plane, of_mask(box, mask), label, only=only))
        states.append(plain.copy())
        same(tiles, plain)
        told = [b for delta in deltas[-1] for _, b in delta.pieces.boxes]
        changed = np.argwhere((states[-1] != states[-2])[plane])
        assert bool(told) == bool(len(changed))
        if told:
            corners = [(b.top, b.left, b.bottom, b.right) for b in told]
            low, high = np.min(corners, axis=0)[:2], np.max(corners, axis=0)[2:]
            np.testing.assert_array_equal(low, changed.min(axis=0))
            np.testing.assert_array_equal(high, changed.max(axis=0) + 1)
    for state, made in zip(states[-2::-1], deltas[::-1], strict=True):
        for delta in made[::-1]:
            back = read_delta(delta_to_json(delta), tiles)
            tiles.apply(back.reversed())
        same(tiles, state)
    for state, made in zip(states[1:], deltas, strict=True):
        for delta in made:
            tiles.apply(delta)
        same(tiles, state)


def same(tiles: StrokeTiles, plain: np.ndarray) -> None:
    """Check that tiles hold an array, however they are asked, and whatever they go through."""
    height, width = plain.shape[1:]
    again, others = StrokeTiles(2, (height, width)), StrokeTiles(2, (height, width))
    read_layers(layer_to_json(tiles.layer()), again)
    read_tiles(tiles.packed(), others)
    for one in (tiles, again, others, tiles.copy()):
        for plane, values in enumerate(plain):
            np.testing.assert_array_equal(one.read(plane, Box.of(values.shape)), values)
            odd = Box(77, 100, 150, 131)
            np.testing.assert_array_equal(one.read(plane, odd), values[odd.slices])
        assert one.labels() == set(np.unique(plain).tolist()) - {0}
        assert one.count() == np.count_nonzero(plain)
        assert one.painted_planes() == [i for i in (0, 1) if plain[i].any()]
    assert again.packed() == tiles.packed() == StrokeTiles.of(plain, (height, width)).packed()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 99), st.booleans())
def test_labels_are_laid_over_others_or_replace_them(seed, replace) -> None:
    rng = np.random.default_rng(seed)
    mine, theirs = (
        rng.integers(0, 3, (2, 200, 190), np.uint16) * (rng.random((2, 200, 190)) < share)
        for share in rng.choice([0, 0.01, 0.9], 2)
    )
    mine[0, :150], theirs[1, :, :140] = 0, 0
    tiles = StrokeTiles.of(mine, (200, 190))
    deltas = tiles.laid_over(StrokeTiles.of(theirs, (200, 190)), replace=replace)
    same(tiles, theirs if replace else np.where(theirs, theirs, mine))
    for delta in deltas[::-1]:
        tiles.apply(delta.reversed())
    same(tiles, mine)


def test_a_class_is_erased_in_rectangles() -> None:
    tiles, plain = painted(), labelled()
    where = [(0, Box(0, 0, 10, 500)), (1, Box(90, 60, 360, 61)), (1, Box(90, 200, 360, 300))]
    tiles.erase(where, only=3)
    plain[1, 350:353, [60, *range(200, 300)]] = 0
    np.testing.assert_array_equal(tiles.read(1, WHOLE), plain[1])
    tiles.erase(where)
    plain[0, :10], plain[1, 90:360, [60, *range(200, 300)]] = 0, 0
    for plane in (0, 1):
        np.testing.assert_array_equal(tiles.read(plane, WHOLE), plain[plane])
    assert tiles.erase([]) == []


def test_many_runs_are_written_in_portions(monkeypatch) -> None:
    monkeypatch.setattr(packing, "TOGETHER", 100)
    tiles, again = painted(), StrokeTiles(2, SHAPE)
    kept = layer_to_json(tiles.layer())
    assert len(kept) > 5
    read_layers(kept, again)
    assert again.packed() == tiles.packed()


def test_a_change_that_was_written_with_its_rectangle_is_read() -> None:
    tiles, box = painted(), Box(130, 260, 140, 290)
    before = tiles.read(0, box)
    after = before.copy()
    after[2:5, 10:20], after[0], after[7, 3] = 9, 0, 2
    sides = tuple(zlib.compress(side.astype("<u2").tobytes()) for side in (before, after))
    [delta] = read_parts([((0, 1, 2), box, *sides)], tiles)
    tiles.apply(delta)
    np.testing.assert_array_equal(tiles.read(0, box), after)
    tiles.apply(delta.reversed())
    np.testing.assert_array_equal(tiles.read(0, WHOLE), labelled()[0])
    with pytest.raises(ValueError, match="outside its tile"):
        list(read_parts([((0, 1, 1), box, *sides)], tiles))
    for key in [(2, 1, 2), (0, 1, 2)] * 2:
        with pytest.raises(ValueError, match=r"lie outside|twice"):
            list(read_parts([(key, box, *sides), ((0, 1, 2), box, *sides)], tiles))


def runs(places=((0, 0, 0),), counts=(1,), start=(5,), length=(3,), labels=(1,), **said):
    """Return labels as a snapshot holds them."""
    at = np.diff(np.array(start, "<u2"), prepend=np.uint16(0)).astype("<u2")
    columns = (np.array(places, "<i8"), *(np.array(c, "<u2") for c in (counts, at, length, labels)))
    data = zlib.compress(b"".join(column.tobytes() for column in columns))
    return {
        "tiles": len(places),
        "runs": len(start),
        "data": base64.b64encode(data).decode(),
    } | said


def test_runs_of_a_snapshot_are_painted() -> None:
    tiles = StrokeTiles(2, SHAPE)
    places = [(0, 0, 0), (1, 3, 3)]
    read_layers([runs(places, (1, 2), (5, 0, 128), (3, 116, 2), (1, 2, 7))], tiles)
    assert tiles.read(0, WHOLE)[0, 5:8].tolist() == [1, 1, 1]
    assert tiles.read(1, WHOLE)[384, 384:].tolist() == [2] * 116
    assert tiles.count() == 3 + 116 + 2


@pytest.mark.parametrize(
    "hostile",
    [
        runs(places=[(2, 0, 0)]),
        runs(places=[(-1, 0, 0)]),
        runs(places=[(0, 4, 0)]),
        runs(places=[(0, 0, 4)]),
        runs(places=[(0, 0, -(2**63))]),
        runs(places=[(0, 2**62, 0)]),
        runs(places=[(0, 0, 0)] * 2, counts=(1, 1), start=(1, 9), length=(1, 1), labels=(1, 1)),
        runs(places=[(0, 3, 0)], start=[16 * TILE], length=[1]),  # beneath the image
        runs(places=[(0, 0, 3)], start=[100], length=[17]),  # right of it
        runs(places=[(0, 0, 3)], start=[117], length=[1]),
        runs(places=[(0, 0, 3)], start=[0], length=[TILE * TILE]),
        runs(start=[TILE * TILE], length=[1]),
        runs(start=[1], length=[TILE * TILE]),
        runs(start=[65535], length=[1]),
        runs(start=[0], length=[65535]),
        runs(length=[0]),
        runs(labels=[0]),
        runs(counts=(2,), start=(5, 7), length=(3, 3), labels=(1, 1)),  # over one another
        runs(counts=(2,), start=(9, 5), length=(3, 3), labels=(1, 1)),  # not in order
        runs(counts=(0,)),
        runs(counts=(2,)),
        runs(counts=(65535,)),
        runs(tiles=2),
        runs(tiles=0),
        runs(runs=2),
        runs(runs=2**40),
        runs(runs=-1),
        runs(runs=True),
        runs(data="AAAA"),
        runs(data="?"),
        runs(data=None),
        {},
        5,
    ],
)
def test_runs_of_a_stranger_that_are_not_possible_are_refused(hostile) -> None:
    tiles = StrokeTiles(2, SHAPE)
    with pytest.raises((ParameterError, KeyError, ValueError)):
        read_layers([hostile], tiles)
    assert not tiles.count()


def test_more_runs_than_tiles_have_pixels_are_refused_before_they_take_memory() -> None:
    few = zlib.compress(bytes(2**24))
    said = runs(runs=2**25, data=base64.b64encode(few).decode())
    with pytest.raises(ParameterError, match="number of runs is a whole number from 1 to 16384"):
        read_layers([said], StrokeTiles(2, SHAPE))
    with pytest.raises(ParameterError, match="number of tiles is a whole number from 1 to 32"):
        read_layers([runs(tiles=33, runs=33)], StrokeTiles(2, SHAPE))


def test_tiles_that_a_snapshot_holds_twice_are_refused() -> None:
    tiles = StrokeTiles(2, SHAPE)
    with pytest.raises(ValueError, match="twice"):
        read_layers([runs(), runs()], tiles)


def test_a_tile_of_an_import_that_reaches_out_of_the_image_is_refused() -> None:
    labels = np.zeros((TILE, TILE), np.uint16)
    labels[5, 120] = 1
    for key in [(0, 0, 3), (0, 9, 0), (9, 0, 0)]:
        with pytest.raises(ValueError, match="outside"):
            read_tiles([(key, packed(labels))], StrokeTiles(2, SHAPE))
