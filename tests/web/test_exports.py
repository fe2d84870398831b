"""Results of many images at once: as one archive, with a report of what failed and why."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image as Picture
from tests.session.scene import settle
from tests.web.served import Client, served

from stroma.io import read_image, write_image
from stroma.session import Session
from stroma.web import exports

WANTED = {"format": ".tif", "probabilities": False, "overlay": False, "tables": True}


@pytest.fixture(scope="module")
def session(tmp_path_factory) -> Iterator[Session]:
    """Three images and a model; the second file was damaged since, and the third is gone."""
    folder = tmp_path_factory.mktemp("batch")
    values = np.where(np.arange(64) < 32, 60, 180) + np.arange(48)[:, None] % 5
    with Session.create(folder / "many.stroma", mode="demand") as made:
        for name in ("one", "=two", "three"):
            made.add_image(write_image(folder / f"{name}.tif", values.astype(np.uint8), axes="yx"))
        made.paint("1", [(10, 5), (10, 20)], label=1)
        made.paint("1", [(10, 40), (10, 60)], label=2)
        made.train()
        settle(made)
        (folder / "=two.tif").write_bytes(b"damaged")
        (folder / "three.tif").unlink()
        yield made


@pytest.fixture
def client(session: Session) -> Iterator[Client]:
    with served(session) as made:
        yield made


def exported(client: Client) -> dict:
    with client.tab() as tab:
        return tab.ask("export", images=["1", "2", "3"], **WANTED)["result"]


def test_every_failure_is_told_with_its_reason_and_the_others_are_done(client) -> None:
    images = {one["name"]: one for one in exported(client)["images"]}
    assert images["one.tif"]["files"][0] == "one_labels.tif"
    assert not images["one.tif"]["error"]
    assert "TIFF" in images["=two.tif"]["error"]
    assert images["three.tif"]["error"]
    assert images["three.tif"]["files"] == []


def test_the_archive_begins_with_the_report_and_the_summary(client) -> None:
    exported(client)
    answer = client.get("/results/results.zip")
    assert answer.status == 200
    assert "many-results.zip" in answer.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert names[:3] == ["report.csv", "summary.csv", "one_labels.tif"]
        rows = list(csv.reader(io.StringIO(archive.read("report.csv").decode())))
    assert [row[:2] for row in rows[1:]] == [
        ["one.tif", "yes"],
        ["'=two.tif", "no"],
        ["three.tif", "no"],
    ]


def test_the_archive_holds_folders_too_and_follows_no_link(client, session, tmp_path) -> None:
    with client.tab() as tab:
        tab.ask("export", images=["1"], **{**WANTED, "format": ".zarr"})
    results = session.path / "results"
    (tmp_path / "secret").write_text("secret")
    (results / "one_labels.zarr" / "link").symlink_to(tmp_path / "secret")
    (results / "link").symlink_to(tmp_path / "secret")
    listed = results / "report.json"
    listed.write_text(json.dumps([*json.loads(listed.read_text()), "link", "../lock"]))
    body = client.get("/results/results.zip").body
    names = zipfile.ZipFile(io.BytesIO(body)).namelist()
    assert "one_labels.zarr/.zattrs" in names
    assert not [name for name in names if "link" in name or "lock" in name]


def test_before_anything_is_exported_there_is_no_archive(tmp_path: Path) -> None:
    with Session.create(tmp_path / "new.stroma") as session, served(session) as client:
        assert client.get("/results/results.zip").status == 404


def test_results_of_a_model_that_is_older_than_the_strokes_say_so(client, session) -> None:
    assert exported(client)["older"] == ""
    session.undo()
    session.undo()
    try:
        found = exported(client)
        rows = list(csv.reader((session.path / "results" / "report.csv").read_text().splitlines()))
    finally:
        session.redo()
        session.redo()
        session.train()
        settle(session)
    assert found["older"].startswith("These results are older than your strokes")
    assert "Paint a few strokes of two classes" in found["older"]
    assert rows[1][:3] == ["one.tif", "yes", found["older"]]
    assert session.older() == ""


def test_what_failed_is_tried_again_and_the_rest_stays(client, session) -> None:
    exported(client)
    damaged = Path(session.image("2").image.source)
    write_image(damaged, np.full((64, 48), 60, np.uint8), axes="yx")
    with client.tab() as tab:
        told = tab.ask("retry")["result"]
        assert tab.ask("latest-batch")["result"] == told
        failed = {one["key"]: one["failed"] for one in tab.ask("overview")["result"]}
    damaged.write_bytes(b"damaged")
    images = {one["name"]: one for one in told["images"]}
    assert list(images) == ["one.tif", "=two.tif", "three.tif"]
    assert {"=two_labels.tif", "=two_summary.csv"} <= set(images["=two.tif"]["files"])
    assert images["one.tif"]["files"][0] == "one_labels.tif"
    assert failed["2"] == ""
    assert failed["3"] == images["three.tif"]["error"] != ""
    with zipfile.ZipFile(io.BytesIO(client.get("/results/results.zip").body)) as archive:
        assert {"one_labels.tif", "=two_labels.tif"} <= set(archive.namelist())


def test_a_sent_file_that_failed_waits_to_be_tried_again(client, session) -> None:
    others = session.path / "others"
    values = np.full((32, 32), 60, np.uint8)
    assert client.post("/uploads/others?name=sent.tif", tiff(values)).status == 200
    (others / "sent.tif").write_bytes(b"damaged")
    with client.tab() as tab:
        told = tab.ask("apply", files=["sent.tif"], **WANTED)["result"]
        assert told["images"][0]["error"] != ""
        told = tab.ask("apply", files=["sent.tif"], **WANTED)["result"]
        assert told["images"][0]["error"] not in ("", exports.GONE)
        (others / "sent.tif").write_bytes(tiff(values))
        told = tab.ask("retry")["result"]
        assert told["images"][0]["error"] == ""
        assert "nothing to retry" in tab.ask("retry")["error"]
    assert not (others / "sent.tif").exists()


def test_a_result_is_looked_at_over_its_image(client) -> None:
    exported(client)
    answer = client.get("/results/look?name=one_labels.tif")
    picture = np.asarray(Picture.open(io.BytesIO(answer.body)).convert("RGB")).astype(int)
    assert picture.shape == (48, 64, 3)
    assert picture[20, 10, 2] > picture[20, 10, 0]  # blue
    assert picture[20, 50, 0] > picture[20, 50, 2]  # orange
    assert client.get("/results/look?name=three_labels.tif").status == 404


@pytest.mark.parametrize("lost", ["images", "wanted", "error", "format"])
def test_a_damaged_note_of_the_latest_batch_counts_as_none(client, session, lost) -> None:
    exported(client)
    note = session.path / "results" / "batch.json"
    note.write_text(note.read_text().replace(f'"{lost}"', '"lost"'))
    with client.tab() as tab:
        assert tab.ask("latest-batch")["result"] is None
        assert {one["failed"] for one in tab.ask("overview")["result"]} == {""}
        assert "nothing to retry" in tab.ask("retry")["error"]
    assert "one.tif" in {one["name"] for one in exported(client)["images"]}


def test_images_of_one_file_are_each_exported_as_themselves(tmp_path) -> None:
    path, halves = tmp_path / "two.ome.tif", np.arange(64) < 32
    dark_left = np.broadcast_to(np.where(halves, 60, 180), (48, 64)).astype(np.uint8)
    with tifffile.TiffWriter(path, ome=True) as writer:
        for values in (dark_left, dark_left[:, ::-1]):
            writer.write(values, photometric="minisblack", metadata={"axes": "YX"})
    with Session.create(tmp_path / "two.stroma", mode="demand") as made, served(made) as client:
        keys = [made.add_image(path, series=number) for number in (0, 1)]
        made.paint(keys[0], [(10, 5), (10, 20)], label=1)
        made.paint(keys[0], [(10, 40), (10, 60)], label=2)
        made.train()
        settle(made)
        with client.tab() as tab:
            tab.ask("export", images=keys, **WANTED)
            told = tab.ask("export", images=keys[::-1], **WANTED)["result"]
        results = [made.path / "results" / one["files"][0] for one in told["images"]]
        looks = [client.get(f"/results/look?name={path.name}").body for path in results]
    assert [path.name for path in results] == ["two_s1_labels.tif", "two_labels.tif"]
    assert [int(read_image(path).read()[20, 10]) for path in results] == [2, 1]
    assert looks[0] != looks[1]


def test_images_are_exported_with_the_axes_and_sizes_that_they_were_given(tmp_path) -> None:
    values = np.stack([np.where(np.arange(64) < 32, 60, 180)] * 3 * 48).reshape(3, 48, 64)
    np.save(tmp_path / "three.npy", values.astype(np.uint8))
    with Session.create(tmp_path / "three.stroma", mode="demand") as made, served(made) as client:
        key = made.add_image(tmp_path / "three.npy", axes="cyx")
        made.set_pixel_size(key, {"y": 0.5, "x": 0.5})
        made.set_params(channel_mode="multi")
        made.paint(key, [(10, 5), (10, 20)], label=1)
        made.paint(key, [(10, 40), (10, 60)], label=2)
        made.train()
        settle(made)
        with client.tab() as tab:
            [told] = tab.ask("export", images=[key], **WANTED)["result"]["images"]
        assert not told["error"]
        written = read_image(made.path / "results" / told["files"][0])
        assert (written.kept_axes, written.shape) == ("yx", (48, 64))
        assert written.spacing == pytest.approx({"y": 0.5, "x": 0.5})
        assert made.written(key).path == made.path / "results" / told["files"][0]


def tiff(values: np.ndarray) -> bytes:
    made = io.BytesIO()
    tifffile.imwrite(made, values)
    return made.getvalue()
