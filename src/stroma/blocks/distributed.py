"""One function over many blocks on the workers of dask.distributed."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from stroma.blocks.guard import require_guard
from stroma.errors import Cancelled, MissingExtraError, WorkerError, install

Item = TypeVar("Item")
Result = TypeVar("Result")

PATIENCE = 10.0
"""Seconds without any worker after which a run is given up."""

POLL = 0.5


@contextmanager
def client(address: str | None = None) -> Iterator[Any]:
    """Yield a client: the one in use, one of a scheduler address, or of a cluster made for this.

    Parameters
    ----------
    address : str, optional
        Of a scheduler. Unless given, the client that is active in this process is taken, then the
        address in dask's configuration, then a cluster of one process per processor here.

    Raises
    ------
    MissingExtraError
        If dask.distributed is not installed.
    WorkerError
        If no scheduler answers, or it has no workers; or a script would start itself again.
    """
    try:
        import distributed
        from dask import config
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"Distributed work needs dask.distributed. Install it with: {install('large')}"
        ) from error
    if address is None:
        try:
            active = distributed.get_client()
        except ValueError:
            address = config.get("scheduler-address", None)
        else:
            _require_workers(active)
            yield active
            return
    if address is None:
        require_guard()
        local = distributed.LocalCluster(threads_per_worker=1, dashboard_address=":0")
        with local, distributed.Client(local, set_as_default=False) as made:
            yield made
        return
    try:
        made = distributed.Client(address, timeout=PATIENCE, set_as_default=False)
    except OSError as error:
        raise WorkerError(
            f"No scheduler answers at {address!r}: {error}. Start one with 'dask scheduler', or "
            f"leave the address out to use the processors of this machine."
        ) from error
    with made:
        _require_workers(made)
        yield made


def _require_workers(active: Any) -> None:
    try:
        active.wait_for_workers(1, timeout=PATIENCE)
    except TimeoutError as error:
        raise _no_workers(active) from error


def _no_workers(active: Any) -> WorkerError:
    return WorkerError(
        f"The scheduler at {active.scheduler.address} has had no workers for {PATIENCE:g} seconds. "
        f"Start some with 'dask worker ADDRESS', or run without dask."
    )


def run_distributed(
    function: Callable[..., Result],
    items: Iterable[Item],
    active: Any,
    *,
    shared: Any = None,
    cancel: Callable[[], bool] | None = None,
) -> Iterator[Result]:
    """Yield ``function(item, shared)`` for every item, in their order.

    Blocks of a worker that dies are done by the others.

    Parameters
    ----------
    function : callable
        Importable on the workers.
    items : iterable
        Taken as results are asked for; a few per worker thread are under way.
    active : distributed.Client
        From `client`.
    shared : object
        Sent once, and passed on between workers.
    cancel : callable, optional
        Asked before every item.

    Raises
    ------
    WorkerError
        If there are no workers left, or one block made several of them die.
    Cancelled
        When ``cancel`` asked for it.
    """
    # A task, not scattered data, which would be lost with the workers that hold it.
    everywhere = active.submit(_itself, shared, pure=False)
    ahead = 2 * max(1, sum(active.nthreads().values())) + 2
    pending: deque[Any] = deque()
    try:
        for item in items:
            if cancel is not None and cancel():
                raise Cancelled("The work was cancelled.")
            pending.append(active.submit(function, item, everywhere, pure=False))
            if len(pending) > ahead:
                yield _result(pending.popleft(), active)
        while pending:
            if cancel is not None and cancel():
                raise Cancelled("The work was cancelled.")
            yield _result(pending.popleft(), active)
    finally:
        active.cancel(list(pending))


def _itself(value: Any) -> Any:
    return value


def _result(future: Any, active: Any) -> Any:
    """Wait for a result as long as there are workers."""
    from distributed import KilledWorker

    alive = time.monotonic()
    while True:
        try:
            return future.result(timeout=POLL)
        except TimeoutError:
            now = time.monotonic()
            alive = now if active.nthreads() else alive
            if now - alive > PATIENCE:
                raise _no_workers(active) from None
        except KilledWorker as error:
            raise WorkerError(
                f"Several workers died on the same block, probably out of memory: {error}. Give "
                f"workers more memory, or run without dask."
            ) from error
