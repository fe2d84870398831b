"""Pretrained networks: what one would have to be downloaded, and downloading it when asked to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from stroma.errors import Cancelled, MissingExtraError
from stroma.features import EXTRACTORS
from stroma.features.build import part_names, within
from stroma.pixel.choices.catalogue import networks
from stroma.session import Session
from stroma.session.words import said
from stroma.weights import CATALOGUE, fetch, status

Values = Mapping[str, Any]
Plain = dict[str, Any]


def needs(session: Session, values: Values) -> Plain:
    """Answer with what a configuration needs: a package that is missing, and downloads."""
    names = networks(str(values["alias"]))
    missing = [CATALOGUE[name] for name in names if status(name) == "missing"]
    downloads = [
        {
            "name": entry.name,
            "megabytes": entry.megabytes,
            "licence": entry.licence,
            "repository": entry.repository,
            "gated": entry.gated,
        }
        for entry in missing
    ]
    return {"problem": _problem(names), "downloads": downloads}


def _problem(names: list[str]) -> str:
    """Return which package is missing, and how to get it; empty where none is."""
    try:
        for name in names:
            for part in part_names(name):
                EXTRACTORS[within(part)]
    except MissingExtraError as error:
        return said(error)
    return ""


def download(session: Session, values: Values) -> None:
    """Fetch the pretrained networks of a configuration, as a task with progress."""
    names = networks(str(values["alias"]))

    def run(progress: Callable[[int, int], None], cancelled: Callable[[], bool]) -> None:
        def told(done: int, total: int) -> None:
            if cancelled():
                raise Cancelled("The download was stopped.")
            progress(done, total)

        for name in names:
            fetch(name, progress=told)

    session.start("download", run).result()
