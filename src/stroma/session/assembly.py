"""The parts of a session, joined: a core, the benches around it, and what works on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from stroma.pixel.model import ConvpaintModel
from stroma.session.core.core import Core, Fitting
from stroma.session.core.document import Document
from stroma.session.core.images import Images
from stroma.session.core.screen import Screen
from stroma.session.core.storage import Storage
from stroma.session.objects.bench import ObjectBench
from stroma.session.objects.carrying import CarryObjects
from stroma.session.objects.carving.carve import CarveObjects
from stroma.session.objects.carving.cutting import Cutting
from stroma.session.objects.correcting import Correcting
from stroma.session.objects.everything import FindEverything
from stroma.session.objects.exports import ObjectExports
from stroma.session.objects.joining import JoinTables
from stroma.session.objects.kinds import ObjectKinds
from stroma.session.objects.learning import ObjectModel
from stroma.session.objects.prompting import Prompting
from stroma.session.objects.working import ObjectWork
from stroma.session.picking import Picking
from stroma.session.repeat import Repeating
from stroma.session.strokes.bench import Strokes
from stroma.session.strokes.classes import ClassList
from stroma.session.strokes.exports import Exports
from stroma.session.strokes.files import StrokeFiles
from stroma.session.strokes.guidance import Guidance
from stroma.session.strokes.looking import Looking
from stroma.session.strokes.measuring import Measuring
from stroma.session.strokes.model import StrokeModel
from stroma.session.strokes.painting import Painting
from stroma.session.strokes.teaching import Teaching
from stroma.session.tracks.bench import TrackBench
from stroma.session.tracks.tracking import Tracking

Part = TypeVar("Part")
Given = ParamSpec("Given")
Answer = TypeVar("Answer")


class Divided(Protocol):
    """What is done by parts."""

    @property
    def _parts(self) -> Mapping[str, Any]:
        """The parts, by the names of their classes."""


def by(
    method: Callable[Concatenate[Part, Given], Answer],
) -> Callable[Concatenate[Divided, Given], Answer]:
    """Return a method of the session that is done by the part of it that has the method."""
    part = method.__qualname__.split(".")[0]

    @wraps(method)
    def call(self: Divided, /, *args: Given.args, **values: Given.kwargs) -> Answer:
        return method(self._parts[part], *args, **values)

    return call


class Parts:
    """All parts of a session.

    Parameters
    ----------
    document : Document
        What is on the benches.
    model : ConvpaintModel
        The first model.
    mode : {"live", "demand", "paused"}
        When to train.
    benches : sequence of Fitting
        Benches beside that for strokes.

    Attributes
    ----------
    by_name : dict
        All of them, by the names of their classes.
    """

    def __init__(
        self, document: Document, model: ConvpaintModel, mode: str, benches: Sequence[Fitting]
    ) -> None:
        self.core = core = Core(document)
        self.model = StrokeModel(core, model, mode)
        core.add(self.model)
        core.worker.resume(Strokes.name, self.model.learner.revision)
        objects = ObjectModel(core, self.model)
        core.add(objects)
        for fitting in benches:
            if fitting.learning is not None:
                core.add(fitting.learning(core))
        self.storage, self.exports = Storage(core), Exports(core, self.model)
        self.images, files = Images(core), StrokeFiles(core)
        self.screen, looking = Screen(core), Looking(core, self.model)
        self.objects = ObjectWork(core, objects, looking)
        self.kinds, correcting = ObjectKinds(core, self.objects), Correcting(core, self.objects)
        cutting = Cutting(core, self.objects, self.model)
        parts = [
            *(core, core.worker, core.tasks, self.storage, self.images, self.model),
            *(ClassList(core), Painting(core), Picking(core), files, looking),
            *(Guidance(core, self.model), Measuring(core, self.model), self.exports),
            *(self.screen, Repeating(core, self.model, files), Teaching(core, self.model, files)),
            Tracking(core),
            *(objects, self.objects, ObjectExports(core, objects)),
            *(
                JoinTables(core),
                self.kinds,
                correcting,
                CarryObjects(core, self.objects, correcting),
            ),
            Prompting(core, self.objects, correcting, lambda: self.model.now.channels),
            FindEverything(core, self.objects),
            *(cutting, CarveObjects(core, self.objects, correcting, cutting)),
        ]
        self.by_name: dict[str, Any] = {type(part).__name__: part for part in parts}


def blank(benches: Sequence[Fitting]) -> Document:
    """Return a document with all benches, on which nothing is."""
    more = (fitting.bench() for fitting in benches)
    return Document(Strokes(), ObjectBench(), TrackBench(), *more)
