"""A session behind a real server on a free port, and clients that speak to it."""

from __future__ import annotations

import json
import threading
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError

import uvicorn
from tests.patience import PATIENCE
from websockets.sync.client import ClientConnection, connect

from stroma.session import Session
from stroma.web.gate import Address
from stroma.web.serve import Place, claim, server, uvicorn_of
from stroma.web.start.shelf import Shelf
from stroma.web.start.stage import Opens, Stage, gated

PATIENT: dict[str, Any] = {"open_timeout": PATIENCE, "ping_interval": None}
"""A connection is not given up because the machine is busy."""


@dataclass(frozen=True)
class Answer:
    """What the server answers."""

    status: int
    body: bytes
    headers: dict[str, str]

    @classmethod
    def of(cls, answer: Any, status: int) -> Answer:
        return cls(status, answer.read(), {k.lower(): v for k, v in answer.headers.items()})


@dataclass(frozen=True)
class Client:
    """Somebody who has the token."""

    address: Address

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.address.port}"

    def get(self, path: str, **headers: str) -> Answer:
        return self._answer(urllib.request.Request(self.origin + path), headers)

    def post(self, path: str, body: Any, **headers: str) -> Answer:
        request = urllib.request.Request(self.origin + path, data=body, method="POST")
        return self._answer(request, {"Origin": self.origin, **headers})

    def _answer(self, request: urllib.request.Request, headers: Mapping[str, str]) -> Answer:
        request.add_header("Cookie", f"{self.address.cookie}={self.address.token}")
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return Answer.of(answer, answer.status)
        except HTTPError as error:
            with error:
                return Answer.of(error, error.code)

    @contextmanager
    def tab(self) -> Iterator[Tab]:
        headers = {
            "Cookie": f"{self.address.cookie}={self.address.token}",
            "Origin": self.origin,
        }
        url = f"ws://127.0.0.1:{self.address.port}/socket"
        with connect(url, additional_headers=headers, max_size=None, **PATIENT) as socket:
            yield Tab(socket)


@dataclass(frozen=True)
class Tab:
    """A page's socket."""

    socket: ClientConnection

    def send(self, command: str, *, number: str = "", **values: Any) -> str:
        number = number or uuid.uuid4().hex
        self.socket.send(json.dumps({"id": number, "do": command, **values}))
        return number

    def hear(self) -> dict[str, Any]:
        return json.loads(self.socket.recv(timeout=PATIENCE))

    def until(self, **wanted: Any) -> dict[str, Any]:
        """Return the next message that has these values."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            told = self.hear()
            if all(told.get(key) == value for key, value in wanted.items()):
                return told
        raise TimeoutError(wanted)

    def ask(self, command: str, **values: Any) -> dict[str, Any]:
        return self.until(re=self.send(command, **values))

    def state(
        self, when: Callable[[dict[str, Any]], bool] = lambda state: True, **wanted: Any
    ) -> dict[str, Any]:
        """Return the next state of which something holds and that has these values."""
        while True:
            state = self.until(event="state")["state"]
            if when(state) and all(state[key] == value for key, value in wanted.items()):
                return state


@contextmanager
def served(session: Session, place: Place | None = None) -> Iterator[Client]:
    """Serve a session, and yield a client."""
    place, ready = place or claim(), threading.Event()
    with _running(server(session, place, ready=ready.set), place, ready):
        yield Client(place.address)


@contextmanager
def served_to_choose(opens: Opens, shelf: Shelf) -> Iterator[tuple[Client, Stage]]:
    """Serve the page on which something is chosen, and yield a client and what is served."""
    place, ready = claim(), threading.Event()
    stage = Stage(opens, shelf, ["coins"], ready.set)
    with _running(uvicorn_of(gated(stage, place.address)), place, ready):
        yield Client(place.address), stage
    if stage.session is not None:
        stage.session.close()


@contextmanager
def _running(running: uvicorn.Server, place: Place, ready: threading.Event) -> Iterator[None]:
    thread = threading.Thread(target=running.run, kwargs={"sockets": [place.listening]})
    thread.start()
    try:
        assert ready.wait(PATIENCE)
        yield
    finally:
        running.should_exit = True
        thread.join(PATIENCE)
        place.listening.close()
