"""What the widget, its tabs and the commands of one viewer share: the session, and work on it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from napari.qt.threading import create_worker
from napari.utils.notifications import show_error, show_info
from psygnal import Signal
from qtpy import QtCore
from qtpy.QtCore import QObject, Qt, QTimer

from stroma.errors import StromaError
from stroma.napari.studio.activity import ROUND, Activity
from stroma.napari.studio.bridge import Bridge
from stroma.session import Session
from stroma.session import events as ev
from stroma.session.core.tasks import Task
from stroma.session.events import Event, Position
from stroma.session.words import plain, said
from stroma.workflow.applying.load import load

PUMP_MS = 40
"""Events wait so long, so that many are shown at once."""

REST_MS = 80
"""So long nothing moves before the session is told what is in view."""

WATCH_MS = 200
"""A session that works is asked so often how it is."""


class Relay(QObject):
    """Carries a wish from any thread to the viewer's, and waits a moment for more of them."""

    woken: Any = QtCore.Signal()  # type: ignore[attr-defined]

    def __init__(self, action: Callable[[], object], wait_ms: int) -> None:
        super().__init__()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(wait_ms)
        self._timer.timeout.connect(action)
        self.woken.connect(self._start, Qt.ConnectionType.QueuedConnection)

    def __call__(self) -> None:
        """Wish for the action; from any thread."""
        self.woken.emit()

    def stop(self) -> None:
        """Give up what was wished for."""
        self.woken.disconnect(self._start)
        self._timer.stop()

    def _start(self) -> None:
        if not self._timer.isActive():
            self._timer.start()


class Studio:
    """The session of a viewer.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer.

    Attributes
    ----------
    replaced : Signal
        Emitted when a session begins, or takes the place of another.
    told : Signal
        Emitted for every event of the session, in the viewer's thread.
    chosen : Signal
        Emitted when another image is shown.
    shown : Signal
        Emitted when a layer of strokes or results appears, is hidden, or is removed.
    watched : Signal
        Emitted while the session works, when it comes to rest, and when somebody looks elsewhere:
        how things stand may be another.
    """

    replaced = Signal()
    told = Signal(Event)
    chosen = Signal()
    shown = Signal()
    watched = Signal()

    def __init__(self, viewer: Any) -> None:
        self.viewer = viewer
        self.bridge: Bridge | None = None
        self.beginning = self._closed = self._pumping = False
        self._workers: set[Any] = set()
        self._pump = Relay(self._on_pump, PUMP_MS)
        self._rest = Relay(self._on_rest, REST_MS)
        self._activity = Activity(self._stop)
        self._watch = QTimer()
        self._watch.setInterval(WATCH_MS)
        self._watch.timeout.connect(self._on_watch)
        self._waiting: dict[int, Callable[[Any], object]] = {}
        self._begun: list[Callable[[], object]] = []
        self._turns: deque[Callable[[], object]] = deque()

    @property
    def session(self) -> Session:
        """The session.

        Raises
        ------
        StromaError
            If it is still starting.
        """
        if self.bridge is None:
            raise StromaError("Stroma is still starting. Try again in a moment.")
        return self.bridge.session

    def image_and_plane(self) -> tuple[str, Position]:
        """Return the image that is shown, and its plane in view.

        Raises
        ------
        StromaError
            If none is shown.
        """
        if self.bridge is None or self.bridge.image is None:
            raise StromaError("Choose an image in the tab Home first.")
        return self.bridge.image, self.bridge.gaze.plane()

    @property
    def busy(self) -> bool:
        """Whether the session works."""
        if self.bridge is None:
            return False
        running = any(not task.done for task in self.session.tasks.values())
        return running or self.session.status.busy

    # ------------------------------------------------------------------ beginning and ending

    def begin(self, make: Callable[[], Session] = Session, what: str = "Starting Stroma") -> None:
        """Make a session in the background, and show it in place of the present one."""

        def failed() -> None:
            self.beginning = False
            if self.bridge is None and make is not Session:
                self.begin()  # what could not be opened leaves somebody who wants to paint

        self.beginning = True
        self.call(what, make, self.adopt, failed)

    def adopt(self, session: Session) -> None:
        """Show a session in place of the present one, which is closed."""
        if self._closed:
            session.close()
            return
        old = self.bridge
        if old is not None:
            old.close()
            self.call("Closing the session", old.session.close)
        self.beginning = False
        self.bridge = Bridge(self.viewer, session, self._pump, self._in_a_turn_of_its_own)
        self.bridge.told.connect(self._on_told)
        self.bridge.chosen.connect(self.chosen.emit)
        self.bridge.shown.connect(self.shown.emit)
        self.bridge.moved.connect(self._rest)
        self.bridge.gaze.looked.connect(self.watched.emit)
        self.replaced.emit()
        for image in session.images[:1]:
            key, plane = session.looked or (image.key, {})
            self.bridge.show_image(key)
            self.bridge.gaze.turn_to(plane)
        for notice in getattr(session, "notices", ()):
            self.tell(plain(notice.message))
        self._watch.start()
        while self._begun:
            self._begun.pop(0)()

    def load_model(self, path: Path) -> None:
        """Go on with a saved model, on the images and strokes that are there."""
        if self.bridge is None:
            self._begun.append(lambda: self.load_model(path))
            if not self.beginning:
                self.begin()
            return
        session = self.session
        self.call(f"Loading {path.name}", lambda: session.set_model(load(path)))

    def close(self) -> None:
        """Let go of the viewer, and close the session; once."""
        if self._closed:
            return
        self._closed = True
        for relay in (self._pump, self._rest):
            relay.stop()
        self._watch.stop()
        self._activity.close()
        if self.bridge is not None:
            bridge, self.bridge = self.bridge, None
            bridge.close()
            bridge.session.close()

    # ------------------------------------------------------------------ work

    @property
    def closed(self) -> bool:
        """Whether the session was closed, with the widget."""
        return self._closed

    @property
    def working(self) -> bool:
        """Whether something that `call` started is under way."""
        return bool(self._workers)

    def call(
        self,
        what: str,
        function: Callable[[], Any],
        then: Callable[[Any], object] | None = None,
        failed: Callable[[], object] | None = None,
    ) -> None:
        """Call a function in the background, shown in the activity dock.

        Parameters
        ----------
        what : str
            What is done, for people; empty for what takes no time worth a word.
        function : callable
            What is called.
        then : callable, optional
            Is given the result, in the viewer's thread.
        failed : callable, optional
            Is called if it fails, after the user was told why.
        """
        worker = create_worker(
            function,
            _start_thread=False,
            _progress={"desc": what} if what else False,
            _ignore_errors=True,
        )
        worker.returned.connect(lambda result: self._returned(result, then))
        worker.errored.connect(self.say)
        if failed is not None:
            worker.errored.connect(lambda _: failed())
        self._workers.add(worker)
        worker.finished.connect(lambda: self._workers.discard(worker))
        worker.start()

    def _returned(self, result: Any, then: Callable[[Any], object] | None) -> None:
        if self._closed and then != self.adopt:
            return
        if then is not None:
            then(result)

    def do(self, begin: Callable[[], Task[Any]], then: Callable[[Any], object]) -> None:
        """Start a task of the session; its result is given to a function when it is done."""
        task = self.attempt(begin)
        if task is not None:  # it may be done already; its event is seen later in any case
            self._waiting[task.number] = then

    def attempt(self, function: Callable[[], Any]) -> Any:
        """Call a function at once; what goes wrong is said."""
        try:
            return function()
        except (StromaError, OSError) as error:
            self.say(error)
            return None

    def say(self, error: BaseException) -> None:
        """Tell the user what went wrong; errors of ours go on to napari."""
        if not isinstance(error, StromaError | OSError):
            raise error
        self.warn(said(error))

    def warn(self, message: str) -> None:
        """Tell the user what went wrong, in words that are for people already."""
        show_error(message)

    def tell(self, message: str) -> None:
        """Tell the user something."""
        show_info(message)

    def _in_a_turn_of_its_own(self, action: Callable[[], object]) -> None:
        """Call a function when Qt has answered what happened meanwhile."""
        self._turns.append(action)
        if len(self._turns) == 1:
            QTimer.singleShot(0, self._turn)

    def _turn(self) -> None:
        action = self._turns.popleft()
        if self._turns:
            QTimer.singleShot(0, self._turn)
        if not self._closed:
            action()

    # ------------------------------------------------------------------ what happens

    def _on_pump(self) -> None:
        if self._pumping:  # a bar of napari answers Qt while it is drawn
            self._pump()
        elif self.bridge is not None:
            self._pumping = True
            try:
                self.bridge.pump()
            finally:
                self._pumping = False
            self._watch.start()
            self.watched.emit()

    def _on_rest(self) -> None:
        if self.bridge is not None:
            self.bridge.gaze.look()

    def _stop(self, task: int) -> None:
        self.session.cancel() if task == ROUND else self.session.tasks[task].cancel()

    def _on_watch(self) -> None:
        if self.bridge is None or not self.session.status.busy:
            self._activity.rest()
        if not self.busy:
            self._watch.stop()
        self.watched.emit()

    def _on_told(self, event: Event) -> None:
        if isinstance(event, ev.TaskFinished | ev.TaskFailed | ev.TaskCancelled):
            then = self._waiting.pop(event.task, None)
            if isinstance(event, ev.TaskFinished) and then is not None:
                then(self.session.tasks[event.task].result())
            elif isinstance(event, ev.TaskFailed):
                self.say(event.error)
        elif isinstance(event, ev.RoundFailed):
            self.say(event.error)
        elif isinstance(event, ev.Notice | ev.SaveFailed):
            self.tell(plain(event.message))
        self.told.emit(event)
        if not self._closed:
            self._activity.hear(event)  # last: its bars let Qt work, and so close the viewer


_STUDIOS: WeakKeyDictionary[Any, Studio] = WeakKeyDictionary()


def studio_of(viewer: Any) -> Studio:
    """Return what the widgets and commands of a viewer share."""
    if viewer not in _STUDIOS or _STUDIOS[viewer].closed:
        _STUDIOS[viewer] = Studio(viewer)
    return _STUDIOS[viewer]
