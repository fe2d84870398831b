"""What the worker does for strokes at one moment: train, then show, what is looked at first."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from weakref import ref

import numpy as np

from stroma.blocks.box import Box
from stroma.blocks.run import default_workers
from stroma.errors import Cancelled
from stroma.pixel.predicting.panels import Panel, run_panels
from stroma.pixel.predicting.predict import BlockResult, Trained
from stroma.pixel.predicting.recipe import Recipe
from stroma.pixel.predicting.run import run_tasks, tasks_under
from stroma.pixel.predicting.tasks import Task
from stroma.pixel.training.warm import warm
from stroma.session.core.results import Results
from stroma.session.core.view import View
from stroma.session.core.work import Job
from stroma.session.events import BlockReady
from stroma.session.strokes.applied import Applied
from stroma.session.strokes.blocks import BYTE, Block, uncertainty
from stroma.session.strokes.learner import Learner, most_learnt, needed, param_for, tasks_before
from stroma.session.strokes.wish import Wish

REST = 0.25
"""Seconds after the view is up to date before the rest of its plane is begun: who paints on is not
kept waiting by blocks under way."""

COARSE = 8
FEW_BLOCKS = 2
"""So many blocks are predicted at once, without a coarse result before."""


@dataclass(frozen=True, eq=False)
class StrokeTurn:
    """A `Turn`.

    Parameters
    ----------
    wish : Wish
        What is wanted.
    learner : Learner
        The model.
    present : callable
        Returns the learner of the session, which may have become another.
    results : Results
        Where results go.
    warmed : set
        What blocks have had their features computed.
    """

    wish: Wish
    learner: Learner
    present: Callable[[], Learner]
    results: Results[Block]
    warmed: set[Hashable]

    @property
    def revision(self) -> int:
        """What training would answer now."""
        return self.wish.revision

    @property
    def answered(self) -> int:
        """What the model that is there answers."""
        return self.learner.revision

    @property
    def mode(self) -> str:
        """When to work."""
        return self.wish.settings.mode

    @property
    def lacking(self) -> str:
        """What must be painted first."""
        return self.wish.lacking

    @property
    def views(self) -> Sequence[View]:
        """What is looked at."""
        return self.wish.views

    # ------------------------------------------------------------------ training

    def train(self, job: Job, *, full: bool) -> None:
        """Train on the strokes."""
        wish = self.wish
        param = param_for(wish.settings, full=full)
        wish.require_alike()
        cap = most_learnt(wish.settings)
        points = {m.key: m.points(cap) for m in wish.material}
        self._warm(needed(wish, points, param), job)
        job.enter("training")
        job.token.check()  # where all features were there, nobody asked it yet
        self.learner.learn(wish, points, param)
        if self.learner is not self.present():
            raise Cancelled("Another model took the place of the one that was trained.")

    def _warm(self, tasks: Iterable[Task], job: Job) -> None:
        """Compute the features of blocks that have not been computed under these settings."""
        pace, settings = job.enter("features"), self.wish.settings
        facts = repr((settings.channels, settings.param))
        keys = {(facts, ref(t.plan.image.whole), *t.position.values(), t.block): t for t in tasks}
        left = {key: task for key, task in keys.items() if key not in self.warmed}
        for done in warm(list(left.values()), self.learner.cache, cancel=job.token):
            pace(done, len(left))
        self.warmed.update(left.keys())

    # ------------------------------------------------------------------ showing

    def glance(self, view: View, job: Job) -> int:
        """Predict one pixel in 64 of what is in view, where that is more than few blocks.

        Networks have no coarse result. Of planes across y or x, rows are computed one by one or
        many at once, so that looking at few of them would win little.
        """
        if self.learner.applied is not None or view.across != "z" or self._body(view):
            return 0
        panels = self._missing(view, self.wish.box(view), COARSE)
        few = len(panels) <= FEW_BLOCKS
        return 0 if few else self._predict("glance", view, panels, COARSE, job)

    def visible(self, view: View, job: Job) -> int:
        """Predict what is in view; before there is a model, compute its features."""
        box = self.wish.box(view)
        if self.learner.applied is not None:
            return self._apply("visible", self.learner.applied, view, box, job)
        body = self._body(view)
        if body:
            return self._predict_body(view, body, job)
        if self.learner.trained is None:
            recipe = Recipe.of(self.wish.settings.param)
            self._warm(tasks_before(self.wish.source(view.image), recipe, view, box), job)
            return 0
        return self._predict("visible", view, self._missing(view, box, 1), 1, job)

    def rest(self, view: View, job: Job) -> int:
        """Predict the rest of the plane, once painting pauses."""
        if not self.learner.answers:
            return 0
        done, rested = 0, False
        for box in self.wish.around(view):
            if self.learner.applied is not None:
                done += self._apply("plane", self.learner.applied, view, box, job)
                continue
            panels = self._missing(view, box, 1)
            if panels and not rested:
                job.token.rest(REST)
                rested = True
            done += self._predict("plane", view, panels, 1, job)
        self.results.drop_older(view.key, self.answered)
        return done

    def _apply(self, phase: str, applied: Applied, view: View, box: Box, job: Job) -> int:
        """Predict blocks by a network, and return how many."""
        image, revision = self.wish.images[view.image], self.answered
        known = self.results.steps(view.key, revision)
        cores = applied.cores(image, view, box, known)
        if not cores:
            return 0
        pace = job.enter(phase)
        found = applied.predicted(image, view, cores, revision, job.token)
        for done, planes in enumerate(found, start=1):
            for position, number, block in planes:
                self.results.put((view.image, number), block)
                job.tell(BlockReady(view.image, position, block.box, 1, revision))
            pace(done, len(cores))
        return len(cores)

    def _missing(self, view: View, box: Box, coarse: int) -> list[Panel]:
        """Return the rectangles in a box of a view's plane that are not known that finely."""
        steps = self.results.steps(view.key, self.answered)
        found = self.learner.panels(self.wish.images[view.image], view, box)
        return [panel for panel in found if steps.get(panel.box, coarse + 1) > coarse]

    def _predict(
        self, phase: str, view: View, panels: Sequence[Panel], coarse: int, job: Job
    ) -> int:
        """Predict rectangles, and return how many."""
        trained, revision, cache = self.learner.trained, self.answered, self.learner.cache
        if trained is None or not panels:
            return 0
        pace = job.enter(phase)
        first = panels[0].tasks[0]
        kept = sum(len(panel.tasks) for panel in panels) * first.plan.feature_bytes(first.block)
        if phase == "plane" and kept > cache.max_bytes / 2:
            cache = cache.borrowed()  # do not drive out the features of what is in view
        # What is not in view leaves a processor free, so that the next stroke is answered at once.
        workers = max(1, default_workers() - 1) if phase == "plane" else None
        for panel, result in run_panels(
            panels, trained, cache, coarse=coarse, workers=workers, cancel=job.token
        ):
            block = _block(panel.box, result, trained, revision)
            self.results.put(view.key, block)
            pace(result.done, result.total)
            job.tell(BlockReady(view.image, view.position, block.box, coarse, revision))
        return len(panels)

    # ------------------------------------------------------------------ volumes in one piece

    def _body(self, view: View) -> dict[int, View]:
        """Return the views of all planes across z where a volume is looked at whole, by z."""
        trained, depth = self.learner.trained, self.wish.images[view.image].sizes.get("z", 1)
        recipe = Recipe.of(self.wish.settings.param) if trained is None else trained.recipe
        if recipe.axes == "yx" or view.across != "z" or depth == 1:
            return {}
        whole = Box.of(tuple(self.wish.images[view.image].sizes[a] for a in "yx"))
        time = view.position.get("t")
        found = {
            v.position["z"]: v
            for v in self.views
            if (v.image, v.across, v.position.get("t"), v.box) == (view.image, "z", time, whole)
        }
        return found if len(found) == depth else {}

    def _predict_body(self, view: View, body: Mapping[int, View], job: Job) -> int:
        """Predict a volume in blocks of many planes, and return how many.

        One by one, every plane would pay for what lies above and below it.
        """
        trained, revision, cache = self.learner.trained, self.answered, self.learner.cache
        panels = self._missing(view, self.wish.box(view), 1)
        if trained is None or not panels:
            return 0
        tasks = self._tasks_of_body(trained, view, body)
        if not {panel.box for panel in panels} <= {task.rectangle for task in tasks}:
            return self._predict("visible", view, panels, 1, job)  # it is cut in another way
        pace = job.enter("visible")
        if sum(task.plan.feature_bytes(task.block) for task in tasks) > cache.max_bytes / 2:
            cache = cache.borrowed()
        for result in run_tasks(tasks, trained, cache, cancel=job.token):
            seen = body[result.plane["z"]]
            box = Box(result.y.start, result.x.start, result.y.stop, result.x.stop)
            self.results.put(seen.key, _block(box, result, trained, revision))
            pace(result.done, result.total)
            job.tell(BlockReady(seen.image, seen.position, box, 1, revision))
        return len(tasks)

    def _tasks_of_body(self, trained: Trained, view: View, body: Mapping[int, View]) -> list[Task]:
        """Return the blocks of a volume of which a part is not known."""
        tasks = tasks_under(
            self.wish.source(view.image),
            trained.recipe,
            trained.statistics,
            classes=len(trained.classifier.classes_),
            positions=[{a: at for a, at in view.position.items() if a != "z"}],
            region=self.wish.box(view),
        )
        known = {z: self.results.steps(seen.key, self.answered) for z, seen in body.items()}
        return [t for t in tasks if any(known[z].get(t.rectangle, 2) > 1 for z in _depths(t))]


def _depths(task: Task) -> range:
    return range(task.pixels.front, task.pixels.back)


def _block(box: Box, result: BlockResult, trained: Trained, revision: int) -> Block:
    p = result.probabilities
    return Block(
        box,
        result.step,
        revision,
        tuple(trained.classifier.classes_.tolist()),
        result.labels,
        np.rint(p * BYTE).astype(np.uint8),
        np.rint(uncertainty(p) * BYTE).astype(np.uint8),
    )
