"""Long work beside rounds: one task after the other, with progress, and cancelled on request.

What only looks at results that are there waits for nothing that takes minutes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from stroma.errors import Cancelled, StromaError, for_people
from stroma.session.core.work import Pace, Token
from stroma.session.events import Event, TaskCancelled, TaskFailed, TaskFinished, TaskStarted

Result = TypeVar("Result")
KEPT = 100
"""Finished tasks that are remembered."""


@dataclass(frozen=True, eq=False)
class Task(Generic[Result]):
    """Work that was started.

    Parameters
    ----------
    number : int
        Ascending, from 1.
    what : str
        What is done, for people.
    """

    number: int
    what: str
    _token: Token
    _future: Future[Result]

    @property
    def done(self) -> bool:
        """Whether it finished, failed or was cancelled."""
        return self._future.done()

    def cancel(self) -> None:
        """Ask it to stop."""
        self._token.cancel()
        self._future.cancel()

    def result(self, timeout: float | None = None) -> Result:
        """Wait for the result and return it.

        Raises
        ------
        Cancelled
            If the task was cancelled.
        TimeoutError
            If it takes longer.
        """
        try:
            return self._future.result(timeout)
        except CancelledError as error:
            raise Cancelled(f"The task {self.what!r} was cancelled.") from error


class Tasks:
    """The worker for tasks.

    Parameters
    ----------
    tell : callable
        Is given events.
    """

    def __init__(self, tell: Callable[[Event], object]) -> None:
        self._tell = tell
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="stroma-task")
        self._looks = ThreadPoolExecutor(1, thread_name_prefix="stroma-look")
        self._lock = threading.Lock()
        self._known: dict[int, Task[Any]] = {}
        self._last = 0

    @property
    def known(self) -> dict[int, Task[Any]]:
        """The latest tasks, by number."""
        with self._lock:
            return dict(self._known)

    def start(
        self,
        what: str,
        function: Callable[[Callable[[int, int], None], Callable[[], bool]], Result],
        *,
        looks: bool = False,
    ) -> Task[Result]:
        """Start work as soon as what was started before is done.

        Parameters
        ----------
        what : str
            What is done, for people.
        function : callable
            Called with ``progress(done, total)`` and ``cancelled() -> bool``; stops by raising
            `Cancelled`.
        looks : bool
            Whether it only looks at what is there: it waits for others of that kind alone.
        """
        pool = self._looks if looks else self._pool
        with self._lock:
            self._last += 1
            number, token = self._last, Token()

            def work() -> Result:
                token.check()
                self._tell(TaskStarted(number, what))
                return function(Pace(self._tell, what, number), token)

            task = Task(number, what, token, pool.submit(work))
            self._known[number] = task
            for old in [n for n, t in self._known.items() if t.done][:-KEPT]:
                del self._known[old]
        task._future.add_done_callback(lambda _: self._ended(task))
        return task

    def close(self) -> None:
        """Cancel everything and stop for good."""
        for task in self.known.values():
            task.cancel()
        for pool in (self._pool, self._looks):
            pool.shutdown()

    def _ended(self, task: Task[Any]) -> None:
        if task._future.cancelled():
            self._tell(TaskCancelled(task.number, task.what))
            return
        error = task._future.exception()
        if error is None:
            self._tell(TaskFinished(task.number, task.what))
        elif isinstance(error, Cancelled):
            self._tell(TaskCancelled(task.number, task.what))
        else:
            known = isinstance(error, StromaError)
            message = for_people(error) if known else f"{type(error).__name__}: {error}"
            self._tell(TaskFailed(task.number, task.what, message, error))
