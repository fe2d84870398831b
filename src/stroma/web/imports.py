"""Files from the page that are given to the session and not kept: strokes, objects, models."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

from starlette.concurrency import run_in_threadpool

from stroma.errors import ParameterError
from stroma.io import STROKE_READERS
from stroma.session import Session
from stroma.web.exports import project
from stroma.web.uploads import PASSING, Part, image_endings, reason, safe_name
from stroma.workflow.applying.load import NETWORK, PACKAGE, STROKES, load
from stroma.workflow.measuring.other_tables import TABLES

Answer = TypeVar("Answer")

MAX_STROKES = 2**28
"""Bytes of a file of strokes."""

MAX_MODEL = 2**31
"""Bytes of a file with a model."""

MODEL_ENDINGS = (*STROKES, NETWORK, PACKAGE)
"""Endings of files with a model."""

SEEING = (NETWORK, PACKAGE)
"""Endings of files with a network whose features can be had."""

NOTHING = "Nothing was imported"


def stroke_endings() -> list[str]:
    """Return the endings of files of strokes that are no images."""
    return sorted(STROKE_READERS)


async def import_strokes(
    session: Session, key: str, name: str, pieces: AsyncIterable[bytes]
) -> None:
    """Lay strokes from a file over those of an image; one step of undo.

    Raises
    ------
    StromaError
        If they cannot be read, or do not fit the image.
    """
    clean = safe_name(name, [*stroke_endings(), *image_endings()])
    session.image(key)
    await _given(session, clean, pieces, partial(session.import_strokes, key), failed=NOTHING)


async def import_objects(
    session: Session, key: str, name: str, pieces: AsyncIterable[bytes]
) -> None:
    """Take over the objects of a label image, with their numbers; one step of undo.

    Raises
    ------
    StromaError
        If it cannot be read, or does not fit the image.
    """
    clean = safe_name(name, image_endings())
    session.image(key)
    await _given(session, clean, pieces, partial(session.set_objects, key), failed=NOTHING)


async def import_table(session: Session, key: str, name: str, pieces: AsyncIterable[bytes]) -> None:
    """Let a table of another program join the objects of an image; one step of undo.

    Raises
    ------
    StromaError
        If it cannot be read, or knows none of the objects.
    """
    clean = safe_name(name, list(TABLES))
    session.image(key)
    await _given(session, clean, pieces, partial(session.join_table, key), failed=NOTHING)


async def take_model(session: Session, name: str, pieces: AsyncIterable[bytes]) -> None:
    """Go on with the model in a file: it segments until strokes train one anew.

    Raises
    ------
    StromaError
        If it cannot be read, or does not fit the images.
    """
    clean = safe_name(name, list(MODEL_ENDINGS))
    failed = "The model was not loaded"
    await _given(session, clean, pieces, lambda p: session.set_model(load(p)), failed=failed)


async def see_with(
    session: Session, name: str, pieces: AsyncIterable[bytes], *, own: bool = True
) -> str:
    """Take what the network in a file sees as features, and answer with their name.

    Raises
    ------
    StromaError
        If it cannot be read, or its features cannot be had.
    """
    clean, take = safe_name(name, list(SEEING)), partial(session.see_with, own=own)
    return await _given(session, clean, pieces, take, failed="The network was not taken")


async def _given(
    session: Session,
    name: str,
    pieces: AsyncIterable[bytes],
    take: Callable[[Path], Answer],
    *,
    failed: str,
) -> Answer:
    """Receive a file, give it to what takes it, and return what that answers."""
    with _passing(session, name) as new:
        await new.receive(pieces)
        try:
            return await run_in_threadpool(take, new.whole)
        except Exception as error:  # as in uploads: files of others make libraries raise anything
            raise ParameterError(f"{failed}: {reason(error, new.whole)}") from error


@contextmanager
def _passing(session: Session, name: str) -> Iterator[Part]:
    """Yield a place in the project for a file that is not kept."""
    with tempfile.TemporaryDirectory(prefix=PASSING, dir=project(session)) as folder:
        new = Part(Path(folder, name))
        new.part.touch()
        yield new
