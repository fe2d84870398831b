"""Tables of segmented volumes: sizes in voxels and µm³."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from stroma.data.classes import Class
from stroma.data.image import Image
from stroma.io.cells import write_table
from stroma.workflow.applying.components import Solid, coverage, slabs, solids, voxel_volume

PLACE = ["image", "t", "label", "class"]
SIZE = ["volume_vx", "volume_um3"]
CENTRE = ["centroid_z", "centroid_y", "centroid_x"]
BOX = ["front", "top", "left", "back", "bottom", "right"]
COMPONENTS = [*PLACE, "component", *SIZE, *CENTRE, *BOX]
SUMMARY = [*PLACE, "components", *SIZE, "share"]

Row = dict[str, object]


def write_volume_tables(
    labels: Image, classes: Sequence[Class], name: str, *, parts: Path, summary: Path, min_size: int
) -> None:
    """Write a table of all components of volumes and a table of classes.

    Parameters
    ----------
    labels : Image
        The segmentation, with z; read in slabs.
    classes : sequence of Class
        What its labels stand for.
    name : str
        What the image is called in the tables.
    parts, summary : Path
        Where to write: one row per component; one row per time and class.
    min_size : int
        Components with fewer voxels are not listed or counted; their voxels are part of volumes.
    """
    voxel, names = voxel_volume(labels), {c.label: c.name for c in classes}
    listed: list[Row] = []
    summed: list[Row] = []
    for t, volume in _volumes(labels):
        place: Row = {"image": name, "t": t}
        found = solids(slabs(volume))
        large = [s for s in found if s.area >= min_size]
        listed += [
            {**place, **_size(s.label, s.area, voxel, names), **_where(s), "component": number}
            for number, s in enumerate(large, start=1)
        ]
        summed += [
            {
                **place,
                **_size(k.label, k.area, voxel, names),
                "components": k.components,
                "share": f"{k.share:.6f}",
            }
            for k in coverage(found, classes, min_size=min_size)
        ]
    write_table(parts, COMPONENTS, listed)
    write_table(summary, SUMMARY, summed)


def _volumes(labels: Image) -> Iterator[tuple[int | str, Image]]:
    """Yield the volume of every time, with the time (empty where there is no such axis)."""
    if "t" not in labels.sizes:
        yield "", labels
        return
    for t in range(labels.sizes["t"]):
        yield t, labels.at(t=t)


def _size(label: int, voxels: int, voxel: float | None, names: dict[int, str]) -> Row:
    return {
        "label": label,
        "class": names.get(label, f"class {label}"),
        "volume_vx": voxels,
        "volume_um3": "" if voxel is None else f"{voxels * voxel:.6g}",
    }


def _where(solid: Solid) -> Row:
    centre = {f"centroid_{axis}": f"{getattr(solid, axis):.3f}" for axis in "zyx"}
    return {**centre, **{side: getattr(solid, side) for side in BOX}}
