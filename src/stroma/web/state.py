"""Everything about a session that is not pixels, as the page is told it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from hashlib import blake2b
from typing import Any

from stroma.data.classes import Class
from stroma.data.image import Image
from stroma.data.missing import said_of
from stroma.io.units import convert
from stroma.session import Session
from stroma.session.core.opening import OpenImage
from stroma.session.core.status import Status
from stroma.session.strokes import channels as alike
from stroma.session.strokes.applied import SAID
from stroma.session.words import plain
from stroma.web import imports, uploads
from stroma.web.fields import configurations, shown
from stroma.workflow.measuring.other_tables import TABLES

UPLOADS = {
    "images": {"endings": uploads.image_endings(), "limit": uploads.MAX_IMAGE},
    "strokes": {"endings": imports.stroke_endings(), "limit": imports.MAX_STROKES},
    "models": {"endings": list(imports.MODEL_ENDINGS), "limit": imports.MAX_MODEL},
    "networks": {"endings": list(imports.SEEING), "limit": imports.MAX_MODEL},
    "tables": {"endings": list(TABLES), "limit": imports.MAX_STROKES},
}


def described(session: Session, epoch: str) -> dict[str, Any]:
    """Return the state of a session as plain values.

    Parameters
    ----------
    session : Session
        What is described.
    epoch : str
        Of this run of the server.
    """
    settings, status, images = session.settings, session.status, session.images
    alias, aliases = configurations(settings.param)
    unasked = session.unasked()
    return {
        "epoch": epoch,
        "home": home(session),
        "project": session.path.name if session.path else "",
        "unsaved": session.unsaved,
        "notices": [{"image": one.image, "message": plain(one.message)} for one in session.notices],
        "images": [
            {
                **_image(one),
                "tracked": session.has_tracks(one.key),
                "address": unasked.get(one.key, ""),
            }
            for one in images
        ],
        "mixed": mixed(images, settings.channels),
        "classes": [_class(one) for one in session.classes],
        "mode": settings.mode,
        "trainOn": settings.train_on,
        "channels": None if settings.channels is None else list(settings.channels),
        "alias": alias,
        "aliases": aliases,
        **shown(settings.param),
        "trained": status.trained >= 0,
        "applied": "" if session.network is None else SAID,
        "working": status.busy,
        "phase": status.phase,
        "lacking": status.lacking,
        "message": problem(status),
        "stale": 0 <= status.trained < session.revision,
        "revision": session.revision,
        "canUndo": session.undoable is not None,
        "canRedo": session.redoable is not None,
        "uploads": UPLOADS,
        "looked": looked(session),
    }


def looked(session: Session) -> dict[str, Any] | None:
    """Return where somebody looked last, where that is known."""
    seen = session.looked
    return None if seen is None else {"image": seen[0], "plane": dict(seen[1])}


def problem(status: Status) -> str:
    """Return what went wrong, in words for people; empty where only strokes are lacking."""
    return "" if status.message in ("", status.lacking) else plain(status.message)


def home(session: Session) -> str:
    """Return what tells projects apart; empty for a session in memory."""
    if session.path is None:
        return ""
    return blake2b(str(session.path.resolve()).encode(), digest_size=8).hexdigest()


def mixed(images: Sequence[OpenImage], channels: tuple[int, ...] | None) -> str:
    """Return what to do about images of which one model cannot learn; empty where it can.

    Parameters
    ----------
    images : sequence of OpenImage
        All that are open.
    channels : tuple of int or None
        Those in use; None for all.
    """
    there = [(one.name, one.image) for one in images if not one.missing]
    wrong = alike.mixed(there, channels)
    if not wrong:
        return ""
    short = "Not all of these images fit one model: they differ in channels."
    untick = "In the panel Image, untick train at the channels to leave out."
    channels_apart = all(alike.count(image) for _, image in there)
    return f"{short}\n\n{wrong} {untick}" if channels_apart else f"{short}\n\n{wrong}"


def _image(one: OpenImage) -> dict[str, Any]:
    height, width = one.shape
    return {
        "key": one.key,
        "name": one.name,
        "height": height,
        "width": width,
        "outer": one.outer,
        "channels": one.image.sizes.get("c", 1),
        "rgb": one.image.rgb,
        "missing": one.missing,
        "pixel": pixel_size(one.image),
        "deep": depth_of_voxel(one.image),
        "sized": one.sized,
        "mark": one.mark,
        "notes": [plain(note) for note in (*one.image.notes, *said_of(one.image))],
        "display": dict(one.display),
        "region": asdict(one.region) if one.region else None,
    }


def pixel_size(image: Image) -> list[float] | None:
    """Return height and width of a pixel in µm; None where they are not known."""
    if not image.unit or not {"y", "x"} <= set(image.spacing):
        return None
    return [float(f"{convert(image.spacing[a], image.unit, 'µm'):.6g}") for a in "yx"]


def depth_of_voxel(image: Image) -> float | None:
    """Return how far apart planes are, in µm; None where that is not known."""
    if not image.unit or "z" not in image.spacing:
        return None
    return float(f"{convert(image.spacing['z'], image.unit, 'µm'):.6g}")


def _class(one: Class) -> dict[str, Any]:
    return {"label": one.label, "name": one.name, "color": one.color}
