"""The contract of a bench: what it adds to a session, and what it leaves to the core.

A bench is a kind of work on the images of a session: strokes, objects, prompts, tracks. It has two
halves, of which the second is for benches that learn:

- `Bench` keeps what was done in memory: it applies operations, and undoes them. It knows no files,
  no threads and no listeners. The core writes its operations to the journal, keeps its steps of
  undo, puts it into snapshots, and tells its events.
- `Learning` says what the worker is to do. It has no thread of its own.

`stroma.session.core.core.Fitting` joins the two to a session: ``Session(benches=[...])``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

from stroma.session.core.operations import Operation
from stroma.session.core.results import Results
from stroma.session.core.sheet import Sheet
from stroma.session.core.view import View
from stroma.session.core.work import Job
from stroma.session.events import Event


class Change(Protocol):
    """What one step of undo changed on a bench; a value that is never changed."""

    def reversed(self) -> Self:
        """Return the change back."""

    def followed_by(self, later: Self) -> Self:
        """Return this change and a later one as one."""

    def without(self, image: str) -> Self | None:
        """Return what is left when an image is closed; None for nothing."""

    @property
    def image(self) -> str:
        """Key of the first image that it changed; empty where it changed none."""

    @property
    def plane(self) -> int:
        """Number of the first plane that it changed there."""

    @property
    def size(self) -> int:
        """How many parts it has, such as tiles of strokes: what it takes to keep it."""


@dataclass(frozen=True)
class Done:
    """What an operation did.

    Parameters
    ----------
    events : sequence of Event
        What is told; an operation without events leaves no trace in the journal.
    kind : str
        What people call the step.
    change : Change or None
        What undo unmakes; None for what cannot be undone.
    continues : int
        Number of the step that this is a part of; 0 for a new one.
    """

    events: Sequence[Event] = ()
    kind: str = ""
    change: Any = None
    continues: int = 0


class Bench(Protocol):
    """What a bench keeps in memory, and how that changes.

    All methods are called while the core is locked.
    """

    name: str
    """Of the bench, among all benches."""

    revision: int
    """Counts the changes that a model answers to; the bench counts up."""

    @property
    def operations(self) -> Sequence[type[Operation]]:
        """What can be done on it; no other bench has operations of the same names."""

    def apply(self, operation: Operation) -> Done:
        """Do something, whole or not at all; images that are named are there.

        Raises
        ------
        ParameterError, LabelError
            If it does not fit what is there; nothing is changed then.
        """

    def replay(self, change: Any) -> Sequence[Event]:
        """Make a change once more, or (reversed) unmake it; return what is told."""

    def image_opened(self, sheet: Sheet) -> None:
        """Take note of an image."""

    def image_closed(self, image: str) -> None:
        """Forget what belongs to an image."""

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain values, for a snapshot."""

    def read(self, values: Mapping[str, Any]) -> None:
        """Take over what ``to_json`` gave; the images are there already. Checks everything.

        Raises
        ------
        ParameterError, LabelError, KeyError, ValueError
            If the values, which may be a stranger's, are not possible.
        """

    def change_to_json(self, change: Any) -> dict[str, Any]:
        """Return a change as plain values."""

    def read_change(self, values: Mapping[str, Any]) -> Change:
        """Return the change that ``change_to_json`` gave plain values for. Checks everything.

        Raises
        ------
        ParameterError, LabelError, KeyError, ValueError
            If they are not possible.
        """


class Turn(Protocol):
    """What a bench wants of the worker at one moment; a snapshot that nothing changes.

    The worker does the most urgent thing: ``train``, if the bench changed; then, for all views, a
    ``glance``, what is ``visible``, and the ``rest``. What is computed is put where the bench's
    results are looked up block by block, and told as `BlockReady`. All of it is given up by
    raising `Cancelled` as soon as the job's token says so.
    """

    @property
    def revision(self) -> int:
        """What training would answer now."""

    @property
    def answered(self) -> int:
        """What the model that is there answers; -1 for none."""

    @property
    def mode(self) -> str:
        """When to work: "live", "demand" (train only when asked) or "paused" (only when asked)."""

    @property
    def lacking(self) -> str:
        """What must be done first before anything can be learned; empty if there is enough."""

    @property
    def views(self) -> Sequence[View]:
        """What is looked at, the most urgent first."""

    def train(self, job: Job, *, full: bool) -> None:
        """Train, on all there is if ``full``; whole, or not at all."""

    def glance(self, view: View, job: Job) -> int:
        """Show quickly, and coarsely, what is in view; return how many blocks were computed."""

    def visible(self, view: View, job: Job) -> int:
        """Bring up to date what is in view; or prepare it, while there is no model."""

    def rest(self, view: View, job: Job) -> int:
        """Bring up to date the rest of the plane."""


class Learning(Protocol):
    """A bench that learns: what the worker is to do for it, and what of it is in a project."""

    name: str
    """Of the bench."""

    @property
    def results(self) -> Results[Any]:
        """What is known, block by block; it decides what is said to be on the screen."""

    @property
    def is_live(self) -> bool:
        """Whether what is under way is given up for what was done last."""

    def concerns(self, image: str) -> bool:
        """Tell whether it has anything to say of an image; else its status is not told there."""

    def turn(self) -> Turn:
        """Return what is wanted of the worker now."""

    def settings(self) -> Mapping[str, Any]:
        """Return what ``settings.json`` keeps, under names that no other bench uses."""

    def facts(self) -> Mapping[str, Any]:
        """Return what a snapshot says of the model."""

    def keep(self, folder: Path) -> None:
        """Write the model into a project; nothing while there is none.

        Raises
        ------
        FileError, OSError
            If it cannot be written; the one that was saved before stays.
        """

    def restore(self, folder: Path, settings: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
        """Go on as it was saved, and return what people should know of that.

        Parameters
        ----------
        folder : Path
            Of the project.
        settings : mapping
            All of ``settings.json``; empty if there is none.
        facts : mapping
            What the snapshot says of the model; empty if anything was done since.

        Raises
        ------
        FormatError
            If the settings are not possible.
        """

    def image_changed(self, image: str) -> None:
        """Forget results of an image whose pixels are others now, or that was closed."""
