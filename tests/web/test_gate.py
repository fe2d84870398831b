"""Only the page that the token opened gets through."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from stroma.web.gate import MAX_BODY, Address, Gate

ADDRESS = Address(("127.0.0.1", "localhost"), 8123, "the-right-token")
HERE = "http://127.0.0.1:8123"
SOCKET = "ws://127.0.0.1:8123/socket"


async def answer(request: Request) -> Response:
    return PlainTextResponse(f"inside, {len(await request.body())} bytes")


async def greet(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("inside")
    await socket.close()


def client(**kwargs: Any) -> TestClient:
    routes = [
        Route("/", answer, methods=["GET", "POST"]),
        Route("/images/1", answer),
        WebSocketRoute("/socket", greet),
    ]
    return TestClient(
        Gate(Starlette(routes=routes), ADDRESS), base_url=HERE, follow_redirects=False, **kwargs
    )


@pytest.fixture
def inside() -> TestClient:
    return client(cookies={ADDRESS.cookie: ADDRESS.token})


def test_the_address_turns_its_token_into_a_cookie_that_scripts_cannot_read() -> None:
    browser = client()
    answer = browser.get("/?token=the-right-token")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert browser.get("/").text.startswith("inside")


@pytest.mark.parametrize("path", ["/", "/images/1", "/nowhere", "/?token=", "/?token=wrong"])
def test_without_the_token_everything_is_403(path) -> None:
    answer = client().get(path)
    assert answer.status_code == 403
    assert "stroma paint" in answer.text


def test_a_token_in_the_address_opens_only_the_page() -> None:
    assert client().get("/images/1?token=the-right-token").status_code == 403


def test_a_wrong_cookie_is_403() -> None:
    for value in ("the-right-toke", "the-right-token2", "", "é"):
        browser = client(headers={"cookie": f"{ADDRESS.cookie}={value}".encode("latin-1")})
        assert browser.get("/").status_code == 403


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1", "127.0.0.1:80", "evil.example:8123", ""]
)
def test_another_host_is_403_even_with_the_token(inside, host) -> None:
    assert inside.get("/", headers={"host": host}).status_code == 403
    assert inside.get("/?token=the-right-token", headers={"host": host}).status_code == 403


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:9999", "https://127.0.0.1:8123"]
)
def test_another_origin_is_403_even_with_the_cookie(inside, origin) -> None:
    assert inside.get("/", headers={"origin": origin}).status_code == 403
    assert inside.post("/", headers={"origin": origin}).status_code == 403
    with (
        pytest.raises(WebSocketDisconnect),
        inside.websocket_connect(SOCKET, headers={"origin": origin}),
    ):
        pass


def test_what_changes_something_must_say_where_it_comes_from(inside) -> None:
    assert inside.post("/").status_code == 403
    assert inside.post("/", headers={"origin": HERE}).status_code == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_pictures_asked_for_by_other_pages_are_403(inside, site) -> None:
    """A page at another port sends our cookie along, and no origin, with its pictures."""
    assert inside.get("/images/1", headers={"sec-fetch-site": site}).status_code == 403


def test_the_socket_opens_for_our_page_only(inside) -> None:
    with inside.websocket_connect(SOCKET, headers={"origin": HERE}) as socket:
        assert socket.receive_text() == "inside"
    with pytest.raises(WebSocketDisconnect), inside.websocket_connect(SOCKET):
        pass
    with (
        pytest.raises(WebSocketDisconnect),
        client().websocket_connect(SOCKET, headers={"origin": HERE}),
    ):
        pass


def test_large_bodies_are_refused_whether_or_not_they_say_so(inside) -> None:
    large = b"x" * (MAX_BODY + 1)
    headers = {"origin": HERE}
    assert inside.post("/", content=large, headers=headers).status_code == 413
    for length in ("-1", "many"):
        wrong = {**headers, "content-length": length}
        assert inside.post("/", content=b"", headers=wrong).status_code == 413

    pieces = (b"x" * 1024 for _ in range(MAX_BODY // 1024 + 1))
    assert inside.post("/", content=pieces, headers=headers).status_code == 413
    whole = (b"x" * 1024 for _ in range(3))
    assert inside.post("/", content=whole, headers=headers).text == "inside, 3072 bytes"


def test_every_answer_holds_the_page_to_its_own_scripts(inside) -> None:
    for browser, path in [(inside, "/"), (client(), "/"), (client(), "/?token=the-right-token")]:
        headers = browser.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store"


def test_the_address_of_this_machine_is_a_name_for_it_and_that_of_another_is_not() -> None:
    there = "http://192.0.2.7:8123"
    browser = TestClient(Gate(Starlette(routes=[Route("/", answer)]), ADDRESS), base_url=there)
    browser.cookies.set(ADDRESS.cookie, ADDRESS.token)
    assert browser.get("/", headers={"origin": there}).status_code == 200
    assert browser.get("/", headers={"host": "192.0.2.8:8123"}).status_code == 403
    assert browser.get("/", headers={"origin": "http://192.0.2.8:8123"}).status_code == 403


def test_who_comes_from_a_file_gets_the_cookie_with_a_page_that_leads_on() -> None:
    """Browsers hold a strict cookie back from a redirect that began elsewhere."""
    answer = client().get("/?token=the-right-token", headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 200
    assert 'content="0; url=/"' in answer.text
    assert ADDRESS.cookie in answer.headers["set-cookie"]


def test_connections_of_strangers_are_not_kept(inside) -> None:
    assert client().get("/").headers["connection"] == "close"
    assert "connection" not in inside.get("/").headers
