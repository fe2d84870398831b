"""Ranges of a file on a web server, over connections that may break."""

from __future__ import annotations

import re
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from email.message import Message
from http import HTTPStatus
from http.client import HTTPException
from typing import Any
from urllib.parse import urljoin, urlsplit

from stroma.errors import FormatError, WeightsError

PAUSES = (0.5, 1.0, 2.0)
"""Seconds to wait before each further attempt."""

LONGEST_PAUSE = 30.0
MOST_REDIRECTS = 8
CHUNK = 1 << 20
REDIRECTS = {301, 302, 303, 307, 308}
TRANSIENT = {408, 425, 429, 500, 502, 503, 504}


class NotThereError(WeightsError):
    """The server has no such file."""


class DeniedError(WeightsError):
    """The server asks for a token, or for a licence to be accepted."""


class UnreachableError(WeightsError):
    """The server cannot be reached, or breaks off again and again."""


class NoRangesError(WeightsError):
    """The server sends whole files only."""


class _BusyError(OSError):
    """The server asks to come back later."""

    def __init__(self, message: str, pause: float) -> None:
        super().__init__(message)
        self.pause = pause


BROKEN = (
    urllib.error.URLError,
    ConnectionError,
    TimeoutError,
    EOFError,
    HTTPException,
    ssl.SSLError,
    _BusyError,
)
"""What may go away when tried again."""


@dataclass(frozen=True)
class Remote:
    """A file on a server.

    Parameters
    ----------
    url : str
        Where it is.
    token : str or None
        Sent as bearer token to this host only, never to one it redirects to.
    timeout : float
        Seconds without an answer after which a connection counts as broken.
    """

    url: str
    token: str | None = field(default=None, repr=False)
    timeout: float = 10.0

    def at(self, url: str) -> Remote:
        """Return the remote for another address, with the token only on the same host."""
        same = urlsplit(url)[:2] == urlsplit(self.url)[:2]
        return replace(self, url=url, token=self.token if same else None)


@dataclass(frozen=True)
class Part:
    """Bytes of a remote file.

    Parameters
    ----------
    data : bytes
        The bytes.
    size : int
        Size of the whole file.
    commit : str
        Commit of the repository, where the hub says it; else empty.
    """

    data: bytes
    size: int
    commit: str


@dataclass
class Reply:
    """An answer of a server, its body not read yet."""

    body: Any
    headers: Message
    status: int
    commit: str

    def __enter__(self) -> Reply:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self.body.close()

    @property
    def length(self) -> int | None:
        """Bytes of the body, where the server says it."""
        value = self.headers.get("Content-Length", "")
        return int(value) if value.isdigit() else None

    def chunks(self) -> Iterator[bytes]:
        """Yield the body piece by piece."""
        while chunk := self.body.read(CHUNK):
            yield chunk


def read_range(remote: Remote, start: int, stop: int) -> Part:
    """Return the bytes from start to stop, fewer where the file ends before.

    A connection that breaks is taken up again where it broke, a few times.

    Raises
    ------
    NoRangesError
        If the server ignores ranges.
    NotThereError, DeniedError, UnreachableError
        If it has no such file, refuses it, or cannot be reached.
    """
    data, commit, size = bytearray(), "", stop
    pauses = iter(PAUSES)
    while start + len(data) < min(stop, size):
        try:
            with _open_range(remote, start + len(data), stop) as reply:
                commit, size = commit or reply.commit, _whole_size(reply, remote)
                for chunk in reply.chunks():
                    data += chunk
            require_all(start + len(data), min(stop, size))
        except BROKEN as error:
            wait(pauses, error, remote)
    return Part(bytes(data), size, commit)


def open_whole(remote: Remote) -> Reply:
    """Return the answer for a whole file; whoever reads it checks that all of it came.

    Raises
    ------
    NotThereError, DeniedError, UnreachableError
        If the server has no such file, refuses it, or cannot be reached.
    """
    pauses = iter(PAUSES)
    while True:
        try:
            return _open(remote, {})
        except BROKEN as error:
            wait(pauses, error, remote)


def require_all(got: int, expected: int | None) -> None:
    """Raise EOFError where bytes are missing."""
    if expected is not None and got < expected:
        raise EOFError(f"the connection broke at {got} of {expected} bytes")


def wait(pauses: Iterator[float], error: Exception, remote: Remote) -> None:
    """Pause after a broken connection, or raise UnreachableError where no pauses are left."""
    pause = next(pauses, None)
    if pause is None:
        raise UnreachableError(f"{remote.url} cannot be reached: {error}.") from error
    time.sleep(max(pause, min(getattr(error, "pause", 0.0), LONGEST_PAUSE)))


def _open_range(remote: Remote, start: int, stop: int) -> Reply:
    reply = _open(remote, {"Range": f"bytes={start}-{stop - 1}"})
    if reply.status != HTTPStatus.PARTIAL_CONTENT:
        reply.body.close()
        raise NoRangesError(f"{remote.url} can only be had as a whole.")
    return reply


def _whole_size(reply: Reply, remote: Remote) -> int:
    content = reply.headers.get("Content-Range", "")
    match = re.fullmatch(r"bytes \d+-\d+/(\d+)", content.strip())
    if match is None:
        raise FormatError(f"{remote.url} answered with an unreadable range {content!r}.")
    return int(match[1])


class _StayHandler(urllib.request.HTTPRedirectHandler):
    """Leaves redirects to us: the token must not travel, the commit must be read on the way."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Follow nothing."""


_opener = urllib.request.build_opener(_StayHandler)


def _open(remote: Remote, headers: dict[str, str]) -> Reply:
    commit = ""
    for _ in range(MOST_REDIRECTS):
        reply = _ask(remote, headers)
        commit = commit or reply.commit
        if reply.status not in REDIRECTS:
            reply.commit = commit
            return _checked(reply, remote)
        reply.body.close()
        target = urljoin(remote.url, reply.headers.get("Location", ""))
        if urlsplit(target).scheme not in ("http", "https"):
            raise UnreachableError(f"{remote.url} redirects to {target}, which is no web address.")
        remote = remote.at(target)
    raise UnreachableError(f"{remote.url} redirects in a circle.")


def _ask(remote: Remote, headers: dict[str, str]) -> Reply:
    request = urllib.request.Request(remote.url, headers={"User-Agent": "stroma", **headers})
    if remote.token:
        request.add_header("Authorization", f"Bearer {remote.token}")
    try:
        body = _opener.open(request, timeout=remote.timeout)
    except urllib.error.HTTPError as error:
        body = error
    return Reply(body, body.headers, body.status, body.headers.get("X-Repo-Commit", ""))


def _checked(reply: Reply, remote: Remote) -> Reply:
    """Return an answer that carries data, or raise what the status means."""
    status = reply.status
    if status in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT):
        return reply
    reply.body.close()
    if status in TRANSIENT:
        after = reply.headers.get("Retry-After", "")
        raise _BusyError(f"the server answers {status}", float(after) if after.isdigit() else 0.0)
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        raise DeniedError(f"{remote.url} is refused (status {status}).")
    if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        raise NotThereError(f"There is nothing at {remote.url} (status {status}).")
    raise UnreachableError(f"{remote.url} answers with status {status}.")
