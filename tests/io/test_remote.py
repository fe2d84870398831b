"""OME-Zarr on a web server is read chunk by chunk, and segmented block by block."""

from __future__ import annotations

import pickle
import re
import socket
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import zarr

from stroma.cli.paint import beside, opened_as, remembered, sorted_out
from stroma.errors import FileError, FormatError, ParameterError
from stroma.io import read_image, series_of
from stroma.io.address import address_of, require_address
from stroma.io.omezarr.remote import Kept
from stroma.session import Session
from stroma.session.recent import is_known
from stroma.web.commands import CHANGES
from stroma.web.state import described


class Quiet(SimpleHTTPRequestHandler):
    """Notes what is asked for, and says nothing."""

    def log_message(self, *_: object) -> None:
        self.server.asked.append(self.path)


@pytest.fixture
def server(tmp_path):
    """A server of the folder ``web``, and its address."""
    (tmp_path / "web").mkdir()
    made = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "web")))
    made.asked = []
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made, f"http://127.0.0.1:{made.server_port}"
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.fixture
def values(tmp_path, server):
    """Values that the server has as ``cells.zarr``, in chunks of 64 x 64 pixels."""
    made = np.random.default_rng(0).integers(0, 255, (200, 300), np.uint8)
    group = zarr.open_group(tmp_path / "web" / "cells.zarr", mode="w", zarr_format=3)
    axes = [{"name": a, "type": "space", "unit": "micrometer"} for a in "yx"]
    scale = [{"type": "scale", "scale": [0.5, 0.5]}]
    datasets = [{"path": "0", "coordinateTransformations": scale}]
    scales = [{"name": "cells", "axes": axes, "datasets": datasets}]
    group.attrs["ome"] = {"version": "0.5", "multiscales": scales}
    group.create_array("0", data=made, chunks=(64, 64))
    return made


@pytest.mark.parametrize(
    "path", ["http://host/a.zarr", Path("http://host/a.zarr"), "http://host/a.zarr/"]
)
def test_an_address_stays_one_also_as_a_path(path):
    assert address_of(path) == "http://host/a.zarr"
    assert address_of("folder/http/a.zarr") == address_of("C:/a.zarr") == ""


def test_only_chunks_that_are_wanted_are_fetched(server, values):
    made, address = server
    image = read_image(f"{address}/cells.zarr")
    assert (image.sizes, image.unit) == ({"y": 200, "x": 300}, "µm")
    made.asked.clear()
    part = image.read({"y": slice(70, 120), "x": slice(70, 120)})
    np.testing.assert_array_equal(part, values[70:120, 70:120])
    assert [path.rpartition("/c/")[2] for path in made.asked] == ["1/1"]
    again = pickle.loads(pickle.dumps(image))
    np.testing.assert_array_equal(again.read(), values)
    assert len(series_of(f"{address}/cells.zarr")) == 1


def test_it_is_segmented_as_the_same_file_here(server, values, tmp_path):
    from stroma import ConvpaintModel
    from stroma.workflow.applying.find import find_images
    from stroma.workflow.applying.segment import segment_files

    strokes = np.zeros(values.shape, np.uint8)
    strokes[5:9, 5:60], strokes[40:44, 5:60] = 1, 2
    model = ConvpaintModel("gaussian")
    model.train(values, strokes)
    [image] = find_images([f"{server[1]}/cells.zarr"])
    done = segment_files(model, [image], tmp_path / "out")
    assert [file.status for file in done.files] == ["done"]
    found = read_image(done.files[0].outputs[0]).read()
    np.testing.assert_array_equal(found, model.segment(values))


def test_shards_are_read_in_parts(server, tmp_path):
    array = np.arange(64, dtype=np.uint16).reshape(8, 8)
    where = tmp_path / "web" / "s.zarr"
    zarr.create_array(where, data=array, chunks=(2, 2), shards=(8, 8), dimension_names=("y", "x"))
    image = read_image(f"{server[1]}/s.zarr")
    np.testing.assert_array_equal(image.read({"y": slice(2, 4)}), array[2:4])


def test_addresses_without_an_image_are_refused_by_name(server, values):
    _, address = server
    with pytest.raises(FormatError, match=r"gone\.zarr"):
        read_image(f"{address}/gone.zarr")
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # and does not listen
        where = f"http://127.0.0.1:{silent.getsockname()[1]}/a.zarr"
        with pytest.raises(FileError, match=rf"{re.escape(where)}/\S+ cannot be read"):
            read_image(where)


class Endless(SimpleHTTPRequestHandler):
    """Answers without end, until nobody listens any more."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            while True:
                self.wfile.write(b" " * 2**12)
        except OSError:
            self.close_connection = True


def test_metadata_without_end_is_refused_by_name(server, monkeypatch):
    made, address = server
    made.RequestHandlerClass = Endless
    monkeypatch.setattr("stroma.io.omezarr.remote.MAX_METADATA", 2**20)
    with pytest.raises(FormatError, match=r"a\.zarr/\S+ is larger than 1 MiB"):
        read_image(f"{address}/a.zarr")


WRONG = {
    "ftp://host/a.zarr": "does not begin with http:// or https://",
    "file:///etc/passwd": "does not begin with http:// or https://",
    "javascript:alert(1)": "does not begin with http:// or https://",
    "": "Nothing is no address",
    "a.zarr": "does not begin with http:// or https://",
    "http:///a.zarr": "names no server",
    "http://host/a b.zarr": "spaces or characters",
    "http://host/a\r\nX: y": "spaces or characters",
    "http://me:secret@host/a.zarr": "carries a name or a password",
    "http://host/a.zarr?key=1": "what follows",
    "http://host/a.zarr#0": "what follows",
    "http://host:port/a.zarr": "cannot be read",
    "http://[::1/a.zarr": "cannot be read",
    "http://host/" + "a" * 3000: "up to 2000 letters",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_address_of_an_image_is_refused(text):
    with pytest.raises(ParameterError, match=re.escape(WRONG[text])):
        require_address(text)


def test_an_address_is_taken_as_it_was_typed():
    assert require_address(" https://host:81/b/a.zarr/ ") == "https://host:81/b/a.zarr"


class Leading(SimpleHTTPRequestHandler):
    """Leads to another address, which is none of the web."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self.send_response(302)
        self.send_header("Location", self.server.to)
        self.end_headers()


@pytest.mark.parametrize("to", ["ftp://127.0.0.1/a.zarr", "file:///etc/passwd"])
def test_a_server_leads_to_nothing_but_the_web(server, to):
    made, address = server
    made.RequestHandlerClass, made.to = Leading, to
    with pytest.raises(FileError, match="cannot be read"):
        read_image(f"{address}/a.zarr")


def test_chunks_that_were_read_last_are_not_fetched_again(server, values):
    made, address = server
    image = read_image(f"{address}/cells.zarr")
    image.read({"y": slice(0, 64), "x": slice(0, 64)})
    made.asked.clear()
    part = image.read({"y": slice(10, 30), "x": slice(0, 64)})
    np.testing.assert_array_equal(part, values[10:30, :64])
    assert made.asked == []


def test_as_much_is_kept_as_fits():
    kept = Kept(100)
    for number in range(10):
        kept.put((number, "a"), bytes(20))
    kept.put((10, "a"), bytes(60))  # would push out most of the others
    assert [n for n in range(11) if kept.get((n, "a")) is not None] == [5, 6, 7, 8, 9]


def test_an_image_on_a_server_is_painted_on_and_opened_again(server, values, tmp_path):
    address = f"{server[1]}/cells.zarr"
    with Session.create(tmp_path / "work.stroma", "gaussian", mode="demand") as session:
        key = session.add_image(address)
        session.paint(key, [(5, 5), (5, 20)], label=1)
        assert "http" in session.as_code(tmp_path)
    with Session.open(tmp_path / "work.stroma") as session:
        assert session.notices == ()
        assert session.image(key).name == "cells.zarr"
        np.testing.assert_array_equal(session.image(key).image.read(), values)
        assert session.strokes(key)[5, 10] == 1
        (tmp_path / "elsewhere").mkdir()
        session.save_as(tmp_path / "elsewhere" / "copy.stroma")
    with Session.open(tmp_path / "elsewhere" / "copy.stroma") as session:
        assert not session.image(key).missing


def test_an_image_whose_server_is_gone_is_missing_until_it_is_back(server, values, tmp_path):
    address = server[1]
    with Session.create(tmp_path / "work.stroma", mode="demand") as session:
        key = session.add_image(f"{address}/cells.zarr")
    there = tmp_path / "web" / "cells.zarr"
    there.rename(there.with_name("gone.zarr"))
    with Session.open(tmp_path / "work.stroma") as session:
        assert session.image(key).missing
        assert f"{address}/cells.zarr has changed" in session.notices[0].message
        with pytest.raises(ParameterError, match="password"):
            session.relocate(key, address.replace("//", "//me:secret@") + "/gone.zarr")
    there.with_name("gone.zarr").rename(there)
    with Session.open(tmp_path / "work.stroma") as session:
        assert not session.image(key).missing


def test_a_project_from_elsewhere_asks_no_server_until_it_is_told_to(
    server, values, tmp_path, monkeypatch
):
    monkeypatch.setenv("STROMA_CACHE", str(tmp_path / "cache"))
    project = tmp_path / "theirs.stroma"
    with Session.create(project, mode="demand") as session:
        key = session.add_image(f"{server[1]}/cells.zarr")
        other = session.add_image(f"{server[1]}/cells.zarr".replace("127.0.0.1", "localhost"))
        session.paint(key, [(5, 5), (5, 20)], label=1)
    server[0].asked.clear()
    for _ in range(2):  # nobody agreed the first time
        with remembered(opened_as([project])) as session:
            assert list(session.unasked()) == [key, other]
    with opened_as([project]) as session:
        assert described(session, "")["images"][0]["address"] == f"{server[1]}/cells.zarr"
        assert f"{server[1]}/cells.zarr, which was not asked" in session.notices[0].message
        assert server[0].asked == []
        CHANGES["fetch"](session, {"image": key})
        assert [said.image for said in session.notices] == list(session.unasked()) == [other]
        assert described(session, "")["images"][0]["address"] == ""
        np.testing.assert_array_equal(session.image(key).image.read(), values)
        assert session.strokes(key)[5, 10] == 1
        assert not is_known(project)
        CHANGES["fetch"](session, {"image": other})
        assert session.notices == ()
    with opened_as([project]) as session:
        assert not session.image(key).missing


def test_the_project_of_an_address_lies_in_the_current_folder(tmp_path, monkeypatch):
    assert beside(Path("https://host/b/cells.ome.zarr")) == Path("cells.stroma")
    assert beside(Path("https://host/")) == Path("host.stroma")
    with pytest.raises(ParameterError, match="password"):
        sorted_out([Path("https://me:secret@host/a.zarr")], None)
