"""Files of tracks: one format a file."""

from stroma.registry import Registry

TRACK_WRITERS = Registry(
    "format of tracks",
    {
        "ctc": "stroma.io.tracks.ctc:write",
        "trackmate": "stroma.io.tracks.trackmate:write",
        "csv": "stroma.io.tracks.table:write",
        "geff": "stroma.io.tracks.geff:write",
    },
    group="stroma.track_writers",
)
"""Name -> ``write(folder, tracks, movie, stem) -> list of paths``; see `stroma.io.tracks.movie`."""
