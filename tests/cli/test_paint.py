"""``stroma paint`` says where the page is, keeps a project, and ends when asked to."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import tifffile
import uvicorn
from tests.patience import PATIENCE

from stroma.cli.paint import opened_as, take_tracks
from stroma.errors import StromaError
from stroma.io import write_image
from stroma.pixel.model import ConvpaintModel
from stroma.session import Session
from stroma.session.recent import recent

RUN = "from stroma.cli.app import main; main()"


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STROMA_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def image(tmp_path: Path) -> Path:
    return write_image(tmp_path / "cells.tif", np.zeros((32, 32), np.uint8), axes="yx")


@contextmanager
def painting(*args: object) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the program until the block ends; yield it and the address of its page."""
    command = [sys.executable, "-c", RUN, "paint", *map(str, args), "--no-browser"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None
        try:
            found = re.search(r"http://\S+", run.stdout.readline())
            assert found, run.stderr and run.stderr.read()
            yield run, found[0]
        finally:
            run.send_signal(signal.SIGINT)
            run.wait(PATIENCE)


@pytest.fixture
def painted(stroma, monkeypatch) -> Callable[..., None]:
    """Run the program in this process, as if it were ended as soon as it says where the page is."""
    monkeypatch.setattr(uvicorn.Server, "run", lambda _, sockets: sockets[0].close())

    def run(*args: object) -> None:
        ended = stroma("paint", *args, "--no-browser")
        assert (ended.code, ended.out[:25]) == (0, "Stroma paints at http://1"), ended.err

    return run


def test_the_page_opens_with_the_token_only_and_ctrl_c_ends_it_well(image) -> None:
    with painting(image) as (run, url):
        assert url.startswith("http://127.0.0.1:")
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        with opener.open(url, timeout=PATIENCE) as answer:
            assert b"/static/main.js" in answer.read()
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(url.split("?")[0], timeout=PATIENCE)
    assert run.returncode == 0


def test_the_project_lies_beside_the_image_and_is_gone_on_with(image, painted) -> None:
    painted(image)
    project = image.with_name("cells.stroma")
    with Session.open(project) as session:
        assert [one.name for one in session.images] == ["cells.tif"]
    painted(image)
    with Session.open(project) as session:
        assert len(session.images) == 1


def test_an_image_that_was_moved_is_found_when_it_is_named_again(image, painted, tmp_path) -> None:
    painted(image)
    (tmp_path / "moved").mkdir()
    moved = image.rename(tmp_path / "moved" / "cells.tif")
    project = tmp_path / "cells.stroma"
    painted(moved, "--project", project)
    with Session.open(project) as session:
        [one] = session.images
        assert not one.missing
        assert Path(one.image.source).resolve() == moved


def test_a_project_that_is_open_already_is_not_opened_again(image, stroma) -> None:
    with painting(image):
        ended = stroma("paint", image, "--no-browser")
    assert ended.code == 2
    assert "cells.stroma" in ended.err


def test_a_host_for_others_says_what_it_exposes(image) -> None:
    with painting(image, "--host", "0.0.0.0") as (run, _):
        assert run.stderr is not None
        assert "Whoever has the address" in run.stderr.readline()


def test_without_an_image_a_page_opens_on_which_one_is_chosen(image, monkeypatch) -> None:
    monkeypatch.chdir(image.parent)
    with painting() as (run, url):
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        with opener.open(url, timeout=PATIENCE) as answer:
            assert b"/static/start.js" in answer.read()
        origin = url.split("/?")[0]
        asked = urllib.request.Request(
            f"{origin}/start/open", b'{"paths": ["%s"]}' % bytes(image), {"Origin": origin}
        )
        with opener.open(asked, timeout=PATIENCE) as answer:
            assert answer.status == 200
    assert run.returncode == 0
    with Session.open(image.with_name("cells.stroma")) as session:
        assert [one.name for one in session.images] == ["cells.tif"]
    assert recent() == [image.with_name("cells.stroma")]


def test_a_missing_image_is_said(stroma, tmp_path) -> None:
    ended = stroma("paint", tmp_path / "none.tif")
    assert ended.code == 2
    assert "none.tif" in ended.err


def test_an_empty_file_is_said_and_leaves_no_project_behind(stroma, tmp_path) -> None:
    (tmp_path / "empty.tif").touch()
    ended = stroma("paint", tmp_path / "empty.tif")
    assert ended.code == 2
    assert "0 bytes" in ended.err
    assert [p.name for p in tmp_path.iterdir()] == ["empty.tif"]


def test_a_project_is_opened_by_its_name(image, painted) -> None:
    with Session.create(image.with_name("cells.stroma")) as session:
        session.add_image(image)
    painted(image.with_name("cells.stroma"))
    with Session.open(image.with_name("cells.stroma")) as session:
        assert [one.name for one in session.images] == ["cells.tif"]


def test_two_projects_at_once_are_refused_with_their_names(stroma, tmp_path) -> None:
    for name in ("a", "b"):
        Session.create(tmp_path / f"{name}.stroma").close()
    ended = stroma("paint", tmp_path / "a.stroma", "--project", tmp_path / "b.stroma")
    assert ended.code == 2
    assert "a.stroma" in ended.err
    assert "b.stroma" in ended.err


def test_a_folder_of_images_becomes_one_project_beside_it(image, painted, tmp_path) -> None:
    folder = tmp_path / "plate 1.2"
    folder.mkdir()
    image.rename(folder / "cells.tif")
    painted(folder)
    assert [path.name for path in folder.iterdir()] == ["cells.tif"]
    with Session.open(tmp_path / "plate 1.2.stroma") as session:
        assert [one.name for one in session.images] == ["cells.tif"]


def test_a_damaged_file_of_a_folder_keeps_no_other_away_and_is_told(image, tmp_path) -> None:
    folder = tmp_path / "plate"
    folder.mkdir()
    image.rename(folder / "cells.tif")
    (folder / "empty.tif").touch()
    with opened_as([folder]) as session:
        assert [one.name for one in session.images] == ["cells.tif"]
        (notice,) = session.notices
        assert "1 of 2 images were not opened" in notice.message
        assert "empty.tif" in notice.message
    with pytest.raises(StromaError, match=r"empty\.tif"):
        opened_as([folder / "cells.tif", folder / "empty.tif"])
    (folder / "cells.tif").unlink()
    with pytest.raises(StromaError, match=r"empty\.tif"):
        opened_as([folder], tmp_path / "none.stroma")
    assert not (tmp_path / "none.stroma").exists()


def test_all_images_of_a_file_are_opened_or_those_that_are_named(tmp_path) -> None:
    path = tmp_path / "three.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as writer:
        for i in range(3):
            values = np.full((16, 16), i, np.uint8)
            writer.write(values, photometric="minisblack", metadata={"axes": "YX"})
    chosen, every = (tmp_path / f"{name}.stroma" for name in ("chosen", "every"))
    opened_as([path], chosen, series=(2,)).close()
    with opened_as([path], chosen) as session:  # of a file that is open, no more by itself
        assert [one.image.read_with["series"] for one in session.images] == [2]
    with opened_as([path], every) as session:
        assert [one.image.read()[0, 0] for one in session.images] == [0, 1, 2]
        assert len({one.name for one in session.images}) == 3


def test_a_sample_is_opened_in_a_project_of_its_name_and_a_model_is_gone_on_with(
    painted, tmp_path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    values = np.zeros((32, 32), np.uint8)
    values[:, 16:] = 200
    strokes = np.zeros((32, 32), np.uint8)
    strokes[10, 2:10], strokes[10, 20:30] = 1, 2
    trained = ConvpaintModel("gaussian")
    trained.train(values, strokes)
    trained.save(tmp_path / "model.pkl", create_yml=False)
    for _ in range(2):  # the second time, it is there already
        painted("--sample", "coins", "--model", tmp_path / "model.pkl")
    with Session.open(tmp_path / "coins.stroma") as session:
        [one] = session.images
        assert one.name == "coins"
        assert one.image.read().max() > 200
        assert session.status.trained >= 0


def test_label_images_of_a_movie_are_tracked_once(tmp_path, stroma) -> None:
    labels = np.zeros((3, 24, 24), np.uint8)
    for t in range(3):
        labels[t, 8:14, 4 + t : 12 + t] = 5
    movie = write_image(tmp_path / "movie.tif", 40 * labels, axes="tyx")
    found = write_image(tmp_path / "found.tif", labels, axes="tyx")
    with opened_as([movie], tmp_path / "movie.stroma") as session:
        take_tracks(session, found)
        [one] = session.images
        assert session.tracks(one.key).count == 1
        session.correct_tracks(one.key, "unlink", [(0, 5), (1, 5)])
    with opened_as([movie], tmp_path / "movie.stroma") as session:
        take_tracks(session, found)
        assert session.tracks(one.key).count == 2  # what was corrected stays
    ended = stroma("paint", movie, found, "--tracks", found, "--project", tmp_path / "two.stroma")
    assert ended.code == 2
    assert "those of one movie, here are 2" in " ".join(ended.err.split())


def test_a_sample_that_there_is_not_and_a_bad_model_are_told(stroma, image) -> None:
    ended = stroma("paint", "--sample", "none")
    assert ended.code == 2
    assert "tissue, cell, coins" in ended.err
    (image.parent / "bad.pkl").write_bytes(b"bad")
    ended = stroma("paint", image, "--model", image.parent / "bad.pkl")
    assert ended.code == 2
    assert "bad.pkl" in ended.err
    with Session.open(image.with_name("cells.stroma")):  # is not locked any more
        pass
