"""All images of a session at a glance: small pictures, and what was done on each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stroma.blocks.box import Box
from stroma.session import Session
from stroma.session.core.opening import OpenImage
from stroma.session.strokes.exports import Written
from stroma.web import batch, contrast, exports, tiles
from stroma.web.tiles import Shown

SIDE = 160
"""Pixels along the longer side of a small picture, at most."""

MOST_PIXELS = 1 << 26
"""Pixels of a plane that are read for a small picture."""


def overview(session: Session, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Answer with what was done on every image.

    "painted" are pixels, "state" is how its results stand, and "failed" why the latest export
    failed, if it did.
    """
    failed = {} if session.path is None else batch.failed(exports.results_folder(session))
    written = session.all_written()
    return [
        {
            "key": one.key,
            "painted": session.painted_pixels(one.key),
            "state": _state(session, one, written.get(one.key)),
            "failed": failed.get(one.key, ""),
        }
        for one in session.images
    ]


def _state(session: Session, one: OpenImage, written: Written | None) -> str:
    """Return the best there is of an image, in memory or a file: "current", "older" or "absent"."""
    planes = session.known_planes(one.key)
    found = {session.standing(one.key, plane=plane).state for plane in planes}
    if written is not None:
        found.add("current" if written.current else "older")
    return next((state for state in ("current", "older") if state in found), "absent")


def small_picture(one: OpenImage, shown: Sequence[Shown] = ()) -> bytes | None:
    """Return the middle plane of an image as a small PNG; None where too much would be read.

    Parameters
    ----------
    one : OpenImage
        The image.
    shown : sequence of Shown
        How its channels are shown; by percentiles, unless given.
    """
    middle = {axis: size // 2 for axis, size in one.outer.items()}
    plane = tiles.plane_of(one.image, middle)
    box = Box.of(one.shape)
    smallest = min((Box.of(_sides(level)).area for level in plane.levels), default=box.area)
    if smallest > MOST_PIXELS or max(one.shape) > SIDE * tiles.MAX_FACTOR:
        return None
    factor = 1
    while max(one.shape) > SIDE * factor:
        factor *= 2
    drawn = tiles.intensity(plane, box, factor=factor, shown=shown or automatic(one))
    return tiles.picture_png(drawn)


def _sides(level: Any) -> tuple[int, int]:
    return level.sizes["y"], level.sizes["x"]


def automatic(one: OpenImage) -> list[Shown]:
    """Return how the channels of an image are shown, chosen by percentiles."""
    return [
        Shown(i, c.low, c.high, _colour(c.color))
        for i, c in enumerate(contrast.automatic(one.image))
        if c.on
    ]


def _colour(text: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(text.removeprefix("#"))
    return red, green, blue
