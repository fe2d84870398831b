"""What the page can ask without changing anything: one call into the session, as plain values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from stroma.errors import ParameterError
from stroma.session import Session
from stroma.web import contrast, exports, folders

Values = Mapping[str, Any]
Plain = dict[str, Any]

FEATURES_SHOWN = 12


def channels(session: Session, values: Values) -> list[Plain]:
    """Answer with the channels of an image, their contrast chosen by percentiles."""
    return [asdict(c) for c in contrast.automatic(session.image(values["image"]).image)]


def painted(session: Session, values: Values) -> Plain:
    """Answer with how much is painted on an image: pixels, planes and classes."""
    points = session.points(values["image"])
    return {
        "pixels": len(points.label),
        "planes": len(set(points.plane.tolist())),
        "labels": sorted(set(points.label.tolist())),
    }


def stale(session: Session, values: Values) -> list[Plain]:
    """Answer with the rectangles of a plane whose results are older than its strokes."""
    blocks = session.blocks(values["image"], plane=values["plane"])
    return [asdict(block.box) for block in blocks if block.stale]


def areas(session: Session, values: Values) -> list[Plain]:
    """Answer with the area and the number of components of every class on a plane."""
    found = session.areas(values["image"], plane=values["plane"]).result()
    return [asdict(a) for a in found.value or ()]


def suggest(session: Session, values: Values) -> Plain | None:
    """Answer with the place where a stroke would help most; None where all is certain."""
    found = session.suggest(values["image"], plane=values["plane"]).result()
    return None if found is None else asdict(found.box)


def validate(session: Session, values: Values) -> Plain:
    """Answer with the accuracy on strokes that were left out, and the mistakes."""
    found = session.validate().result()
    return {
        "accuracy": _number(found.accuracy),
        "labels": list(found.labels),
        "confusion": found.confusion.tolist(),
        "untested": list(found.untested),
    }


def importance(session: Session, values: Values) -> list[tuple[str, float]]:
    """Answer with the features that decide most, and their shares."""
    return session.importance(FEATURES_SHOWN)


def compare(session: Session, values: Values) -> list[Plain]:
    """Answer with the accuracy and the time of every configuration."""
    return [
        {
            "alias": one.alias,
            "accuracy": _number(one.accuracy),
            "seconds": _number(one.segmenting),
            "problem": one.problem,
        }
        for one in session.compare().result()
    ]


def _number(value: float) -> float | None:
    """Return a number that JSON knows; None for NaN."""
    return None if math.isnan(value) else float(value)


def code(session: Session, values: Values) -> dict[str, str]:
    """Write the strokes, and answer with the Python and the commands that start from them."""
    folder = exports.strokes_folder(session)
    session.export_all_strokes(folder)
    try:
        command = session.as_command(folder)
    except ParameterError as error:
        command = str(error)
    return {"python": session.as_code(folder), "command": command}


def stop_task(session: Session, values: Values) -> None:
    """Cancel a task."""
    session.tasks[values["task"]].cancel()


QUESTIONS = {
    "channels": channels,
    "painted": painted,
    "stale": stale,
    "areas": areas,
    "suggest": suggest,
    "validate": validate,
    "importance": importance,
    "compare": compare,
    "code": code,
    "stop-task": stop_task,
    "open-folder": folders.join_folder,
    "leave-folder": folders.leave_folder,
    "export": exports.export,
    "apply": exports.apply,
    "save-model": exports.save_model,
    "save-strokes": exports.save_strokes,
}
"""Questions by name; they are answered as they come, and may take long."""
