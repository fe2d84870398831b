"""Pretrained networks: what one would have to be downloaded, and downloading it when asked to."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from stroma.backbones import BACKBONES
from stroma.errors import MissingExtraError, ParameterError, WeightsError
from stroma.pixel.choices.catalogue import Entry, entries, networks, to_download
from stroma.pixel.choices.catalogue import download as download_all
from stroma.session import Session
from stroma.session.words import said
from stroma.web.fields import GOOD_FOR, configurations
from stroma.weights import fetch, status
from stroma.zoo.packages.package import id_in

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


def extractors(session: Session, values: Values) -> list[Plain]:
    """Answer with all configurations: what each is good for, and what it needs to be used here.

    "state" is "here", "download" (of up to "megabytes"), or "missing", where "problem" says what
    and how to get it.
    """
    known = {entry.name: entry for entry in entries() if entry.kind == "alias"}
    _, choices = configurations(session.settings.param)
    return [_listed(known[c["value"]], c["title"]) for c in choices if c["value"] in known]


def _listed(entry: Entry, title: str) -> Plain:
    downloads = to_download(entry.name)
    problem = entry.missing or (
        _problem(networks(entry.name)) if entry.weights == "by hand" else ""
    )
    return {
        "alias": entry.name,
        "title": title,
        "good": GOOD_FOR.get(entry.name, ""),
        "state": "missing" if problem else "download" if downloads else "here",
        "megabytes": sum(one.megabytes for one in downloads),
        "licence": entry.licence,
        "problem": problem.partition("\n")[0],
    }


def _problem(names: list[str]) -> str:
    """Return what is missing that no download brings, and how to get it; empty where nothing is."""
    try:
        for name in names:
            BACKBONES[name]
            if status(name) == "by hand":
                fetch(name)
    except (MissingExtraError, WeightsError) as error:
        return said(error)
    return ""


def see_with(session: Session, values: Values) -> str:
    """Take what a network of bioimage.io sees as features, as a task; answer with their name."""
    source = str(values["id"]).strip()
    if not id_in(source):
        raise ParameterError(
            f"An id of bioimage.io is words with dashes, as affable-shark, got {source[:60]!r}. "
            "What is on your disk is chosen as a file."
        )
    own = values.get("own") is not False
    task = session.start(f"fetching {source}", lambda _, __: session.see_with(source, own=own))
    return task.result()


def download(session: Session, values: Values) -> None:
    """Fetch the pretrained networks of a configuration, as a task with progress."""
    session.start("download", partial(download_all, str(values["alias"]))).result()
