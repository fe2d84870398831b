"""Scores of tracks: hand-made cases, and numbers that an independent program gave."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from stroma.data.tracks import Tracks
from stroma.metrics.tracking import divisions, match, scores, seg
from stroma.tracking.detect import detect
from stroma.workflow.moving.track import track
from tracking.movies import family, movie


def scored(truth: Tracks, images: np.ndarray, result: Tracks, ours: np.ndarray) -> dict[str, float]:
    pairs = match(truth.detections, result.detections, zip(images, ours, strict=True))
    return scores(truth, result, pairs)


def changed(tracks: Tracks, drop: int) -> Tracks:
    return tracks.with_links(np.delete(tracks.links, drop, axis=0))


def test_the_truth_scores_one_in_everything() -> None:
    truth = track(family())
    assert set(scored(truth, family(), truth, family()).values()) == {1.0}


def test_a_missing_link_costs_one_and_a_half_of_all_links() -> None:
    truth = track(family())
    found = scored(truth, family(), changed(truth, 0), family())
    nodes, edges = len(truth.detections), len(truth.links)
    assert found["DET"] == 1
    assert found["LNK"] == pytest.approx(1 - 1 / edges)
    assert found["TRA"] == pytest.approx(1 - 1.5 / (10 * nodes + 1.5 * edges))
    assert found["link_recall"] == pytest.approx(1 - 1 / edges)
    assert found["link_precision"] == 1
    assert found["CHOTA"] < 1


def test_detections_cost_ten_when_missing_one_when_false_five_when_joined() -> None:
    images = movie({1: [(20, 20, 6)], 2: [(20, 60, 6)], 3: [(70, 40, 6)]})
    truth = track(images)

    def det(ours: np.ndarray) -> float:
        return scored(truth, images, track(ours), ours)["DET"]

    missing, false, joined = images.copy(), images.copy(), images.copy()
    missing[missing == 3] = 0
    false[0, 90:, 90:] = 9
    joined[0, 15:26, 15:66] = 1
    joined[joined == 2] = 1
    assert det(missing) == pytest.approx(1 - 10 / 30)
    assert det(false) == pytest.approx(1 - 1 / 30)
    assert det(joined) == pytest.approx(1 - 5 / 30)


def test_half_of_an_object_is_no_match() -> None:
    truth = np.zeros((1, 4, 8), np.uint8)
    truth[0, :, :4] = 1
    ours = np.zeros_like(truth)
    ours[0, :2, :4] = 5
    a, b = (detect((f, None) for f in frames).detections for frames in (truth, ours))
    assert len(match(a, b, zip(truth, ours, strict=True)).pairs) == 0
    ours[0, 2, 0] = 5
    b = detect((f, None) for f in ours).detections
    assert match(a, b, zip(truth, ours, strict=True)).pairs.tolist() == [[0, 0]]


def test_a_division_counts_when_mother_and_daughters_are_right() -> None:
    truth, lone = track(family()), track(family(), divisions=False)
    pairs = match(truth.detections, lone.detections, zip(family(), family(), strict=True))
    assert divisions(truth, truth, pairs) == {"precision": 1, "recall": 1, "f1": 1}
    assert divisions(truth, lone, pairs) == {"precision": 0, "recall": 0, "f1": 0}
    found = scored(truth, family(), lone, family())
    assert found["TRA"] < 1


def test_nothing_against_nothing_is_right_and_against_something_wrong() -> None:
    empty = np.zeros((3, 96, 96), np.uint16)
    nothing, something = track(empty), track(family()[:3])
    assert scored(nothing, empty, nothing, empty)["TRA"] == 1
    assert scored(something, family()[:3], nothing, empty)["TRA"] == 0
    assert scored(something, family()[:3], nothing, empty)["CHOTA"] == 0


def test_outlines_are_scored_by_what_covers_most_of_them() -> None:
    true = np.zeros((10, 20), int)
    true[:, :5], true[:, 10:15] = 1, 2
    ours = np.zeros_like(true)
    ours[:, :8] = 4
    assert seg([(true, ours)]) == pytest.approx((50 / 80 + 0) / 2)
    assert np.isnan(seg([]))


PROGRAMS = {
    program: json.loads((Path(__file__).parent / f"{program}_scores.json").read_text())
    for program in ("ctc", "traccuracy")
}


@pytest.mark.parametrize("name", PROGRAMS["ctc"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_scores_equal_those_of_independent_programs(program, name) -> None:
    """``make_ctc_scores.py`` makes the movies, and made the numbers with py-ctcmetrics.

    ``make_traccuracy_scores.py`` made those of traccuracy.
    """
    from metrics.make_ctc_scores import case

    known = PROGRAMS[program][name]
    truth_images, truth, our_images, ours = case(name)
    found = scored(truth, truth_images, ours, our_images)
    # How an object that covers two true ones counts in associations is read in two ways.
    same = {k: v for k, v in known.items() if (name, k) != ("joined", "CHOTA")}
    for key, value in same.items():
        assert found[key] == pytest.approx(value, abs=1e-6), key
