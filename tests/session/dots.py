"""A tiny bench: dots that are added and removed, and a model of where they are."""

from __future__ import annotations

import json
from dataclasses import dataclass

from stroma.blocks.box import Box
from stroma.errors import ParameterError
from stroma.session.core import checks
from stroma.session.core.bench import Done
from stroma.session.core.core import Fitting
from stroma.session.core.operations import Operation
from stroma.session.core.results import Results
from stroma.session.events import BlockReady, Event

SIDE = 16


@dataclass(frozen=True)
class AddDot(Operation):
    op = "add dot"
    image: str
    y: int
    x: int

    def __post_init__(self):
        checks.whole(self.y, "a row", 0, 2**31)
        checks.whole(self.x, "a column", 0, 2**31)


@dataclass(frozen=True)
class RemoveDot(Operation):
    op = "remove dot"
    image: str
    number: int


@dataclass(frozen=True)
class DotsChanged(Event):
    image: str


@dataclass(frozen=True)
class DotChange:
    """Dots of images before and after."""

    before: dict
    after: dict

    @property
    def image(self):
        return next(iter(self.after), "")

    @property
    def plane(self):
        return 0

    @property
    def size(self):
        return len(self.after)

    def reversed(self):
        return DotChange(self.after, self.before)

    def followed_by(self, later):
        return DotChange(later.before | self.before, self.after | later.after)

    def without(self, image):
        left = [{k: v for k, v in d.items() if k != image} for d in (self.before, self.after)]
        return DotChange(*left) if left[1] else None


class Dots:
    """The bench."""

    name = "dots"
    operations = (AddDot, RemoveDot)

    def __init__(self):
        self.revision = 0
        self.dots = {}
        self.sheets = {}

    def apply(self, operation):
        dots = self.dots[operation.image]
        if isinstance(operation, AddDot):
            height, width = self.sheets[operation.image].shape
            if operation.y >= height or operation.x >= width:
                raise ParameterError("The dot lies outside the image.")
            after = (*dots, (operation.y, operation.x))
        else:
            after = dots[: operation.number] + dots[operation.number + 1 :]
        change = DotChange({operation.image: dots}, {operation.image: after})
        return Done(self.replay(change), operation.op, change)

    def replay(self, change):
        self.dots |= change.after
        self.revision += 1
        return [DotsChanged(image) for image in change.after]

    def image_opened(self, sheet):
        self.sheets[sheet.key], self.dots[sheet.key] = sheet, ()

    def image_closed(self, image):
        del self.sheets[image], self.dots[image]

    def to_json(self):
        return {"dots": self.dots, "revision": self.revision}

    def read(self, values):
        self.revision = checks.whole(values["revision"], "a revision", 0, 2**53)
        self.dots |= {k: read_dots(v) for k, v in values["dots"].items()}

    def change_to_json(self, change):
        return {"before": change.before, "after": change.after}

    def read_change(self, values):
        sides = [{k: read_dots(v) for k, v in values[s].items()} for s in ("before", "after")]
        return DotChange(*sides)


def read_dots(values):
    return tuple((checks.whole(y, "a row", 0, 2**31), checks.whole(x, "a column", 0, 2**31))
                 for y, x in values)  # fmt: skip


@dataclass(frozen=True)
class Near:
    """How many dots there are, told in one square."""

    box: Box
    step: int
    revision: int
    count: int
    serial: int = 0
    nbytes: int = 8


@dataclass(frozen=True)
class DotTurn:
    """What the bench wants of the worker: to count the dots, and to tell it square by square."""

    learning: CountDots
    dots: dict
    revision: int
    answered: int
    lacking: str
    views: tuple
    mode: str = "live"

    def train(self, job, *, full):
        job.enter("training")
        if self.learning.broken:
            raise ParameterError(self.learning.broken)
        self.learning.counts = {image: len(dots) for image, dots in self.dots.items()}
        self.learning.answered = self.revision

    def glance(self, view, job):
        return 0

    def visible(self, view, job):
        return self.show(view, view.box, job)

    def rest(self, view, job):
        height, width = self.learning.core.document.sheet(view.image).shape
        done = self.show(view, Box(0, 0, height, width), job)
        self.learning.results.drop_older(view.key, self.answered)
        return done

    def show(self, view, box, job):
        if self.answered < 0:
            return 0
        known = self.learning.results.steps(view.key, self.answered)
        sides = box.coarse(SIDE)
        squares = [
            Box(y * SIDE, x * SIDE, (y + 1) * SIDE, (x + 1) * SIDE)
            for y in range(sides.top, sides.bottom)
            for x in range(sides.left, sides.right)
        ]
        missing = [square for square in squares if square not in known]
        for square in missing:
            job.token.check()
            near = Near(square, 1, self.answered, self.learning.counts[view.image])
            self.learning.results.put(view.key, near)
            job.tell(BlockReady(view.image, view.position, square, 1, self.answered, "dots"))
        return len(missing)


class CountDots:
    """The learning half: counts the dots of every image."""

    name = "dots"
    is_live = True

    def __init__(self, core):
        self.core = core
        self.results = Results(10**6)
        self.counts, self.answered, self.broken = {}, -1, ""

    @property
    def bench(self):
        return self.core.bench(Dots)

    def concerns(self, image):
        return True

    def turn(self):
        with self.core.lock:
            dots, views = dict(self.bench.dots), tuple(self.core.views.values())
            lacking = "" if any(dots.values()) else "Set a dot."
            return DotTurn(self, dots, self.bench.revision, self.answered, lacking, views)

    def settings(self):
        return {"dots": {"side": SIDE}}

    def facts(self):
        return {"is_current": self.answered == self.bench.revision}

    def keep(self, folder):
        if self.answered >= 0:
            (folder / "dots.json").write_text(json.dumps(self.counts))

    def restore(self, folder, settings, facts):
        if facts.get("is_current") is True:
            self.counts = json.loads((folder / "dots.json").read_text())
            self.answered = self.bench.revision
        self.core.worker.resume("dots", self.answered)
        return ""

    def image_changed(self, image):
        self.results.drop(image=image)

    def shown(self, image, plane=0):
        """Return what the squares of a plane say, and which revision they answer."""
        return {(near.count, near.revision) for near in self.results.blocks((image, plane))}


DOTS = Fitting(Dots, CountDots)


def learning(session):
    return next(one for one in session.core.worker.learnings if one.name == "dots")


def add(session, image, y, x):
    session.core.do(AddDot(image, y, x))


def remove(session, image, number):
    session.core.do(RemoveDot(image, number))


def dots(session, image):
    return session.core.bench(Dots).dots[image]
