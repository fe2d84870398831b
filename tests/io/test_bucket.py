"""OME-Zarr in buckets is read chunk by chunk, and segmented block by block, from a server here."""

from __future__ import annotations

import pickle
import re
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import zarr

from stroma.errors import FileError, FormatError
from stroma.io import read_image
from stroma.io.address import address_of

pytest.importorskip("obstore")


class Bucket(SimpleHTTPRequestHandler):
    """Gives files, and parts of them, as servers of buckets do."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        self.server.asked.append((self.path, self.headers.get("Authorization")))
        if not path.is_file():
            self.send_error(404)
            return
        data, size = path.read_bytes(), path.stat().st_size
        found = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        first, last = 0, size
        if found:
            low, high = found.groups()
            first = int(low) if low else max(0, size - int(high))
            last = min(size, int(high) + 1) if low and high else size
        self.send_response(206 if found else 200)
        self.send_header("Content-Length", str(last - first))
        self.send_header("ETag", '"1"')
        self.send_header("Last-Modified", "Sat, 01 Jan 2022 00:00:00 GMT")
        if found:
            self.send_header("Content-Range", f"bytes {first}-{last - 1}/{size}")
        self.end_headers()
        self.wfile.write(data[first:last])


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A server of buckets, whose bucket ``cells`` is a folder."""
    (tmp_path / "web" / "cells").mkdir(parents=True)
    made = ThreadingHTTPServer(("127.0.0.1", 0), partial(Bucket, directory=str(tmp_path / "web")))
    made.asked = []
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{made.server_port}")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.fixture
def values(tmp_path, server):
    """What the bucket has as ``a.zarr``, in chunks and shards."""
    made = np.random.default_rng(0).integers(0, 255, (100, 150), np.uint8)
    put(tmp_path / "web" / "cells" / "a.zarr", made, shards=(64, 64))
    return made


def put(path, made, **how):
    """Write an image as OME-Zarr."""
    group = zarr.open_group(path, mode="w", zarr_format=3)
    axes = [{"name": a, "type": "space", "unit": "micrometer"} for a in "yx"]
    scale = [{"type": "scale", "scale": [0.5, 0.5]}]
    datasets = [{"path": "0", "coordinateTransformations": scale}]
    scales = [{"name": "cells", "axes": axes, "datasets": datasets}]
    group.attrs["ome"] = {"version": "0.5", "multiscales": scales}
    group.create_array("0", data=made, chunks=(32, 32), **how)


@pytest.mark.parametrize("path", ["s3://cells/a.zarr", Path("s3://cells/a.zarr")])
def test_a_bucket_is_an_address_also_as_a_path(path):
    assert address_of(path) == "s3://cells/a.zarr"


def test_only_what_is_wanted_is_fetched_and_unsigned_without_a_key(server, values):
    image = read_image("s3://cells/a.zarr")
    assert (image.sizes, image.unit) == ({"y": 100, "x": 150}, "µm")
    server.asked.clear()
    part = image.read({"y": slice(70, 90), "x": slice(70, 90)})
    np.testing.assert_array_equal(part, values[70:90, 70:90])
    assert {path.rpartition("/c/")[2] for path, _ in server.asked} == {"1/1"}
    assert {signed for _, signed in server.asked} == {None}
    again = pickle.loads(pickle.dumps(image))
    np.testing.assert_array_equal(again.read(), values)


def test_chunks_that_were_read_last_are_kept(server, values, tmp_path):
    put(tmp_path / "web" / "cells" / "b.zarr", values)
    image = read_image("s3://cells/b.zarr")
    np.testing.assert_array_equal(image.read(), values)
    server.asked.clear()
    np.testing.assert_array_equal(image.read(), values)
    assert server.asked == []


def test_requests_are_signed_with_a_key(server, values, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "knows")
    np.testing.assert_array_equal(read_image("s3://cells/a.zarr").read(), values)
    assert all("somebody" in signed for _, signed in server.asked)


def test_chunks_that_are_refused_are_left_out_without_a_key_only(
    server, values, tmp_path, monkeypatch
):
    put(tmp_path / "web" / "cells" / "b.zarr", values)
    (tmp_path / "web" / "cells" / "b.zarr" / "0" / "c" / "1" / "1").unlink()
    send = Bucket.send_error
    monkeypatch.setattr(Bucket, "send_error", lambda self, code: send(self, 403))
    assert not read_image("s3://cells/b.zarr").read()[32:64, 32:64].any()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "knows")
    image = read_image("s3://cells/b.zarr")
    np.testing.assert_array_equal(image.read({"y": slice(0, 32)}), values[:32])
    with pytest.raises(FileError, match=r"b\.zarr/0/c/1/1 is refused, .*s3:ListBucket"):
        image.read()


def test_it_is_segmented_as_an_array_is(server, values, tmp_path):
    from stroma import ConvpaintModel
    from stroma.workflow.applying.find import find_images
    from stroma.workflow.applying.segment import segment_files

    strokes = np.zeros(values.shape, np.uint8)
    strokes[5:9, 5:60], strokes[40:44, 5:60] = 1, 2
    model = ConvpaintModel("gaussian")
    model.train(values, strokes)
    [image] = find_images(["s3://cells/a.zarr"])
    done = segment_files(model, [image], tmp_path / "out")
    assert [file.status for file in done.files] == ["done"]
    found = read_image(done.files[0].outputs[0]).read()
    np.testing.assert_array_equal(found, model.segment(values))


def test_buckets_without_the_image_are_refused_by_name(server, monkeypatch):
    with pytest.raises(FormatError, match=r"gone\.zarr"):
        read_image("s3://cells/gone.zarr")
    for refused in (400, 401):
        monkeypatch.setattr(Bucket, "do_GET", lambda self, code=refused: self.send_error(code))
        with pytest.raises(FileError, match=r"s3://cells/a\.zarr/\S+ cannot be read"):
            read_image("s3://cells/a.zarr")
