"""What stands before every request: token, host, origin and size, and what a page may load."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY = 64 * 1024
"""Bytes of a request's body; what is painted travels in messages, not in bodies."""

NO_TOKEN = (
    "This page belongs to one person's session of Stroma.\n"
    "Open the address that `stroma paint` printed, with its token.\n"
)
NOT_FROM_HERE = "Requests from other pages or under other names are not answered.\n"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
ON_TO_THE_PAGE = (
    '<!doctype html><meta http-equiv="refresh" content="0; url=/"><title>Stroma</title>'
)
TOO_LARGE = "What was sent is too large: at most {:,} bytes are taken here.\n"


@dataclass(frozen=True)
class Address:
    """Where a server is reached.

    Parameters
    ----------
    names : tuple of str
        Names and addresses that a browser may use for this machine, without the port.
    port : int
        The port.
    token : str
        The secret that opens it.
    """

    names: tuple[str, ...]
    port: int
    token: str

    @property
    def hosts(self) -> frozenset[str]:
        """What a Host header may say."""
        return frozenset(f"{name}:{self.port}" for name in self.names)

    @property
    def origins(self) -> frozenset[str]:
        """What an Origin header may say."""
        return frozenset(f"http://{host}" for host in self.hosts)

    @property
    def cookie(self) -> str:
        """Name of the cookie; cookies do not tell ports apart, so the name does."""
        return f"stroma-{self.port}"

    @property
    def url(self) -> str:
        """What to open in a browser."""
        return f"http://{self.names[0]}:{self.port}/?{urlencode({'token': self.token})}"


class Gate:
    """Answers 403 to whatever does not come from the page that the token opened.

    The token comes once in the address, and from then on in a cookie that scripts cannot read and
    other sites cannot send. Host and Origin are compared too, so that neither another page in the
    same browser nor a name that was made to point here gets through.

    Parameters
    ----------
    app : ASGI application
        What lies behind.
    address : Address
        Where the server is reached, and the token.
    streams : mapping of str to int
        Paths whose bodies are passed on as they come, and how many bytes these may have.
    """

    def __init__(
        self, app: ASGIApp, address: Address, streams: Mapping[str, int] | None = None
    ) -> None:
        self.app = app
        self.address = address
        self.streams = streams or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        answer = self._refusal(scope)
        if scope["type"] == "websocket":
            await (self._close if answer else self.app)(scope, receive, send)
            return
        sealed = _with_headers(send)
        if answer is None:
            await self._bounded(scope, receive, sealed)
        else:
            await answer(scope, receive, sealed)

    def _refusal(self, scope: Scope) -> Response | None:
        """Return the answer to a request that stops here; None where it may pass."""
        headers = Headers(scope=scope)
        if headers.get("host", "") not in {*self.address.hosts, _reached(scope)}:
            return _refused(NOT_FROM_HERE)
        if self._is_opening(scope, headers):
            return _opened(self.address, headers)
        if not self._is_own(scope, headers):
            return _refused(NOT_FROM_HERE)
        if not _equal(_cookie(headers, self.address.cookie), self.address.token):
            return _refused(NO_TOKEN)
        return None

    def _is_opening(self, scope: Scope, headers: Headers) -> bool:
        """Tell whether somebody follows the address with the right token."""
        if scope["type"] != "http" or scope["path"] != "/" or scope["method"] != "GET":
            return False
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])
        return "origin" not in headers and _equal(given[0], self.address.token)

    def _is_own(self, scope: Scope, headers: Headers) -> bool:
        """Tell whether our own page asks, or the person in the address bar."""
        site = headers.get("sec-fetch-site", "same-origin")
        origin = headers.get("origin")
        needs_origin = scope["type"] == "websocket" or scope["method"] not in ("GET", "HEAD")
        if origin is None:
            return not needs_origin and site in ("same-origin", "none")
        known = {*self.address.origins, f"http://{_reached(scope)}"}
        return origin in known and site in ("same-origin", "none")

    async def _close(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a socket before it is accepted, which browsers see as 403."""
        await send({"type": "websocket.close", "code": 1008})

    async def _bounded(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its body, if that is within bounds."""
        path = scope["path"]
        limit = self.streams.get(path, MAX_BODY)
        length = Headers(scope=scope).get("content-length", "0")
        if not length.isdecimal() or int(length) > limit:
            await _too_large(limit)(scope, receive, send)
        elif path in self.streams:
            await self.app(scope, _counted(receive, limit), send)
        else:
            await self._at_once(scope, receive, send)

    async def _at_once(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on when its body is there."""
        body = await _body(receive)
        if body is None:
            await _too_large(MAX_BODY)(scope, receive, send)
            return
        pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def received() -> Message:
            return pending.pop() if pending else await receive()

        await self.app(scope, received, send)


def _too_large(limit: int) -> Response:
    return PlainTextResponse(TOO_LARGE.format(limit), status_code=413)


def _counted(receive: Receive, limit: int) -> Receive:
    """Return a ``receive`` that refuses what comes beyond the limit."""
    taken = 0

    async def received() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > limit:
            raise HTTPException(413, TOO_LARGE.format(limit))
        return message

    return received


async def _body(receive: Receive) -> bytes | None:
    """Return the body of a request; None for one that is too large."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MAX_BODY:
            return None
    return body


def _refused(text: str) -> Response:
    """Return the answer to whoever does not get in, whose connection is not kept either."""
    return PlainTextResponse(text, status_code=403, headers={"Connection": "close"})


def _reached(scope: Scope) -> str:
    """Return the address and port at which this machine was reached, as a Host header writes it.

    A name may be made to point here by somebody else; an address cannot.
    """
    host, port = scope.get("server") or ("", None)
    bare = str(host).removeprefix("::ffff:")
    return f"[{bare}]:{port}" if ":" in bare else f"{bare}:{port}"


def _opened(address: Address, headers: Headers) -> Response:
    """Return the answer that turns the token of the address into a cookie.

    Where a file or another page led here, browsers keep the cookie from a redirect, and send it
    with what our own page asks for.
    """
    answer: Response = RedirectResponse("/", status_code=303)
    if headers.get("sec-fetch-site", "none") != "none":
        answer = HTMLResponse(ON_TO_THE_PAGE)
    answer.set_cookie(address.cookie, address.token, httponly=True, samesite="strict", path="/")
    return answer


def _cookie(headers: Headers, name: str) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return ""
    return found.value if found else ""


def _equal(given: str, wanted: str) -> bool:
    """Compare in a time that tells nothing about where they differ."""
    return hmac.compare_digest(given.encode(), wanted.encode())


def _with_headers(send: Send) -> Send:
    """Return a ``send`` that adds to every answer what the browser must hold the page to."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
            headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return sending
