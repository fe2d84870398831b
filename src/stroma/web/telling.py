"""What happened in a session, in the words that go to the page."""

from __future__ import annotations

import math
from dataclasses import asdict
from functools import singledispatch
from typing import Any

from stroma.session import events as ev
from stroma.session.objects.bench import ObjectBench
from stroma.session.objects.carving.operations import CarvingChanged
from stroma.session.objects.operations import ObjectsChanged
from stroma.session.strokes.bench import Strokes
from stroma.session.tracks.operations import TracksChanged
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
    if event.bench == ObjectBench.name:
        return {"event": "objects", "image": event.image}
    return {**_place("block", event), "step": event.step}


@told.register
def _(event: CarvingChanged) -> Told:
    return {"event": "carving", "image": event.image}


@told.register
def _(event: ObjectsChanged) -> Told:
    return {"event": "objects", "image": event.image}


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


Round = ev.RoundStarted | ev.ModelTrained | ev.RoundFinished | ev.RoundCancelled


def _round(what: str, event: Round) -> Told | None:
    """Tell a round of strokes; those of other benches are told by what they show."""
    if event.bench != Strokes.name:
        return None
    return {"event": "round", "what": what, "revision": event.revision}


@told.register
def _(event: ev.RoundStarted) -> Told | None:
    return _round("started", event)


@told.register
def _(event: ev.ModelTrained) -> Told | None:
    return _round("trained", event)


@told.register
def _(event: ev.RoundFinished) -> Told | None:
    return _round("finished", event)


@told.register
def _(event: ev.RoundCancelled) -> Told | None:
    return _round("cancelled", event)


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
def _(event: TracksChanged) -> Told:
    return {"event": "tracks", "image": event.image}


@told.register
def _(event: ev.Saved) -> Told:
    return {"event": "saved"}


@told.register
def _(event: ev.Notice) -> Told:
    return {"event": "notice", "message": plain(event.message), "bad": False}
