"""The tabs that watch a session: what each asks is done once, and everybody is told."""

from __future__ import annotations

import asyncio
import json
import logging
import math
import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.websockets import WebSocket, WebSocketDisconnect

from stroma.errors import StromaError
from stroma.session import Session
from stroma.session.events import Event
from stroma.session.words import said
from stroma.web.commands import PANES, pane_of
from stroma.web.state import described, home
from stroma.web.telling import told

log = logging.getLogger(__name__)

MAX_MESSAGE = 4 * 1024 * 1024
"""Characters of a message: more than the longest stroke that a session takes."""

MAX_WAITING = 64
"""Messages of one tab that may be under way at once."""

LONGEST_NUMBER = 30
"""Digits of a whole number in a message."""

MAX_UNREAD = 5000
"""Messages to a tab that does not read before it is hung up; it comes back and starts afresh."""

AGAIN_BY_ITSELF = {
    "look",
    "look-away",
    "standing",
    "channels",
    "areas",
    "readout",
    "tails",
    "lineage",
    "objects",
    "latest-batch",
    "prompt-ready",
    "carving",
    "prepare-carving",
}
"""Commands that the page repeats without being told, when it finds another run of the server."""

REPEATABLE = {"paint", "fill"}
"""Commands that may be done twice: what was painted in vain before a restart is painted after."""

REMEMBERED = 4096
"""Answers kept for tabs that ask again after their connection broke."""

OTHER_RUN = (
    "Something you did before Stroma was started again had not arrived, and was left out: "
    "it may not belong to what is open now. Look at your latest strokes."
)
MISTAKE = (
    "Stroma made a mistake. What you painted is kept. The window in which Stroma runs shows what "
    "happened; please report it."
)
STATE_DELAY = 0.02
ASK_AGAIN = 0.2

Command = Callable[[Session, Mapping[str, Any]], Any]


class Room:
    """Everybody who watches one session.

    Parameters
    ----------
    session : Session
        What is watched.
    changes : mapping of str to callable
        Commands that change the session; done one after the other, in the order of arrival.
    questions : mapping of str to callable
        Commands that change nothing, and may take long.
    """

    def __init__(
        self, session: Session, changes: Mapping[str, Command], questions: Mapping[str, Command]
    ) -> None:
        self.session = session
        self.epoch = secrets.token_hex(4)
        self._changes = changes
        self._questions = questions
        self._turn = asyncio.Lock()
        self._tabs: set[asyncio.Queue[str | None]] = set()
        self._asked: OrderedDict[str, asyncio.Task[str]] = OrderedDict()
        self._telling: asyncio.Task[None] | None = None
        self._state_is_old = False
        self._state_told: dict[str, Any] = {}

    def listen(self, loop: asyncio.AbstractEventLoop) -> Callable[[], None]:
        """Pass on what the session says, whichever thread it says it in; returns what ends that."""

        def heard(event: Event) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._heard, event)

        return self.session.listen(heard)

    def _heard(self, event: Event) -> None:
        words = told(event)
        if words is not None:
            self.tell(words)
        self._refresh()

    def _refresh(self) -> None:
        """Tell the state soon."""
        self._state_is_old = True
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell_state())

    async def _tell_state(self) -> None:
        """Tell everybody the state, once for all that happens within a moment.

        A session does not say when it has come to rest, so it is asked while it works.
        """
        while self._state_is_old:
            await asyncio.sleep(STATE_DELAY)
            self._state_is_old = False
            state = await self._state()
            if state != self._state_told:
                self._state_told = state
                self.tell({"event": "state", "state": state})
            if state["working"] and not self._state_is_old:
                await asyncio.sleep(ASK_AGAIN)
                self._state_is_old = True

    async def _state(self) -> dict[str, Any]:
        return await run_in_threadpool(described, self.session, self.epoch)

    def tell(self, words: Mapping[str, Any]) -> None:
        """Tell all tabs; one that has not read for long is hung up."""
        text = json.dumps(words)
        for tab in list(self._tabs):
            try:
                tab.put_nowait(text)
            except asyncio.QueueFull:
                self._tabs.discard(tab)
                tab.get_nowait()
                tab.put_nowait(None)

    def join(self) -> asyncio.Queue[str | None]:
        """Return a new tab: the messages that wait for it, None to hang up."""
        tab: asyncio.Queue[str | None] = asyncio.Queue(MAX_UNREAD)
        self._tabs.add(tab)
        return tab

    async def serve(self, socket: WebSocket) -> None:
        """Serve one tab until it goes."""
        await socket.accept()
        name = secrets.token_hex(8)
        state = await self._state()
        tab = self.join()
        tab.put_nowait(json.dumps({"event": "state", "state": state}))
        self._state_told = {}  # what happened meanwhile is in the next one
        self._refresh()
        sending = asyncio.create_task(_send_all(socket, tab))
        try:
            await self._take_all(socket, tab, name)
        except WebSocketDisconnect:
            log.debug("a tab has gone")
        finally:
            self._tabs.discard(tab)
            sending.cancel()
            for pane in PANES:
                await run_in_threadpool(self.session.look_away, pane_of(name, pane))

    async def _take_all(self, socket: WebSocket, tab: asyncio.Queue[str | None], name: str) -> None:
        under_way: set[asyncio.Task[None]] = set()
        while True:
            text = await socket.receive_text()
            if len(text) > MAX_MESSAGE:
                await socket.close(1009, "too large")
                return
            if len(under_way) >= MAX_WAITING:
                await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
            one = asyncio.create_task(self._put_answer(self._asked_once(text, name), tab))
            under_way.add(one)
            one.add_done_callback(under_way.discard)

    async def _put_answer(self, answer: asyncio.Task[str], tab: asyncio.Queue[str | None]) -> None:
        """Send an answer when it is there; a bug of ours is told too, so that nobody waits."""
        await asyncio.wait({answer})
        error = answer.exception()
        if error is None:
            await tab.put(answer.result())
            return
        log.error("a message could not be answered", exc_info=error)
        await tab.put(json.dumps({"re": answer.get_name(), "error": MISTAKE}))

    def _asked_once(self, text: str, tab: str) -> asyncio.Task[str]:
        """Start what a message asks; for one that came before, return what was started then."""
        message = {**parsed(text), "tab": tab}
        key = str(message.get("id", ""))[:64]
        task = self._asked.get(key) if key else None
        if task is None:
            task = asyncio.create_task(self._answer(key, message), name=key)
            self._asked[key or secrets.token_hex(8)] = task
            while len(self._asked) > REMEMBERED:
                self._asked.popitem(last=False)
        return task

    async def _answer(self, key: str, message: Mapping[str, Any]) -> str:
        """Do what a message asks, and return what to answer."""
        name = str(message.get("do"))[:40]
        if message.get("epoch", self.epoch) != self.epoch and not self._is_meant(name, message):
            dropped = {} if name in AGAIN_BY_ITSELF else {"error": OTHER_RUN}
            return json.dumps({"re": key, **dropped})
        try:
            if name in self._changes:
                async with self._turn:
                    result = await run_in_threadpool(self._changes[name], self.session, message)
            elif name in self._questions:
                result = await run_in_threadpool(self._questions[name], self.session, message)
            else:
                raise StromaError(
                    f"The page asked for {name!r}, which this version of Stroma does not "
                    "know. Reload the page."
                )
        except (StromaError, OSError) as error:
            return json.dumps({"re": key, "error": said(error)})
        except (KeyError, TypeError, ValueError):
            log.exception("a message could not be understood")
            text = f"The page sent {name!r} in a form that is not understood. Reload the page."
            return json.dumps({"re": key, "error": text})
        return json.dumps({"re": key, "result": result}, allow_nan=False)

    def _is_meant(self, name: str, message: Mapping[str, Any]) -> bool:
        """Tell whether a message to another run of the server may be done by this one."""
        own = home(self.session)
        return name in REPEATABLE and bool(own) and message.get("home") == own


def parsed(text: str) -> Mapping[str, Any]:
    """Return the values of a message; empty where it is none.

    Numbers that no message needs (infinite ones, and those of hundreds of digits) become None.
    """
    try:
        message = json.loads(
            text, parse_constant=lambda _: None, parse_int=_whole, parse_float=_finite
        )
    except (ValueError, RecursionError):
        return {}
    return message if isinstance(message, dict) else {}


def _whole(digits: str) -> int | None:
    return int(digits) if len(digits) <= LONGEST_NUMBER else None


def _finite(digits: str) -> float | None:
    value = float(digits)
    return value if math.isfinite(value) else None


async def _send_all(socket: WebSocket, tab: asyncio.Queue[str | None]) -> None:
    while (text := await tab.get()) is not None:
        await socket.send_text(text)
    await socket.close(1013, "reconnect")
