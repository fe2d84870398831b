"""The files that make the page: read once, and answered from memory.

A page asks for some sixty files at once. Read from the disk one by one, in threads, they would keep
the first picture waiting.
"""

from __future__ import annotations

import gzip
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

STATIC = Path(__file__).parent / "static"
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
"""What is answered, by ending: systems have tables of their own, which are wrong on some."""


class File(NamedTuple):
    """A file of the page: its bytes as they are and zipped, what it is, and a name for both."""

    plain: bytes
    zipped: bytes
    kind: str
    tag: str


def routes() -> list[Route]:
    """Return the addresses of the files."""
    return [Route("/static/{name}", answer)]


def page(name: str, *, body: str = "<body>") -> Response:
    """Answer with a page.

    Parameters
    ----------
    name : str
        Its file.
    body : str
        How its body begins, if not like this.
    """
    return HTMLResponse(_text(name).replace("<body>", body, 1))


async def answer(request: Request) -> Response:
    """Answer with a file; a browser that has it already is told so."""
    found = _files().get(request.path_params["name"])
    if found is None:
        raise HTTPException(404)
    headers = {"ETag": found.tag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    if request.headers.get("if-none-match") == found.tag:
        return Response(status_code=304, headers=headers)
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(found.plain, headers=headers, media_type=found.kind)
    headers["Content-Encoding"] = "gzip"
    return Response(found.zipped, headers=headers, media_type=found.kind)


@cache
def _files() -> dict[str, File]:
    return {path.name: _file(path) for path in STATIC.iterdir() if path.suffix in TYPES}


def _file(path: Path) -> File:
    plain = path.read_bytes()
    tag = f'"{blake2b(plain, digest_size=8).hexdigest()}"'
    return File(plain, gzip.compress(plain, 6), TYPES[path.suffix], tag)


@cache
def _text(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")
