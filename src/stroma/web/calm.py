"""Keeping the garbage collector from stopping everything while somebody paints."""

from __future__ import annotations

import gc
from collections.abc import Callable

from stroma.session import Session
from stroma.session.events import Event, RoundFinished


def keep_calm(session: Session) -> Callable[[], None]:
    """Let the collector pass over what is there for good; returns what ends that.

    A full collection looks at everything that was ever imported, and nothing else runs meanwhile,
    the server's loop included: about 0.1 s, at any time. Libraries make up nearly all of it, and
    the first round imports the last of them, so when it is finished they are set aside.
    """

    def heard(event: Event) -> None:
        if isinstance(event, RoundFinished):
            stop()
            gc.collect()
            gc.freeze()

    stop = session.listen(heard)
    gc.freeze()

    def end() -> None:
        stop()
        gc.unfreeze()

    return end
