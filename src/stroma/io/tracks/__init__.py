"""Files of tracks: one format a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from stroma.errors import FormatError, MissingFileError
from stroma.registry import Registry

if TYPE_CHECKING:
    from stroma.data.tracks import Tracks

TRACK_WRITERS = Registry(
    "format of tracks",
    {
        "ctc": "stroma.io.tracks.ctc:write",
        "trackmate": "stroma.io.tracks.trackmate:write",
        "csv": "stroma.io.tracks.table:write",
        "geff": "stroma.io.tracks.geff:write",
        "lineage": "stroma.io.tracks.lineage:write",
    },
    group="stroma.track_writers",
)
"""Name -> ``write(folder, tracks, movie, stem) -> list of paths``; see `stroma.io.tracks.movie`."""

TRACK_READERS = Registry(
    "reader of tracks",
    {
        ".xml": "stroma.io.tracks.trackmate_read:read",
        ".geff": "stroma.io.tracks.geff:read",
    },
    group="stroma.track_readers",
)
"""Ending -> ``read(path) -> Tracks``."""


def read_tracks(path: str | Path) -> Tracks:
    """Return the tracks in a file of TrackMate (``.xml``) or a graph exchange file (``.geff``).

    Raises
    ------
    MissingFileError
        If there is no such file.
    FormatError
        If its ending is of no format of tracks that is read.
    """
    path = Path(path)
    if not path.exists():
        raise MissingFileError(f"There is no file {path}.")
    if path.suffix.lower() not in TRACK_READERS:
        raise FormatError(
            f"{path} has the ending {path.suffix!r}. Tracks are read from: "
            f"{', '.join(TRACK_READERS)}, and from folders of the Cell Tracking Challenge."
        )
    found: Tracks = TRACK_READERS[path.suffix.lower()](path)
    return found
