"""Where somebody looked last in a project, so that it opens there; nothing depends on it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from stroma.blocks.box import Box
from stroma.errors import StromaError
from stroma.session.core import checks
from stroma.session.core.disk.journal import read_json, write_json
from stroma.session.core.disk.regular import read_regular
from stroma.session.core.document import Document
from stroma.session.core.view import View

NAME = "place.json"
MAX_BYTES = 10_000


def write(folder: Path, view: View | None) -> None:
    """Note where somebody looked last, if anybody did and it can be written."""
    if view is not None:
        with suppress(OSError, StromaError):  # what was painted is saved whatever comes of this
            write_json(folder / NAME, {"image": view.image, "plane": dict(view.position)})


def read(folder: Path, document: Document) -> View | None:
    """Return where somebody looked last; None where that is not known, or not there any more."""
    try:
        values = checks.mapping(read_json(read_regular(folder / NAME, MAX_BYTES)), "a place")
        sheet = document.sheet(str(values["image"]))
        number = sheet.plane_number(dict(checks.mapping(values["plane"], "a plane")))
    except (StromaError, OSError, LookupError, TypeError, ValueError):
        return None
    return View(sheet.key, number, sheet.position(number), Box.of(sheet.cuts.shape(number)))
