"""The server's addresses, put together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket

from stroma.errors import FormatError, MissingFileError, StromaError, UnknownNameError
from stroma.session import Session
from stroma.session.words import said
from stroma.web import carving, clicking, files, objects, posts, uploads, views
from stroma.web.calm import keep_calm
from stroma.web.commands import CHANGES
from stroma.web.gate import Address, Gate
from stroma.web.picking import PICKS
from stroma.web.questions import QUESTIONS
from stroma.web.room import MISTAKE, Room


def create_app(
    session: Session, address: Address, *, ready: Callable[[], object] = lambda: None
) -> ASGIApp:
    """Return the application that serves a session to those who have the token.

    Parameters
    ----------
    session : Session
        What is served.
    address : Address
        Where it is reached, and the token.
    ready : callable
        Called when requests can come.
    """
    return Gate(serving(session, ready=ready), address, posts.LIMITS)


def serving(
    session: Session, *, ready: Callable[[], object] = lambda: None, leave: str = ""
) -> Starlette:
    """Return the application that serves a session to everybody who gets here.

    Parameters
    ----------
    session, ready
        As for ``create_app``.
    leave : str
        Address that closes it and leads to the page to choose on; empty where there is none.
    """

    @asynccontextmanager
    async def open_room(app: Starlette) -> AsyncIterator[None]:
        uploads.remove_left_over(session)
        app.state.room = Room(
            session,
            {**CHANGES, **PICKS, **objects.CHANGES, **clicking.CHANGES, **carving.CHANGES},
            {**QUESTIONS, **objects.QUESTIONS, **clicking.QUESTIONS, **carving.QUESTIONS},
        )
        stop = app.state.room.listen(asyncio.get_running_loop())
        end_calm = keep_calm(session)
        try:
            ready()
            yield
        finally:
            stop()
            end_calm()

    app = Starlette(
        routes=[
            Route("/", page),
            WebSocketRoute("/socket", socket),
            *views.routes(),
            *objects.routes(),
            *posts.routes(),
            *files.routes(),
        ],
        exception_handlers={StromaError: refused, OSError: refused, Exception: mistaken},
        lifespan=open_room,
    )
    app.state.session, app.state.leave = session, leave
    return app


async def page(request: Request) -> Response:
    """Answer with the page, which has a way back where there is something to choose on."""
    leave: str = request.app.state.leave
    return files.page("index.html", body=f'<body data-leave="{leave}">' if leave else "<body>")


async def socket(websocket: WebSocket) -> None:
    """Serve a tab."""
    room: Room = websocket.app.state.room
    await room.serve(websocket)


async def refused(request: Request, error: Exception) -> Response:
    """Answer with what is wrong."""
    if isinstance(error, UnknownNameError | MissingFileError):
        return PlainTextResponse(said(error), status_code=404)
    ours = isinstance(error, OSError) and not isinstance(error, FormatError)
    return PlainTextResponse(said(error), status_code=500 if ours else 400)


async def mistaken(request: Request, error: Exception) -> Response:
    """Answer where the mistake is ours; the terminal shows which."""
    return PlainTextResponse(MISTAKE, status_code=500)
