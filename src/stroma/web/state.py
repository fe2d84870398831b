"""Everything about a session that is not pixels, as the page is told it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from stroma.data.classes import Class
from stroma.session import Session
from stroma.session.desk import OpenImage
from stroma.web.fields import configurations, shown


def described(session: Session, epoch: str) -> dict[str, Any]:
    """Return the state of a session as plain values.

    Parameters
    ----------
    session : Session
        What is described.
    epoch : str
        Of this run of the server.
    """
    settings, status = session.settings, session.status
    alias, aliases = configurations(settings.param)
    return {
        "epoch": epoch,
        "project": session.path.name if session.path else "",
        "notices": [one.message for one in session.notices],
        "images": [_image(one) for one in session.images],
        "classes": [_class(one) for one in session.classes],
        "mode": settings.mode,
        "trainOn": settings.train_on,
        "alias": alias,
        "aliases": aliases,
        **shown(settings.param),
        "trained": status.trained >= 0,
        "working": status.busy,
        "phase": status.phase,
        "message": status.message,
        "stale": 0 <= status.trained < session.revision,
        "revision": session.revision,
        "canUndo": session.undoable is not None,
        "canRedo": session.redoable is not None,
    }


def _image(one: OpenImage) -> dict[str, Any]:
    height, width = one.shape
    return {
        "key": one.key,
        "name": one.name,
        "height": height,
        "width": width,
        "outer": one.outer,
        "display": dict(one.display),
        "region": asdict(one.region) if one.region else None,
    }


def _class(one: Class) -> dict[str, Any]:
    return {"label": one.label, "name": one.name, "color": one.color}
