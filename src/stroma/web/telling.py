"""What happened in a session, in the words that go to the page."""

from __future__ import annotations

import math
from dataclasses import asdict
from functools import singledispatch
from typing import Any

from stroma.session import events as ev
from stroma.session.words import plain, said

Told = dict[str, Any]


@singledispatch
def told(event: ev.Event) -> Told | None:
    """Return an event as plain values; None for those that only change the state."""
    return None


@told.register
def _(event: ev.StrokesChanged) -> Told:
    return _place("strokes", event)


@told.register
def _(event: ev.BlockReady) -> Told:
    return {**_place("block", event), "step": event.step}


def _place(name: str, event: ev.StrokesChanged | ev.BlockReady) -> Told:
    return {
        "event": name,
        "image": event.image,
        "plane": dict(event.plane),
        "box": asdict(event.box),
        "revision": event.revision,
    }


@told.register
def _(event: ev.Progress) -> Told:
    left = None if math.isnan(event.seconds_left) else round(event.seconds_left, 1)
    return {
        "event": "progress",
        "what": event.what,
        "done": event.done,
        "total": event.total,
        "left": left,
        "task": event.task,
    }


@told.register
def _(event: ev.RoundStarted) -> Told:
    return {"event": "round", "what": "started", "revision": event.revision}


@told.register
def _(event: ev.ModelTrained) -> Told:
    return {"event": "round", "what": "trained", "revision": event.revision}


@told.register
def _(event: ev.RoundFinished) -> Told:
    return {"event": "round", "what": "finished", "revision": event.revision}


@told.register
def _(event: ev.RoundCancelled) -> Told:
    return {"event": "round", "what": "cancelled", "revision": event.revision}


@told.register
def _(event: ev.RoundFailed) -> Told:
    return {
        "event": "round",
        "what": "failed",
        "revision": event.revision,
        "message": said(event.error),
    }


@told.register
def _(event: ev.TaskStarted) -> Told:
    return {"event": "task", "task": event.task, "what": "started", "name": event.what}


@told.register
def _(event: ev.TaskFinished) -> Told:
    return {"event": "task", "task": event.task, "what": "finished"}


@told.register
def _(event: ev.TaskCancelled) -> Told:
    return {"event": "task", "task": event.task, "what": "cancelled"}


@told.register
def _(event: ev.TaskFailed) -> Told:
    return {"event": "task", "task": event.task, "what": "failed", "message": said(event.error)}


@told.register
def _(event: ev.Saved) -> Told:
    return {"event": "saved"}


@told.register
def _(event: ev.Notice) -> Told:
    return {"event": "notice", "message": plain(event.message), "bad": False}
