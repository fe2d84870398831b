"""A small hub on this machine, whose faults are chosen by the test."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote

import numpy as np
import pytest
from huggingface_hub import constants
from safetensors.numpy import save

from stroma.weights import http

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Hub:
    """What the server serves and how; and what it was asked."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    ranges: bool = True
    commit: str = COMMIT
    requests: list[SimpleNamespace] = field(default_factory=list)
    answer: Callable[[BaseHTTPRequestHandler], bool] = lambda _: False

    def sent(self) -> int:
        return sum(request.sent for request in self.requests)


class Handler(BaseHTTPRequestHandler):
    hub: Hub

    def do_GET(self) -> None:
        path = unquote(self.path)
        record = SimpleNamespace(path=path, headers=dict(self.headers), sent=0)
        self.hub.requests.append(record)
        if self.hub.answer(self):
            return
        if path not in self.hub.files:
            self.reply(404, b"")
            return
        data = self.hub.files[path]
        asked = self.headers.get("Range")
        if asked and self.hub.ranges:
            start, stop = (int(n) for n in asked.removeprefix("bytes=").split("-"))
            part = data[start : stop + 1]
            content = f"bytes {start}-{start + len(part) - 1}/{len(data)}"
            record.sent = len(part)  # noted first: who asked has all before the last line here
            self.reply(206, part, {"Content-Range": content})
        else:
            record.sent = len(data)
            self.reply(200, data)

    def reply(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> int:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        if self.hub.commit:
            self.send_header("X-Repo-Commit", self.hub.commit)
        self.end_headers()
        self.wfile.write(body)
        return len(body)

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


@pytest.fixture
def make_hub() -> Iterator[Callable[[], Hub]]:
    servers = []

    def make() -> Hub:
        hub = Hub()
        server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"hub": hub}))
        hub.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return hub

    yield make
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def hub(make_hub: Callable[[], Hub], monkeypatch: pytest.MonkeyPatch) -> Hub:
    made = make_hub()
    monkeypatch.setattr(constants, "ENDPOINT", made.url)
    return made


@pytest.fixture(autouse=True)
def private_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Empty caches, no waiting, no token of the person who runs the tests."""
    monkeypatch.setenv("STROMA_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("STROMA_WEIGHTS", raising=False)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no token"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(http, "PAUSES", (0.0, 0.0, 0.0))


@pytest.fixture
def vgg() -> dict[str, np.ndarray]:
    """Two layers that are used, and a large one that is not."""
    rng = np.random.default_rng(0)
    shapes = {
        "features.0.weight": (64, 3, 3, 3),
        "features.0.bias": (64,),
        "features.2.weight": (8, 64, 3, 3),
        "features.2.bias": (8,),
        "pre_logits.fc1.weight": (100, 1000),
    }
    return {key: rng.standard_normal(shape, np.float32) for key, shape in shapes.items()}


@pytest.fixture
def published(hub: Hub, vgg: dict[str, np.ndarray]) -> Hub:
    """The hub with that file, by branch and by commit."""
    data = save(vgg)
    for revision in ("main", COMMIT):
        hub.files[f"/timm/vgg16.tv_in1k/resolve/{revision}/model.safetensors"] = data
    return hub
