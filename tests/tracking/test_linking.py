"""Objects are linked to themselves, whatever the cost and the solver."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stroma import track
from stroma.data.tracks import Detections, Tracks
from stroma.errors import LabelError, ParameterError, ShapeError, UnknownNameError
from stroma.tracking import COSTS, SOLVERS, greedy, ilp
from stroma.tracking.candidates import Candidates, candidates
from stroma.tracking.detect import Seen, detect
from stroma.tracking.drift import common_shift, drift_of
from stroma.tracking.lap import assign
from stroma.tracking.motion import heading, runs_steadily
from stroma.tracking.problem import Prices, Problem
from stroma.tracking.track import Linking, link
from tracking import make_lap_links
from tracking.movies import family, movie

solvers = pytest.mark.parametrize("solver", list(SOLVERS))


def by_label(tracks: Tracks) -> dict[int, set[int]]:
    """Return the labels (which are objects in these movies) that each track holds."""
    found: dict[int, set[int]] = {}
    for number, label in zip(tracks.track.tolist(), tracks.detections.label.tolist(), strict=True):
        found.setdefault(number, set()).add(label)
    return found


def points(rows: list[tuple[int, float, float]]) -> Detections:
    """Return detections from (frame, y, x) in order."""
    values = np.array(rows, float).reshape(-1, 3)
    frame = values[:, 0].astype(np.int64)
    return Detections(frame, np.arange(1, len(frame) + 1), values[:, 1:])


@solvers
@pytest.mark.parametrize("cost", [*(c for c in COSTS if c != "intensity"), "overlap+2*distance"])
def test_moving_objects_keep_their_tracks(solver, cost) -> None:
    disks = {
        k: [(20 + 18 * k + 0.5 * t, 12 + 4 * t + k, 5 + k) for t in range(8)] for k in range(1, 4)
    }
    tracks = track(movie(disks), cost=cost, solver=solver, divisions=False)
    assert sorted(map(sorted, by_label(tracks).values())) == [[1], [2], [3]]


@solvers
def test_a_division_has_a_mother_and_two_daughters(solver) -> None:
    tracks = track(family(), solver=solver)
    assert [sorted(labels) for labels in by_label(tracks).values()] == [[1], [4], [2], [3]]
    assert tracks.mother.tolist() == [0, 0, 1, 1]
    assert int((tracks.children > 1).sum()) == 1


@solvers
def test_without_divisions_there_are_none(solver) -> None:
    tracks = track(family(), solver=solver, divisions=False)
    assert tracks.children.max() == 1
    assert not tracks.mother.any()


@solvers
def test_a_newcomer_beside_an_object_is_no_daughter(solver) -> None:
    disks = {1: [(40, 40, 9)] * 6, 2: [None] * 3 + [(40, 62, 9)] * 3}
    tracks = track(movie(disks), solver=solver)
    assert not tracks.mother.any()


@solvers
def test_a_gap_is_bridged_as_far_as_allowed(solver) -> None:
    path = [(40, 20 + 2 * t, 6) for t in range(7)]
    path[3] = None
    labels = movie({1: path, 2: [(75, 40, 6)] * 7})
    whole, broken = (track(labels, solver=solver, max_gap=gap) for gap in (1, 0))
    assert whole.count == 2
    assert broken.count == 3
    assert np.bincount(whole.track)[1:].tolist() == [6, 7]


@solvers
def test_objects_that_pass_each_other_keep_their_heading(solver) -> None:
    """Two points on one line run through each other; where they were says the wrong thing."""
    rows = [(t, y, x) for t in range(9) for y, x in ((10, 6.0 * t), (12, 45 - 6.0 * t))]
    found = points(rows)
    how = {"cost": "distance", "solver": solver, "max_distance": 20, "max_gap": 0}
    heading = link(found, Linking(motion="velocity", **how))
    for number in (1, 2):
        assert len(set(found.position[heading.track == number, 0])) == 1


def test_expected_displacement_is_that_of_the_track() -> None:
    found = points([(t, 5.0, 3.0 * t) for t in range(10)])
    ahead = heading(found, reach=6)
    assert not ahead[0].any()
    np.testing.assert_allclose(ahead[-1], (0, 3), atol=0.2)


@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.integers(0, 4), st.floats(-1, 3)), min_size=1, max_size=8
    )
)
def test_assignment_gains_as_much_as_any(rows) -> None:
    pairs = np.array([(i, j) for i, j, _ in rows])
    _, first = np.unique(pairs, axis=0, return_index=True)
    pairs, gain = pairs[first], np.array([g for _, _, g in rows])[first]
    chosen = assign(pairs, gain)
    best = 0.0
    for size in range(len(pairs) + 1):
        for some in combinations(range(len(pairs)), size):
            taken = pairs[list(some)]
            if len(set(taken[:, 0])) == len(some) == len(set(taken[:, 1])):
                best = max(best, gain[list(some)].sum())
    assert len(set(pairs[chosen, 0])) == len(chosen) == len(set(pairs[chosen, 1]))
    assert gain[chosen].sum() == pytest.approx(best)


def crowd(rng: int, frames: int = 6, objects: int = 12) -> Problem:
    """Return a problem with many candidates of random costs."""
    random = np.random.default_rng(rng)
    rows = [(t, *random.uniform(0, 60, 2)) for t in range(frames) for _ in range(objects)]
    found = candidates(_seen(points(rows)), 25, max_gap=2)
    return Problem(found, random.uniform(0, 1.5, len(found.pairs)))


def _seen(found: Detections):
    return Seen(found, np.zeros((0, 2), np.int64), np.zeros(0, np.int64))


@given(st.integers(0, 2**31))
def test_the_integer_programme_is_never_worse_than_greedy_or_frame_by_frame(rng) -> None:
    problem = crowd(rng)
    best = problem.objective(ilp.solve(problem))
    for other in SOLVERS:
        assert best <= problem.objective(SOLVERS[other](problem)) + 1e-6


def test_long_movies_are_solved_in_windows_that_agree(monkeypatch) -> None:
    problem = crowd(0, frames=40, objects=8)
    whole = ilp.solve(problem)
    monkeypatch.setattr(ilp, "WINDOW", 14)
    monkeypatch.setattr(ilp, "OVERLAP", 6)
    parts = ilp.solve(problem)
    assert problem.objective(parts) <= problem.objective(greedy.solve(problem)) + 1e-6
    assert problem.objective(parts) <= 1.02 * problem.objective(whole)
    links = problem.pairs.pairs[parts]
    assert np.bincount(links[:, 1]).max() == 1


@pytest.mark.parametrize("solver", ["greedy", "ilp"])
def test_of_alternatives_one_is_taken(solver) -> None:
    """In the middle frame the object is one (2) or, wrongly, two halves (3 and 4)."""
    found = points([(0, 20, 20), (1, 20, 21), (1, 14, 20), (1, 26, 22), (2, 20, 22)])
    exclusive = [(1, 2), (1, 3)]
    how = Linking(cost="distance", solver=solver, max_distance=30)
    tracks = link(found, how, exclusive=exclusive)
    assert tracks.links.tolist() == [[0, 1], [1, 4]]


@solvers
def test_pins_stay_and_forbidden_links_do_not_come_back(solver) -> None:
    labels = movie({1: [(30, 20, 6)] * 4, 2: [(30, 40, 6)] * 4})
    plain = track(labels, solver=solver, divisions=False)
    assert [0, 2] in plain.links.tolist()
    swapped = track(labels, solver=solver, divisions=False, pinned=np.array([[0, 3]]))
    assert [0, 3] in swapped.links.tolist()
    assert [0, 2] not in swapped.links.tolist()
    cut = track(labels, solver=solver, divisions=False, forbidden=np.array([[0, 2]]))
    assert [0, 2] not in cut.links.tolist()


def test_intensity_tells_apart_what_place_does_not() -> None:
    labels = np.zeros((2, 20, 40), np.uint8)
    labels[:, 5:15, 5:15], labels[:, 5:15, 18:28] = 1, 2
    labels[1] = np.roll(labels[1], 7, axis=1)
    image = np.where(labels == 1, 50, 200).astype(np.float32)
    tracks = track(labels, image, cost="intensity", max_distance=30, divisions=False)
    assert sorted(map(sorted, by_label(tracks).values())) == [[1], [2]]


@solvers
def test_empty_frames_and_empty_movies_have_no_tracks_there(solver) -> None:
    assert track(np.zeros((4, 9, 9), np.uint8), solver=solver).count == 0
    labels = movie({1: [(40, 40, 6), None, None, None, (40, 40, 6)]})
    assert track(labels, solver=solver, max_gap=1).count == 2
    assert track(labels[:1], solver=solver).count == 1


def test_volumes_are_tracked_in_their_unit() -> None:
    labels = np.zeros((3, 6, 20, 20), np.uint16)
    for t in range(3):
        labels[t, 1:4, 5 + t : 9 + t, 4:8] = 7
        labels[t, 2:5, 5:9, 14:18] = 3 + t
    tracks = track(labels, spacing=(2, 0.5, 0.5), unit="µm", max_distance=2.0)
    assert tracks.count == 2
    np.testing.assert_allclose(tracks.detections.places[0], (2 * 3, 0.5 * 6.5, 0.5 * 15.5))


def test_frames_are_looked_at_two_at_a_time() -> None:
    """However long the movie is: earlier frames are gone."""
    import weakref

    alive: list[weakref.ref] = []

    def frames():
        for t in range(8):
            frame = np.full((8, 8), t + 1, np.uint8)
            alive.append(weakref.ref(frame))
            assert sum(one() is not None for one in alive) <= 3
            yield frame, None
            del frame

    assert len(detect(frames()).detections) == 8


def test_wrong_input_says_what_is_wrong() -> None:
    labels = family()
    with pytest.raises(UnknownNameError, match="No linking cost named 'overlp'"):
        track(labels, cost="overlp")
    with pytest.raises(UnknownNameError, match="No linking solver"):
        track(labels, solver="gurobi")
    with pytest.raises(ParameterError, match=r"overlap\+2\*distance"):
        track(labels, cost="two*overlap")
    with pytest.raises(ParameterError, match="needs that measure; known are: area"):
        track(labels, cost="intensity")
    with pytest.raises(ParameterError, match="solver='ilp'"):
        track(labels, exclusive=[(0, 1)])
    with pytest.raises(LabelError, match="integers, got float64"):
        track(labels.astype(float))
    with pytest.raises(ShapeError, match=r"\(t, y, x\)"):
        track(labels[0])
    with pytest.raises(ShapeError, match="one shape"):
        detect([(np.zeros((3, 3), int), None), (np.zeros((3, 4), int), None)])
    with pytest.raises(ParameterError, match="max_gap is 0 to 50"):
        track(labels, max_gap=-1)


def test_costs_are_low_for_what_is_near_alike_and_overlaps() -> None:
    found = Detections(
        np.array([0, 1, 1]),
        np.array([1, 1, 2]),
        np.array([[0.0, 0], [0, 3], [0, 6]]),
        measures={"area": np.array([10.0, 10, 20])},
    )
    pairs = Candidates(
        found, np.array([[0, 1], [0, 2]]), np.array([3.0, 6]), np.array([0.5, 0]), 6.0,
        np.zeros(2, bool),
    )  # fmt: skip
    assert COSTS["distance"](pairs).tolist() == [0.25, 1]
    later = replace(pairs, detections=replace(found, frame=np.array([0, 1, 2])))
    assert COSTS["distance"](later).tolist() == [0.25, 0.5]  # twice the time, twice the variance
    assert COSTS["overlap"](pairs).tolist() == [0.5, 1]
    np.testing.assert_allclose(COSTS["size"](pairs), [0, 1])
    assert Prices().divide < Prices().appear


def wandering(drift: tuple[float, float], *, steps: float = 1.0, objects: int = 40) -> Detections:
    """Return points that wander while the view moves, in the same order in every frame."""
    random = np.random.default_rng(3)
    place, rows = random.uniform(0, 400, (objects, 2)), []
    for t in range(6):
        rows += [(t, *p) for p in place]
        place = place + random.normal(0, steps, place.shape) + drift
    return points(rows)


@solvers
def test_a_view_that_drifts_further_than_neighbours_are_apart_does_no_harm(solver) -> None:
    found = wandering((31.0, 42.0))
    tracks = link(found, Linking(cost="distance", solver=solver))
    first = np.arange(200)
    assert tracks.links.tolist() == np.stack([first, first + 40], axis=1).tolist()
    np.testing.assert_allclose(tracks.detections.position, found.position)


def test_labels_of_a_view_that_drifts_overlap_where_they_were() -> None:
    random = np.random.default_rng(0)
    grid = np.array([(30 + 36 * i, 30 + 36 * j) for i in range(4) for j in range(4)])
    start = grid + random.integers(-6, 7, grid.shape)
    disks = {k: [(*(p + 20 * t), 7) for t in range(3)] for k, p in enumerate(start, 1)}
    seen = detect((frame, None) for frame in movie(disks, side=240))
    np.testing.assert_allclose(seen.drift, 20, atol=0.5)
    label = seen.detections.label
    assert (label[seen.pairs[:, 0]] == label[seen.pairs[:, 1]]).all()
    assert len(seen.pairs) == 32


def test_nothing_is_said_of_a_view_with_few_objects_or_without_a_common_step() -> None:
    assert not common_shift(np.zeros((3, 2)), np.full((3, 2), 9.0)).any()
    assert not drift_of(wandering((0, 0), steps=15)).any()
    assert drift_of(points([])).shape == (0, 2)


@solvers
def test_marks_of_one_size_may_divide(solver) -> None:
    """Disks stand for cells, so that daughters are no smaller than their mother."""
    family = {1: [(48, 48, 4)] * 3, 2: [None] * 3 + [(40 - t, 48, 4) for t in range(3)]}
    family[3] = [None] * 3 + [(56 + t, 48, 4) for t in range(3)]
    family |= {4 + k: [(12 + 24 * k, 84, 4)] * 6 for k in range(4)}
    tracks = track(movie(family), solver=solver)
    daughters = tracks.detections.label[tracks.links[tracks.children[tracks.links[:, 0]] > 1, 1]]
    assert daughters.tolist() == [2, 3]


@solvers
def test_a_piece_that_is_seen_once_is_no_daughter(solver) -> None:
    labels = movie({1: [(48, 48, 12)] * 7, 2: [(20, 80, 7)] * 7})
    labels[3, 48:][labels[3, 48:] == 1] = 9
    tracks = track(labels, solver=solver)
    assert not tracks.mother.any()


def test_objects_that_run_on_steadily_are_expected_where_they_were_heading() -> None:
    rows = [(t, 7.0 * k, 9.0 * t + 5 * k) for t in range(8) for k in range(8)]
    assert runs_steadily(points(rows))
    assert not runs_steadily(wandering((0, 0)))
    assert not runs_steadily(points(rows[:16]))
    rows = [(t, y, x) for t in range(20) for y, x in ((10, 4.0 * t), (12, 77 - 4.0 * t))]
    tracks = link(points(rows), Linking(cost="distance", max_distance=12, max_gap=0))
    for number in (1, 2):
        assert len(set(tracks.detections.position[tracks.track == number, 0])) == 1


@pytest.mark.parametrize(("frames", "objects"), make_lap_links.SIZES)
def test_frame_to_frame_links_are_those_of_laptrack_by_the_same_costs(frames, objects) -> None:
    """``make_lap_links.py`` made the links with laptrack."""
    places = make_lap_links.crowd(frames, objects)
    found = points([(t, *place) for t, frame in enumerate(places) for place in frame])
    pairs = candidates(_seen(found), make_lap_links.REACH, divisions=False)
    problem = Problem(pairs, COSTS["distance"](pairs), Prices(0.5, 0.5, np.inf))
    links = pairs.pairs[SOLVERS["lap"](problem)]
    start = found.starts[found.frame[links]]
    ours = sorted(
        [int(found.frame[i]), int(i - a), int(j - b)]
        for (i, j), (a, b) in zip(links, start, strict=True)
    )
    theirs = json.loads(make_lap_links.FILE.read_text(encoding="utf-8"))[f"{frames}x{objects}"]
    assert ours == theirs
    assert len(ours) > 0.9 * (frames - 1) * objects * 0.9
