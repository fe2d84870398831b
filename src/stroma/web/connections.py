"""Connections that have not asked for anything yet: few, and not for long."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Any
from weakref import WeakKeyDictionary

from uvicorn.protocols.http.h11_impl import H11Protocol

FIRST_REQUEST_SECONDS = 10.0
"""Time for a first request, with all of its headers."""

MOST_IDLE = 64
"""Connections that may be open without a request; beyond that the one that waits longest goes."""

_idle: WeakKeyDictionary[Any, OrderedDict[Connection, None]] = WeakKeyDictionary()
"""By server: those that have not asked yet, in the order in which they came."""


class Connection(H11Protocol):
    """A connection that is hung up unless it asks for something soon.

    Whoever can reach the port can open any number of connections; without the token none of them
    does more than that, so they must not be able to keep the owner out.
    """

    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        idle = _idle.setdefault(self.config, OrderedDict())
        idle[self] = None
        self._timer = self.loop.call_later(FIRST_REQUEST_SECONDS, transport.close)
        if len(idle) > MOST_IDLE:
            longest, _ = idle.popitem(last=False)
            longest.transport.close()

    def data_received(self, data: bytes) -> None:
        """Take what came; once it is a request, this connection waits no more."""
        super().data_received(data)
        if self.scope is not None:
            self._asked()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._asked()
        super().connection_lost(exc)

    def _asked(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            _idle[self.config].pop(self, None)
