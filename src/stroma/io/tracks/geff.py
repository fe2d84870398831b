"""Graph exchange file format: a Zarr group of nodes, edges and their properties.

https://liveimagetrackingtools.org/geff describes version 1.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from stroma.data.tracks import Tracks
from stroma.io.atomic import replaced
from stroma.io.tracks.movie import Movie

VERSION = "1.1"


def write(folder: Path, tracks: Tracks, movie: Movie | None, stem: str) -> list[Path]:
    """Write ``STEM_tracks.geff``."""
    import zarr

    found = tracks.detections
    axes = "zyx"[-found.position.shape[1] :]
    path = folder / f"{stem}_tracks.geff"
    properties: dict[str, Any] = {
        "t": found.frame,
        **{a: found.places[:, i] for i, a in enumerate(axes)},
        "track": tracks.track,
        "label": found.label,
        **found.measures,
    }
    with replaced(path) as temporary:
        group = zarr.open_group(temporary, mode="w", zarr_format=2)
        group["nodes/ids"] = np.arange(len(found), dtype=np.uint64)
        group["edges/ids"] = tracks.links.astype(np.uint64)
        for name, values in properties.items():
            group[f"nodes/props/{name}/values"] = values
        group.attrs["geff"] = _metadata(tracks, axes, properties)
    return [path]


def _metadata(tracks: Tracks, axes: str, properties: dict[str, Any]) -> dict[str, Any]:
    found = tracks.detections
    space: dict[str, Any] = {"type": "space"}
    if found.unit != "px":
        space["unit"] = {"µm": "micrometer", "nm": "nanometer"}.get(found.unit, found.unit)
    props = {
        name: {"identifier": name, "dtype": str(values.dtype), "varlength": False}
        for name, values in properties.items()
    }
    return {
        "geff_version": VERSION,
        "directed": True,
        "axes": [{"name": "t", "type": "time"}, *({"name": a, **space} for a in axes)],
        "node_props_metadata": props,
        "edge_props_metadata": {},
        "track_node_props": {"tracklet": "track"},
    }
