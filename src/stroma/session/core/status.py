"""One truth about what is on the screen: absent, computing, current, older, or failed.

`decide` is the state machine. It is given what is known of a place and what the worker is about
to do, and everything that anybody says about results comes from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from stroma.blocks.box import Box
from stroma.session.events import Position

State = Literal["absent", "computing", "current", "older", "failed"]

Value = TypeVar("Value")


@dataclass(frozen=True)
class OnScreen:
    """How a bench's results stand in a rectangle of a plane; all overlays of a bench share that.

    Parameters
    ----------
    bench : str
        Whose results.
    image : str
        Key of the image.
    plane : dict of str to int
        Position along t and z.
    box : Box
        The pixels that are meant, as far as they lie in the image and its region of interest.
    state : {"absent", "computing", "current", "older", "failed"}
        There is no result, and none is on its way; one is on its way (an older one may be seen
        meanwhile); all of it answers the strokes and settings there are, as a fresh computation
        would; it answers earlier ones; it could not be computed.
    reason : str
        Why, and what to do; empty for "current" and "computing".
    view : str
        Who is looking; empty where that was not asked.
    """

    bench: str
    image: str
    plane: Position
    box: Box
    state: State
    reason: str = ""
    view: str = ""


@dataclass(frozen=True)
class Status:
    """What the session is doing, and how things stand wherever somebody looks.

    Parameters
    ----------
    busy : bool
        Whether something is under way.
    phase : {"", "features", "training", "glance", "visible", "plane"}
        What.
    revision : int
        The present revision.
    trained : int
        The revision the model answers; -1 for none.
    message : str
        What keeps the session from going on: too few strokes, or the last error.
    lacking : str
        What must be painted before anything can be learned; empty if there is enough.
    shown : tuple of OnScreen
        For every bench and every view, the one that was looked at last first.
    """

    busy: bool
    phase: str
    revision: int
    trained: int
    message: str
    lacking: str = ""
    shown: tuple[OnScreen, ...] = ()


@dataclass(frozen=True)
class Measurement(Generic[Value]):
    """Something that was measured on results, and whether it is true.

    Parameters
    ----------
    state : State
        Of the results, as in `OnScreen`: only what is "current" is true now.
    reason : str
        Why it is not.
    value : object or None
        What was measured; None where there is no whole result to measure ("absent", "computing",
        "failed").
    """

    state: State
    reason: str
    value: Value | None


@dataclass(frozen=True)
class Facts:
    """What is known of a place.

    Parameters
    ----------
    outside : str
        Why there can be no result; empty where there can.
    covered : {"", "part", "whole", "current"}
        Whether there are results: of any revision in a part of it or all of it; or of the present
        revision, in full resolution, in all of it.
    training, showing : bool
        Whether the worker is about to train, or to show more there.
    problem : str
        Why it could not be computed for the present revision.
    lacking : str
        What must be done before anything can be learned.
    trained : bool
        Whether there is a model at all.
    answered : bool
        Whether the model answers the present revision.
    mode : {"live", "demand", "paused"}
        When the worker works.
    """

    outside: str = ""
    covered: Literal["", "part", "whole", "current"] = ""
    training: bool = False
    showing: bool = False
    problem: str = ""
    lacking: str = ""
    trained: bool = False
    answered: bool = False
    mode: str = "live"


def decide(facts: Facts) -> tuple[State, str]:
    """Return how things stand, and why.

    What is called current is current whatever else is under way; what is being computed is not
    called failed for what happened before.
    """
    if facts.outside:
        return "absent", facts.outside
    if facts.covered == "current":
        return "current", ""
    if facts.training:
        return "computing", ""
    if facts.problem:
        return "failed", facts.problem
    if facts.showing:
        return "computing", ""
    if facts.covered:
        return "older", _why_older(facts)
    return "absent", _why_absent(facts)


def _why_older(facts: Facts) -> str:
    if facts.answered:
        return "Only a part is computed. Look at it to have the rest."
    begin = "This is older than your strokes and settings."
    return f"{begin} {facts.lacking or _what_to_do(facts.mode)}"


def _what_to_do(mode: str) -> str:
    if mode == "live":
        return "Updating was stopped; train, or paint on."
    if mode == "demand":
        return "Train to bring it up to date."
    return "Updating is paused; train, or go on."


def _why_absent(facts: Facts) -> str:
    if not facts.trained:
        return facts.lacking or f"Nothing is trained yet. {_what_to_do(facts.mode)}"
    if facts.mode == "paused":
        return "Not computed: updating is paused."
    return "Not computed yet. Look at it to have it."
