"""Engines by name, with what the user says of their weights."""

from __future__ import annotations

import inspect
from pathlib import Path

from stroma.errors import MissingExtraError, ParameterError
from stroma.prompts import ENGINES
from stroma.prompts.contract import PromptedSegmenter


def engine(
    name: str,
    *,
    weights: str | Path | None = None,
    cache: str | Path | None = None,
    decoder: str | Path | None = None,
) -> PromptedSegmenter:
    """Return a new engine.

    Parameters
    ----------
    name : str
        Name in `stroma.prompts.ENGINES`.
    weights : path, optional
        File or folder with its weights, for engines that have some.
    cache : path, optional
        Folder where it keeps what it made of images, for engines that can.
    decoder : path, optional
        File with a decoder that finds all objects, for engines that take one.

    Raises
    ------
    UnknownNameError
        If there is no such engine.
    ParameterError
        If it takes no weights, or keeps nothing.
    """
    make = ENGINES[name]
    said = {"weights": weights, "cache": cache, "decoder": decoder}
    options = {key: str(value) for key, value in said.items() if value is not None}
    known = inspect.signature(make).parameters
    for key in options:
        if key not in known:
            raise ParameterError(
                f"The prompt engine {name!r} takes no {key}. Leave it out, or choose one of those "
                f"that do: {', '.join(_taking(key))}."
            )
    made: PromptedSegmenter = make(**options)
    return made


def passing(name: str) -> PromptedSegmenter:
    """Return a new engine for pictures that are looked at once: it keeps nothing of them on disk.

    Parameters
    ----------
    name : str
        Name in `stroma.prompts.ENGINES`.
    """
    keeps = "cache" in inspect.signature(ENGINES[name]).parameters
    return engine(name, cache="" if keeps else None)


def _taking(option: str) -> list[str]:
    """Return the engines that take an option, of those whose extras are installed."""
    found = []
    for name in ENGINES:
        try:
            known = inspect.signature(ENGINES[name]).parameters
        except MissingExtraError:
            continue
        if option in known:
            found.append(name)
    return found
