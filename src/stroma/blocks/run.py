"""One function over many blocks: in threads, in order, not further ahead than needed."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from stroma.errors import Cancelled

Item = TypeVar("Item")
Result = TypeVar("Result")


def default_workers() -> int:
    """Return the number of processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    workers: int | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Iterator[Result]:
    """Yield ``function(item)`` for every item, in their order.

    Parameters
    ----------
    function : callable
        Safe to call from several threads at once.
    items : iterable
        Taken as results are asked for: at most ``workers + 1`` are under way.
    workers : int, optional
        Threads; the processors at hand unless given. 1 runs in the calling thread.
    cancel : callable, optional
        Asked before every item; stops when it returns True.

    Raises
    ------
    Cancelled
        When ``cancel`` asked for it; what is under way ends by itself and is dropped.
    """
    count = default_workers() if workers is None else workers
    if count == 1:
        for item in items:
            _check(cancel)
            yield function(item)
        return
    pool = ThreadPoolExecutor(count)
    pending: deque[Future[Result]] = deque()
    try:
        for item in items:
            _check(cancel)
            pending.append(pool.submit(function, item))
            if len(pending) > count:
                yield pending.popleft().result()
        while pending:
            _check(cancel)
            yield pending.popleft().result()
    finally:
        # Who cancels does not wait for what is under way: it ends by itself, and is dropped.
        pool.shutdown(wait=False, cancel_futures=True)


def _check(cancel: Callable[[], bool] | None) -> None:
    if cancel is not None and cancel():
        raise Cancelled("The work was cancelled.")
