"""Graph exchange file format: a Zarr group of nodes, edges and their properties.

https://liveimagetrackingtools.org/geff describes version 1.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from stroma.data.tracks import Detections, Tracks
from stroma.errors import FormatError
from stroma.io.atomic import replaced
from stroma.io.tracks.movie import Movie
from stroma.io.units import full_name, symbol

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


def read(path: Path) -> Tracks:
    """Return the tracks of a graph; its spatial axes in their order, in their unit.

    Raises
    ------
    FormatError
        If it is no such graph, or lacks the time or place of its nodes.
    """
    import zarr

    try:
        group = zarr.open_group(path, mode="r")
        told: Any = group.attrs["geff"]
        axes = [a for a in told["axes"] if a.get("type") == "space"]
        time = next(a["name"] for a in told["axes"] if a.get("type") == "time")
        ids = np.asarray(group["nodes/ids"])
        names = [str(n) for n in told["node_props_metadata"]]
        columns = {n: np.asarray(group[f"nodes/props/{n}/values"]) for n in names}
        edges = np.asarray(group["edges/ids"]).reshape(-1, 2)
        frame = columns[time].astype(np.int64)
        places = np.stack([columns[a["name"]].astype(np.float64) for a in axes], axis=1)
    except (KeyError, StopIteration, TypeError, ValueError, FileNotFoundError) as error:
        raise FormatError(f"{path} is no graph of tracks, or lacks a part: {error}.") from error
    order = np.argsort(frame, kind="stable")
    at = {int(k): i for i, k in enumerate(ids[order])}
    if not set(edges.ravel().tolist()) <= set(at):
        raise FormatError(f"{path}: an edge names a node that is not there.")
    known = {time, "track", "label", *(a["name"] for a in axes)}
    measures = {
        n: c[order].astype(np.float64)
        for n, c in columns.items()
        if n not in known and c.ndim == 1 and c.dtype.kind in "iuf"
    }
    frame = frame[order]
    ranks = np.arange(len(frame)) - np.searchsorted(frame, frame) + 1
    label = columns["label"][order] if "label" in columns else ranks
    unit = str(axes[0].get("unit") or "")
    unit = symbol(unit) or unit
    found = Detections(frame, label.astype(np.int64), places[order], measures, unit=unit or "px")
    links = np.array([(at[a], at[b]) for a, b in edges.tolist()], np.int64).reshape(-1, 2)
    return Tracks(found, links)


def _metadata(tracks: Tracks, axes: str, properties: dict[str, Any]) -> dict[str, Any]:
    found = tracks.detections
    space: dict[str, Any] = {"type": "space"}
    if found.unit != "px":
        space["unit"] = full_name(found.unit) or found.unit
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
