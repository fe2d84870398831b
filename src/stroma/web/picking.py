"""One press that paints a region, or removes a stroke: magic wand, bucket and scissors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stroma.session import Session
from stroma.web.commands import as_box

Values = Mapping[str, Any]


def wand(session: Session, values: Values) -> int:
    """Paint what looks alike around a point; label 0 erases there."""
    return session.paint_alike(
        values["image"],
        _point(values),
        label=values["label"],
        reach=float(values["reach"]),
        box=as_box(values["box"]),
        plane=values["plane"],
    )


def bucket(session: Session, values: Values) -> int:
    """Paint what strokes enclose around a point."""
    return session.fill_in(
        values["image"],
        _point(values),
        label=values["label"],
        box=as_box(values["box"]),
        plane=values["plane"],
    )


def remove_stroke(session: Session, values: Values) -> int:
    """Remove the stroke at a point, or next to it."""
    return session.remove_stroke(
        values["image"], _point(values), within=float(values["within"]), plane=values["plane"]
    )


def _point(values: Values) -> tuple[float, float]:
    y, x = values["at"]
    return float(y), float(x)


PICKS = {"wand": wand, "bucket": bucket, "remove-stroke": remove_stroke}
"""Commands by name."""
