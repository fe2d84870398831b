"""A movie and a model become tracks by one command, and by the same one after a kill."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile

from stroma import ConvpaintModel, Image, track
from stroma.cli.app import main
from stroma.data.classes import Class
from stroma.errors import FileError, ParameterError
from stroma.io.tracks.movie import read_frames
from stroma.workflow.moving.movie_objects import class_of, objects_in, write_movie_objects
from stroma.workflow.moving.track import track_files
from tracking.movies import family


@pytest.fixture(scope="module")
def painted(tmp_path_factory) -> tuple[Path, Path]:
    """A movie of bright cells, and a model of strokes that knows them."""
    folder = tmp_path_factory.mktemp("painted")
    film = np.where(family() > 0, 200, 20).astype(np.uint8)
    tifffile.imwrite(folder / "film.tif", film, metadata={"axes": "TYX"})
    strokes = np.zeros(film.shape[1:], np.uint8)
    strokes[45:52, 37:44], strokes[80:90, 10:60] = 2, 1
    model = ConvpaintModel(fe_name="gaussian_features")
    model.train(film[0], strokes)
    model.classes = [Class(1, "ground"), Class(2, "cells")]
    model.save(folder / "cells.pkl", create_yml=False)
    return folder / "film.tif", folder / "cells.pkl"


def test_a_movie_and_a_model_become_tracks_by_one_command(painted, tmp_path, capsys) -> None:
    film, model = painted
    words = ["track", str(film), "--model", str(model), "--class", "cells", "--min-size", "60"]
    words += ["--format", "ctc", "--format", "trackmate", "--out", str(tmp_path / "out"), "--json"]
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert not ended.value.code
    found = json.loads(capsys.readouterr().out)
    assert (found["tracks"], found["divisions"]) == (4, 1)
    names = {p.name for p in (tmp_path / "out").iterdir()}
    assert {"film_lineage.svg", "film_table.csv", "film_tracks.xml", "objects"} <= names
    assert 'filename="film.tif"' in (tmp_path / "out/film_tracks.xml").read_text()
    whole = track(film, model=ConvpaintModel(model_path=model), label="cells")
    array = track(tifffile.imread(film), model=ConvpaintModel(model_path=model))
    assert whole.links.tolist() == array.links.tolist()
    assert whole.count == 4


CUT_OFF = """
import os, sys
import stroma
from stroma.workflow.moving import movie_objects
from stroma.workflow.moving.track import track_files
find, count = movie_objects.objects_in, []
def third(*given):
    if len(count) == 3:
        os.kill(os.getpid(), 9)
    count.append(1)
    return find(*given)
movie_objects.objects_in = third
track_files(sys.argv[1], sys.argv[3], model=stroma.load(sys.argv[2]))
"""


def test_after_a_kill_only_what_is_left_is_done(painted, tmp_path, monkeypatch) -> None:
    film, path = painted
    out = tmp_path / "out"
    words = [sys.executable, "-c", CUT_OFF, str(film), str(path), str(out)]
    assert subprocess.run(words, check=False).returncode == -9
    assert len(list((out / "objects").glob("t*.tif"))) == 3
    done = []

    def counted(*given):
        done.append(given)
        return objects_in(*given)

    monkeypatch.setattr("stroma.workflow.moving.movie_objects.objects_in", counted)
    found = track_files(film, out, model=ConvpaintModel(model_path=path))
    assert (len(done), found.tracks) == (3, 4)


def test_objects_of_another_model_are_not_mixed_with_these(painted, tmp_path) -> None:
    film, path = painted
    model = ConvpaintModel(model_path=path)
    write_movie_objects(model, film, tmp_path, smallest=60)
    before = {p.name: p.stat().st_mtime_ns for p in tmp_path.glob("t*.tif")}
    write_movie_objects(model, film, tmp_path, smallest=60)
    assert before == {p.name: p.stat().st_mtime_ns for p in tmp_path.glob("t*.tif")}
    with pytest.raises(FileError, match="of another model, movie or of other options"):
        write_movie_objects(model, film, tmp_path, smallest=10_000)
    write_movie_objects(model, film, tmp_path, smallest=10_000, overwrite=True)
    assert not any(tifffile.imread(p).any() for p in tmp_path.glob("t*.tif"))


def test_which_class_is_objects_is_asked_where_it_is_not_clear(painted, capsys) -> None:
    film, path = painted
    model = ConvpaintModel(model_path=path)
    assert class_of(model, None) == class_of(model, "Cells") == class_of(model, 2) == 2
    with pytest.raises(ParameterError, match=r"No class 'nuclei'.*1 \(ground\), 2 \(cells\)"):
        class_of(model, "nuclei")
    with pytest.raises(SystemExit) as ended:
        main(["track", str(film), "--class", "2"])
    assert ended.value.code == 2
    assert "--class goes with --model" in " ".join(capsys.readouterr().err.split())


def test_frames_of_a_stack_know_the_statistics_of_the_whole(painted) -> None:
    frames = read_frames(painted[0])
    assert len(frames) == 6
    assert frames.at(3).whole.sizes["t"] == 6
    assert replace(frames, interval=2.0).interval == 2.0
    assert isinstance(frames.at(0), Image)


def test_of_a_file_with_several_movies_one_is_chosen(painted, tmp_path, capsys) -> None:
    film, model = painted
    frames = tifffile.imread(film)
    with tifffile.TiffWriter(tmp_path / "two.ome.tif", ome=True) as file:
        for values in (frames[:2], frames):
            file.write(values, metadata={"axes": "TYX"})
    for words, count in ((["--model", str(model)], len(frames)), ([], len(frames))):
        out = tmp_path / f"out{len(words)}"
        given = ["track", str(tmp_path / "two.ome.tif"), *words, "--series", "1"]
        with pytest.raises(SystemExit) as ended:
            main([*given, "--out", str(out)])
        assert not ended.value.code
        assert len(list(out.glob("mask*.tif"))) == count
    objects = tmp_path / "objects"
    found = ConvpaintModel(model_path=model)
    write_movie_objects(found, tmp_path / "two.ome.tif", objects)
    assert len(list(objects.glob("t*.tif"))) == 2
    with pytest.raises(FileError, match="objects"):  # of another movie
        write_movie_objects(found, tmp_path / "two.ome.tif", objects, series=1)
