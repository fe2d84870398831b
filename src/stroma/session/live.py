"""A desk with a model: settings, rounds, results and tasks."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box
from stroma.data.classes import Class
from stroma.errors import ParameterError, ShapeError
from stroma.features.cache import free_memory
from stroma.pixel.choices.aliases import alias_param
from stroma.pixel.model import ConvpaintModel
from stroma.pixel.predicting.predict import label_dtype
from stroma.pixel.predicting.run import blocks_of
from stroma.session import operations as ops
from stroma.session.channels import count
from stroma.session.events import (
    ClassesChanged,
    Event,
    ImageChanged,
    ImageClosed,
    Position,
    SettingsChanged,
    StrokesChanged,
)
from stroma.session.learner import Learner
from stroma.session.painting import PaintedDesk
from stroma.session.results import BlockInfo, Layer, Results, Shown, show
from stroma.session.rounds import Rounds, Status
from stroma.session.settings import Settings
from stroma.session.sheet import Sheet
from stroma.session.tasks import Result, Task, Tasks
from stroma.session.wish import Material, View, Wish


class LiveDesk(PaintedDesk):
    """A desk on which a model learns from what is painted.

    Methods that change something return as soon as it is done in memory; training and prediction
    happen in workers, which tell the listeners.

    Parameters
    ----------
    model : ConvpaintModel
        The first model; may be trained.
    mode : {"live", "demand", "paused"}
        Train after every stroke; only when asked; or do nothing by itself.
    """

    def __init__(self, model: ConvpaintModel, mode: str) -> None:
        super().__init__()
        self.settings = Settings(mode=mode, param=model.get_params())
        self._views: dict[str, View] = {}
        self._current = ""
        self._results = Results(free_memory() // 4)
        learner = Learner(model, -1 if model.classifier is None else 0)
        self._rounds = Rounds(learner, self._results, self._wish, self._tell)
        self._tasks = Tasks(self._tell)

    def close(self) -> None:
        """Stop all work."""
        self._tasks.close()
        self._rounds.close()

    def _done(self, operation: ops.Operation, events: Sequence[Event]) -> None:
        changed = [e for e in events if isinstance(e, StrokesChanged)]
        if changed:
            self._current = changed[-1].image
        for event in events:
            if isinstance(event, ImageClosed):
                self._results.drop(image=event.image)
                self._views = {v: w for v, w in self._views.items() if w.image != event.image}
        if any(isinstance(e, StrokesChanged | ImageClosed) for e in events):
            live = self.settings.mode == "live"
            self._rounds.poke(cancels="all" if live else "nothing", revision=self.revision)
        elif any(isinstance(e, ImageChanged | ClassesChanged) for e in events):
            self._rounds.poke()

    # ------------------------------------------------------------------ settings

    def set_mode(self, mode: str) -> None:
        """Train "live" after every stroke, on "demand" only, or do nothing ("paused")."""
        self._set(mode=mode)

    def set_training(self, train_on: str) -> None:
        """Train on the strokes of "all" images, or of the "image" painted on last."""
        self._set(train_on=train_on, answers=True)

    def set_channels(self, channels: Sequence[int] | None) -> None:
        """Use only some channels of the images; None uses all."""
        self._set(channels=None if channels is None else tuple(channels), answers=True)

    def set_alias(self, alias: str) -> None:
        """Take the parameters of a named configuration."""
        self._set(param=alias_param(alias), answers=True)

    def set_params(self, **values: Any) -> None:
        """Set parameters of the model, see `Param`; all of them or, if one is wrong, none."""
        trial = ConvpaintModel(param=self.settings.param)
        trial.set_params(**values)
        self._set(param=trial.get_params(), answers=True)

    def set_model(self, model: ConvpaintModel) -> None:
        """Go on with another model; if it is trained, it answers until the next training.

        Its parameters and channels become the settings, and the classes it names join those that
        are there, as one step of undo. Images and strokes stay. The model belongs to the session
        from then on.

        Raises
        ------
        ShapeError
            If it was trained on other channels than an image has; nothing is changed then.
        """
        learner = Learner(model, taken=True)
        with self._lock:
            if learner.trained is not None:
                self._require_fit(learner)
            self._do(ops.SetClasses(_named(model, self.classes)))
            channels = learner.channels if learner.trained is not None else self.settings.channels
            param = learner.param.copy()
            param.clf_max_pixels = self.settings.param.clf_max_pixels  # a round's, not the model's
            self.settings = replace(self.settings, param=param, channels=channels)
            self._document.revision += 1
            if learner.trained is not None:
                learner.revision = self.revision
                self._rounds.take(learner)
            self._settings_changed()
            self._tell(SettingsChanged())
            self._rounds.poke(cancels="all", revision=self.revision)

    def _require_fit(self, learner: Learner) -> None:
        for image in self.images:
            if image.missing:
                continue
            try:
                learner.source(image.image)
            except ShapeError as error:
                raise ShapeError(
                    f"The model was not taken: it was trained on other channels than those of the "
                    f"image {image.name!r} ({max(1, count(image.image))}). Take one that was "
                    f"trained on such images, or close the image first."
                ) from error

    def _set(self, *, answers: bool = False, **values: Any) -> None:
        """Change settings; ``answers`` says whether the model's answer depends on them."""
        with self._lock:
            now = self.settings
            fields = ("mode", "train_on", "channels", "param")
            new = Settings(**{f: values.get(f, getattr(now, f)) for f in fields})
            if new == now:
                return
            self.settings = new
            if answers:
                self._document.revision += 1
            self._settings_changed()
            self._tell(SettingsChanged())
            self._rounds.poke(cancels="all" if answers or new.mode == "paused" else "nothing")

    def _settings_changed(self) -> None:
        """Take note of settings that were changed, before anybody is told."""

    # ------------------------------------------------------------------ rounds

    @property
    def model(self) -> ConvpaintModel:
        """The model, as it was last trained; not to be changed."""
        model = self._rounds.learner.model
        model.classes = self.classes
        return model

    def _snapshot(self) -> ConvpaintModel:
        """Return a copy of the model that further training does not change.

        Raises
        ------
        NotTrainedError
            If there is no model yet.
        """
        model = copy.copy(self.model)  # what training replaces, it replaces whole
        model.trained()
        return model

    @property
    def status(self) -> Status:
        """What is under way."""
        return self._rounds.status(self._wish())

    def look(
        self,
        image: str,
        box: Box | None = None,
        *,
        plane: Position | None = None,
        view: str = "main",
    ) -> None:
        """Say what is in view: it is predicted first, and what was looked at last before the rest.

        Parameters
        ----------
        image : str
            Key of the image.
        box : Box, optional
            Pixels in view; the whole plane unless given.
        plane : dict of str to int, optional
            Position along t and z, as far as the image has them.
        view : str
            Who is looking, where several are.
        """
        with self._lock:
            sheet = self._document.sheet(image)
            number = sheet.plane_number(plane)
            whole = Box.of(sheet.shape)
            seen = View(image, number, sheet.position(number), (box or whole).clipped(whole))
            self._views.pop(view, None)
            self._views[view] = seen
        self._rounds.poke(cancels="showing")

    def look_away(self, view: str = "main") -> None:
        """Say that a view is closed."""
        with self._lock:
            self._views.pop(view, None)

    def train(self) -> None:
        """Start a round on all labelled pixels, whatever the mode."""
        self._rounds.ask()

    def cancel(self) -> None:
        """Stop the round that is under way; a new stroke starts another."""
        self._rounds.give_up()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until no round is under way; tell whether that was reached in time."""
        return self._rounds.wait(timeout)

    def _wish(self) -> Wish:
        with self._lock:
            sheets = self._document.sheets
            images = {k: i for k, i in self._images.items() if k not in self._missing}
            painted = [s for s in sheets.values() if s.strokes.painted_planes()]
            painted = [s for s in painted if s.key in images]
            if self.settings.train_on == "image":
                painted = [s for s in painted if s.key == self._current]
            labels = set().union(*(s.strokes.labels() for s in painted))
            return Wish(
                self.revision,
                self.settings,
                [Material(s.key, s.strokes.version, self._points_of(s.key)) for s in painted],
                _lacking(labels),
                images,
                {s.key: s.region for s in sheets.values() if s.region is not None},
                self._seen(),
                {s.key: s.name for s in sheets.values()},
            )

    def _points_of(self, image: str) -> Callable[[], Any]:
        return lambda: self.points(image)

    def _seen(self) -> list[View]:
        """Return the views, latest first; where nobody looks, the plane painted on last."""
        seen = [v for v in self._views.values() if v.image not in self._missing]
        if seen:
            return seen[::-1]
        there = [s for k, s in self._document.sheets.items() if k not in self._missing]
        painted = sorted((s for s in there if s.strokes.painted_planes()), key=self._is_other)
        return [
            View(sheet.key, plane, sheet.position(plane), Box.of(sheet.shape))
            for sheet in painted[:1]
            for plane in sheet.strokes.painted_planes()
        ]

    def _is_other(self, sheet: Sheet) -> bool:
        return sheet.key != self._current

    # ------------------------------------------------------------------ results

    def result(
        self,
        image: str,
        box: Box | None = None,
        *,
        plane: Position | None = None,
        layer: Layer = "labels",
        label: int | None = None,
        step: int = 1,
    ) -> Shown:
        """Return what is known of a rectangle, as it is now; computes nothing.

        Parameters
        ----------
        image : str
            Key of the image.
        box : Box, optional
            Pixels; the whole plane unless given.
        plane : dict of str to int, optional
            Position along t and z.
        layer : {"labels", "probability", "uncertainty"}
            What to return.
        label : int, optional
            The class, for "probability".
        step : int
            Pixels per value along each axis.
        """
        with self._lock:
            sheet = self._document.sheet(image)
            number, region = sheet.plane_number(plane), sheet.region
        wanted = box or Box.of(sheet.shape)
        if wanted.area == 0 or step < 1:
            raise ParameterError(f"Nothing to show: box {wanted}, step {step}.")
        blocks = self._results.blocks((image, number), wanted)
        revision = self.revision
        return show(
            blocks, wanted, layer=layer, label=label, step=step, revision=revision, region=region
        )

    def planes_shown(self, image: str) -> int:
        """Return of how many planes of an image there is any result in memory."""
        return self._results.planes(image)

    def blocks(self, image: str, *, plane: Position | None = None) -> list[BlockInfo]:
        """Return where in a plane there are results, and which are stale."""
        with self._lock:
            number = self._document.sheet(image).plane_number(plane)
        blocks, now = self._results.blocks((image, number)), self.revision
        return [BlockInfo(b.box, b.step, b.revision, b.revision < now) for b in blocks]

    def segment(
        self,
        image: str,
        *,
        progress: Callable[[int, int], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> NDArray[np.unsignedinteger[Any]]:
        """Return the labels of all pixels of an image, by the present model; takes its time.

        Parameters
        ----------
        image : str
            Key of the image.
        progress : callable, optional
            Told how many blocks are done, and of how many.
        cancelled : callable, optional
            Asked before every block whether to stop.

        Raises
        ------
        NotTrainedError
            If there is no model yet.
        MissingFileError
            If the file of the image is not where it was.
        Cancelled
            If it was asked to stop.
        """
        model = self._snapshot()
        source, trained = model.open(self._pixels(image)), model.trained()
        labels = np.zeros(source.shape, label_dtype(trained.classifier.classes_))
        for block in blocks_of(source, trained, model.cache.borrowed(), cancel=cancelled):
            labels[block.index] = block.labels
            if progress is not None:
                progress(block.done, block.total)
        return labels

    # ------------------------------------------------------------------ tasks

    @property
    def tasks(self) -> dict[int, Task[Any]]:
        """The latest tasks, by number."""
        return self._tasks.known

    def start(
        self,
        what: str,
        function: Callable[[Callable[[int, int], None], Callable[[], bool]], Result],
    ) -> Task[Result]:
        """Run long work in the background; it is called with ``progress`` and ``cancelled``."""
        return self._tasks.start(what, function)


def _named(model: ConvpaintModel, present: Sequence[Class]) -> tuple[Class, ...]:
    """Return the classes of a model; those it has no name for are left as they are."""
    labels = {c.label for c in present}
    return tuple(c for c in model.classes if c.label not in labels or c != Class(c.label))


def _lacking(labels: set[int]) -> str:
    if len(labels) >= 2:
        return ""
    if not labels:
        return "Paint a few strokes of two classes."
    return f"Only class {labels.pop()} is painted. Paint a stroke of another class too."
