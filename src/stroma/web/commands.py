"""What the page can change: each command parses, makes one call into the session, and answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from stroma.blocks.box import Box
from stroma.errors import ParameterError
from stroma.session import Session
from stroma.session.core.document import Edit
from stroma.session.events import Event, StrokesChanged, Undone
from stroma.session.recent import remember
from stroma.web import tracks

Values = Mapping[str, Any]
Plain = dict[str, Any]

PANES = ("", "first", "second")
"""What a tab shows: its plane, and two more that cut a volume elsewhere."""


def paint(session: Session, values: Values) -> int:
    """Draw a line; label 0 erases."""
    points = [(y, x) for y, x in values["points"]]
    where = {"radius": values["radius"], "plane": values["plane"]}
    if values["label"] == 0:
        return session.erase(values["image"], points, **where)
    return session.paint(values["image"], points, label=values["label"], **where)


def fill(session: Session, values: Values) -> int:
    """Fill a polygon."""
    points = [(y, x) for y, x in values["points"]]
    return session.fill(values["image"], points, label=values["label"], plane=values["plane"])


def clear(session: Session, values: Values) -> None:
    """Erase the strokes of a plane, of one class only if it is named."""
    session.clear(values["image"], plane=values["plane"], label=values.get("label"))


def copy_strokes(session: Session, values: Values) -> None:
    """Lay the strokes of a plane over those of another of the same image; one step of undo."""
    image, edit = values["image"], 0
    for box in session.painted(image, plane=values["plane"]):
        labels = session.strokes(image, box, plane=values["plane"])
        for label in np.unique(labels[labels > 0]).tolist():
            edit = session.stamp(
                image,
                labels == label,
                corner=(box.top, box.left),
                label=label,
                plane=values["to"],
                continues=edit,
            )
    if not edit:
        raise ParameterError("Nothing is painted on this plane, so there is nothing to copy.")


def undo(session: Session, values: Values) -> Plain:
    """Unmake the last edit, and answer with what it was and where."""
    edit = session.undoable
    return _changed(edit, session.undo())


def redo(session: Session, values: Values) -> Plain:
    """Make it again, and answer like ``undo``."""
    edit = session.redoable
    return _changed(edit, session.redo())


def _changed(edit: Edit | None, events: Sequence[Event]) -> Plain:
    """Return what an edit was, and planes and boxes that it changed, first where it was done."""
    places = [
        {"image": e.image, "plane": dict(e.plane), "box": asdict(e.box)}
        for e in sorted(events, key=lambda e: isinstance(e, StrokesChanged))
        if isinstance(e, StrokesChanged | Undone) and e.box is not None
    ]
    return {"kind": "" if edit is None else edit.kind, "places": places}


def add_class(session: Session, values: Values) -> int:
    """Add a class, and answer with its label."""
    return session.add_class(str(values.get("name", ""))).label


def change_class(session: Session, values: Values) -> None:
    """Rename or recolour a class."""
    session.change_class(values["label"], name=values.get("name"), color=values.get("color"))


def remove_class(session: Session, values: Values) -> None:
    """Remove a class and its strokes."""
    session.remove_class(values["label"])


def fetch(session: Session, values: Values) -> None:
    """Open an image that lies on a server that was not asked before, and others of that server."""
    waiting = session.unasked()
    server = urlsplit(waiting.get(values["image"], "")).netloc
    for key, address in waiting.items():
        if urlsplit(address).netloc == server:
            session.fetch(key)
            session.notices = tuple(said for said in session.notices if said.image != key)
    if session.path is not None and not session.unasked():
        remember(session.path)


def close_image(session: Session, values: Values) -> None:
    """Close an image, and forget its strokes."""
    session.close_image(values["image"])


def display(session: Session, values: Values) -> None:
    """Keep how an image is shown."""
    session.set_display(values["image"], values["display"])


def mark_image(session: Session, values: Values) -> None:
    """Accept or skip an image, or take it up again."""
    session.mark_image(values["image"], values["mark"])


def pixel_size(session: Session, values: Values) -> None:
    """Set the size of an image's pixels in µm, or (empty) take that of its file."""
    session.set_pixel_size(values["image"], values["size"])


def copy_settings(session: Session, values: Values) -> int:
    """Show other images as this one, with its region; answer with how many."""
    targets = [str(key) for key in values["targets"]]
    session.copy_settings(values["image"], targets)
    return len(targets)


def region(session: Session, values: Values) -> None:
    """Restrict results to a rectangle, or (null) lift that."""
    session.set_region(values["image"], as_box(values["box"]) if values["box"] else None)


def mode(session: Session, values: Values) -> None:
    """Train after each stroke, on demand, or not at all."""
    session.set_mode(values["mode"])


def training(session: Session, values: Values) -> None:
    """Train on the image that is shown, or on all."""
    session.set_training(values["on"])


def use_channels(session: Session, values: Values) -> None:
    """Learn from some channels only, or (null) from all."""
    given = values["channels"]
    session.set_channels(None if given is None else sorted(given))


def params(session: Session, values: Values) -> None:
    """Change parameters of the model."""
    session.set_params(**values["values"])


def alias(session: Session, values: Values) -> None:
    """Start from another configuration."""
    session.set_alias(str(values["alias"]))


def train(session: Session, values: Values) -> None:
    """Train now, on everything that is painted."""
    session.train()


def cancel(session: Session, values: Values) -> None:
    """Stop what is under way."""
    session.cancel()


def look(session: Session, values: Values) -> None:
    """Say what this tab shows, so that it is predicted first."""
    box = as_box(values["box"])
    pane = values.get("pane", "")
    view = pane_of(values["tab"], pane)
    session.look(values["image"], plane=values["plane"], box=box, view=view, beside=bool(pane))


def look_away(session: Session, values: Values) -> None:
    """Say that a pane of this tab is closed."""
    session.look_away(pane_of(values["tab"], values["pane"]))


def pane_of(tab: str, pane: str) -> str:
    """Return what the session calls what a tab shows: beside its plane, those of its panes."""
    if pane not in PANES:
        raise ParameterError(f"A pane is one of {', '.join(PANES[1:])}, got {str(pane)[:20]!r}.")
    return f"{tab}/{pane}" if pane else tab


def as_box(given: Values) -> Box:
    """Return a rectangle that the page named by its edges."""
    return Box(*(int(given[edge]) for edge in ("top", "left", "bottom", "right")))


CHANGES = {
    "paint": paint,
    "fill": fill,
    "clear": clear,
    "correct-tracks": tracks.correct,
    "copy-strokes": copy_strokes,
    "undo": undo,
    "redo": redo,
    "add-class": add_class,
    "change-class": change_class,
    "remove-class": remove_class,
    "fetch": fetch,
    "close-image": close_image,
    "display": display,
    "copy-settings": copy_settings,
    "mark-image": mark_image,
    "pixel-size": pixel_size,
    "region": region,
    "mode": mode,
    "training": training,
    "use-channels": use_channels,
    "params": params,
    "alias": alias,
    "train": train,
    "cancel": cancel,
    "look": look,
    "look-away": look_away,
}
"""Commands that change the session, by name; done in the order in which they come."""
