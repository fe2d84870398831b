import pytest
from hypothesis import given
from hypothesis import strategies as st

from stroma.blocks.box import Box
from stroma.session.core.places import CELL, Places

sides = st.integers(1, 3 * CELL)
boxes = st.builds(
    lambda top, left, height, width: Box(top, left, top + height, left + width),
    *(st.integers(0, 5 * CELL), st.integers(0, 5 * CELL), sides, sides),
)


@given(st.lists(boxes, unique=True), st.data(), boxes)
def test_what_is_found_is_what_shares_pixels(there, data, asked):
    places = Places()
    for box in there:
        places.put(box, box)
    gone = data.draw(st.sets(st.sampled_from(there))) if there else set()
    for box in gone:
        places.remove(box)
    left = [box for box in there if box not in gone]
    assert sorted(places.touching(asked)) == sorted(b for b in left if b.clipped(asked).area)
    assert sorted(places.all()) == sorted(left)


def test_what_is_put_in_the_same_box_takes_the_place_of_what_was_there():
    places, box = Places(), Box(0, 0, 5, 5)
    places.put(box, "old")
    places.put(box, "new")
    assert places.touching(Box(4, 4, 9, 9)) == places.all() == ["new"]
    assert places.touching(Box(5, 5, 9, 9)) == []
    assert places.touching(Box(2, 2, 2, 2)) == []
    with pytest.raises(KeyError):
        places.remove(Box(0, 0, 1, 1))
