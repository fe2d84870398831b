"""Tracks go to files that other programs read, and come back as they were."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr

from stroma.errors import (
    FileError,
    FormatError,
    LabelError,
    MissingFileError,
    ParameterError,
    ShapeError,
)
from stroma.io import write_image
from stroma.io.tracks import TRACK_WRITERS
from stroma.io.tracks.ctc import relabelled
from stroma.io.tracks.movie import read_movie
from stroma.io.tracks.table import read_points
from stroma.tracking.track import Linking
from stroma.workflow.moving.track import track, track_files
from stroma.workflow.scoring.compared import track_scores, tracks_of
from stroma.workflow.scoring.evaluate import evaluate
from tracking.movies import family, movie


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def folder(tmp_path):
    """A folder of label images that begins at frame 7, a PNG each."""
    (tmp_path / "cells").mkdir()
    for t, frame in enumerate(family()):
        write_image(tmp_path / "cells" / f"t{t + 7:03d}.png", frame, axes="yx")
    return tmp_path / "cells"


def test_a_folder_becomes_a_result_of_the_challenge_with_its_frame_numbers(folder, tmp_path):
    done = track_files(folder, tmp_path / "out")
    assert (done.tracks, done.divisions) == (4, 1)
    names = sorted(p.name for p in (tmp_path / "out").glob("mask*.tif"))
    assert names == [f"mask{t:03d}.tif" for t in range(7, 13)]
    rows = np.loadtxt(tmp_path / "out" / "res_track.txt", dtype=int)
    assert rows.tolist() == [[1, 7, 9, 0], [2, 7, 12, 0], [3, 10, 12, 1], [4, 10, 12, 1]]
    mask = tifffile.imread(tmp_path / "out" / "mask010.tif")
    assert mask.dtype == np.uint16
    truth = family()[3]
    assert {tuple(p) for p in np.unique(np.stack([truth, mask], -1).reshape(-1, 2), axis=0)} == {
        (0, 0), (2, 3), (3, 4), (4, 2),
    }  # fmt: skip


def test_a_result_read_again_has_the_same_tracks(folder, tmp_path) -> None:
    track_files(folder, tmp_path / "out")
    again, movie = tracks_of(tmp_path / "out")
    plain = track(family())
    assert movie.numbers == tuple(range(7, 13))
    assert again.count == plain.count
    assert again.mother.tolist() == plain.mother.tolist()
    assert sorted(np.bincount(again.track)[1:]) == sorted(np.bincount(plain.track)[1:])
    assert track_scores(tmp_path / "out", tmp_path / "out")["TRA"] == 1


def test_what_comes_after_a_gap_is_a_track_with_the_earlier_one_as_parent(tmp_path) -> None:
    path = [(40, 20 + 2 * t, 6) for t in range(6)]
    path[3] = None
    np.save(tmp_path / "a.npy", movie({1: path, 2: [(75, 40, 6)] * 6}))
    done = track_files(tmp_path / "a.npy", tmp_path / "out")
    assert done.tracks == 2
    rows = np.loadtxt(tmp_path / "out" / "res_track.txt", dtype=int)
    assert rows.tolist() == [[1, 0, 2, 0], [2, 0, 5, 0], [3, 4, 5, 1]]
    again, _ = tracks_of(tmp_path / "out")
    assert again.count == 2


def test_stacks_are_movies_with_their_pixel_size_and_time(tmp_path) -> None:
    path = tmp_path / "stack.ome.tif"
    write_image(path, family(), axes="tyx", spacing={"t": 120.0, "y": 0.5, "x": 0.25}, unit="µm")
    movie = read_movie(path)
    assert (movie.spacing, movie.unit, movie.interval) == ((0.5, 0.25), "µm", 120.0)
    assert np.array_equal(movie.read(4), family()[4])
    done = track_files(path, tmp_path / "out", formats=("csv", "trackmate", "geff"))
    table = read(tmp_path / "out" / "stack.ome_table.csv")
    assert float(table[1]["duration_s"]) == 5 * 120
    assert float(table[1]["path_µm"]) == pytest.approx(5 * 0.25, rel=1e-3)
    assert table[0]["daughters"] == "2"
    assert len(done.paths) == 5


def test_the_table_has_a_row_for_every_object(folder, tmp_path) -> None:
    track_files(folder, tmp_path / "out", formats=("csv",))
    rows = read(tmp_path / "out" / "cells_tracks.csv")
    assert len(rows) == sum(len(np.unique(f)) - 1 for f in family())
    first = rows[0]
    assert (first["track"], first["frame"], first["label"], first["mother"]) == ("1", "7", "1", "0")
    assert (float(first["y_px"]), float(first["x_px"])) == (48, 40)


def test_trackmate_gets_spots_edges_and_lineages(folder, tmp_path) -> None:
    track_files(folder, tmp_path / "out", formats=("trackmate",))
    root = ET.parse(tmp_path / "out" / "cells_tracks.xml").getroot()
    spots = {s.get("ID"): s for s in root.iter("Spot")}
    assert root.tag == "TrackMate"
    assert root.find("Model/AllSpots").get("nspots") == str(len(spots))
    tracks = root.findall("Model/AllTracks/Track")
    edges = [len(t.findall("Edge")) for t in tracks]
    assert sorted(edges) == [5, 2 + 2 + 4]  # the bystander; mother, division, daughters
    for edge in root.iter("Edge"):
        before, after = (
            int(spots[edge.get(k)].get("FRAME")) for k in ("SPOT_SOURCE_ID", "SPOT_TARGET_ID")
        )
        assert after == before + 1
    assert {t.get("TRACK_ID") for t in root.findall("Model/FilteredTracks/TrackID")} == {"0", "1"}
    assert root.find("Settings/ImageData").get("nframes") == "6"


def test_trackmate_finds_all_that_it_does_not_load_a_file_without(folder, tmp_path) -> None:
    # TrackMate 7 reads these unasked; a file that lacks one is not shown.
    track_files(folder, tmp_path / "out", formats=("trackmate",))
    root = ET.parse(tmp_path / "out" / "cells_tracks.xml").getroot()
    quality = root.find("Settings/InitialSpotFilter")
    assert (quality.get("feature"), float(quality.get("value"))) == ("QUALITY", 0.0)
    assert quality.get("isabove") == "true"
    for name in ("SpotFilterCollection", "TrackFilterCollection", "BasicSettings"):
        assert root.find(f"Settings/{name}") is not None
    assert root.find("Settings/DetectorSettings").get("DETECTOR_NAME") == "MANUAL_DETECTOR"
    assert 5 < float(root.find("Settings/DetectorSettings").get("RADIUS")) < 12
    assert root.find("Settings/TrackerSettings").get("TRACKER_NAME") == "MANUAL_TRACKER"
    for kind in ("SpotAnalyzers", "EdgeAnalyzers", "TrackAnalyzers"):
        assert root.find(f"Settings/AnalyzerCollection/{kind}") is not None
    crop = root.find("Settings/BasicSettings")
    assert [crop.get(f"{axis}end") for axis in "xyzt"] == ["95", "95", "0", "5"]
    assert root.find("GUIState").get("state") == "ConfigureViews"
    shown = json.loads(root.find("DisplaySettings").text)
    assert (shown["spotColorByType"], shown["trackVisible"]) == ("TRACKS", True)
    assert root.find("Settings/ImageData").get("filename") == ""  # a folder is no stack


def test_trackmate_shows_the_stack_that_was_tracked(tmp_path) -> None:
    path = write_image(tmp_path / "cells.tif", family(), axes="tyx")
    track_files(path, tmp_path / "out", formats=("trackmate",))
    image = ET.parse(tmp_path / "out" / "cells_tracks.xml").find("Settings/ImageData")
    assert (Path(image.get("folder")) / image.get("filename")).samefile(path)


def test_geff_holds_the_graph(folder, tmp_path) -> None:
    track_files(folder, tmp_path / "out", formats=("geff",))
    group = zarr.open_group(tmp_path / "out" / "cells_tracks.geff", mode="r")
    said = group.attrs["geff"]
    assert said["directed"] is True
    assert [a["name"] for a in said["axes"]] == ["t", "y", "x"]
    nodes, edges = group["nodes/ids"][:], group["edges/ids"][:]
    times = group["nodes/props/t/values"][:]
    assert len(nodes) == len(times)
    assert (times[edges[:, 1].astype(int)] - times[edges[:, 0].astype(int)] == 1).all()
    assert set(said["node_props_metadata"]) == set(group["nodes/props"].group_keys())
    json.dumps(said)


def test_points_of_a_table_are_tracked_and_sorted_by_frame(tmp_path) -> None:
    path = tmp_path / "spots.csv"
    rows = [(t, 10 + t, 40 - t) for t in (2, 0, 1)] + [(t, 60, 20) for t in range(3)]
    path.write_text("frame,y,x\n" + "".join(f"{t},{y},{x}\n" for t, y, x in rows))
    assert read_points(path).frame.tolist() == [0, 0, 1, 1, 2, 2]
    done = track_files(path, tmp_path / "out", how=Linking(cost="distance"), formats=("csv",))
    assert (done.detections, done.tracks) == (6, 2)
    assert track(path, cost="distance").count == 2
    with pytest.raises(ParameterError, match="points have none"):
        track_files(path, tmp_path / "other", formats=("ctc",))


def test_tracks_of_frames_of_another_shape_are_not_compared(folder, tmp_path) -> None:
    track_files(folder, tmp_path / "out")
    np.save(tmp_path / "wide.npy", np.pad(family(), ((0, 0), (0, 0), (0, 4))))
    track_files(tmp_path / "wide.npy", tmp_path / "wide")
    for mask in sorted((tmp_path / "wide").glob("mask*.tif"), reverse=True):
        mask.rename(mask.with_name(f"mask{int(mask.stem[4:]) + 7:03d}.tif"))
    with pytest.raises(ShapeError, match=r"\(96, 100\) pixels, its truth .* has \(96, 96\)"):
        track_scores(tmp_path / "wide", tmp_path / "out")
    with pytest.raises(ShapeError, match=r"mask007.tif has \(96, 100\)"):
        track_scores(tmp_path / "out", tmp_path / "out", outlines=tmp_path / "wide")
    (tmp_path / "none").mkdir()
    found = evaluate(tmp_path / "out", tmp_path / "out", kind="tracks", outlines=tmp_path / "none")
    assert found.overall["SEG"] is None


def test_relabelling_leaves_out_what_is_in_no_track() -> None:
    tracks = track(family())
    frame = family()[0].copy()
    frame[0, 0] = 999
    assert relabelled(frame, tracks, 0)[0, 0] == 0


def test_results_are_not_replaced_unasked(folder, tmp_path) -> None:
    track_files(folder, tmp_path / "out")
    with pytest.raises(FileError, match="holds tracks already"):
        track_files(folder, tmp_path / "out")
    track_files(folder, tmp_path / "out", overwrite=True)
    with pytest.raises(ParameterError, match="do not go among the label images"):
        track_files(folder, folder)


@pytest.mark.parametrize(
    ("names", "error", "said"),
    [
        ([], MissingFileError, "no images"),
        (["cells.png"], LabelError, "no number in its name"),
        (["t0.png", "t2.png"], MissingFileError, "lacks 1 frames, the first of them number 1"),
        (["t1.png", "t01.png"], LabelError, "number 1"),
        (["a0.png", "a1.png", "b0.png", "b1.png"], LabelError, "several kinds"),
    ],
)
def test_folders_that_are_no_movie_say_why(names, error, said, tmp_path) -> None:
    for name in names:
        write_image(tmp_path / name, np.zeros((4, 4), np.uint8), axes="yx")
    with pytest.raises(error, match=said):
        read_movie(tmp_path)


def test_files_that_are_no_movie_say_why(tmp_path) -> None:
    write_image(tmp_path / "one.png", np.zeros((4, 4), np.uint8), axes="yx")
    with pytest.raises(ShapeError, match="single image"):
        read_movie(tmp_path / "one.png")
    write_image(tmp_path / "rgb.ome.tif", np.zeros((2, 3, 4, 4), np.uint8), axes="tcyx")
    with pytest.raises(ShapeError, match="3 channels"):
        read_movie(tmp_path / "rgb.ome.tif")
    (tmp_path / "no.csv").write_text("a,b\n1,2\n")
    with pytest.raises(FormatError, match=r"need t .*, y and x"):
        read_points(tmp_path / "no.csv")
    (tmp_path / "bad.csv").write_text("t,y,x\n0,1,2\n0,one,2\n")
    with pytest.raises(FormatError, match="line 3: not a number"):
        read_points(tmp_path / "bad.csv")
    (tmp_path / "inf.csv").write_text("t,y,x\n0,inf,2\n")
    with pytest.raises(FormatError, match="no numbers"):
        read_points(tmp_path / "inf.csv")


def test_texts_of_tracks_that_are_wrong_say_where(folder, tmp_path) -> None:
    track_files(folder, tmp_path / "out")
    text = tmp_path / "out" / "res_track.txt"
    text.write_text(text.read_text() + "five 1 2 0\n")
    with pytest.raises(FormatError, match=r"line 5: .*four whole numbers"):
        tracks_of(tmp_path / "out")
    text.write_text("1 7 9 77\n")
    with pytest.raises(FormatError, match="comes from 77, which is nowhere"):
        tracks_of(tmp_path / "out")
    text.unlink()
    with pytest.raises(MissingFileError, match=r"no res_track.txt or man_track.txt"):
        tracks_of(tmp_path / "out")


def test_the_command_tracks_and_says_what_it_found(folder, tmp_path, capsys) -> None:
    from stroma.cli.app import main

    with pytest.raises(SystemExit) as ended:
        main(["track", str(folder), "--out", str(tmp_path / "out"), "--format", "ctc", "--json"])
    assert not ended.value.code
    found = json.loads(capsys.readouterr().out)
    assert (found["tracks"], found["divisions"]) == (4, 1)
    out = str(tmp_path / "out")
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", out, out, "--tracks", "--outlines", out, "--json"])
    assert not ended.value.code
    scores = json.loads(capsys.readouterr().out)
    assert {scores[k] for k in ("TRA", "LNK", "SEG", "CHOTA")} == {1.0}
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", out, out, "--kind", "tracks"])
    assert not ended.value.code
    assert "1.0000" in capsys.readouterr().out
    with pytest.raises(ParameterError, match="go with tracks"):
        evaluate(out, out, outlines=out)
    with pytest.raises(ParameterError, match="folder by folder"):
        evaluate([out], [out], kind="tracks")


CUT_OFF = """
import os, sys
from stroma.io.tracks import ctc
from stroma.workflow.moving.track import track_files
write, count = ctc.write_image, []
def third(path, *given, **named):
    if len(count) == 2:
        os.kill(os.getpid(), 9)
    count.append(path)
    return write(path, *given, **named)
ctc.write_image = third
track_files(sys.argv[1], sys.argv[2])
"""


def test_a_run_that_was_killed_half_way_is_finished_by_the_next(folder, tmp_path) -> None:
    out = tmp_path / "out"
    done = subprocess.run([sys.executable, "-c", CUT_OFF, str(folder), str(out)], check=False)
    assert done.returncode == -9
    assert len(list(out.glob("mask*.tif"))) == 2
    found = track_files(folder, out)
    assert (found.tracks, len(list(out.glob("mask*.tif")))) == (4, 6)
    assert not list(out.glob("*.unfinished"))
    track_files(folder, tmp_path / "whole")
    for path in (tmp_path / "whole").iterdir():
        assert path.read_bytes() == (out / path.name).read_bytes()
    with pytest.raises(FileError, match="holds tracks already"):
        track_files(folder, out)


def test_the_lineage_is_a_picture_of_tracks_and_forks(tmp_path) -> None:
    (path,) = TRACK_WRITERS["lineage"](tmp_path, track(family()), None, "a<b")
    root = ET.fromstring(path.read_text(encoding="utf-8"))
    name = "{http://www.w3.org/2000/svg}"
    titles = [line.find(f"{name}title").text for line in root.iter(f"{name}line") if len(line)]
    assert titles == [
        *("track 1, frames 0 to 2", "track 2, frames 0 to 5"),
        *("track 3, frames 3 to 5", "track 4, frames 3 to 5"),
    ]
    rows = [float(line.get("y1")) for line in root.iter(f"{name}line") if len(line)]
    assert rows[0] == (rows[2] + rows[3]) / 2
    assert len(list(root.iter(f"{name}path"))) == 2
    (empty,) = TRACK_WRITERS["lineage"](tmp_path, track(family()[:, :1, :1]), None, "none")
    assert ET.fromstring(empty.read_text()).tag == f"{name}svg"
