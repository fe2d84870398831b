"""Addresses that answer with pixels: the image, strokes and results, tile by tile."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from stroma.blocks.box import Box
from stroma.data.classes import Class
from stroma.data.cut import across
from stroma.errors import ParameterError
from stroma.session import Session
from stroma.session.core.opening import OpenImage
from stroma.session.events import Position
from stroma.session.strokes.blocks import Layer
from stroma.web import archive, batch, exports, overview, tiles
from stroma.web.tiles import Shown

FOR_EVER = "private, max-age=86400, immutable"
AGAIN = "private, no-cache"
MAX_CHANNELS = 32


def routes() -> list[Route]:
    """Return the addresses."""
    tile = "{factor:int}/{row:int}/{column:int}"
    return [
        Route(f"/images/{{key}}/pixels/{tile}", pixels),
        Route(f"/images/{{key}}/strokes/{tile}", strokes),
        Route(f"/images/{{key}}/labels/{tile}", labels),
        Route(f"/images/{{key}}/uncertainty/{tile}", uncertainty),
        Route(f"/images/{{key}}/probability/{{label:int}}/{tile}", probability),
        Route("/images/{key}/small", small),
        Route(f"/results/{archive.NAME}", results_archive),
        Route("/results/look", look),
        Route("/results/{name}", result_file),
    ]


def pixels(request: Request) -> Response:
    """Answer with the image; its address holds all that the answer depends on."""
    one, plane, factor, box = asked(request)
    shown = [_channel(text) for text in request.query_params.getlist("c")[:MAX_CHANNELS]]
    drawn = tiles.intensity(tiles.plane_of(one.image, plane), box, factor=factor, shown=shown)
    return _png(tiles.picture_png(drawn), FOR_EVER)


def small(request: Request) -> Response:
    """Answer with a small picture of an image; its address holds how it is shown."""
    one = session_of(request).image(request.path_params["key"])
    shown = [_channel(text) for text in request.query_params.getlist("c")[:MAX_CHANNELS]]
    found = None if one.missing else overview.small_picture(one, shown)
    return nothing() if found is None else _png(found, FOR_EVER)


def strokes(request: Request) -> Response:
    """Answer with what is painted."""
    one, plane, factor, box = asked(request)
    session = session_of(request)
    parts = [p.clipped(box) for p in session.painted(one.key, plane=plane)]
    parts = [p for p in parts if p.bottom > p.top and p.right > p.left]
    if not parts:
        return nothing()
    small = np.zeros(box.coarse(factor).shape, np.uint16)
    for part in parts:
        values = tiles.largest(session.strokes(one.key, part, plane=plane), part, factor)
        inside = small[part.coarse(factor).relative(box.coarse(factor)).slices]
        np.maximum(inside, values, out=inside)
    return _png(tiles.labels_png(small, session.classes), AGAIN)


def labels(request: Request) -> Response:
    """Answer with the most probable classes: their labels, which the page gives colours."""
    return _result(request, "labels")


def uncertainty(request: Request) -> Response:
    """Answer with how uncertain the classes are."""
    return _result(request, "uncertainty")


def probability(request: Request) -> Response:
    """Answer with the probability of one class."""
    return _result(request, "probability", int(request.path_params["label"]))


def result_file(request: Request) -> Response:
    """Answer with a file that was exported."""
    path = exports.result_file(session_of(request), request.path_params["name"])
    return FileResponse(path, filename=path.name)


def look(request: Request) -> Response:
    """Answer with a picture of a result of the latest export."""
    session = session_of(request)
    folder = exports.results_folder(session)
    return _png(batch.look(session, folder, request.query_params.get("name", "")), AGAIN)


def results_archive(request: Request) -> Response:
    """Answer with all files of the latest export as one .zip."""
    session = session_of(request)
    files = archive.contents(exports.results_folder(session))
    return archive.Archive(files, f"{exports.project(session).stem}-{archive.NAME}")


def _result(request: Request, layer: Layer, label: int | None = None) -> Response:
    one, plane, factor, box = asked(request)
    session = session_of(request)
    shown = session.result(one.key, box, plane=plane, layer=layer, label=label, step=factor)
    colours = () if layer == "labels" else session.classes
    tag = f'"{shown.tag}-{hash((colours, factor)) & 0xFFFFFFFF:x}"'
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers={"ETag": tag, "Cache-Control": AGAIN})
    if layer == "labels":
        return _values(shown.values, tag) if shown.values.any() else nothing()
    ramp = tiles.UNCERTAINTY if label is None else _ramp(session.classes, label)
    if np.isnan(shown.values).all():
        return nothing()
    return _png(tiles.ramp_png(shown.values, ramp), AGAIN, tag)


def _ramp(classes: Sequence[Class], label: int) -> tiles.Ramp:
    return tiles.probability_ramp(next((c for c in classes if c.label == label), Class(label)))


def session_of(request: Request) -> Session:
    """Return the session that is served."""
    session: Session = request.app.state.session
    return session


def asked(request: Request) -> tuple[OpenImage, Position, int, Box]:
    """Return what a tile's address names: image, plane, factor and pixels."""
    one = session_of(request).image(request.path_params["key"])
    plane = _plane(request, one)
    factor, row, column = (int(request.path_params[n]) for n in ("factor", "row", "column"))
    return one, plane, factor, tiles.tile_box(one.plane_shape(plane), factor, row, column)


def _plane(request: Request, one: OpenImage) -> Position:
    """Return the plane an address names: along t and z, or t and y or x."""
    along = ("t", across(request.query_params))
    sizes = {a: n for a, n in one.planes.sizes.items() if a in along}
    return {axis: _whole(request, axis, size) for axis, size in sizes.items()}


def _whole(request: Request, axis: str, size: int) -> int:
    text = request.query_params.get(axis, "0")
    if not text.isdecimal() or int(text) >= size:
        raise ParameterError(f"A position along {axis} is 0 to {size - 1}, got {text[:20]!r}.")
    return int(text)


def _channel(text: str) -> Shown:
    """Read "channel:low:high:rrggbb"."""
    try:
        channel, low, high, colour = text.split(":")
        red, green, blue = bytes.fromhex(colour)
        return Shown(int(channel), float(low), float(high), (red, green, blue))
    except ValueError as error:
        raise ParameterError(
            f"A channel is written 'channel:low:high:rrggbb', got {text[:60]!r}."
        ) from error


def _values(values: NDArray[np.integer], tag: str) -> Response:
    """Answer with labels row by row, a byte each, or two where that is not enough."""
    shape = " ".join(map(str, values.shape))
    headers = {"Cache-Control": AGAIN, "ETag": tag, "Content-Encoding": "deflate", "X-Shape": shape}
    packed = tiles.packed(values)
    return Response(packed, media_type="application/octet-stream", headers=headers)


def _png(content: bytes, caching: str, tag: str = "") -> Response:
    headers = {"Cache-Control": caching} | ({"ETag": tag} if tag else {})
    return Response(content, media_type="image/png", headers=headers)


def nothing() -> Response:
    """Answer that there is nothing to show in a tile."""
    return Response(status_code=204, headers={"Cache-Control": AGAIN})
