"""Files from the page: they join the project, or leave nothing behind."""

from __future__ import annotations

import io
import json
import socket as sockets
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from PIL import Image as Picture
from tests.web.served import PATIENCE, Answer, Client, served

from stroma.data.image import Image
from stroma.errors import FormatError, ParameterError
from stroma.io import read_image, write_image
from stroma.session import Session
from stroma.web import posts, uploads
from stroma.web.state import mixed

PLAIN = {"format": ".tif", "probabilities": False, "overlay": False, "tables": False}
STROKES = [[(10, 10), (10, 40)], [(30, 10), (30, 40)]]


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    path = write_image(tmp_path / "first.png", noise(0), axes="yx")
    with Session.create(tmp_path / "first.stroma", mode="paused") as made:
        made.add_image(path)
        yield made


@pytest.fixture
def client(session: Session) -> Iterator[Client]:
    with served(session) as made:
        yield made


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (48, 64)).astype(np.uint8)


def png(values: np.ndarray) -> bytes:
    written = io.BytesIO()
    Picture.fromarray(values).save(written, "PNG")
    return written.getvalue()


def send_image(client: Client, name: str, body: bytes, **headers: str) -> Answer:
    return client.post(f"/uploads/images?name={quote(name, safe='')}", body, **headers)


def send_other(client: Client, name: str, body: bytes) -> Answer:
    return client.post(f"/uploads/others?name={quote(name, safe='')}", body)


def send_strokes(client: Client, name: str, body: bytes, image: str = "1") -> Answer:
    return client.post(f"/uploads/strokes?image={image}&name={quote(name, safe='')}", body)


def files_of(session: Session) -> set[str]:
    """Return all files of the project that hold images or strokes, and their folders."""
    inside = (p for p in session.path.rglob("*") if p.parent.name not in ("events", "snapshots"))
    known = {"project.json", "settings.json", "events", "snapshots", "lock", ".lock"}
    return {p.name for p in inside} - known


def test_an_image_that_is_sent_is_opened_from_the_project(client, session) -> None:
    answer = send_image(client, "second.png", png(noise(1)))
    assert answer.status == 200
    key = json.loads(answer.body)["image"]
    one = session.image(key)
    assert one.name == "second.png"
    assert Path(one.image.source) == session.path / "images" / "second.png"
    np.testing.assert_array_equal(one.image.read(), noise(1))
    assert files_of(session) == {"images", "second.png"}


def test_a_project_that_moves_takes_the_images_that_were_sent_along(client, session) -> None:
    send_image(client, "second.png", png(noise(1)))
    old = session.path
    session.close()
    moved = old.rename(old.with_name("moved.stroma"))
    with Session.open(moved) as again:
        np.testing.assert_array_equal(again.image("2").image.read(), noise(1))
        assert not again.image("2").missing


def test_images_of_the_same_name_get_others_so_that_their_results_do(client, session) -> None:
    for name in ("first.png", "cells.ome.png", "cells.png", "CELLS.png"):
        assert send_image(client, name, png(noise(1))).status == 200
    names = [one.name for one in session.images]
    assert names == ["first.png", "first-2.png", "cells.ome.png", "cells-2.png", "CELLS-3.png"]


@pytest.mark.parametrize(
    "name",
    [
        "../evil.png",
        "..\\evil.png",
        "/etc/evil.png",
        "a/b.png",
        "..",
        "",
        ".png",
        "..png",
        "a\0.png",
    ],
)
def test_names_that_lead_elsewhere_write_nothing(client, session, tmp_path, name) -> None:
    before = {p for p in tmp_path.rglob("*") if "first.stroma" not in str(p)}
    answer = send_image(client, name, png(noise(1)))
    assert answer.status == 400
    assert answer.body
    assert len(session.images) == 1
    assert files_of(session) <= {"images"}
    assert {p for p in tmp_path.rglob("*") if "first.stroma" not in str(p)} == before


def test_what_is_odd_in_a_name_is_replaced() -> None:
    assert uploads.safe_name("a:b*c?<d>.TIF", [".tif"]) == "a_b_c__d_.tif"
    assert uploads.safe_name("..hidden.tif", [".tif"]) == "hidden.tif"
    assert uploads.safe_name("Zelle 3 (µm).tif", [".tif"]) == "Zelle 3 (µm).tif"
    packed = uploads.safe_name("brain?.nii.GZ", uploads.image_endings())
    assert packed == "brain_.nii.gz"
    assert uploads._numbered(packed, 2) == "brain_-2.nii.gz"
    assert len(uploads.safe_name("ä" * 300 + ".tif", [".tif"]).encode()) < 200


def test_what_is_no_image_is_removed_and_said(client, session) -> None:
    answer = send_image(client, "text.png", b"this is a text")
    assert answer.status == 400
    assert "text.png" in answer.body.decode()
    assert str(session.path) not in answer.body.decode()
    assert files_of(session) == {"images"}
    assert len(session.images) == 1


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
def test_an_image_that_was_cut_off_is_removed(client, session, kind) -> None:
    written = io.BytesIO()
    Picture.fromarray(noise(1)).save(written, kind)
    answer = send_image(client, f"half.{kind.lower()}", written.getvalue()[:-1000])
    assert answer.status == 400
    assert files_of(session) == {"images"}
    assert len(session.images) == 1


@pytest.mark.parametrize("name", ["a.exe", "a.zarr", "a.html", "a"])
def test_endings_that_no_reader_knows_are_refused_with_those_that_are(client, name) -> None:
    answer = send_image(client, name, png(noise(1)))
    assert answer.status == 400
    assert ".tif" in answer.body.decode()


def test_too_large_files_are_refused_whether_or_not_they_say_so(session, monkeypatch) -> None:
    monkeypatch.setattr(
        posts, "LIMITS", {posts.IMAGES: 1000, posts.STROKES: 1000, posts.OBJECTS: 1000}
    )
    with served(session) as client:
        to_one = [f"/uploads/{what}?image=1&name=a.png" for what in ("strokes", "objects")]
        for path in ("/uploads/images?name=a.png", *to_one):
            assert client.post(path, b"x" * 1001).status == 413
            pieces = (b"x" * 100 for _ in range(11))
            answer = client.post(path, pieces, Transfer_Encoding="chunked")
            assert answer.status == 413
            assert "1,000" in answer.body.decode()
    assert files_of(session) == {"images"}
    assert len(session.images) == 1


def test_a_file_for_which_there_is_no_room_is_refused_at_once(session) -> None:
    with pytest.raises(Exception, match="MiB are left"):
        uploads.begin_image(session, "a.png", 2**60, folder=uploads.images_folder(session))
    assert files_of(session) == {"images"}


@pytest.mark.parametrize(
    "path",
    [
        "/uploads/images?name=a.png",
        "/uploads/others?name=a.png",
        "/uploads/strokes?image=1&name=a.png",
        "/uploads/objects?image=1&name=a.png",
        "/uploads/table?image=1&name=a.csv",
    ],
)
def test_only_the_page_may_send(client, session, path) -> None:
    body = png(noise(1))
    for headers in (
        {"Cookie": f"{client.address.cookie}=wrong"},
        {"Origin": "http://evil.example"},
        {"Host": "evil.example"},
    ):
        assert client.post(path, body, **headers).status == 403
    assert client.get(path).status == 405
    assert files_of(session) == set()
    assert len(session.images) == 1


def test_a_file_whose_sender_goes_away_leaves_nothing(client, session) -> None:
    with sockets.create_connection(("127.0.0.1", client.address.port)) as raw:
        lines = [
            "POST /uploads/images?name=half.png HTTP/1.1",
            f"Host: 127.0.0.1:{client.address.port}",
            f"Origin: {client.origin}",
            f"Cookie: {client.address.cookie}={client.address.token}",
            "Content-Length: 100000",
        ]
        raw.sendall("\r\n".join([*lines, "", "beginning"]).encode())
        wait_until(lambda: "half.png.part" in files_of(session))
    wait_until(lambda: files_of(session) == {"images"})


def wait_until(reached) -> None:
    end = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < end
        threading.Event().wait(0.01)


def test_what_was_on_its_way_when_the_program_ended_is_removed(session) -> None:
    (session.path / "images").mkdir()
    (session.path / "images" / "half.tif.part").touch()
    (session.path / ".import-x").mkdir()
    (session.path / "others").mkdir()
    (session.path / "others" / "whole.tif").touch()
    with served(session):
        assert files_of(session) == {"images"}


def test_a_session_without_a_project_says_so() -> None:
    with Session(mode="paused") as session:
        session.add_image(Image(noise(0), "yx"), name="one")
        with served(session) as client:
            for answer in (
                send_image(client, "a.png", png(noise(1))),
                send_strokes(client, "a.png", png(noise(1))),
            ):
                assert answer.status == 400
                assert "--project" in answer.body.decode()


@pytest.mark.parametrize("ending", [".zip", ".geojson", ".tif", ".png"])
def test_strokes_are_imported_and_undone_in_one_step(client, session, tmp_path, ending) -> None:
    for label, points in enumerate(STROKES, start=1):
        session.paint("1", points, label=label)
    painted = session.strokes("1").copy()
    path = session.export_strokes("1", tmp_path / f"strokes{ending}")
    session.clear("1")
    assert send_strokes(client, path.name, path.read_bytes()).status == 200
    np.testing.assert_array_equal(session.strokes("1"), painted)
    assert files_of(session) == set()
    session.undo()
    assert not session.strokes("1").any()


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("strokes.zip", b"no archive"),
        ("strokes.geojson", b"{"),
        ("strokes.png", png(noise(1)[:10])),
        ("../strokes.png", png(noise(1))),
        ("strokes.exe", b"x"),
    ],
)
def test_strokes_that_cannot_be_read_change_nothing(client, session, name, body) -> None:
    answer = send_strokes(client, name, body)
    assert answer.status == 400
    assert str(session.path) not in answer.body.decode()
    assert session.undoable is None
    assert files_of(session) == set()


def test_strokes_for_an_image_that_is_not_there_are_404(client) -> None:
    assert send_strokes(client, "strokes.png", png(noise(1)), image="7").status == 404


def test_images_that_were_sent_are_in_the_batch_with_its_progress(
    client, session, monkeypatch
) -> None:
    for pause in ("SILENT_SECONDS", "SECONDS_BETWEEN"):
        monkeypatch.setattr(f"stroma.session.core.work.{pause}", 0)
    send_image(client, "first.png", png(noise(1)))
    train(session)
    with client.tab() as tab:
        number = tab.send("export", images=["1", "2"], **PLAIN)
        progress = []
        while (told := tab.hear()).get("re") != number:
            if told.get("event") == "progress" and told["what"] == "batch":
                progress.append((told["done"], told["total"]))
    files = [name for image in told["result"]["images"] for name in image["files"]]
    assert files == ["first_labels.tif", "first-2_labels.tif"]
    assert {total for _, total in progress} == {2000}
    assert min(progress)[0] <= 1000 < max(progress)[0]
    for name in files:
        assert read_image(session.path / "results" / name).shape == (48, 64)


def train(session: Session) -> None:
    for label, points in enumerate(STROKES, start=1):
        session.paint("1", points, label=label)
    session.train()
    assert session.wait(PATIENCE)


def test_other_files_are_segmented_without_being_opened(client, session) -> None:
    train(session)
    sent = [send_other(client, name, png(noise(1))) for name in ("other.png", "first.png")]
    names = [json.loads(answer.body)["file"] for answer in sent]
    assert names == ["other.png", "first-2.png"]
    with client.tab() as tab:
        found = tab.ask("apply", files=names, **PLAIN)["result"]
    assert [image["error"] for image in found["images"]] == ["", ""]
    results = session.path / "results"
    assert found["folder"] == str(results)
    for name in ("other_labels.tif", "first-2_labels.tif"):
        np.testing.assert_array_equal(
            read_image(results / name).read(), session.model.segment(noise(1))
        )
    assert len(session.images) == 1
    assert not list((session.path / "others").iterdir())


def test_other_files_that_cannot_be_read_are_said_and_removed(client, session) -> None:
    train(session)
    answer = send_other(client, "empty.tif", b"")
    assert answer.status == 400
    assert "empty.tif" in answer.body.decode()
    assert not list((session.path / "others").iterdir())
    assert session.image("1").image.source


@pytest.mark.parametrize("name", ["../first.png", "gone.png"])
def test_other_files_that_are_not_there_are_an_error_and_nothing_is_left(
    client, session, name
) -> None:
    train(session)
    sent = json.loads(send_other(client, "other.png", png(noise(1))).body)["file"]
    with client.tab() as tab:
        images = tab.ask("apply", files=[sent, name], **PLAIN)["result"]["images"]
    assert [(one["name"], one["error"]) for one in images] == [
        (sent, ""),
        (name, "It is not here any more. Choose it once more."),
    ]
    assert not list((session.path / "others").iterdir())
    assert Path(session.image("1").image.source).exists()


def test_other_files_of_one_name_in_two_formats_do_not_share_their_results(client, session) -> None:
    train(session)
    tiff = io.BytesIO()
    Picture.fromarray(noise(2)).save(tiff, "TIFF")
    bodies = {"same.png": png(noise(1)), "same.tif": tiff.getvalue()}
    names = [json.loads(send_other(client, *item).body)["file"] for item in bodies.items()]
    assert names == ["same.png", "same-2.tif"]
    with client.tab() as tab:
        found = tab.ask("apply", files=names, **PLAIN)["result"]
    assert [image["files"] for image in found["images"]] == [
        ["same_labels.tif"],
        ["same-2_labels.tif"],
    ]


def test_other_files_that_could_not_be_segmented_are_removed_by_the_next_batch(
    client, session
) -> None:
    train(session)
    colours = png(np.zeros((8, 8, 3), np.uint8))
    name = json.loads(send_other(client, "colours.png", colours).body)["file"]
    with client.tab() as tab:
        [image] = tab.ask("apply", files=[name], **PLAIN)["result"]["images"]
        assert "channel" in image["error"]
        assert [path.name for path in (session.path / "others").iterdir()] == [name]
        tab.ask("export", images=[session.images[0].key], **PLAIN)
    assert not list((session.path / "others").iterdir())


def test_channels_to_learn_from_are_chosen(client, session) -> None:
    with client.tab() as tab:
        tab.send("use-channels", channels=[2, 0])
        assert tab.state(channels=[0, 2])
        assert session.settings.channels == (0, 2)
        assert "Channels are numbers" in tab.ask("use-channels", channels=[])["error"]
        tab.send("use-channels", channels=None)
        assert tab.state(channels=None)


def test_images_with_other_numbers_of_channels_are_said_until_the_choice_fits(
    client, session
) -> None:
    three, two = (np.stack([noise(i) for i in range(n)]) for n in (3, 2))
    with client.tab() as tab:
        assert tab.hear()["state"]["mixed"] == ""
    session.add_image(Image(three, "cyx"), name="three")
    with client.tab() as tab:
        said = tab.hear()["state"]["mixed"]
    assert "1 in first.png, 3 in three" in said
    short, _, more = said.partition("\n\n")
    assert len(short) < 80 < len(more)  # what is folded
    assert "untick" not in said
    assert "project of its own" in said
    session.close_image("1")
    session.add_image(Image(two, "cyx"), name="two")
    assert "2 in two, 3 in three" in mixed(session.images, None)
    assert "untick" in mixed(session.images, None)
    assert mixed(session.images, (2,))
    assert mixed(session.images, (0, 1)) == ""


def test_errors_have_the_types_that_say_what_is_wrong(session) -> None:
    with pytest.raises(FormatError, match="cannot be opened here"):
        uploads.safe_name("a.exe", [".tif"])
    with pytest.raises(ParameterError, match="no folders in it"):
        uploads.safe_name("a/b.tif", [".tif"])


def damaged() -> Iterator[tuple[str, bytes]]:
    """Files of which bytes in the middle were changed, as a bad disk or cable does it."""
    random = np.random.default_rng(0)
    tiff, packed, stack = io.BytesIO(), io.BytesIO(), io.BytesIO()
    Picture.fromarray(noise(1)).save(tiff, "TIFF")
    Picture.fromarray(noise(1)).save(packed, "TIFF", compression="tiff_adobe_deflate")
    np.save(stack, np.zeros((4, 8, 8)))
    bodies = {"png": png(noise(1)), "tif": tiff.getvalue(), "tiff": packed.getvalue()}
    for ending, body in {**bodies, "npy": stack.getvalue()}.items():
        for i in range(6):
            broken = bytearray(body)
            start = int(random.integers(0, min(len(body), 400)))
            broken[start : start + 40] = random.bytes(40)
            yield f"broken{i}.{ending}", bytes(broken)


def test_damaged_files_are_told_in_words_and_leave_nothing(client, session) -> None:
    refused = 0
    for name, body in damaged():
        answer = send_image(client, name, body)
        assert answer.status in (200, 400), (name, answer.body)
        if answer.status == 400:
            refused += 1
            assert not (session.path / "images" / name).exists()
            assert name in answer.body.decode() or "damaged" in answer.body.decode()
    assert refused > 5
    assert len(list((session.path / "images").iterdir())) == len(session.images) - 1


def test_what_a_decoder_of_others_raises_is_told_in_words(client, session, monkeypatch) -> None:
    def fail(*args, **options):
        raise IndexError("list index out of range")

    monkeypatch.setattr(uploads, "read_image", fail)
    answer = send_image(client, "second.png", png(noise(1)))
    assert answer.status == 400
    assert answer.body.decode() == f"It was not opened: {uploads.NOT_READ}"
    assert files_of(session) == {"images"}


FOLDER = "0123456789abcdef"


def send_folder(client: Client, folder: Path, number: str = FOLDER) -> None:
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        where = quote(path.relative_to(folder).as_posix(), safe="")
        answer = client.post(f"/uploads/pieces?folder={number}&path={where}", path.read_bytes())
        assert answer.status == 200, answer.body


def test_an_ome_zarr_is_sent_file_by_file_and_opened(client, session, tmp_path) -> None:
    send_folder(client, write_image(tmp_path / "plate.zarr", noise(1), axes="yx"))
    assert [path.name for path in (session.path / "images").iterdir()] == [f".{FOLDER}.part"]
    with client.tab() as tab:
        key = tab.ask("open-folder", folder=FOLDER, name="plate.zarr")["result"]["image"]
    assert session.image(key).name == "plate.zarr"
    np.testing.assert_array_equal(session.image(key).image.read(), noise(1))
    assert [path.name for path in (session.path / "images").iterdir()] == ["plate.zarr"]


def test_a_folder_that_is_no_image_or_is_given_up_leaves_nothing(client, session, tmp_path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "text.txt").write_text("text")
    with client.tab() as tab:
        send_folder(client, tmp_path / "x")
        assert "not opened" in tab.ask("open-folder", folder=FOLDER, name="x")["error"]
        send_folder(client, tmp_path / "x")
        tab.ask("leave-folder", folder=FOLDER)
        assert "error" in tab.ask("open-folder", folder=FOLDER, name="x")
    assert files_of(session) == {"images"}
    assert len(session.images) == 1


@pytest.mark.parametrize(
    ("number", "path"),
    [(FOLDER, "../x"), (FOLDER, "/etc/x"), (FOLDER, "a//b"), (FOLDER, "a/../../b"), ("../x", "y")],
)
def test_files_of_a_folder_cannot_lead_elsewhere(client, session, tmp_path, number, path) -> None:
    before = set(tmp_path.rglob("*"))
    where = f"folder={quote(number, safe='')}&path={quote(path, safe='')}"
    assert client.post(f"/uploads/pieces?{where}", b"x").status == 400
    assert {p for p in tmp_path.rglob("*") if "first.stroma" not in str(p)} <= before
    assert files_of(session) <= {"images"}


def test_classes_of_a_file_get_colours_that_no_class_has(client, session) -> None:
    square = [[[4, 4], [20, 4], [20, 20], [4, 20], [4, 4]]]
    named = {"name": "nuclei", "color": [0, 0x72, 0xB2]}  # the colour of the first class
    feature = {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": square},
        "properties": {"classification": named},
    }
    body = json.dumps({"type": "FeatureCollection", "features": [feature]}).encode()
    assert send_strokes(client, "cells.geojson", body).status == 200
    assert [c.name for c in session.classes] == ["background", "foreground", "nuclei"]
    assert len({c.color for c in session.classes}) == 3


def two_images() -> bytes:
    """An OME-TIFF with two images."""
    import tifffile

    out = io.BytesIO()
    with tifffile.TiffWriter(out, ome=True) as writer:
        for i in range(2):
            writer.write(noise(i), photometric="minisblack", metadata={"axes": "YX"})
    return out.getvalue()


def test_of_a_file_with_several_images_the_page_is_asked_which_to_open(client, session) -> None:
    answer = json.loads(send_image(client, "two.ome.tif", two_images()).body)
    assert [one["number"] for one in answer["choose"]] == [0, 1]
    assert len(session.images) == 1
    with client.tab() as tab:
        [key] = tab.ask("open-series", file=answer["file"], numbers=[1])["result"]
        np.testing.assert_array_equal(session.image(key).image.read(), noise(1))
        assert session.image(key).name.startswith("two.ome.tif [")
        tab.ask("leave-file", file=answer["file"])
        assert (session.path / "images" / "two.ome.tif").exists()  # an open image lies in it
        other = json.loads(send_image(client, "more.ome.tif", two_images()).body)
        tab.ask("leave-file", file=other["file"])
        assert "more.ome.tif" not in files_of(session)
        assert "error" in tab.ask("leave-file", file="../project.json")
        assert "error" in tab.ask("open-series", file=other["file"], numbers=[0])
