import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stroma.blocks.box import Box
from stroma.blocks.grid import holding, lattice, windows


@given(
    shape=st.tuples(st.integers(1, 20), st.integers(1, 60), st.integers(1, 60)),
    size=st.integers(1, 20),
    seed=st.integers(0, 99),
    is_global=st.booleans(),
)
def test_every_point_is_given_to_the_one_block_that_covers_it(shape, size, seed, is_global):
    blocks = (
        windows(shape, stride=4) if is_global else lattice(shape, stride=1, size=(3, size, size))
    )
    points = np.random.default_rng(seed).integers(0, shape, (30, 3))
    owner = {}
    for block, members in holding(blocks, points):
        for i in members.tolist():
            assert i not in owner
            owner[i] = block.core
    assert sorted(owner) == list(range(30))
    for i, (z, y, x) in enumerate(points.tolist()):
        assert Box(y, x, y + 1, x + 1, z, z + 1).clipped(owner[i]).area == 1


def test_no_points_need_no_blocks():
    assert holding(lattice((9, 9), stride=1, size=3), np.zeros((0, 3), int)) == []
