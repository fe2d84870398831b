"""What helps to paint and to choose a model: where to paint next and why, accuracy, comparison."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box
from stroma.pixel.guidance.compare import MEASURED_SIDE, Comparison
from stroma.session import Session
from stroma.session.events import Position
from stroma.web import overview, tiles
from stroma.web.commands import as_box
from stroma.web.fields import EXTRACTOR_TITLES
from stroma.workflow.applying.overlay import overlay

Values = Mapping[str, Any]
Plain = dict[str, Any]

FEATURES_SHOWN = 12

OPACITY = 0.45


def suggest(session: Session, values: Values) -> Plain | None:
    """Answer with the place where a stroke would help most, and why; None where all is certain.

    All planes of all images are looked at that have results; the one that is shown comes first
    where it is as good. "between" are the labels of the classes that the model takes the place
    for, the more probable first; "uncertainty" and "distance" are those of `Suggestion`.
    """
    place = session.suggest_anywhere(values["image"], plane=values["plane"]).result()
    if place is None:
        return None
    best = {"image": place.image, "plane": place.plane, **asdict(place.found)}
    best["between"] = _between(session, place.image, place.plane, place.found.box)
    return {k: _plain(v) for k, v in best.items()}


def _plain(value: Any) -> Any:
    return number(value) if isinstance(value, float) else value


def _between(session: Session, image: str, plane: Position, box: Box) -> list[int]:
    """Return the two classes that are most probable in a rectangle."""
    shares = {}
    for one in session.classes:
        shown = session.result(image, box, plane=plane, layer="probability", label=one.label)
        if np.isfinite(shown.values).any():
            shares[one.label] = float(np.nanmean(shown.values))
    return sorted(shares, key=lambda label: -shares[label])[:2]


def validate(session: Session, values: Values) -> Plain:
    """Answer with the accuracy on strokes that were left out, and the mistakes."""
    found = session.validate().result()
    return {
        "accuracy": number(found.accuracy),
        "labels": list(found.labels),
        "confusion": found.confusion.tolist(),
        "untested": list(found.untested),
        "strokes": list(found.strokes),
        "recall": [number(share) for share in found.recall],
        "ranges": [[number(end) for end in ends] for ends in found.ranges],
        "range": [number(end) for end in found.range],
    }


def importance(session: Session, values: Values) -> list[tuple[str, float]]:
    """Answer with the features that decide most, and their shares."""
    return session.importance(FEATURES_SHOWN)


def compare(session: Session, values: Values) -> Plain:
    """Answer with the accuracy, the time and a crop of every configuration.

    "crop" is the image alone, as PNG in base64; that of a configuration has its classes over it.
    """
    image, plane, box = values["image"], values["plane"], _crop(session, values)
    found = session.compare(image=image, plane=plane, box=box).result()
    one = session.image(image)
    seen = tiles.plane_of(one.image, plane)
    grey = tiles.intensity(seen, box, factor=1, shown=overview.automatic(one))
    ground = grey if grey.ndim == 3 else np.repeat(grey[..., None], 3, axis=2)
    return {
        "crop": _base64(tiles.picture_png(ground)),
        "tried": [_compared(session, one, ground) for one in found],
    }


def _crop(session: Session, values: Values) -> Box:
    """Return a square in the middle of what is shown, as far as the plane has it."""
    height, width = session.image(values["image"]).plane_shape(values["plane"])
    seen = as_box(values["box"])
    top = _start(seen.top, seen.bottom, height)
    left = _start(seen.left, seen.right, width)
    return Box(top, left, min(height, top + MEASURED_SIDE), min(width, left + MEASURED_SIDE))


def _start(first: int, last: int, size: int) -> int:
    return max(0, min((first + last - MEASURED_SIDE) // 2, size - MEASURED_SIDE))


def _compared(session: Session, one: Comparison, ground: NDArray[np.uint8]) -> Plain:
    found = one.validation
    picture = None
    if one.labels is not None:
        laid = overlay(ground, one.labels, session.classes, alpha=OPACITY)
        picture = _base64(tiles.picture_png(laid))
    return {
        "alias": one.alias,
        "title": EXTRACTOR_TITLES.get(one.alias, one.alias),
        "accuracy": number(one.accuracy),
        "range": [None, None] if found is None else [number(end) for end in found.range],
        "tied": one.tied,
        "training": number(one.training),
        "seconds": number(one.segmenting),
        "problem": one.problem,
        "crop": picture,
    }


def _base64(png: bytes) -> str:
    return base64.b64encode(png).decode("ascii")


def number(value: float) -> float | None:
    """Return a number that JSON knows; None for NaN."""
    return None if math.isnan(value) else float(value)
