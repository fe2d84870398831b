"""What the worker does for objects at one moment: find, measure, learn their classes, show them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from stroma.blocks.box import Box
from stroma.data.classes import Class
from stroma.objects.classes import ObjectClassifier
from stroma.session.core.results import Results
from stroma.session.core.view import View
from stroma.session.core.work import Job
from stroma.session.events import BlockReady
from stroma.session.objects.book import Click
from stroma.session.objects.found import Found, Lesson, lesson

FrameKey = tuple[str, int]
"""Image and frame."""


@dataclass(frozen=True, eq=False)
class ObjectBlock:
    """The objects on one plane: those of a frame, which all its planes share.

    Parameters
    ----------
    box : Box
        The whole plane.
    revision : int
        What they answer.
    found : Found
        The objects.
    """

    box: Box
    revision: int
    found: Found
    step: int = 1
    serial: int = 0

    @property
    def nbytes(self) -> int:
        """Bytes in memory, of those that its frame has in all, a share."""
        columns = sum(column.nbytes for column in self.found.table.columns.values())
        return (self.found.labels.nbytes + columns) // len(self.found.labels)


@dataclass(frozen=True, eq=False)
class Learnt:
    """What was learnt.

    Parameters
    ----------
    revision : int
        What it answers; -1 for nothing.
    classifier : ObjectClassifier or None
        None while too little is labelled.
    lacking : str
        What must be labelled before classes can be told.
    """

    revision: int = -1
    classifier: ObjectClassifier | None = None
    lacking: str = ""


class Source(Protocol):
    """Where a turn has objects from."""

    def ready(self, key: FrameKey) -> bool:
        """Tell whether the objects of a frame can be had now."""

    def frame(self, key: FrameKey) -> Found | None:
        """Return the objects of a frame, measured; None where they cannot be had now."""

    def learnt(self, now: Learnt) -> None:
        """Take note of what was learnt."""


@dataclass(frozen=True, eq=False)
class ObjectTurn:
    """A `Turn`.

    Parameters
    ----------
    revision, lacking, views
        As a `Turn` has them.
    now : Learnt
        What was learnt last.
    clicks : mapping of image to sequence of Click
        What was labelled.
    blank : ObjectClassifier
        What is to learn, with the names of classes.
    source : Source
        Where objects come from.
    results : Results
        Where they go.
    frame_of : callable
        Returns the frame of a view.
    shape_of : callable
        Returns height and width of the plane of a view.
    """

    revision: int
    lacking: str
    views: Sequence[View]
    now: Learnt
    clicks: dict[str, tuple[Click, ...]]
    blank: ObjectClassifier
    source: Source
    results: Results[ObjectBlock]
    frame_of: Callable[[View], int]
    shape_of: Callable[[View], tuple[int, int]]
    mode: str = "live"

    @property
    def answered(self) -> int:
        """What is answered by what was learnt."""
        return self.now.revision

    def lesson(self, check: Callable[[], object] = lambda: None) -> Lesson:
        """Return the labelled objects, measured; ``check`` is called before each of their frames.

        Those of frames that cannot be had now are left out.
        """
        labelled = []
        for key in clicked_frames(self.clicks):
            check()
            found = self.source.frame(key)
            if found is not None:
                labelled.append((found, found.given(self.clicks[found.image])))
        return lesson(labelled)

    def train(self, job: Job, *, full: bool) -> None:
        """Measure the labelled objects, and learn from them."""
        job.enter("training")
        taught = self.lesson(job.token.check)
        classifier = None
        if not taught.lacking:
            classifier = self.blank.fit(taught.table, taught.classes)
        job.token.check()
        self.source.learnt(Learnt(self.revision, classifier, taught.lacking))

    def glance(self, view: View, job: Job) -> int:
        """Show nothing coarse: an object is measured as a whole."""
        return 0

    def visible(self, view: View, job: Job) -> int:
        """Find, measure and class the objects of the frame in view."""
        if self.answered < 0 or self.answered != self.revision:
            return 0
        whole = Box.of(self.shape_of(view))
        if whole in self.results.steps(view.key, self.answered):
            return 0
        job.enter("visible")
        found = self.source.frame((view.image, self.frame_of(view)))
        if found is None:
            return 0
        job.token.check()
        classed = found.classed(self.now.classifier)
        self.results.put(view.key, ObjectBlock(whole, self.answered, classed))
        self.results.drop_older(view.key, self.answered)
        told = view.image, view.position, whole, 1, self.answered
        job.tell(BlockReady(*told, "objects"))
        return 1

    def rest(self, view: View, job: Job) -> int:
        """Do nothing: what is visible is whole."""
        return 0


def clicked_frames(clicks: dict[str, tuple[Click, ...]]) -> list[FrameKey]:
    """Return the frames in which objects are labelled."""
    return sorted({(image, at[0]) for image, given in clicks.items() for at, _ in given})


def named(classes: Sequence[Class], kind: str, columns: tuple[str, ...] | None) -> ObjectClassifier:
    """Return what is to learn."""
    return ObjectClassifier(kind, columns, classes=tuple(classes))
