"""Addresses that take files: images that join the session, and strokes for one of them."""

from __future__ import annotations

from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from stroma.session import Session
from stroma.web import exports, folders, imports, uploads

IMAGES = "/uploads/images"
OTHERS = "/uploads/others"
PIECES = "/uploads/pieces"
STROKES = "/uploads/strokes"
OBJECTS = "/uploads/objects"
MODELS = "/uploads/models"
NETWORKS = "/uploads/networks"
TABLE = "/uploads/table"
LIMITS = {
    IMAGES: uploads.MAX_IMAGE,
    OTHERS: uploads.MAX_IMAGE,
    PIECES: uploads.MAX_IMAGE,
    STROKES: imports.MAX_STROKES,
    OBJECTS: uploads.MAX_IMAGE,
    MODELS: imports.MAX_MODEL,
    NETWORKS: imports.MAX_MODEL,
    TABLE: imports.MAX_STROKES,
}
"""Bytes that a body may have, by address; the body is the file."""


def routes() -> list[Route]:
    """Return the addresses."""
    return [
        Route(IMAGES, images, methods=["POST"]),
        Route(OTHERS, others, methods=["POST"]),
        Route(PIECES, pieces, methods=["POST"]),
        Route(STROKES, strokes, methods=["POST"]),
        Route(OBJECTS, objects, methods=["POST"]),
        Route(MODELS, models, methods=["POST"]),
        Route(NETWORKS, networks, methods=["POST"]),
        Route(TABLE, table, methods=["POST"]),
    ]


async def images(request: Request) -> Response:
    """Take an image into the project, and answer like ``uploads.join_image``."""
    session = _session(request)
    new = await _received(request, uploads.images_folder(session))
    return JSONResponse(await run_in_threadpool(uploads.join_image, session, new.whole))


async def others(request: Request) -> Response:
    """Take an image that is only to be segmented, and answer with its name."""
    new = await _received(request, exports.others_folder(_session(request)))
    await run_in_threadpool(uploads.check_image, new.whole)
    return JSONResponse({"file": new.whole.name})


async def pieces(request: Request) -> Response:
    """Take one file of an image that is a folder."""
    session, asked = _session(request), request.query_params
    size = int(request.headers.get("content-length", "0"))
    new = await run_in_threadpool(
        folders.begin_piece, session, asked.get("folder", ""), asked.get("path", ""), size
    )
    await new.receive(request.stream())
    return JSONResponse({})


async def _received(request: Request, folder: Path) -> uploads.Part:
    session, name = _session(request), request.query_params.get("name", "")
    size = int(request.headers.get("content-length", "0"))
    new = await run_in_threadpool(uploads.begin_image, session, name, size, folder=folder)
    await new.receive(request.stream())
    return new


async def strokes(request: Request) -> Response:
    """Lay the strokes of a file over those of an image."""
    key, name = (request.query_params.get(part, "") for part in ("image", "name"))
    await imports.import_strokes(_session(request), key, name, request.stream())
    return JSONResponse({"image": key})


async def objects(request: Request) -> Response:
    """Take over the objects of a label image as those of an image."""
    key, name = (request.query_params.get(part, "") for part in ("image", "name"))
    await imports.import_objects(_session(request), key, name, request.stream())
    return JSONResponse({"image": key})


async def models(request: Request) -> Response:
    """Go on with the model in a file."""
    name = request.query_params.get("name", "")
    await imports.take_model(_session(request), name, request.stream())
    return JSONResponse({})


async def networks(request: Request) -> Response:
    """Take what the network in a file sees as features, beside our own or ("own=") alone."""
    name, own = (request.query_params.get(part, "") for part in ("name", "own"))
    called = await imports.see_with(_session(request), name, request.stream(), own=bool(own))
    return JSONResponse({"features": called})


async def table(request: Request) -> Response:
    """Let a table of another program join the objects of an image."""
    key, name = (request.query_params.get(part, "") for part in ("image", "name"))
    await imports.import_table(_session(request), key, name, request.stream())
    return JSONResponse({"image": key})


def _session(request: Request) -> Session:
    session: Session = request.app.state.session
    return session
