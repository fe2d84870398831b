"""What is served: a page to choose from, what was opened there, and that page again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict
from itertools import count
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from stroma.errors import ParameterError, StromaError
from stroma.io import stem_of
from stroma.io.address import require_address
from stroma.session import Session
from stroma.session.recent import recent
from stroma.web import files, posts, uploads
from stroma.web.app import mistaken, refused, serving
from stroma.web.gate import Address, Gate
from stroma.web.start.shelf import Shelf

LEAVE = "/start/leave"
"""Address that closes what is open."""

MOST_PATHS = 1000
"""Images that are opened at once."""


Opens = Callable[[Sequence[Path], str], Session]
"""Given images, folders of them or a project, or the name of a sample, returns the session."""


class Stage:
    """An ASGI application that begins as a page to choose from.

    Parameters
    ----------
    opens : callable
        Returns the session of what was chosen.
    shelf : Shelf
        What may be looked into.
    samples : sequence of str
        Names of samples.
    ready : callable
        Called when requests can come.
    first : Session, optional
        What is open at the beginning, in place of the page to choose from.
    """

    def __init__(
        self,
        opens: Opens,
        shelf: Shelf,
        samples: Sequence[str],
        ready: Callable[[], object],
        *,
        first: Session | None = None,
    ) -> None:
        self._opens, self._shelf, self._samples, self._ready = opens, shelf, samples, ready
        self._stack = AsyncExitStack()
        self._turn = asyncio.Lock()
        self._chosen: Starlette | None = None
        self._choosing = Starlette(
            routes=[
                Route("/", self._page),
                Route("/start/here", self._here),
                Route("/start/folder", self._folder),
                Route("/start/open", self._open, methods=["POST"]),
                Route(LEAVE, self._leave, methods=["POST"]),
                *files.routes(),
            ],
            exception_handlers={StromaError: refused, OSError: refused, Exception: mistaken},
            lifespan=self._living,
        )
        self.session = first

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with what is open; the end of the program is told to what was there first."""
        ours = scope["type"] == "lifespan" or scope["path"] == LEAVE
        if ours or self._chosen is None:
            await self._choosing(scope, receive, send)
        else:
            await self._chosen(scope, receive, send)

    @asynccontextmanager
    async def _living(self, app: Starlette) -> AsyncIterator[None]:
        if self.session is not None:
            await self._show(self.session)
        try:
            self._ready()
            yield
        finally:
            await self._stack.aclose()

    async def _show(self, session: Session) -> None:
        """Serve a session from now on."""
        app = serving(session, leave=LEAVE)
        await self._stack.enter_async_context(app.router.lifespan_context(app))
        self.session, self._chosen = session, app

    async def _leave(self, request: Request) -> Response:
        """Close what is open; all tabs go to the page to choose on, which is served again."""
        async with self._turn:
            left, session = self._chosen, self.session
            self._chosen = self.session = None
            if left is not None:
                left.state.room.tell({"event": "left"})
                await self._stack.aclose()
                self._stack = AsyncExitStack()
            if session is not None:
                await run_in_threadpool(session.close)
        return JSONResponse({})

    async def _page(self, request: Request) -> Response:
        return files.page("start.html")

    async def _here(self, request: Request) -> Response:
        """Answer with what there is to begin with."""
        known = await run_in_threadpool(recent)
        projects = [{"name": p.stem, "folder": str(p.parent), "path": str(p)} for p in known]
        first = str(self._shelf.roots[0])
        return JSONResponse({"recent": projects, "samples": list(self._samples), "folder": first})

    async def _folder(self, request: Request) -> Response:
        """Answer with what can be opened in a folder."""
        folder = Path(request.query_params.get("path", ""))
        return JSONResponse(asdict(await run_in_threadpool(self._shelf.listing, folder)))

    async def _open(self, request: Request) -> Response:
        """Open what was chosen; from the answer on, that is served."""
        sent = await _sent(request)
        paths, sample = self._allowed(sent)
        async with self._turn:
            if self._chosen is None:
                if not (paths or sample):
                    paths = [await run_in_threadpool(self._begun, sent)]
                await self._show(await run_in_threadpool(self._opens, paths, sample))
        return JSONResponse({})

    def _begun(self, values: Mapping[str, Any]) -> Path:
        """Make an empty project, named after an image that is going to be sent into it.

        Raises
        ------
        ParameterError, FormatError
            If no image can have that name, or the folder may not be looked into.
        """
        folder = self._shelf.require(Path(str(values.get("folder", ""))))
        stem = stem_of(uploads.safe_name(str(values["new"]), uploads.image_endings()))
        names = (f"{stem}.stroma" if i == 1 else f"{stem}-{i}.stroma" for i in count(1))
        path = next(folder / name for name in names if not (folder / name).exists())
        Session.create(path).close()
        return path

    def _allowed(self, values: Any) -> tuple[list[Path], str]:
        """Return what was chosen, paths or a sample, if all of it may be opened; none for new.

        An address of a web server is a path as readers take it.

        Raises
        ------
        ParameterError
            If not.
        """
        given: Mapping[str, Any] = values if isinstance(values, Mapping) else {}
        sample, paths = str(given.get("sample", "")), given.get("paths", [])
        if sample or given.get("new"):
            return [], sample
        if "address" in given:
            return [Path(require_address(str(given["address"])))], ""
        if not isinstance(paths, list) or not 0 < len(paths) <= MOST_PATHS:
            raise ParameterError(f"Choose an image, or up to {MOST_PATHS}.")
        known = {str(path) for path in recent()}
        chosen = [Path(str(path)) for path in paths]
        return [p if str(p) in known else self._shelf.require(p) for p in chosen], ""


async def _sent(request: Request) -> Any:
    """Return the values that came; None where they are not JSON."""
    try:
        return await request.json()
    except (ValueError, RecursionError):
        return None


def gated(stage: Stage, address: Address) -> ASGIApp:
    """Return the application for those who have the token."""
    return Gate(stage, address, posts.LIMITS)
