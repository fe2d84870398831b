"""Work that takes a while: cancelling it, and saying how far it is."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from stroma.errors import Cancelled
from stroma.session.events import Event, Progress

Result = TypeVar("Result")

SILENT_SECONDS = 0.5
SECONDS_BETWEEN = 0.1


class Token:
    """Asked by work whether to go on: call it."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def __call__(self) -> bool:
        """Tell whether the work was cancelled."""
        return self._event.is_set()

    def cancel(self) -> None:
        """Ask the work to stop."""
        self._event.set()

    def check(self) -> None:
        """Stop here if the work was cancelled.

        Raises
        ------
        Cancelled
            If so.
        """
        self.rest(0)

    def rest(self, seconds: float) -> None:
        """Do nothing for a while; stop here as soon as the work is cancelled.

        Raises
        ------
        Cancelled
            If it was.
        """
        if self._event.wait(seconds):
            raise Cancelled("The work was cancelled.")


class Pace:
    """Tells how far work is and how long it will take, once it takes longer than half a second.

    The first step pays for what is done once (reading, compiling), so that it does not count: how
    long the others take is known from the second on.

    Parameters
    ----------
    tell : callable
        Is given `Progress` events.
    what : str
        What is being done.
    task : int
        Number of the task; 0 for rounds.
    """

    def __init__(self, tell: Callable[[Progress], object], what: str, task: int = 0) -> None:
        self._tell = tell
        self._what, self._task = what, task
        self._start = self._last = time.monotonic()
        self._first: tuple[float, int] | None = None

    def __call__(self, done: int, total: int) -> None:
        """Say that ``done`` of ``total`` steps are done."""
        now = time.monotonic()
        if done and self._first is None:
            self._first = now, done
        if now - self._start < SILENT_SECONDS or now - self._last < SECONDS_BETWEEN:
            return
        self._last = now
        left = self._left(now, done, total)
        self._tell(Progress(self._what, done, total, left, self._task))

    def _left(self, now: float, done: int, total: int) -> float:
        start, first = self._first or (now, done)
        return (now - start) / (done - first) * (total - done) if done > first else math.nan


@dataclass(frozen=True, eq=False)
class Job:
    """What a bench is given when the worker works for it.

    Parameters
    ----------
    token : Token
        Asked whether to go on.
    enter : callable
        Given the name of what is begun ("features", "training", "glance", "visible", "plane"),
        returns what is told how far it is.
    tell : callable
        Is given events.
    """

    token: Token
    enter: Callable[[str], Pace]
    tell: Callable[[Event], object]


def attempt(work: Callable[[], Result]) -> Result | Exception:
    """Return what some work returns, or the error it ends with: the worker lives on.

    Raises
    ------
    Cancelled
        If it was cancelled, which is no error.
    """
    try:
        return work()
    except Cancelled:
        raise
    except Exception as error:
        return error
