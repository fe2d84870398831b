"""What a session tells its listeners; plain values, in the order in which things happened.

Events come from the thread that caused them: those about strokes and classes from the caller's,
those about rounds and tasks from workers. A listener must return at once (put the event into a
queue) and must not raise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from stroma.blocks.box import Box
from stroma.data.classes import Class

Position = dict[str, int]
"""A plane of an image: position along t and z, as far as the image has them.

A volume is cut otherwise by t and y, or t and x: ``{"y": 40}`` is the plane across y there, with
rows along z and columns along x; the rows of a plane across x are z, its columns y.
"""


@dataclass(frozen=True)
class Event:
    """Something happened."""


@dataclass(frozen=True)
class ImageOpened(Event):
    """An image joined the session."""

    image: str


@dataclass(frozen=True)
class ImageClosed(Event):
    """An image left the session, with its strokes."""

    image: str


@dataclass(frozen=True)
class ImageChanged(Event):
    """The region of interest or the display settings of an image changed."""

    image: str


@dataclass(frozen=True)
class StrokesChanged(Event):
    """Labels in a rectangle of one plane changed: painted, erased, undone, imported ...

    Parameters
    ----------
    image : str
        The image.
    plane : dict of str to int
        The plane.
    box : Box
        All pixels that changed lie in it.
    revision : int
        That of the session from then on.
    """

    image: str
    plane: Position
    box: Box
    revision: int


@dataclass(frozen=True)
class ClassesChanged(Event):
    """Classes were added, renamed, recoloured or removed."""

    classes: tuple[Class, ...]


@dataclass(frozen=True)
class Undone(Event):
    """A step was undone, or made again; told after what changed, so that views can go there.

    Parameters
    ----------
    kind : str
        What the step was: "paint", "erase", "fill", "clear", "import", "class", "remove class" ...
    image : str
        Key of the image where it was; empty for one that changed no image.
    plane : dict of str to int
        The plane.
    box : Box or None
        Where on the plane; None where that is not known.
    again : bool
        Whether it was made again.
    message : str
        The same in words, for people.
    """

    kind: str
    image: str
    plane: Position
    box: Box | None
    again: bool
    message: str


@dataclass(frozen=True)
class SettingsChanged(Event):
    """Parameters, mode, channels or what is trained on changed."""


@dataclass(frozen=True)
class RoundStarted(Event):
    """A model is being trained on the strokes of a revision."""

    revision: int
    bench: str = "strokes"


@dataclass(frozen=True)
class Progress(Event):
    """How far some work is; only for what takes longer than half a second.

    Parameters
    ----------
    what : str
        "features", "training", "glance", "visible" or "plane" for rounds; the name of a task.
    done, total : int
        Steps.
    seconds_left : float
        Estimate; NaN while unknown.
    task : int
        Number of the task; 0 for rounds.
    """

    what: str
    done: int
    total: int
    seconds_left: float
    task: int = 0


@dataclass(frozen=True)
class ModelTrained(Event):
    """The model is trained; results follow as `BlockReady`."""

    revision: int
    seconds: float
    bench: str = "strokes"


@dataclass(frozen=True)
class BlockReady(Event):
    """A result is there: ask the session for what it shows.

    Parameters
    ----------
    image : str
        The image.
    plane : dict of str to int
        The plane.
    box : Box
        Its pixels.
    step : int
        Pixels per value: above 1 it is coarse, and a finer one follows.
    revision : int
        The revision whose strokes it answers.
    bench : str
        Whose result.
    """

    image: str
    plane: Position
    box: Box
    step: int
    revision: int
    bench: str = "strokes"


@dataclass(frozen=True)
class RoundFinished(Event):
    """Everything in view, and the rest of its planes, shows this revision."""

    revision: int
    bench: str = "strokes"


@dataclass(frozen=True)
class Rested(Event):
    """Nothing is under way any more: what the status says now stays, until something is done."""


@dataclass(frozen=True)
class RoundCancelled(Event):
    """A round was given up, because of a new stroke or on request; old results stay."""

    revision: int
    bench: str = "strokes"


@dataclass(frozen=True)
class RoundFailed(Event):
    """A round failed; the old model and results stay.

    Parameters
    ----------
    revision : int
        The revision it was for.
    message : str
        What is wrong and what to do, for people.
    error : Exception
        The error itself.
    bench : str
        For which bench.
    """

    revision: int
    message: str
    error: BaseException = field(compare=False)
    bench: str = "strokes"


@dataclass(frozen=True)
class TaskStarted(Event):
    """A task (validation, comparison, export ...) started."""

    task: int
    what: str


@dataclass(frozen=True)
class TaskFinished(Event):
    """A task is done; its result is at ``session.tasks[task].result()``."""

    task: int
    what: str


@dataclass(frozen=True)
class TaskCancelled(Event):
    """A task was cancelled."""

    task: int
    what: str


@dataclass(frozen=True)
class TaskFailed(Event):
    """A task failed."""

    task: int
    what: str
    message: str
    error: BaseException = field(compare=False)


@dataclass(frozen=True)
class Saved(Event):
    """Everything up to now is on the disk.

    Parameters
    ----------
    path : str
        The project.
    complete : bool
        Whether this was a whole save (snapshot and model), not just the latest strokes.
    """

    path: str
    complete: bool = False


@dataclass(frozen=True)
class SaveFailed(Event):
    """Something could not be written; it is kept in memory, and tried again."""

    path: str
    message: str


@dataclass(frozen=True)
class Notice(Event):
    """Something the user should know, such as an image that changed since the project was saved."""

    image: str
    message: str


Listener = Callable[[Event], object]
