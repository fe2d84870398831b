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
        "zarr": "stroma.io.tracks.zarr:write",
        "lineage": "stroma.io.tracks.lineage:write",
    },
    group="stroma.track_writers",
)
"""Name -> ``write(folder, tracks, movie, stem) -> list of paths``; see `stroma.io.tracks.movie`."""

FOLDER = "folder"
"""What folders of the Cell Tracking Challenge are called among the readers."""

TRACK_READERS = Registry(
    "reader of tracks",
    {
        FOLDER: "stroma.workflow.scoring.compared:read_folder",
        ".csv": "stroma.io.tracks.table:read",
        ".xml": "stroma.io.tracks.trackmate_read:read",
        ".geff": "stroma.io.tracks.geff:read",
    },
    group="stroma.track_readers",
)
"""Ending -> ``read(path) -> Tracks``."""


def read_tracks(path: str | Path) -> Tracks:
    """Return the tracks in a file or folder of tracks.

    Parameters
    ----------
    path : path
        A file of TrackMate (``.xml``), a graph exchange file (``.geff``), a table that was written
        of tracks (``.csv``), or a folder of the Cell Tracking Challenge.

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
    ending = FOLDER if path.is_dir() and not path.suffix else path.suffix.lower()
    if ending not in TRACK_READERS:
        raise FormatError(
            f"{path} has the ending {path.suffix!r}. Tracks are read from: .csv, .xml, .geff, "
            "and from folders of the Cell Tracking Challenge."
        )
    found: Tracks = TRACK_READERS[ending](path)
    return found
