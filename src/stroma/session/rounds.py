"""Rounds: train on the strokes of a revision, then show it, what is looked at first.

One worker does the most urgent thing there is: train, if strokes or settings changed; else predict
what is in view and out of date, coarse and then fine, and then the rest of the planes in view; or,
while there is no model, compute features where somebody looks, so that the first stroke finds
them. What changes meanwhile waits or cancels it (`Rounds.poke`), and then it looks again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal
from weakref import ref

import numpy as np

from stroma.blocks.box import Box
from stroma.blocks.run import default_workers
from stroma.errors import Cancelled, StromaError
from stroma.pixel.predicting.plan import Recipe
from stroma.pixel.predicting.predict import BlockResult, Trained
from stroma.pixel.predicting.run import run_tasks
from stroma.pixel.predicting.tasks import Task
from stroma.pixel.training.warm import warm
from stroma.session.events import (
    BlockReady,
    Event,
    ModelTrained,
    RoundCancelled,
    RoundFailed,
    RoundFinished,
    RoundStarted,
)
from stroma.session.learner import Learner, needed, param_for, tasks_in
from stroma.session.results import BYTE, Block, Results, uncertainty
from stroma.session.wish import View, Wish
from stroma.session.work import Pace, Token

REST = 0.25
"""Seconds after the view is up to date before the rest of its plane is begun: who paints on is not
kept waiting by blocks under way."""

COARSE = 8
FEW_BLOCKS = 2
"""So many blocks are predicted at once, without a coarse result before."""


@dataclass(frozen=True)
class Status:
    """What rounds are doing.

    Parameters
    ----------
    busy : bool
        Whether something is under way.
    phase : {"", "features", "training", "visible", "plane"}
        What.
    revision : int
        The present revision.
    trained : int
        The revision the model answers; -1 for none.
    message : str
        What keeps the session from going on: too few strokes, or the last error.
    """

    busy: bool
    phase: str
    revision: int
    trained: int
    message: str


class Rounds:
    """The worker, and what it has done so far.

    Parameters
    ----------
    learner : Learner
        The model.
    results : Results
        Where results go.
    wish : callable
        Returns the present `Wish`.
    tell : callable
        Is given events.
    """

    def __init__(
        self,
        learner: Learner,
        results: Results,
        wish: Callable[[], Wish],
        tell: Callable[[Event], object],
    ) -> None:
        self.learner, self.results = learner, results
        self._wish, self._tell = wish, tell
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="stroma-round")
        self._state = threading.Condition()
        self._token = Token()
        self._running = self._again = self._closed = False
        self._asked = self._given_up = self._training = False
        self._phase = self._message = ""
        self._unseen = False  # what failed last was showing, not training
        self._at = self._settled = learner.revision
        self._finished = learner.revision
        self._warmed: set[Hashable] = set()

    # ------------------------------------------------------------------ from outside

    def poke(
        self,
        *,
        cancels: Literal["nothing", "showing", "all"] = "nothing",
        revision: int | None = None,
    ) -> None:
        """Look again at what is to be done.

        Parameters
        ----------
        cancels : {"nothing", "showing", "all"}
            What of the work under way is given up: nothing, prediction, or training too.
        revision : int, optional
            Do not give up what is done for this revision.
        """
        with self._state:
            wanted = cancels == "all" or (cancels == "showing" and not self._training)
            if wanted and (revision is None or self._at != revision):
                self._token.cancel()
            self._given_up, self._again = False, True
            self._start()

    def ask(self) -> None:
        """Train now on all labelled pixels, whatever the mode."""
        with self._state:
            self._asked = True
        self.poke(cancels="all")

    def give_up(self) -> None:
        """Cancel what is under way, until something changes or ``ask`` is called."""
        with self._state:
            self._asked, self._given_up, self._again = False, True, False
            self._token.cancel()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until nothing is under way; tell whether that was reached in time."""
        with self._state:
            return self._state.wait_for(lambda: not self._running, timeout)

    def resume(self, revision: int) -> None:
        """Say which revision the first model answers."""
        with self._state:
            self.learner.revision = self._settled = self._finished = revision

    def take(self, learner: Learner) -> None:
        """Go on with another model, which answers until the next training."""
        with self._state:
            learner.model.cache = self.learner.cache
            self.learner = learner
            self._settled = self._finished = learner.revision
            self._asked, self._message = False, ""
            self.poke(cancels="all")

    def close(self) -> None:
        """Stop for good."""
        with self._state:
            self._closed, self._again = True, False
            self._token.cancel()
        self._pool.shutdown()

    def status(self, wish: Wish) -> Status:
        """Return what is under way."""
        with self._state:
            message = self._message or wish.lacking
            trained = self.learner.revision
            return Status(self._running, self._phase, wish.revision, trained, message)

    # ------------------------------------------------------------------ the worker

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
        wish = self._wish()
        with self._state:
            if self._again:
                return True  # something changed meanwhile
            token, asked, learner = Token(), self._asked, self.learner
            self._token, self._at = token, wish.revision
        live = wish.settings.mode == "live" and not wish.lacking
        if asked or (live and self._settled != wish.revision):
            self._train(wish, learner, token, full=asked)
            return True
        if wish.settings.mode == "paused" and self._finished == learner.revision:
            return False
        if learner.trained is None:
            self._prepare(wish, token)
        else:
            self._show(wish, learner, token)
        self._seen()
        return False

    def _after(self, done: Future[bool]) -> None:
        """Say what went wrong, and go on if there is more to do."""
        error = done.exception()
        try:
            if isinstance(error, Cancelled):
                self._cancelled(self._wish())
            elif error is not None:
                self._fail(error, self._wish())
        finally:
            with self._state:
                self._phase, self._training, self._running = "", False, False
                if self._again or (error is None and done.result()):
                    self._start()
                if not self._running:
                    self._state.notify_all()

    def _cancelled(self, wish: Wish) -> None:
        with self._state:
            if self._given_up:
                self._settled = wish.revision
        if self._training:
            self._tell(RoundCancelled(wish.revision))

    def _fail(self, error: BaseException, wish: Wish) -> None:
        known = isinstance(error, StromaError)
        message = str(error) if known else f"{type(error).__name__}: {error}"
        with self._state:
            known_already = self._unseen and message == self._message
            self._unseen = not self._training
            # What came meanwhile is a reason to try again; the same as before is not.
            self._asked, self._given_up, self._message = False, not self._again, message
            self._settled = self._at
        if not known_already:  # moving over an image that does not fit is no news each time
            self._tell(RoundFailed(wish.revision, message, error))

    def _seen(self) -> None:
        """Forget why results could not be shown, since they could."""
        with self._state:
            if self._unseen:
                self._message, self._unseen = "", False

    def _enter(self, phase: str) -> Pace:
        with self._state:
            self._phase = phase
        return Pace(self._tell, phase)

    # ------------------------------------------------------------------ training

    def _train(self, wish: Wish, learner: Learner, token: Token, *, full: bool) -> None:
        with self._state:
            self._training = True
        self._tell(RoundStarted(wish.revision))
        start = time.monotonic()
        param = param_for(wish.settings, full=full)
        wish.require_alike()
        points = {m.key: m.points() for m in wish.material}
        self._warm(needed(wish, points, param), token, wish)
        self._enter("training")
        token.check()  # where all features were there, nobody asked it yet
        learner.learn(wish, points, param)
        with self._state:
            if learner is not self.learner:
                raise Cancelled("Another model took the place of the one that was trained.")
            self._training, self._message, self._settled = False, "", wish.revision
            self._asked = self._asked and not full
        self._tell(ModelTrained(wish.revision, time.monotonic() - start))

    def _prepare(self, wish: Wish, token: Token) -> None:
        """Compute the features of what is looked at, before there is anything to learn."""
        recipe = Recipe.of(wish.settings.param)
        for view in wish.views:
            blank = Trained(recipe, None)  # type: ignore[arg-type]
            tasks = tasks_in(wish.source(view.image), blank, view, wish.box(view))
            self._warm(tasks, token, wish)

    def _warm(self, tasks: Iterable[Task], token: Token, wish: Wish) -> None:
        """Compute the features of blocks that have not been computed under these settings."""
        pace = self._enter("features")
        facts = repr((wish.settings.channels, wish.settings.param))
        keys = {(facts, ref(t.plan.image.whole), *t.position.values(), t.block): t for t in tasks}
        left = {key: task for key, task in keys.items() if key not in self._warmed}
        for done in warm(list(left.values()), self.learner.cache, cancel=token):
            pace(done, len(left))
        self._warmed |= left.keys()

    # ------------------------------------------------------------------ showing

    def _show(self, wish: Wish, learner: Learner, token: Token) -> None:
        """Bring up to date what is in view, and then the rest."""
        done, rested, revision = 0, False, learner.revision
        for coarse in (COARSE, 1):
            for view in wish.views:
                tasks = self._missing(wish, view, learner, wish.box(view), coarse)
                if coarse == 1 or len(tasks) > FEW_BLOCKS:
                    done += self._predict("visible", view, learner, tasks, coarse, token)
        for view in wish.views:
            for box in wish.around(view):
                tasks = self._missing(wish, view, learner, box, 1)
                if tasks and not rested:
                    token.rest(REST)
                    rested = True
                done += self._predict("plane", view, learner, tasks, 1, token)
            self.results.drop_older(view.key, revision)
        if done or (wish.views and self._finished != revision):
            self._finished = revision
            self._tell(RoundFinished(revision))

    def _missing(
        self, wish: Wish, view: View, learner: Learner, box: Box, coarse: int
    ) -> list[Task]:
        """Return the blocks in a box of a view's plane that are not known that finely."""
        steps = self.results.steps(view.key, learner.revision)
        found = learner.tasks(wish.images[view.image], view, box)
        return [task for task in found if steps.get(_pixels(task), coarse + 1) > coarse]

    def _predict(
        self,
        phase: str,
        view: View,
        learner: Learner,
        tasks: Sequence[Task],
        coarse: int,
        token: Token,
    ) -> int:
        """Predict blocks, and return how many."""
        trained, revision, cache = learner.trained, learner.revision, learner.cache
        if trained is None or not tasks:
            return 0
        pace = self._enter(phase)
        kept = len(tasks) * tasks[0].plan.feature_bytes(tasks[0].block)
        if phase == "plane" and kept > cache.max_bytes / 2:
            cache = cache.borrowed()  # do not drive out the features of what is in view
        # What is not in view leaves a processor free, so that the next stroke is answered at once.
        workers = max(1, default_workers() - 1) if phase == "plane" else None
        for result in run_tasks(
            tasks, trained, cache, coarse=coarse, workers=workers, cancel=token
        ):
            block = _block(result, trained, revision)
            self.results.put(view.key, block)
            pace(result.done, result.total)
            self._tell(BlockReady(view.image, view.position, block.box, coarse, revision))
        return len(tasks)


def _pixels(task: Task) -> Box:
    return task.plan.grid.pixels(task.block.core)


def _block(result: BlockResult, trained: Trained, revision: int) -> Block:
    p = result.probabilities
    return Block(
        Box(result.y.start, result.x.start, result.y.stop, result.x.stop),
        result.step,
        revision,
        tuple(trained.classifier.classes_.tolist()),
        result.labels,
        np.rint(p * BYTE).astype(np.uint8),
        np.rint(uncertainty(p) * BYTE).astype(np.uint8),
    )
