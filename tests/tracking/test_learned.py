"""Links are learned from annotated tracks, kept in a file, and used like any cost."""

from __future__ import annotations

import itertools
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import tifffile

from stroma import learn_links, track
from stroma.cli.app import main
from stroma.data.tracks import Detections, Tracks
from stroma.errors import FormatError, LabelError, MissingFileError, ParameterError, ShapeError
from stroma.io.tracks import TRACK_WRITERS
from stroma.io.tracks.movie import movie_of
from stroma.io.tracks.table import read_points
from stroma.pixel.files import plain
from stroma.tracking import SOLVERS
from stroma.tracking.candidates import candidates, typical_reach
from stroma.tracking.costs import combined, penalised
from stroma.tracking.detect import Seen, detect
from stroma.tracking.learned import Annotated, LinkModel
from stroma.tracking.pairs import pair_features, pair_names
from stroma.tracking.track import Linking, link
from stroma.workflow.moving.links import load_links, save_links
from stroma.workflow.moving.track import track_files
from tracking.movies import movie

QUICK = LinkModel(params={"iterations": 30, "rsm": 1.0})


def turning(frames: int = 12, pairs: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and images of bright and dim disks that change places in every frame."""
    side = 40 * pairs
    disks, image = {}, np.zeros((frames, side, side), np.float32)
    for k in range(pairs):
        row = 20 + 40 * k
        disks[2 * k + 1] = [(row, 100 + 14 * (t % 2), 6) for t in range(frames)]
        disks[2 * k + 2] = [(row, 114 - 14 * (t % 2), 6) for t in range(frames)]
    labels = movie(disks, side)
    image[labels > 0] = np.where(labels[labels > 0] % 2, 200, 90)
    return labels, image


def dividing(families: int = 12) -> np.ndarray:
    """Return labels, the same while an object is, of cells that divide after some frames."""
    side, frames, disks, name = 60 * families, 8, {}, 0
    for k in range(families):
        row, when = 30 + 60 * k, 2 + k % 4
        mother = [(row, 60, 10) if t < when else None for t in range(frames)]
        up, down = (
            [None if t < when else (row, 60 + s * (9 + 2 * (t - when)), 7) for t in range(frames)]
            for s in (-1, 1)
        )
        for path in (mother, up, down):
            name += 1
            disks[name] = path
    return movie(disks, side)


def annotated(labels: np.ndarray, image: np.ndarray | None = None, *, families: int = 0):
    """Return a movie whose labels are objects, mothers followed by their daughters."""
    seen = detect(zip(labels, labels * 0 + 1 if image is None else image, strict=True))
    found = seen.detections
    if image is None:
        found = replace(found, measures={"area": found.measures["area"]})
    at: dict[int, list[int]] = {}
    for i, label in enumerate(found.label.tolist()):
        at.setdefault(label, []).append(i)
    links = [(a, b) for rows in at.values() for a, b in itertools.pairwise(rows)]
    for k in range(families):
        links += [(at[3 * k + 1][-1], at[3 * k + daughter][0]) for daughter in (2, 3)]
    return Annotated(replace(seen, detections=found), np.array(links, np.int64).reshape(-1, 2))


@cache
def of_families() -> LinkModel:
    return QUICK.fit([annotated(dividing(), families=12)])


@cache
def of_brightness() -> LinkModel:
    return QUICK.fit([annotated(*turning())])


def ran(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """Return how the program ended, and what it wrote, as one line."""
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    written = capsys.readouterr()
    return int(ended.value.code or 0), " ".join((written.out + written.err).split())


def names(tracks: Tracks) -> list[set[int]]:
    """Return the true objects in each track."""
    found = [set() for _ in range(tracks.count)]
    for number, label in zip(tracks.track.tolist(), tracks.detections.label.tolist(), strict=True):
        found[number - 1].add(label)
    return found


def test_what_tells_objects_apart_is_learned() -> None:
    labels, image = turning(frames=6, pairs=4)
    model = of_brightness()
    assert model.measures_ == ("intensity",)
    assert any(len(one) > 1 for one in names(track(labels, image)))
    assert all(len(one) == 1 for one in names(track(labels, image, cost=model)))
    assert model.scores_["recall"] > 0.95
    assert model.scores_["precision"] > 0.95


@pytest.mark.parametrize("solver", list(SOLVERS))
def test_divisions_are_learned_with_the_links(solver) -> None:
    model = of_families()
    assert model.families_ is not None
    tracks = track(dividing(5), cost=model, solver=solver)
    assert sorted(tracks.mother.tolist()) == [0] * 5 + sorted(
        2 * list(tracks.mother[tracks.mother > 0][::2])
    )
    assert int((tracks.children == 2).sum()) == 5
    assert track(dividing(5), cost=model, solver=solver, divisions=False).children.max() == 1


def test_with_few_divisions_those_cost_what_they_do_unless_learned() -> None:
    model = QUICK.fit([annotated(dividing(4), families=4)])
    assert model.families_ is None
    assert int((track(dividing(5), cost=model).children == 2).sum()) == 5


def test_a_file_gives_the_same_costs_and_runs_nothing(tmp_path) -> None:
    seen = annotated(dividing(3)).seen
    pairs = candidates(seen, typical_reach(seen))
    model, path = of_families(), tmp_path / "links.pkl"
    save_links(path, model)
    again = load_links(path)
    assert again.scores_ == model.scores_
    np.testing.assert_array_equal(again(pairs), model(pairs))
    ours, theirs = (m.divisions(pairs, m(pairs), 0.6) for m in (model, again))
    np.testing.assert_array_equal(ours.price, theirs.price)
    assert len(ours.price)


def test_files_that_hold_no_links_are_refused_in_words(tmp_path) -> None:
    state = {"kind": "links", **of_families().state()}
    spoilt = {
        "another kind": state | {"kind": "classes of objects"},
        "no arrays": {k: v for k, v in state.items() if k != "arrays"},
        "other columns": state | {"columns": state["columns"][:-1]},
        "measures that are no names": state | {"measures": [1]},
        "a reach that is none": state | {"wider": 0.0},
        "scores that are no numbers": state | {"scores": {"recall": "good"}},
        "trees of other columns": state | {"families": state["arrays"]},
    }
    for what, wrong in spoilt.items():
        path = tmp_path / f"{what}.pkl"
        plain.write(path, wrong)
        with pytest.raises(FormatError, match=what):  # the message names the file
            load_links(path)
    with pytest.raises(FormatError, match=r"ends in \.pkl"):
        save_links(tmp_path / "links.txt", of_families())
    with pytest.raises(MissingFileError, match="nowhere"):
        track(dividing(3), cost=str(tmp_path / "nowhere.pkl"))


def test_links_learned_with_intensities_ask_for_the_movie() -> None:
    with pytest.raises(ParameterError, match=r"needs that measure.*as the image"):
        track(dividing(3), cost=of_brightness())


def test_too_little_to_learn_from_is_said() -> None:
    with pytest.raises(LabelError, match=r"20 true ones at least.*Annotate more"):
        LinkModel().fit([annotated(*turning(frames=3, pairs=1))])
    with pytest.raises(LabelError, match="there is none"):
        LinkModel().fit([])


def test_from_a_folder_of_tracks_to_tracks_by_two_commands(tmp_path, capsys) -> None:
    truth = annotated(dividing(), families=12)
    known = Tracks(truth.seen.detections, truth.links)
    folder = tmp_path / "known"
    folder.mkdir()
    TRACK_WRITERS["ctc"](folder, known, movie_of(dividing()), "known")
    model, out = tmp_path / "links.pkl", tmp_path / "out"
    done = ran(capsys, *["learn", str(folder), "--target", "links", "--model", str(model)])
    assert done[0] == 0, done[1]
    assert "recall of links in frames that were left out: " in done[1]
    tifffile.imwrite(tmp_path / "new.tif", dividing(5))
    done = ran(
        capsys, *["track", str(tmp_path / "new.tif"), "--cost", str(model), "--out", str(out)]
    )
    assert done[0] == 0, done[1]
    assert "15 tracks, 5 divisions" in done[1]


def test_what_is_for_networks_does_not_go_with_links(tmp_path, capsys) -> None:
    words = ["learn", str(tmp_path), "--target", "links", "--model", "a.pkl", "--minutes", "3"]
    done = ran(capsys, *words)
    assert done[0] == 2
    assert "--minutes is for networks" in done[1]


def test_a_segmentation_is_learned_from_by_the_tracks_of_its_movie(tmp_path) -> None:
    labels, image = turning()
    names = np.array([0, *np.random.default_rng(0).permutation(12) + 1], np.uint16)
    for name, values in (("true", labels), ("found", names[labels]), ("movie", image)):
        tifffile.imwrite(tmp_path / f"{name}.tif", values)
    model = learn_links(tmp_path / "true.tif", tmp_path / "found.tif", image=tmp_path / "movie.tif")
    assert model.measures_ == ("intensity",)
    assert model.scores_["recall"] > 0.95
    tifffile.imwrite(tmp_path / "short.tif", labels[:-1])
    with pytest.raises(ShapeError, match="11 frames, but"):
        learn_links(tmp_path / "true.tif", tmp_path / "short.tif")
    with pytest.raises(ShapeError, match="1 movies with tracks, but 2"):
        learn_links(tmp_path / "true.tif", [tmp_path / "found.tif"] * 2)


def test_a_folder_without_tracks_is_said_to_have_none(tmp_path) -> None:
    for t, frame in enumerate(turning(3)[0]):
        names = np.arange(13) + 12 * t
        names[0] = 0
        tifffile.imwrite(tmp_path / f"t{t}.tif", names[frame].astype(np.uint16))
    with pytest.raises(MissingFileError, match="its tracks are not known"):
        learn_links(tmp_path)


def test_measures_of_pairs_do_not_depend_on_units() -> None:
    seen = annotated(dividing(4)).seen
    found = seen.detections
    metres = replace(seen, detections=replace(found, spacing=(0.25, 0.25), unit="µm"))
    ours, theirs = (
        pair_features(candidates(s, typical_reach(s), max_gap=2)) for s in (seen, metres)
    )
    assert ours.shape[1] == len(pair_names(()))
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_rivals_and_ranks_of_a_pair_are_counted_by_hand() -> None:
    found = Detections(
        np.array([0, 1, 1, 1]), np.arange(4), np.array([[0, 0], [0, 1], [0, 3], [0, 2]], float)
    )
    pairs = candidates(Seen(found, np.zeros((0, 2), int), np.zeros(0, int)), 4.0, divisions=False)
    column = dict(zip(pair_names(()), pair_features(pairs).T, strict=True))
    assert pairs.pairs[:, 1].tolist() == [1, 2, 3]
    assert column["rank_earlier"].tolist() == [0, 2, 1]
    assert column["rank_later"].tolist() == [0, 0, 0]
    np.testing.assert_allclose(column["behind_earlier"], [0, 0.5, 0.25])
    assert column["overlap_rival_earlier"].tolist() == [0, 0, 0]


def test_penalties_are_those_of_trackmate() -> None:
    found = Detections(
        np.array([0, 1, 1]),
        np.arange(3),
        np.array([[0, 0], [0, 2], [0, 3]], float),
        {"bright": np.array([10.0, 30.0, 10.0])},
    )
    seen = Seen(found, np.zeros((0, 2), int), np.zeros(0, int))
    pairs = candidates(seen, 5.0, divisions=False)
    np.testing.assert_allclose(penalised(pairs, {"bright": 2.0}), [1 + 3 * 2 * 20 / 40, 1])
    plainly = link(seen, Linking(cost="distance", max_distance=5.0, divisions=False))
    alike = link(
        seen, Linking(cost="distance", max_distance=5.0, divisions=False, penalties={"bright": 2.0})
    )
    assert (plainly.links.tolist(), alike.links.tolist()) == ([[0, 1]], [[0, 2]])
    with pytest.raises(ParameterError, match="known are: bright"):
        penalised(pairs, {"dim": 1.0})
    with pytest.raises(ParameterError, match="above 0, got bright=-1"):
        Linking(penalties={"bright": -1})


def test_a_column_of_a_table_is_a_cost_and_a_penalty(tmp_path, capsys) -> None:
    path = tmp_path / "points.csv"
    path.write_text("t,y,x,y_um,Bright,note\n0,0,0,0,10,a\n1,0,2,0,30,b\n1,0,3,0,10,c\n")
    found = read_points(path)
    assert {k: v.tolist() for k, v in found.measures.items()} == {"bright": [10, 30, 10]}
    pairs = candidates(Seen(found, np.zeros((0, 2), int), np.zeros(0, int)), 5.0, divisions=False)
    np.testing.assert_allclose(
        combined(pairs, "bright"), [(np.log(3) / np.log(2)) ** 2, 0], atol=1e-12
    )
    done = ran(
        capsys,
        *[
            "track",
            str(path),
            "--penalty",
            "bright=2",
            "--no-divisions",
            "--out",
            str(tmp_path / "out"),
        ],
    )
    assert done[0] == 0, done[1]
    rows = (tmp_path / "out/points_tracks.csv").read_text().splitlines()
    assert sum(row.startswith("1,") for row in rows) == 2
    wrong = ran(capsys, *["track", str(path), "--penalty", "bright"])
    assert wrong[0] == 2
    assert "written like area=1" in wrong[1]


def test_files_are_tracked_with_a_learned_cost(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "movie.tif", dividing(4))
    found = track_files(tmp_path / "movie.tif", tmp_path / "out", how=Linking(cost=of_families()))
    assert (found.tracks, found.divisions) == (12, 4)
