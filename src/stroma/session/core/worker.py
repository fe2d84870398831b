"""The worker: one thread that does, for all benches, the most urgent thing there is.

It trains where a bench changed; else it shows what is in view and out of date, coarse and then
fine, and then the rest of the planes in view. What changes meanwhile waits or cancels it
(`Worker.poke`), and then it looks again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from stroma.errors import Cancelled, ParameterError, StromaError, for_people
from stroma.session.core.bench import Learning, Turn
from stroma.session.core.results import PlaneKey
from stroma.session.core.view import View
from stroma.session.core.work import Job, Pace, Token, attempt
from stroma.session.events import (
    Event,
    ModelTrained,
    Rested,
    RoundCancelled,
    RoundFailed,
    RoundFinished,
    RoundStarted,
)

STAGES: tuple[Callable[[Turn, View, Job], int], ...] = (
    lambda turn, view, job: turn.glance(view, job),
    lambda turn, view, job: turn.visible(view, job),
    lambda turn, view, job: turn.rest(view, job),
)


@dataclass
class Standing:
    """What the worker has done for one bench.

    Parameters
    ----------
    settled : int
        The last revision for which training was done, or given up.
    finished : int
        The last revision that was shown wherever somebody looked.
    asked : int
        How often training on all there is was asked for, whatever the mode.
    answered : int
        Which of these was answered last.
    untrained : str
        Why the last training failed.
    unseen : dict of (image, plane) to str
        Why planes could not be shown when that was tried last.
    """

    settled: int = -1
    finished: int = -1
    asked: int = 0
    answered: int = 0
    untrained: str = ""
    unseen: dict[PlaneKey, str] = field(default_factory=dict)

    @property
    def problem(self) -> str:
        """What went wrong last; empty where nothing did."""
        return self.untrained or next(iter(self.unseen.values()), "")


class Worker:
    """The thread, and what it has done so far.

    Parameters
    ----------
    tell : callable
        Is given events.
    """

    def __init__(self, tell: Callable[[Event], object]) -> None:
        self._tell = tell
        self._learnings: dict[str, Learning] = {}
        self._standings: dict[str, Standing] = {}
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="stroma-round")
        self._state = threading.Condition()
        self._token = Token()
        self._running = self._again = self._closed = self._given_up = False
        self._phase = self._training = ""
        self._at: dict[str, int] = {}

    def add(self, learning: Learning) -> None:
        """Work for one more bench."""
        self._learnings[learning.name] = learning
        self._standings[learning.name] = Standing()

    @property
    def learnings(self) -> Sequence[Learning]:
        """The benches it works for."""
        return list(self._learnings.values())

    # ------------------------------------------------------------------ from outside

    def poke(
        self,
        bench: str = "",
        *,
        cancels: Literal["nothing", "showing", "all"] = "nothing",
        revision: int | None = None,
    ) -> None:
        """Look again at what is to be done.

        Parameters
        ----------
        bench : str
            The one that changed; empty for all.
        cancels : {"nothing", "showing", "all"}
            What of the work under way is given up: nothing, what is shown, or the training of
            that bench too.
        revision : int, optional
            Do not give up what is done for this revision of it.
        """
        with self._state:
            training = self._training and (cancels != "all" or bench not in ("", self._training))
            if cancels != "nothing" and not training and self._is_other(bench, revision):
                self._token.cancel()
            self._given_up, self._again = False, True
            self._start()

    def _is_other(self, bench: str, revision: int | None) -> bool:
        return revision is None or self._at.get(bench) != revision

    def ask(self, bench: str) -> None:
        """Train now on all there is, whatever the mode."""
        with self._state:
            self._standings[bench].asked += 1
        self.poke(bench, cancels="all")

    def give_up(self) -> None:
        """Cancel what is under way, until something changes or ``ask`` is called."""
        with self._state:
            for standing in self._standings.values():
                standing.answered = standing.asked
            self._given_up, self._again = True, False
            self._token.cancel()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until nothing is under way; tell whether that was reached in time."""
        with self._state:
            return self._state.wait_for(lambda: not self._running, timeout)

    def take(self, bench: str, revision: int) -> None:
        """Say that a bench goes on with another model, and which revision that answers."""
        with self._state:
            self._standings[bench] = Standing(settled=revision, finished=revision)
            self.poke(bench, cancels="all")

    def resume(self, bench: str, revision: int) -> None:
        """Say which revision the first model of a bench answers."""
        with self._state:
            self._standings[bench] = Standing(settled=revision, finished=revision)

    def close(self) -> None:
        """Stop for good."""
        with self._state:
            self._closed, self._again = True, False
            self._token.cancel()
        self._pool.shutdown()

    @property
    def doing(self) -> tuple[bool, str]:
        """Whether something is under way, and what."""
        with self._state:
            return self._running, self._phase

    def problem(self, bench: str) -> str:
        """Return what went wrong last for a bench; empty where nothing did."""
        with self._state:
            return self._standings[bench].problem

    def trouble(self, bench: str, revision: int, plane: PlaneKey) -> str:
        """Return why a plane could not be computed for a revision; empty where nothing failed."""
        with self._state:
            standing = self._standings[bench]
            if standing.untrained and standing.settled == revision:
                return standing.untrained
            return standing.unseen.get(plane, "")

    def awaited(self, bench: str, turn: Turn, plane: PlaneKey) -> tuple[bool, bool]:
        """Return whether it is about to train for a bench, and to show more of a plane."""
        with self._state:
            if not self._running or self._given_up or self._closed:
                return False, False
            standing = self._standings[bench]
            training = self._training == bench or _is_due(turn, standing, standing.asked)
            showing = turn.answered >= 0 and any(view.key == plane for view in turn.views)
            return training, showing and not _is_paused(turn, standing)

    # ------------------------------------------------------------------ the thread

    def _start(self) -> None:
        if not self._running and not self._closed:
            self._running = True
            self._pool.submit(self._after, self._pool.submit(self._step))

    def _step(self) -> bool:
        """Do the most urgent thing; tell whether something else may be left."""
        with self._state:
            self._again = False
            if self._given_up or self._closed:
                return False
            # What is asked for from here on may be about strokes that the turns do not know.
            asked = {name: standing.asked for name, standing in self._standings.items()}
        turns = {name: learning.turn() for name, learning in self._learnings.items()}
        with self._state:
            if self._again:
                return True  # something changed meanwhile
            token, standings = Token(), dict(self._standings)
            self._token, self._at = token, {name: turn.revision for name, turn in turns.items()}
        job = Job(token, self._enter, self._tell)
        for name, turn in turns.items():
            if _is_due(turn, standings[name], asked[name]):
                self._train(name, turn, standings[name], asked[name], job)
                return True
        shown = {n: turn for n, turn in turns.items() if not _is_paused(turn, standings[n])}
        if shown:
            self._show(shown, standings, job)
        return False

    def _after(self, done: Future[bool]) -> None:
        """Note what was given up, and go on if there is more to do."""
        error = done.exception()
        try:
            if isinstance(error, Cancelled):
                self._cancelled()
            elif error is not None:
                self._failed(error)
        finally:
            with self._state:
                self._phase, self._training, self._running = "", "", False
                if self._again or (error is None and done.result()):
                    self._start()
                rests = not self._running
                if rests:
                    self._state.notify_all()
            if rests:
                self._tell(Rested())

    def _cancelled(self) -> None:
        with self._state:
            if self._given_up:
                for name, revision in self._at.items():
                    self._standings[name].settled = revision
        if self._training:
            self._tell(RoundCancelled(self._at[self._training], self._training))

    def _failed(self, error: BaseException) -> None:
        """Say what went wrong outside of training and showing: a bench could not be asked."""
        with self._state:
            self._given_up = not self._again
            bench = next(iter(self._learnings))
            self._standings[bench].untrained = said = _said(error)
        self._tell(RoundFailed(self._at.get(bench, -1), said, error, bench))

    def _enter(self, phase: str) -> Pace:
        with self._state:
            self._phase = phase
        return Pace(self._tell, phase)

    # ------------------------------------------------------------------ training

    def _train(self, name: str, turn: Turn, standing: Standing, asked: int, job: Job) -> None:
        with self._state:
            self._training, full = name, asked > standing.answered
        if turn.lacking:
            self._refuse(name, turn, standing, asked)
            return
        self._tell(RoundStarted(turn.revision, name))
        start = time.monotonic()
        error = attempt(lambda: turn.train(job, full=full))
        if error is not None:
            self._untrained(turn, standing, asked, error)
            self._tell(RoundFailed(turn.revision, _said(error), error, name))
            return
        with self._state:
            self._training, standing.untrained, standing.settled = "", "", turn.revision
            standing.answered = max(standing.answered, asked)
        self._tell(ModelTrained(turn.revision, time.monotonic() - start, name))

    def _refuse(self, name: str, turn: Turn, standing: Standing, asked: int) -> None:
        """Answer who asked for training while there is too little to learn from."""
        with self._state:
            standing.answered, self._training = max(standing.answered, asked), ""
        self._tell(RoundFailed(turn.revision, turn.lacking, ParameterError(turn.lacking), name))

    def _untrained(self, turn: Turn, standing: Standing, asked: int, error: Exception) -> None:
        with self._state:
            standing.settled, standing.answered = turn.revision, max(standing.answered, asked)
            standing.untrained, self._training = _said(error), ""

    # ------------------------------------------------------------------ showing

    def _show(self, turns: dict[str, Turn], standings: dict[str, Standing], job: Job) -> None:
        """Bring up to date what is in view on all benches, and then the rest."""
        done = dict.fromkeys(turns, 0)
        failed: dict[str, dict[PlaneKey, Exception]] = {name: {} for name in turns}
        for stage in STAGES:
            for name, turn in turns.items():
                for view in (v for v in turn.views if v.key not in failed[name]):
                    found = attempt(partial(stage, turn, view, job))
                    if isinstance(found, Exception):  # one image that does not fit is not all
                        failed[name][view.key] = found
                    else:
                        done[name] += found
        for name, turn in turns.items():
            self._shown(name, turn, standings[name], done[name], failed[name])

    def _shown(
        self,
        name: str,
        turn: Turn,
        standing: Standing,
        done: int,
        failed: dict[PlaneKey, Exception],
    ) -> None:
        """Say what was shown, and what could not be."""
        with self._state:
            known, standing.unseen = standing.unseen, {k: _said(e) for k, e in failed.items()}
        new = {said: failed[k] for k, said in standing.unseen.items() if said not in known.values()}
        for said, error in new.items():  # moving over an image that does not fit is no news
            self._tell(RoundFailed(turn.revision, said, error, name))
        if turn.answered < 0 or failed:
            return
        if done or (turn.views and standing.finished != turn.answered):
            standing.finished = turn.answered
            self._tell(RoundFinished(turn.answered, name))


def _is_due(turn: Turn, standing: Standing, asked: int) -> bool:
    """Tell whether to train, where it was asked for so many times."""
    live = turn.mode == "live" and not turn.lacking
    return asked > standing.answered or (live and standing.settled != turn.revision)


def _is_paused(turn: Turn, standing: Standing) -> bool:
    return turn.mode == "paused" and standing.finished == turn.answered


def _said(error: BaseException) -> str:
    return (
        for_people(error) if isinstance(error, StromaError) else f"{type(error).__name__}: {error}"
    )
