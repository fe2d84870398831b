"""Weights that a Python package carries, so that installing it is all the fetching there is."""

from __future__ import annotations

from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from stroma.weights.catalogue import Entry


def installed(entry: Entry) -> Path | None:
    """Return the file inside the installed package, which is not imported; None without it."""
    found = find_spec(entry.package) if entry.package else None
    folders = list((found and found.submodule_search_locations) or ())
    paths = [Path(f) / source.file for f in folders for source in entry.sources]
    return next((path for path in paths if path.is_file()), None)


def version(entry: Entry) -> str:
    """Return the version of the installed package; empty where it is not known."""
    try:
        return metadata.version(entry.distribution)
    except metadata.PackageNotFoundError:
        return ""
