"""Progress of a session in napari's activity dock, where it can be cancelled too."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial

from napari.utils.progress import cancelable_progress

from stroma.session import events as ev
from stroma.session.events import Event

ROUND = 0
PHASES = {
    "features": "Computing features",
    "training": "Training",
    "glance": "A coarse answer first",
    "visible": "Segmenting what is in view",
    "plane": "Segmenting the plane",
}


def titled(what: str) -> str:
    """Return what is done, as words to begin a line with."""
    return PHASES.get(what, what[:1].upper() + what[1:])


class Bar(cancelable_progress):  # type: ignore[misc]
    """A bar that asks the session to stop when it is cancelled."""

    def __init__(self, what: str, total: int, stop: Callable[[], object]) -> None:
        super().__init__(desc=what, total=total, file=io.StringIO(), leave=False)
        self._stop = stop
        self._known = total

    def cancel(self) -> None:
        """Stop what the bar shows."""
        super().cancel()
        self._stop()

    def advance(self, done: int, total: int) -> None:
        """Show that so much is done."""
        if total != self._known:
            self._known = self.total = total
        if done > self.n:
            self.update(done - self.n)


class Activity:
    """One bar for the rounds of a session, and one for every task.

    Parameters
    ----------
    stop : callable
        Stops the task of a number, or the round for `ROUND`.
    """

    def __init__(self, stop: Callable[[int], object]) -> None:
        self._stop = stop
        self._bars: dict[int, tuple[str, Bar]] = {}

    def close(self) -> None:
        """Remove all bars."""
        for number in list(self._bars):
            self._end(number)

    def hear(self, event: Event) -> None:
        """Show what an event of the session says about its work."""
        if isinstance(event, ev.Progress):
            self._show(event)
        elif isinstance(event, ev.RoundFinished | ev.RoundCancelled | ev.RoundFailed):
            self._end(ROUND)
        elif isinstance(event, ev.TaskFinished | ev.TaskCancelled | ev.TaskFailed):
            self._end(event.task)

    def rest(self) -> None:
        """Take note that no round runs."""
        self._end(ROUND)

    def _show(self, event: ev.Progress) -> None:
        what, bar = self._bars.get(event.task, ("", None))
        if bar is None or what != event.what:
            self._end(event.task)
            bar = Bar(titled(event.what), event.total, partial(self._stop, event.task))
            self._bars[event.task] = (event.what, bar)
        bar.advance(event.done, event.total)

    def _end(self, number: int) -> None:
        if number in self._bars:
            self._bars.pop(number)[1].close()
