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

from stroma.errors import FileError, FormatError
from stroma.io import read_image, series_of
from stroma.io.address import address_of


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
    from stroma.workflow.find import find_images
    from stroma.workflow.segment import segment_files

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


def test_painting_on_an_address_is_refused(server, values):
    import typer

    from stroma.cli.paint import sorted_out
    from stroma.session import Session

    address = f"{server[1]}/cells.zarr"
    with Session("gaussian") as session, pytest.raises(FileError, match=r"on a web server\. Copy"):
        session.add_image(address)
    with pytest.raises(typer.BadParameter, match=r"on a web server\. Copy"):
        sorted_out([Path(address)], None)
