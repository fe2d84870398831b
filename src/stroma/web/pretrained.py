"""Pretrained networks: what one would have to be downloaded, and downloading it when asked to."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from stroma.errors import MissingExtraError
from stroma.features import EXTRACTORS
from stroma.features.build import part_names, within
from stroma.pixel.choices.catalogue import download as download_all
from stroma.pixel.choices.catalogue import networks, to_download
from stroma.session import Session
from stroma.session.words import said

Values = Mapping[str, Any]
Plain = dict[str, Any]


def needs(session: Session, values: Values) -> Plain:
    """Answer with what a configuration needs: a package that is missing, and downloads."""
    alias = str(values["alias"])
    downloads = [
        {
            "name": entry.name,
            "megabytes": entry.megabytes,
            "licence": entry.licence,
            "repository": entry.repository,
            "gated": entry.gated,
        }
        for entry in to_download(alias)
    ]
    return {"problem": _problem(networks(alias)), "downloads": downloads}


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
    session.start("download", partial(download_all, str(values["alias"]))).result()
