import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stroma.blocks.box import Box
from stroma.blocks.grid import DISCARD, WINDOW, lattice, parts, windows

shapes = st.tuples(st.integers(1, 2500), st.integers(1, 2500))


def times_covered(shape, blocks):
    count = np.zeros(shape, np.uint8)
    for block in blocks:
        count[block.core.slices] += 1
    return count


@given(shapes, st.integers(1, 40), st.integers(1, 700))
def test_cores_of_a_lattice_cover_every_pixel_once(shape, stride, size):
    if size < 100:
        shape = (shape[0] % 300 + 1, shape[1] % 300 + 1)
    blocks = lattice(shape, stride=stride, size=size)
    assert (times_covered(shape, blocks) == 1).all()
    assert all(b.core.top % stride == 0 and b.core.left % stride == 0 for b in blocks)


@given(
    st.tuples(st.integers(1, 40), st.integers(1, 90), st.integers(1, 90)),
    st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(1, 5)),
    st.tuples(st.integers(1, 30), st.integers(5, 60), st.integers(5, 60)),
)
def test_blocks_of_a_volume_cover_every_voxel_once(shape, stride, size):
    count = np.zeros(shape, np.uint8)
    for block in lattice(shape, stride=stride, size=size):
        count[block.core.index] += 1
        assert all(a % s == 0 for a, s in zip(block.core.start, stride, strict=True))
        assert block.window == block.core.aligned(stride)
    assert (count == 1).all()


def test_planes_of_a_volume_are_seen_as_deep_as_is_said():
    shape = (5, 1100, 30)
    single = windows(shape, stride=14)
    assert {b.core.sides[0] for b in single} == {1}
    assert all(b.window.start[0] == b.core.front for b in single)
    assert len(single) == 5 * len(windows(shape[1:], stride=14))
    assert {b.window.sides[0] for b in windows(shape, stride=14, depth=None)} == {5}


@given(st.lists(st.integers(-20, 1100), min_size=4, max_size=4))
def test_a_region_leaves_the_blocks_that_share_pixels_with_it(edges):
    region = Box(*edges)
    for of in (
        lambda **k: lattice((1000, 900), size=256, **k),
        lambda **k: windows((1000, 900), **k),
    ):
        assert of(stride=4, region=region) == [
            b for b in of(stride=4) if b.core.clipped(region).area
        ]


def test_blocks_do_not_depend_on_the_region_or_the_size_of_the_image():
    some = lattice((1000, 1000), stride=4, size=256, region=Box(300, 300, 310, 600))
    assert {b.core for b in some} <= {b.core for b in lattice((2000, 2000), stride=4, size=256)}


@given(shapes, st.sampled_from([1, 14, 16, 28, 42]))
def test_cores_of_windows_cover_every_pixel_once_and_keep_away_from_inner_borders(shape, stride):
    blocks = windows(shape, stride=stride)
    assert (times_covered(shape, blocks) == 1).all()
    for block in blocks:
        core, window = block.core, block.window
        assert core.clipped(window) == core
        assert max(window.shape) <= WINDOW
        assert all(edge % stride == 0 for edge in (window.top, window.left, *window.shape))
        assert window.top == 0 or core.top - window.top >= DISCARD
        assert window.bottom >= shape[0] or window.bottom - core.bottom >= DISCARD
        assert window.right >= shape[1] or window.right - core.right >= DISCARD


@pytest.mark.parametrize("side", [14, 518, 1036])
def test_an_image_up_to_the_window_size_is_seen_at_once(side):
    [block] = windows((side, side), stride=14)
    assert block.window == block.core == Box(0, 0, side, side)


@given(shapes, st.integers(1, 20), st.integers(1, 200_000))
def test_parts_of_a_block_cover_its_core_once_within_the_limit(shape, stride, pixels):
    shape = (shape[0] % 300 + 1, shape[1] % 300 + 1)
    [whole] = windows(shape, stride=stride)
    cut = parts(whole, stride, pixels)
    assert (times_covered(shape, cut) == 1).all()
    assert all(part.window == whole.window for part in cut)
    assert max(part.core.area for part in cut) <= max(pixels, stride**2)
