"""What tabs ask is done once, told to all, and bounded."""

from __future__ import annotations

import asyncio
import base64
import gc
import gzip
import io
import json
import socket as sockets
import threading
import zlib
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image as Picture
from tests.patience import PATIENCE
from tests.web.served import Client, served
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from stroma.data.image import Image
from stroma.errors import FileError
from stroma.io import write_image
from stroma.pixel.guidance.compare import Comparison
from stroma.session import Session
from stroma.web.contrast import automatic
from stroma.web.files import STATIC
from stroma.web.room import MAX_MESSAGE, Room
from stroma.web.serve import HERE, claim, names_of, opening

STROKE = {"image": "1", "plane": {}, "points": [[10, 10], [10, 20]], "radius": 3, "label": 1}


@pytest.fixture
def session() -> Iterator[Session]:
    with Session(mode="paused") as made:
        values = np.random.default_rng(0).integers(0, 255, (96, 128)).astype(np.uint8)
        made.add_image(Image(values, "yx"), name="one")
        yield made


@pytest.fixture
def client(session: Session) -> Iterator[Client]:
    with served(session) as made:
        yield made


def pixels(body: bytes) -> np.ndarray:
    return np.asarray(Picture.open(io.BytesIO(body)).convert("RGBA"))


def test_a_tab_is_told_the_state_first(client) -> None:
    with client.tab() as tab:
        state = tab.hear()["state"]
    assert [one["name"] for one in state["images"]] == ["one"]
    assert (state["images"][0]["height"], state["images"][0]["width"]) == (96, 128)
    assert [c["name"] for c in state["classes"]] == ["background", "foreground"]


def test_a_stroke_is_stored_and_shown(client, session) -> None:
    with client.tab() as tab:
        assert tab.ask("paint", **STROKE)["result"] == 1
    assert session.strokes("1")[10, 15] == 1
    tile = pixels(client.get("/images/1/strokes/1/0/0").body)
    assert tile[10, 15].tolist() == [0, 0x72, 0xB2, 255]
    assert tile[60, 60, 3] == 0


def test_erasing_removes_what_was_painted(client, session) -> None:
    with client.tab() as tab:
        tab.ask("paint", **STROKE)
        tab.ask("paint", **{**STROKE, "label": 0})
    assert not session.strokes("1").any()
    assert client.get("/images/1/strokes/1/0/0").status == 204


def test_a_message_that_comes_again_is_answered_but_not_done_again(client, session) -> None:
    with client.tab() as tab:
        first = tab.ask("paint", number="the same", **STROKE)
    with client.tab() as tab:
        again = tab.ask("paint", number="the same", **STROKE)
    assert again == first
    session.undo()
    assert session.undoable is None


def test_what_was_meant_for_another_run_of_the_server_is_not_done(client, session) -> None:
    with client.tab() as tab:
        epoch = tab.hear()["state"]["epoch"]
        assert "left out" in tab.ask("paint", epoch="of another run", **STROKE)["error"]
        assert not session.strokes("1").any()
        tab.ask("paint", epoch=epoch, **STROKE)
    assert session.strokes("1").any()


def test_a_tab_that_does_not_read_is_hung_up_and_the_others_are_not(session, monkeypatch) -> None:
    monkeypatch.setattr("stroma.web.room.MAX_UNREAD", 3)

    async def run() -> tuple[list[str | None], list[str | None]]:
        room = Room(session, {}, {})
        slow, quick = room.join(), room.join()
        heard = []
        for i in range(5):
            room.tell({"event": i})
            heard.append(quick.get_nowait())
        return [slow.get_nowait() for _ in range(slow.qsize())], heard

    slow, quick = asyncio.run(run())
    assert slow[-1] is None
    assert len(quick) == 5
    assert None not in quick


def test_all_tabs_are_told_what_one_of_them_painted(client) -> None:
    with client.tab() as mine, client.tab() as other:
        other.hear()
        mine.ask("paint", **STROKE)
        told = other.until(event="strokes")
        assert (told["image"], told["plane"]) == ("1", {})
        assert told["box"]["left"] <= 10 < told["box"]["right"]
        assert other.state(canUndo=True)["revision"] == told["revision"]


def test_strokes_of_one_tab_keep_their_order(client, session) -> None:
    with client.tab() as tab:
        numbers = [tab.send("paint", **{**STROKE, "label": 1 + i % 2}) for i in range(20)]
        tab.until(re=numbers[-1])
    assert session.strokes("1")[10, 15] == 2
    for _ in range(20):
        session.undo()
    assert session.undoable is None


def test_undo_and_redo(client, session) -> None:
    with client.tab() as tab:
        tab.ask("paint", **STROKE)
        tab.ask("undo")
        assert not session.strokes("1").any()
        tab.ask("redo")
    assert session.strokes("1").any()


def test_what_the_session_refuses_is_answered_with_its_reason(client) -> None:
    with client.tab() as tab:
        refused = tab.ask("paint", **{**STROKE, "label": 9})
        assert "There is no class with the label 9" in refused["error"]
        refused = tab.ask("paint", **{**STROKE, "image": "7"})
        assert "There is no image '7'" in refused["error"]


@pytest.mark.parametrize(
    "text",
    [
        '{"id": "x", "do": "paint"}',
        '{"id": "x", "do": "paint", "image": "1", "points": 3, "radius": 1, "label": 1}',
        '{"id": "x", "do": "no such thing"}',
        '{"id": "x", "do": ["paint"]}',
        '{"id": "x", "do": "look", "image": "1", "plane": {}, "box": {"top": 0}}',
        '{"id": "x", "do": "look", "image": "1", "plane": {"q": 1}, "box": null}',
        '{"id": "x", "do": "params", "values": {"fe_name": "no such extractor"}}',
        '{"id": "x", "do": "params", "values": [1]}',
        '{"id": "x", "do": "display", "image": "1", "display": 3}',
        '{"id": "x", "do": "stop-task", "task": 77}',
    ],
)
def test_nonsense_is_answered_with_an_error_and_the_tab_stays(client, text) -> None:
    with client.tab() as tab:
        tab.socket.send(text)
        assert tab.until(re="x")["error"]
        assert "error" not in tab.ask("undo")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"x"', "[" * 100_000])
def test_what_is_no_message_is_answered_without_a_number(client, text) -> None:
    with client.tab() as tab:
        tab.socket.send(text)
        assert tab.until(re="")["error"]


def test_a_message_that_is_too_large_ends_the_connection_and_nothing_else(client) -> None:
    with client.tab() as tab:
        tab.hear()
        tab.socket.send("x" * (MAX_MESSAGE + 1))
        with pytest.raises(ConnectionClosed) as closed:
            tab.until(event="never")
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009
    with client.tab() as tab:
        assert tab.hear()["event"] == "state"


def test_a_hostile_page_gets_403_from_the_socket(client) -> None:
    url = f"ws://127.0.0.1:{client.address.port}/socket"
    cookie = {"Cookie": f"{client.address.cookie}={client.address.token}"}
    for headers in ({**cookie, "Origin": "http://evil.example"}, {"Origin": client.origin}, cookie):
        with pytest.raises(InvalidStatus) as refused, connect(url, additional_headers=headers):
            pass
        assert refused.value.response.status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2fapp.py",
        "/static//etc/passwd",
        "/results/../project.json",
        "/results/..%2f..%2fetc%2fpasswd",
        "/results/%2fetc%2fpasswd",
        "/images/..%2f1/pixels/1/0/0",
    ],
)
def test_nothing_outside_can_be_read(client, path) -> None:
    with sockets.create_connection(("127.0.0.1", client.address.port)) as raw:
        lines = [
            f"GET {path} HTTP/1.1",
            f"Host: 127.0.0.1:{client.address.port}",
            f"Cookie: {client.address.cookie}={client.address.token}",
            "Connection: close",
        ]
        raw.sendall("\r\n".join([*lines, "", ""]).encode())
        answer = b"".join(iter(lambda: raw.recv(65536), b""))
    assert answer.split()[1] in (b"404", b"400")


def test_the_page_and_its_modules_are_served(client) -> None:
    page = client.get("/")
    assert b"/static/main.js" in page.body
    script = client.get("/static/main.js")
    assert script.status == 200
    assert "javascript" in script.headers["content-type"]
    assert script.body == (STATIC / "main.js").read_bytes()


def test_a_file_of_the_page_travels_zipped_and_once(client) -> None:
    plain = client.get("/static/style.css")
    zipped = client.get("/static/style.css", Accept_Encoding="gzip, br")
    assert zipped.headers["content-encoding"] == "gzip"
    assert gzip.decompress(zipped.body) == plain.body
    again = client.get("/static/style.css", If_None_Match=plain.headers["etag"])
    assert (again.status, again.body) == (304, b"")
    other = client.get("/static/main.js", If_None_Match=plain.headers["etag"])
    assert other.status == 200


def test_pixels_are_shown_with_the_contrast_of_the_address(client, session) -> None:
    values = session.image("1").image.read()
    answer = client.get("/images/1/pixels/1/0/0?c=0:0:255:ffffff")
    np.testing.assert_array_equal(pixels(answer.body)[..., 0], values)
    assert "immutable" in answer.headers["cache-control"]
    dark = client.get("/images/1/pixels/1/0/0?c=0:254.9:255:ffffff")
    assert pixels(dark.body)[..., 0].mean() < 5


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/images/7/pixels/1/0/0", 404),
        ("/images/1/pixels/3/0/0", 400),
        ("/images/1/pixels/1/9/0", 400),
        ("/images/1/pixels/1/0/0?c=nonsense", 400),
        ("/images/1/pixels/1/0/0?c=5:0:1:ffffff", 400),
        ("/images/1/pixels/1/0/0?c=0:0:1:fff", 400),
        ("/images/1/probability/1/1/0/0", 204),
        ("/images/1/labels/1/0/0", 204),
    ],
)
def test_tiles_that_cannot_be_are_refused_with_a_reason(client, path, status) -> None:
    answer = client.get(path)
    assert answer.status == status
    assert answer.body or status == 204


def test_results_that_did_not_change_are_not_sent_again(client, session) -> None:
    session.paint("1", [(10, 10), (10, 60)], label=1)
    session.paint("1", [(60, 10), (60, 60)], label=2)
    session.look("1")
    session.train()
    assert session.wait(PATIENCE)
    first = client.get("/images/1/labels/1/0/0")
    assert first.status == 200
    assert first.headers["x-shape"] == "96 128"
    labels = np.frombuffer(zlib.decompress(first.body), np.uint8).reshape(96, 128)
    assert np.unique(labels[10:12, 15:50]).tolist() == [1]
    assert client.get("/images/1/labels/1/0/0", If_None_Match=first.headers["etag"]).status == 304
    ramp = client.get("/images/1/probability/1/1/0/0")
    assert pixels(ramp.body)[10, 20].tolist()[:3] == [0, 0x72, 0xB2]
    session.change_class(1, color="#ff0000")
    again = client.get("/images/1/probability/1/1/0/0", If_None_Match=ramp.headers["etag"])
    assert pixels(again.body)[10, 20].tolist()[:3] == [255, 0, 0]
    assert client.get("/images/1/labels/1/0/0", If_None_Match=first.headers["etag"]).status == 304


@pytest.mark.parametrize(
    ("names", "colours"),
    [
        (("DAPI", "eGFP", "mCherry"), ("#00b0ff", "#00c853", "#ff5252")),
        (("DAPI", "GFP", "actin"), ("#00c853", "#d500f9", "#00b0ff")),
        (("GFP", "YFP"), ("#00c853", "#d500f9")),
    ],
)
def test_channels_have_the_colours_of_their_stains_where_all_are_known(names, colours) -> None:
    shown = automatic(Image(np.zeros((len(names), 8, 8), np.uint8), "cyx", channels=names))
    assert tuple(one.color for one in shown) == colours


def test_channels_are_answered_with_their_contrast(client, session) -> None:
    session.add_image(Image(np.stack([np.full((4, 4), 7.0), np.eye(4)]), "cyx"), name="two")
    with client.tab() as tab:
        found = tab.ask("channels", image="2")["result"]
    assert [c["name"] for c in found] == ["channel 1", "channel 2"]
    assert found[0]["low"] < found[0]["high"]
    assert found[0]["color"] != found[1]["color"]


@pytest.fixture(scope="module")
def learned(tmp_path_factory) -> Iterator[Session]:
    """A session with a project and a model: dark is 1, bright is 2."""
    folder = tmp_path_factory.mktemp("learned")
    values = np.where(np.arange(128) < 64, 60, 180) + np.arange(96)[:, None] % 5
    path = write_image(folder / "one.tif", values.astype(np.uint8), axes="yx")
    with Session.create(folder / "one.stroma", mode="demand") as made:
        made.add_image(path)
        for y in (10, 40, 70):
            made.paint("1", [(y, 10), (y, 40)], label=1)
            made.paint("1", [(y, 80), (y, 120)], label=2)
        made.look("1")
        made.train()
        assert made.wait(PATIENCE)
        yield made


def test_guidance_is_answered_in_plain_values(learned) -> None:
    with served(learned) as client, client.tab() as tab:
        where = {"image": "1", "plane": {}}
        areas = tab.ask("areas", **where)["result"]
        assert [a["label"] for a in areas] == [1, 2]
        assert sum(a["area"] for a in areas) == 96 * 128
        assert tab.ask("validate")["result"]["accuracy"] == 1.0
        shares = tab.ask("importance")["result"]
        assert len(shares) == 12
        assert shares[0][1] >= shares[1][1] > 0
        place = tab.ask("suggest", **where)["result"]
        assert place is None or (place["image"], place["plane"]) == ("1", {})
        box = {"top": 0, "left": 0, "bottom": 96, "right": 128}
        known = tab.ask("standing", **where, box=box)["result"]
        assert (known["state"], known["whole"]) == ("current", "current")
        assert (known["share"], known["stale"]) == (1.0, [])


def test_a_comparison_shows_what_was_tried_and_says_what_could_not_be(learned, monkeypatch) -> None:
    labels = np.ones((96, 128), np.uint16)
    tried = [
        Comparison("stroma", segmenting=0.5, labels=labels),
        Comparison("vgg", problem="torch is missing"),
    ]
    monkeypatch.setattr("stroma.session.strokes.guidance.compare", lambda *args, **options: tried)
    box = {"top": 0, "left": 0, "bottom": 96, "right": 128}
    with served(learned) as client, client.tab() as tab:
        found = tab.ask("compare", image="1", plane={}, box=box)["result"]
    first, second = found["tried"]
    for shown in (found["crop"], first["crop"]):
        assert Picture.open(io.BytesIO(base64.b64decode(shown))).size == (128, 96)
    assert (first["alias"], first["accuracy"], first["seconds"]) == ("stroma", None, 0.5)
    assert (second["problem"], second["crop"]) == ("torch is missing", None)


def test_exports_are_written_into_the_project_and_can_be_fetched(learned) -> None:
    wanted = {"images": ["1"], "probabilities": False, "overlay": True, "tables": True}
    with served(learned) as client, client.tab() as tab:
        found = tab.ask("export", format=".png", **wanted)["result"]
        assert found["folder"] == str(learned.path / "results")
        [image] = found["images"]
        assert image["error"] == ""
        for name in image["files"]:
            written = (learned.path / "results" / name).read_bytes()
            assert client.get(f"/results/{name}").body == written
        assert "No format" in tab.ask("export", format=".exe", **wanted)["error"]
        assert tab.ask("save-model")["result"] == "model.pkl"
        assert client.get("/results/model.pkl").status == 200
        for ending in (".tif", ".zip", ".geojson"):
            strokes = tab.ask("save-strokes", image="1", format=ending)["result"]
            assert strokes == f"one_strokes{ending}"
            assert client.get(f"/results/{strokes}").status == 200
        assert "written as" in tab.ask("save-strokes", image="1", format=".exe")["error"]
        assert client.get("/results/none.tif").status == 404


def test_code_starts_from_strokes_that_are_there(learned) -> None:
    with served(learned) as client, client.tab() as tab:
        code = tab.ask("code")["result"]
    compile(code["python"], "session", "exec")
    assert code["command"].startswith("stroma train")
    assert list((learned.path / "strokes").iterdir())


def test_a_link_among_the_results_is_not_followed(learned, tmp_path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    results = learned.path / "results"
    results.mkdir(exist_ok=True)
    (results / "link.txt").symlink_to(tmp_path / "secret.txt")
    with served(learned) as client:
        assert client.get("/results/link.txt").status == 404


def test_the_configuration_is_named_whatever_else_is_set(client) -> None:
    with client.tab() as tab:
        state = tab.hear()["state"]
        assert state["alias"] == "stroma"
        assert state["alias"] in [choice["value"] for choice in state["aliases"]]
        tab.send("params", values={"clf": "forest", "seg_smoothening": 3})
        changed = tab.state(lambda s: [f["value"] for f in s["classifier"]] == ["forest"])
        assert changed["alias"] == "stroma"
        tab.send("alias", alias="ilastik")
        assert tab.state(alias="ilastik")["features"][0]["value"] == [1]
        tab.send("alias", alias="vgg-m")
        assert tab.state(alias="vgg-m")["features"][0]["value"] == [1, 2, 4]


def test_a_slow_question_does_not_hold_up_strokes(client, session, monkeypatch) -> None:
    from stroma.web import contrast

    going_on = threading.Event()
    monkeypatch.setattr(contrast, "automatic", lambda image: [] if going_on.wait(PATIENCE) else 0)
    with client.tab() as tab:
        slow = tab.send("channels", image="1")
        tab.ask("paint", **STROKE)
        going_on.set()
        assert tab.until(re=slow)["result"] == []


def test_what_the_first_round_leaves_is_set_aside_while_the_page_is_served(session) -> None:
    with served(session):
        at_first = gc.get_freeze_count()
        assert at_first > 0
        kept = [[] for _ in range(1000)]
        session.paint("1", [(10, 10), (10, 60)], label=1)
        session.paint("1", [(60, 10), (60, 60)], label=2)
        session.look("1")
        session.train()
        assert session.wait(PATIENCE)
        after_one = gc.get_freeze_count()
        assert after_one > at_first + len(kept)
        session.train()
        assert session.wait(PATIENCE)
        assert gc.get_freeze_count() <= after_one
    assert gc.get_freeze_count() == 0


def test_a_port_that_is_taken_is_said() -> None:
    place = claim()
    with place.listening, pytest.raises(FileError, match="Leave out --port"):
        claim(port=place.address.port)


def test_names_for_other_machines_are_those_of_this_one() -> None:
    assert names_of("127.0.0.1")[0] == "127.0.0.1"
    assert sockets.gethostname() in names_of("0.0.0.0")
    own = [name for name in names_of("0.0.0.0") if name not in HERE]
    assert list(names_of("0.0.0.0")) == [*own, *HERE]
    assert names_of("192.0.2.7")[0] == "192.0.2.7"


def test_every_run_has_a_token_of_its_own() -> None:
    one, two = claim(), claim()
    with one.listening, two.listening:
        assert one.address.token != two.address.token
        assert len(one.address.token) >= 32
        assert json.dumps(one.address.url)


def test_a_browser_is_given_a_file_that_only_its_user_can_read(tmp_path) -> None:
    place = claim()
    (tmp_path / "secret").write_text("kept")
    (tmp_path / "open-page.html").symlink_to(tmp_path / "secret")
    with place.listening, opening(place.address, tmp_path) as file:
        assert file.stat().st_mode & 0o777 == 0o600
        assert place.address.token not in file.as_uri()
        assert f"url={place.address.url}" in file.read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]
    assert (tmp_path / "secret").read_text() == "kept"
    with opening(place.address, None) as file:
        assert file.stat().st_mode & 0o777 == 0o600
    assert not file.exists()


def test_connections_that_ask_for_nothing_do_not_keep_the_owner_out(client) -> None:
    where = ("127.0.0.1", client.address.port)
    idle = [sockets.create_connection(where) for _ in range(210)]
    try:
        assert client.get("/").status == 200
        with client.tab() as tab:
            assert "result" in tab.ask("painted", image="1")
        idle[0].settimeout(PATIENCE)
        assert idle[0].recv(1) == b""  # those that wait longest make room
    finally:
        for one in idle:
            one.close()


def test_a_connection_has_limited_time_for_its_first_request(session, monkeypatch) -> None:
    monkeypatch.setattr("stroma.web.connections.FIRST_REQUEST_SECONDS", 0.05)
    with served(session) as client:
        with sockets.create_connection(("127.0.0.1", client.address.port)) as slow:
            slow.sendall(b"GET / HTTP/1.1\r\nHost: ")
            slow.settimeout(PATIENCE)
            assert slow.recv(1) == b""
        with client.tab() as tab:
            threading.Event().wait(0.1)
            assert "result" in tab.ask("painted", image="1")


@pytest.mark.parametrize("number", ["9" * 5000, "1e999", "-1e999", "NaN"])
def test_numbers_that_cannot_be_are_refused_and_the_tab_goes_on(client, session, number) -> None:
    with client.tab() as tab:
        rest = '"image": "1", "plane": {}, "points": [[1, 1]], "label": 1'
        tab.socket.send(f'{{"id": "x", "do": "paint", {rest}, "radius": {number}}}')
        assert tab.until(re="x")["error"]
        assert "result" in tab.ask("painted", image="1")
    assert not session.strokes("1").any()


def test_groups_are_shown_and_taken_as_a_class(client, session) -> None:
    session.set_alias("gaussian")
    asked = {"image": "1", "plane": {}, "count": 3}
    with client.tab() as tab:
        found = tab.ask("groups", **asked)["result"]
        assert sum(one["share"] for one in found["groups"]) == pytest.approx(1)
        picture = pixels(base64.b64decode(found["picture"]))
        assert picture.shape == (96, 128, 4)
        colours = {"#" + bytes(c[:3]).hex() for c in picture.reshape(-1, 4).tolist()}
        assert colours == {one["color"].lower() for one in found["groups"]}
        wanted = {**asked, "group": found["groups"][0]["group"], "label": 2}
        tab.ask("take-group", **wanted, seen=found["seen"])
        assert set(np.unique(session.strokes("1"))) == {0, 2}
        again = tab.ask("take-group", **wanted, seen=found["seen"] + 1)
    assert "have changed with the settings" in again["error"]


def test_what_is_known_of_a_pixel_and_of_the_parts_is_answered(learned) -> None:
    with served(learned) as client, client.tab() as tab:
        where = {"image": "1", "plane": {}}
        dark = tab.ask("readout", **where, y=40, x=20)["result"]
        assert dark["values"] == [int(learned.image("1").image.read()[40, 20])]
        assert dark["label"] == 1
        assert dark["probability"] > 0.5 > dark["uncertainty"]
        assert "error" in tab.ask("readout", **where, y=96, x=0)
        found = tab.ask("parts", **where)["result"]
        assert found["area"] is None
        assert found["count"] == len(found["parts"]) >= 2
        assert found["sizes"] == sorted(found["sizes"], reverse=True)
        assert sum(found["sizes"]) == 96 * 128
        assert tab.ask("parts", **where, smallest=10**6)["result"]["count"] == 0


def test_the_size_of_a_pixel_is_told_in_micrometres(client, session) -> None:
    values = np.zeros((8, 8), np.uint8)
    session.add_image(Image(values, "yx", {"y": 250, "x": 500}, "nm"), name="two")
    with client.tab() as tab:
        told = [one["pixel"] for one in tab.hear()["state"]["images"]]
    assert told == [None, [0.25, 0.5]]


def test_strokes_are_copied_to_the_next_plane_and_cleared_by_class(client, session) -> None:
    session.add_image(Image(np.zeros((3, 300, 300), np.uint8), "zyx"), name="stack")
    there, to = {"image": "2", "plane": {"z": 0}}, {"z": 1}
    for label, y in ((1, 20), (2, 250)):
        session.paint("2", [(y, 20), (y, 250)], label=label, radius=3, plane={"z": 0})
    painted = session.strokes("2", plane={"z": 0})
    with client.tab() as tab:
        assert "error" not in tab.ask("copy-strokes", **there, to=to)
        np.testing.assert_array_equal(session.strokes("2", plane=to), painted)
        tab.ask("undo")  # in one step
        assert not session.strokes("2", plane=to).any()
        tab.ask("clear", **there, label=1)
        assert np.unique(session.strokes("2", plane={"z": 0})).tolist() == [0, 2]
        refused = tab.ask("copy-strokes", image="2", plane={"z": 2}, to={"z": 1})
        assert "nothing to copy" in refused["error"]
