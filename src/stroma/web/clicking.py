"""Click, get an object: what the page asks while one clicks, and committing what is proposed."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from stroma.prompts import ENGINES
from stroma.session import Session
from stroma.session.objects.prompting import Proposal
from stroma.session.objects.said import Stroke
from stroma.web.commands import as_box

Values = Mapping[str, Any]
Plain = dict[str, Any]


def prompt_ready(session: Session, values: Values) -> bool:
    """Look at what is in view, so that the first click is answered at once."""
    return session.prepare_prompts(
        values["image"],
        as_box(values["box"]),
        plane=values["plane"],
        engine=str(values.get("engine", "graph")),
        who=str(values["tab"]),
    )


def prompt_left(session: Session, values: Values) -> None:
    """Want nothing any more of what was to be looked at."""
    session.leave_prompts(str(values["tab"]))


def propose(session: Session, values: Values) -> Plain:
    """Answer with the object that clicks, boxes and strokes mean."""
    found = session.propose(
        values["image"],
        points=[_floats(p, 2) for p in values.get("points", [])],
        labels=[int(v) for v in values.get("labels", [])],
        boxes=[_floats(b, 4) for b in values.get("boxes", [])],
        strokes=[_stroke(s) for s in values.get("strokes", [])],
        plane=values["plane"],
        view=as_box(values["box"]),
        engine=str(values.get("engine", "graph")),
        choice=int(values.get("choice", 0)),
        after=int(values.get("after", 0)),
        reopen=values.get("reopen") is True,
    )
    return _plain(found)


def _floats(values: Any, count: int) -> Any:
    """Return a tuple of so many numbers."""
    made = tuple(float(v) for v in values)
    if len(made) != count:
        raise ValueError(f"{count} numbers were expected, got {len(made)}")
    return made


def _stroke(values: Values) -> Stroke:
    points = tuple(_floats(p, 2) for p in values["points"])
    return Stroke(points, on=bool(values["on"]), radius=float(values["radius"]))


def _plain(found: Proposal) -> Plain:
    """Return a proposal as plain values; the mask as bits, row after row, in base64."""
    return {
        "number": found.number,
        "box": asdict(found.box),
        "mask": base64.b64encode(np.packbits(found.mask).tobytes()).decode("ascii"),
        "area": int(found.mask.sum()),
        "score": round(found.score, 3),
        "choice": found.choice,
        "choices": found.choices,
        "cut": found.cut,
        "replaces": found.replaces,
    }


def engines(session: Session, values: Values) -> list[str]:
    """Answer with the names of what finds objects."""
    return list(ENGINES)


def commit(session: Session, values: Values) -> int:
    """Make a proposal an object, and answer with its number."""
    return session.commit_object(int(values["proposal"]))


def carry(session: Session, values: Values) -> int:
    """Carry an object to neighbouring planes, and answer with how many it was found on."""
    task = session.carry_object(
        values["image"],
        int(values["object"]),
        plane=values["plane"],
        engine=str(values.get("engine", "graph")),
    )
    return task.result()


def everything(session: Session, values: Values) -> int:
    """Find all objects beside those that are held, and answer with how many came."""
    engine = str(values.get("engine", "graph"))
    return session.find_everything(values["image"], engine=engine, keep=True).result()


QUESTIONS = {
    "prompt-ready": prompt_ready,
    "prompt-left": prompt_left,
    "propose": propose,
    "prompt-engines": engines,
    "carry-object": carry,
    "find-everything": everything,
}
"""Questions while one clicks, by name."""

CHANGES = {"commit-object": commit}
"""What the page can change there, by name."""
