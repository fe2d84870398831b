"""Objects that become one, and beginnings and ends that are likely or not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stroma import track
from stroma.data.tracks import Detections
from stroma.tracking import SOLVERS, greedy, hypotheses, ilp, lap
from stroma.tracking.candidates import candidates
from stroma.tracking.detect import Seen
from stroma.tracking.motion import settled
from stroma.tracking.problem import Chances, Prices, Problem
from stroma.tracking.track import Linking, link
from tracking.movies import family, movie

solvers = pytest.mark.parametrize("solver", list(SOLVERS))


def points(rows: list[tuple[int, float, float]]) -> Detections:
    values = np.array(rows, float).reshape(-1, 3)
    frame = values[:, 0].astype(np.int64)
    return Detections(frame, np.arange(1, len(frame) + 1), values[:, 1:])


def seen(found: Detections) -> Seen:
    return Seen(found, np.zeros((0, 2), np.int64), np.zeros(0, np.int64))


@solvers
def test_a_merger_is_a_division_backwards_in_time(solver) -> None:
    forth, back = family(), family()[::-1].copy()
    divided = track(forth, solver=solver)
    merged = track(back, solver=solver, merges=True, divisions=False)
    last = len(forth) - 1
    of, to = divided.detections, merged.detections
    ends = [
        {
            (last - of.frame[j], of.label[j], last - of.frame[i], of.label[i])
            for i, j in divided.links
        },
        {(to.frame[i], to.label[i], to.frame[j], to.label[j]) for i, j in merged.links},
    ]
    assert ends[0] == ends[1]
    assert merged.parents.max() == 2


@solvers
def test_objects_merge_where_that_is_allowed_only(solver) -> None:
    assert track(family()[::-1].copy(), solver=solver).parents.max() == 1


@solvers
def test_a_movie_may_have_mergers_and_divisions(solver) -> None:
    """A cell that divides and whose daughters fuse again."""
    up = [None] * 2 + [(40 - 2 * t, 48, 7) for t in range(2)] + [None] * 2
    down = [None] * 2 + [(56 + 2 * t, 48, 7) for t in range(2)] + [None] * 2
    labels = movie(
        {
            1: [(48, 48, 10)] * 2 + [None] * 4,
            2: up,
            3: down,
            4: [None] * 4 + [(48, 48, 10)] * 2,
            5: [(12, 12, 9)] * 6,
        }
    )
    tracks = track(labels, solver=solver, merges=True)
    assert (int((tracks.children == 2).sum()), int((tracks.parents == 2).sum())) == (1, 1)
    assert tracks.count == 5


@settings(max_examples=25)
@given(st.integers(0, 2**31))
def test_with_mergers_the_programme_is_no_worse_than_others(rng) -> None:
    random = np.random.default_rng(rng)
    rows = [(t, *random.uniform(0, 40, 2)) for t in range(5) for _ in range(7)]
    found = candidates(seen(points(rows)), 25, max_gap=2, merges=True)
    problem = Problem(found, random.uniform(0, 1.5, len(found.pairs)), Prices(merge=0.3))
    assert len(problem.mergers.edges)
    best = problem.objective(ilp.solve(problem))
    for other in (greedy, lap):
        assert best <= problem.objective(other.solve(problem)) + 1e-6


def test_pinned_mergers_stay_and_others_come_beside_them() -> None:
    labels = family()[::-1].copy()
    free = track(labels, solver="ilp", merges=True)
    (one, other) = (i for i, j in free.links.tolist() if free.parents[j] == 2)
    (into,) = np.flatnonzero(free.parents == 2).tolist()
    pinned = np.array([[one, into], [other, into]])
    for merges in (False, True):
        again = track(labels, solver="ilp", merges=merges, pinned=pinned)
        assert again.links.tolist() == free.links.tolist()


def test_objects_come_in_at_the_border_and_not_in_the_middle() -> None:
    """One is gone for a frame; another appears beside where it was, or far out at the border."""
    frame = [(t, y, x) for t in range(20) for y, x in ((0.0, 0.0), (100.0, 100.0))]
    rows = sorted([*frame, (9, 50.0, 50.0), (11, 100.0, 50.0), (10, 50.0, 50.0)])
    found = points(rows)
    pairs = candidates(seen(found), 10.0, divisions=False)
    problem = Problem(pairs, np.full(len(pairs.pairs), 0.5))
    told = hypotheses.chances(problem)
    inner = np.flatnonzero((found.position == 50).all(axis=1))
    outer = np.flatnonzero((found.position == (100, 50)).all(axis=1))
    assert told.appear[inner].min() > 1.5 * told.appear[outer].max()
    np.testing.assert_allclose(hypotheses.to_border(found)[inner], 50)
    np.testing.assert_allclose(told.disappear[outer], told.appear[outer])
    assert (told.alone[inner] < told.appear[inner] + told.disappear[inner]).all()


def test_an_end_in_the_middle_is_linked_where_one_at_the_border_is_not() -> None:
    """Two jump as far: what is seen later at the border has come in there."""
    still = [(t, y, x) for t in range(30) for y, x in ((0, 0), (0, 200), (200, 0), (200, 200))]
    jumps = [(t, y, 60 if t < 15 else 80) for t in range(30) for y in (100, 200)]
    found = points(sorted((t, float(y), float(x)) for t, y, x in still + jumps))
    how = Linking(
        cost="distance", solver="hypotheses", max_distance=20.5, divisions=False, motion="none"
    )
    tracks, plain = link(found, how), link(found, replace(how, solver="ilp"))
    for solved, counts in ((tracks, (1, 2)), (plain, (1, 1))):
        jumped = [
            solved.track[(found.position[:, 0] == y) & (np.isin(found.position[:, 1], (60, 80)))]
            for y in (100, 200)
        ]
        assert tuple(len(set(t.tolist())) for t in jumped) == counts


def test_beginnings_and_ends_of_their_own_price_are_counted() -> None:
    found = points([(0, 0, 0), (1, 0, 1), (1, 9, 9), (2, 0, 2)])
    pairs = candidates(seen(found), 3.0, divisions=False)
    costs = Chances(np.array([9, 0.25, 9, 9]), np.array([0.5, 9, 9, 9]), np.full(4, 0.125))
    problem = Problem(pairs, np.zeros(len(pairs.pairs)), chances=costs)
    later = np.flatnonzero((pairs.pairs == (1, 3)).all(axis=1))
    # The first and the third are alone, the second begins, and in the last frame ends are free.
    assert problem.objective(later) == pytest.approx(0.125 + 0.125 + 0.25)


def test_where_places_are_measured_badly_the_mean_of_the_past_is_expected() -> None:
    random = np.random.default_rng(0)
    rows = [(t, *random.normal(0, 0.05, 2)) for t in range(40)]
    found = points(rows)
    moved = settled(found, reach=3.0)
    assert not moved[0].any()
    np.testing.assert_allclose(np.abs(moved[1:]).max(), 0, atol=0.05)
    thought = found.places + moved
    assert np.square(thought).sum() < np.square(found.places).sum()
    tracks = link(found, Linking(cost="distance", motion="brownian", max_distance=1.0))
    assert tracks.count == 1
