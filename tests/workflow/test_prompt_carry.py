"""Objects that are carried through planes, until they fade."""

import numpy as np
import pytest

import stroma
from stroma.errors import ParameterError
from stroma.prompts.carry import Carrying, carried, contrast
from stroma.prompts.graph import Graph
from stroma.workflow.prompting.carry_on import carry_through


def ball(depth=9, radius=7.0):
    """Return a bright ball in noise (z, y, x), and where it is."""
    z, y, x = np.indices((depth + 6, 40, 48))
    middle = (depth + 6) // 2
    truth = 2.0 * (z - middle) ** 2 + (y - 20) ** 2 + (x - 22) ** 2 < radius**2
    noise = np.random.default_rng(0).normal(20, 2, truth.shape)
    return (noise + 100 * truth).astype(np.float32), truth


def test_an_object_is_carried_as_far_as_it_goes_and_no_further():
    volume, truth = ball()
    found = stroma.prompt(volume, points=[[7, 20, 22]], carry=True) == 1
    there = truth.any(axis=(1, 2))
    assert not found[~there].any()
    assert (found & truth).sum() / (found | truth).sum() > 0.75


def test_it_goes_no_further_than_it_may():
    volume, truth = ball()
    found = stroma.prompt(volume, points=[[7, 20, 22]], carry=1)
    assert np.flatnonzero(found.any(axis=(1, 2))).tolist() == [6, 7, 8]
    assert truth[5].any()


def test_objects_of_a_movie_keep_their_numbers_while_they_move():
    frames = []
    for t in range(4):
        y, x = np.indices((40, 60))
        noise = np.random.default_rng(t).normal(20, 2, y.shape)
        discs = [(y - 12) ** 2 + (x - 12 - 2 * t) ** 2 < 49, (y - 28) ** 2 + (x - 40 + t) ** 2 < 36]
        frames.append(noise + 100 * (discs[0] | discs[1]))
    movie = stroma.Image(np.stack(frames), "tyx")
    points = [[0, 12, 12], [1, 28, 39]]
    found = stroma.prompt(movie, points=points, objects=[5, 3], carry=True)
    assert [int(found[t, 12, 12 + 2 * t]) for t in range(4)] == [5] * 4
    assert [int(found[t, 28, 40 - t]) for t in range(4)] == [3] * 4


def test_what_fades_ends_there():
    volume, truth = ball()
    dim = volume.copy()
    dim[9:] = np.random.default_rng(1).normal(20, 2, dim[9:].shape)
    found = stroma.prompt(dim, points=[[7, 20, 22]], carry=True)
    assert not found[9:].any()
    assert found[8].any()
    assert contrast(volume[7][None], truth[7])[0] == pytest.approx(100, abs=2)
    assert contrast(volume[7][None], np.ones((40, 48), bool)) == 0


def test_wrong_ways_of_carrying_are_refused():
    with pytest.raises(ParameterError, match="reach is a whole number"):
        Carrying(reach=0)
    with pytest.raises(ParameterError, match="overlap is from 0 to 1"):
        Carrying(overlap=2)
    with pytest.raises(ParameterError, match="margin"):
        Carrying(margin=-1)
    with pytest.raises(ParameterError, match="planes along z or frames along t"):
        stroma.prompt(np.zeros((9, 9)), points=[[2, 2]], carry=True)
    plane = np.zeros((1, 9, 9)), False
    with pytest.raises(ParameterError, match="no object on the plane"):
        list(
            carried(
                Graph(),
                lambda _: plane,
                range(3),
                np.zeros((9, 9), bool),
                first=plane,
                how=Carrying(),
            )
        )


class Answers:
    """An engine that gives the answers it was made with."""

    axes = ("yx",)

    def __init__(self, *masks):
        self._masks = masks

    def set_image(self, image, *, rgb=False):
        pass

    def predict(self, **asked):
        return np.stack(self._masks), np.linspace(1, 0.5, len(self._masks), dtype=np.float32)


def square(top, left, side=8):
    made = np.zeros((40, 48), bool)
    made[top : top + side, left : left + side] = True
    return made


def test_of_several_answers_the_one_most_like_the_object_counts_where_it_is_like_enough():
    own, near, far = square(10, 10), square(11, 10), square(10, 30)
    plane = (100.0 * (own | near | far))[None], False  # all as bright, so that none has faded

    def ways(*masks):
        how = Carrying(reach=1)
        return list(carried(Answers(*masks), lambda _: plane, range(3), own, first=plane, how=how))

    [(number, found)] = ways(far, near)
    assert number == 0
    assert np.array_equal(found, near)
    assert ways(far) == []


def test_objects_that_are_carried_leave_others_their_pixels():
    own, other = square(10, 10), square(14, 10)
    volume = stroma.Image(np.stack([100.0 * own, 100.0 * own]), "zyx")
    found = np.stack([2 * own, 1 * other]).astype(np.int32)
    carry_through(volume, found, Answers(own), how=Carrying())
    assert np.array_equal(found[1] == 1, other)
    assert np.array_equal(found[1] == 2, own & ~other)
