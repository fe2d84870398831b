"""Packages are fetched by their ids, once, and only as far as they are read."""

from __future__ import annotations

import hashlib
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import yaml
from tests.zoo.programs import described, in_onnx, small

from stroma.errors import FormatError, ParameterError, WeightsError
from stroma.workflow.applying.load import load
from stroma.zoo.packages.collection import Fetched

pytest.importorskip("onnxruntime")
NAME = "calm-otter"


class Quiet(SimpleHTTPRequestHandler):
    """Notes what is asked for, and says nothing."""

    def log_message(self, *_: object) -> None:
        self.server.asked.append(self.path)


@pytest.fixture
def collection(tmp_path, monkeypatch):
    """A server with one package, and what it was asked."""
    folder = tmp_path / "web" / NAME
    folder.mkdir(parents=True)
    (folder / "rdf.yaml").write_text(yaml.safe_dump(described()))
    (folder / "net.onnx").write_bytes(in_onnx(small()))
    (folder / "cover.png").write_bytes(b"large")
    made = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "web")))
    made.asked, made.folder = [], folder
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    address = f"http://127.0.0.1:{made.server_port}/{{bioimageio_id}}/rdf.yaml"
    monkeypatch.setenv("BIOIMAGEIO_COLLECTION_HTTP_PATTERN", address)
    monkeypatch.setenv("STROMA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("stroma.weights.hub.is_offline", lambda: False)
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def test_an_id_is_fetched_once_and_only_what_is_read(collection, tmp_path):
    image = np.random.default_rng(0).normal(0, 1, (64, 64)).astype(np.float32)
    found = load(NAME).segment(image)
    assert collection.asked == [f"/{NAME}/rdf.yaml", f"/{NAME}/net.onnx"]
    again = load(f"bioimageio:{NAME}").segment(image)
    assert len(collection.asked) == 2
    np.testing.assert_array_equal(found, again)
    assert (tmp_path / "cache" / "packages" / NAME / "net.onnx").is_file()


def test_ids_that_there_are_not_are_refused_by_name(collection):
    with pytest.raises(WeightsError, match=r"no file no-such-model, and .* has no model"):
        load("no-such-model")
    (collection.folder / "rdf.yaml").write_text("type: dataset")
    with pytest.raises(FormatError, match="describes no model"):
        load(NAME)


def test_nothing_is_fetched_where_that_is_forbidden(collection, monkeypatch):
    monkeypatch.setattr("stroma.weights.hub.is_offline", lambda: True)
    with pytest.raises(WeightsError, match=r"HF_HUB_OFFLINE is set\. Put the file at"):
        load(NAME)
    assert collection.asked == []


def test_a_package_leads_to_no_place_outside_of_its_own(collection, tmp_path):
    said = described(weights={"onnx": {"source": "../../net.onnx"}})
    (collection.folder / "rdf.yaml").write_text(yaml.safe_dump(said))
    with pytest.raises(FormatError, match=r"has no \.\./\.\./net\.onnx"):
        load(NAME)


def test_files_of_other_addresses_are_kept_apart(collection, tmp_path):
    address = f"http://127.0.0.1:{collection.server_port}"
    found = []
    for name in ("one", "two"):
        (collection.folder / name).mkdir()
        (collection.folder / name / "content").write_text(name)
        package = Fetched(tmp_path / "kept", address=f"{address}/{NAME}/rdf.yaml")
        found.append(package.read(f"{address}/{NAME}/{name}/content?download=1"))
    assert found == [b"one", b"two"]
    assert all(path.name.endswith("-content") for path in (tmp_path / "kept").iterdir())


def test_what_came_damaged_is_not_kept(collection, tmp_path):
    address = f"http://127.0.0.1:{collection.server_port}/{NAME}/rdf.yaml"
    package = Fetched(tmp_path / "kept", address=address)
    whole = (collection.folder / "net.onnx").read_bytes()
    known = hashlib.sha256(whole).hexdigest()
    (collection.folder / "net.onnx").write_bytes(whole[:100])
    with pytest.raises(FormatError, match=r"net\.onnx is damaged: .* Get it again"):
        package.read("net.onnx", sha256=known)
    assert not (tmp_path / "kept" / "net.onnx").exists()
    (collection.folder / "net.onnx").write_bytes(whole)
    assert package.read("net.onnx", sha256=known) == whole


def test_what_is_kept_and_damaged_is_fetched_again(collection, tmp_path, monkeypatch):
    address = f"http://127.0.0.1:{collection.server_port}/{NAME}/rdf.yaml"
    package = Fetched(tmp_path, address=address)
    whole = (collection.folder / "net.onnx").read_bytes()
    known = hashlib.sha256(whole).hexdigest()
    (tmp_path / "net.onnx").write_bytes(b"other")
    with monkeypatch.context() as offline:
        offline.setattr("stroma.weights.hub.is_offline", lambda: True)
        with pytest.raises(FormatError, match=r"net\.onnx is damaged"):
            package.read("net.onnx", sha256=known)
    assert package.read("net.onnx", sha256=known) == whole
    assert (tmp_path / "net.onnx").read_bytes() == whole


def test_the_name_of_a_configuration_is_not_looked_for_in_the_collection(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        ParameterError, match=r"'stroma-3d' is a configuration, .* alias to start from"
    ):
        load("stroma-3d")
