"""Carving for the page: strokes, what they mean on the plane that is shown, names and locks."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from stroma.session import Session
from stroma.session.objects.carving.answer import Outlined
from stroma.session.objects.carving.kept import Named

Values = Mapping[str, Any]
Plain = dict[str, Any]


def prepare(session: Session, values: Values) -> int:
    """Cut the image into regions, and answer with how many there are."""
    return session.prepare_carving(values["image"], plane=values["plane"]).result()


def carving(session: Session, values: Values) -> Plain:
    """Answer with strokes on a plane, what they mean there, and what was carved before."""
    image, plane = values["image"], values["plane"]
    now = session.carving(image)
    number = session.core.document.sheet(image).plane_number(plane)
    lines = [
        {"points": [list(p) for p in one.points], "on": one.on, "radius": one.radius}
        for one in now.lines
        if one.plane == number
    ]
    return {
        "lines": lines,
        "count": len(now.lines),
        "opened": now.opened[0] if now.opened else "",
        "free": now.free_name(),
        "how": asdict(now.how[0]),
        "named": [_named(one) for one in now.named],
        "found": _found(session.carved(image, plane=plane)),
    }


def _named(one: Named) -> Plain:
    return {"name": one.name, "number": one.number, "frame": one.frame, "locked": one.locked}


def _found(found: Outlined) -> Plain:
    """Return an answer as plain values; the mask as bits, row after row, in base64."""
    return {
        "box": asdict(found.box),
        "mask": base64.b64encode(np.packbits(found.mask).tobytes()).decode("ascii"),
        "pixels": found.pixels,
        "lacking": found.lacking,
    }


def stroke(session: Session, values: Values) -> None:
    """Draw on the object that is meant, or beside it."""
    session.carve_stroke(
        values["image"],
        [(y, x) for y, x in values["points"]],
        on=values["on"] is True,
        radius=values["radius"],
        plane=values["plane"],
    )


def take_back(session: Session, values: Values) -> None:
    """Take back the last stroke at hand."""
    session.take_back_carving(values["image"])


def clear(session: Session, values: Values) -> None:
    """Drop the strokes at hand."""
    session.clear_carving(values["image"])


def boundaries(session: Session, values: Values) -> None:
    """Choose what bounds objects."""
    session.set_boundaries(
        values["image"], values["boundary"], sigma=values["sigma"], label=values["label"]
    )


def commit(session: Session, values: Values) -> int:
    """Make what was carved an object with a name, and answer with its number."""
    return session.commit_carved(
        values["image"], str(values["name"]), lock=values["lock"] is True, plane=values["plane"]
    )


def reopen(session: Session, values: Values) -> None:
    """Take the strokes of an object up again."""
    session.reopen_carved(values["image"], str(values["name"]))


def lock(session: Session, values: Values) -> None:
    """Lock an object, or unlock it."""
    session.lock_carved(values["image"], str(values["name"]), locked=values["locked"] is True)


QUESTIONS = {"prepare-carving": prepare, "carving": carving}
"""Questions while one carves, by name."""

CHANGES = {
    "carve-stroke": stroke,
    "take-back-carving": take_back,
    "clear-carving": clear,
    "set-boundaries": boundaries,
    "commit-carved": commit,
    "reopen-carved": reopen,
    "lock-carved": lock,
}
"""What the page can change there, by name."""
