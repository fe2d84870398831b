"""What is done in the background, one after the other, so that the viewer never waits."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from stroma.napari.studio.studio import Studio

Errand = tuple[Callable[[], Any], Callable[[Any], object], Callable[[], object]]


def nothing(result: Any = None) -> None:
    """Do nothing with a result."""


class Errands:
    """A line of functions that are called in the background, in the order in which they came.

    Parameters
    ----------
    studio : Studio
        Calls them, and says what goes wrong.
    """

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._line: deque[Errand] = deque()
        self._busy = False

    @property
    def busy(self) -> bool:
        """Whether one is under way."""
        return self._busy

    def send(
        self,
        function: Callable[[], Any],
        then: Callable[[Any], object] = nothing,
        failed: Callable[[], object] = nothing,
    ) -> None:
        """Call a function after all that were sent before; ``then`` is given its result."""
        self._line.append((function, then, failed))
        if not self._busy:
            self._next()

    def _next(self) -> None:
        if not self._line:
            self._busy = False
            return
        self._busy = True
        function, then, failed = self._line.popleft()

        def done(result: Any) -> None:
            try:
                then(result)
            finally:
                self._next()

        def refused() -> None:
            try:
                failed()
            finally:
                self._next()

        self._studio.call("", function, done, refused)
