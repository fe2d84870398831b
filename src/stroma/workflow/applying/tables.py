"""Tables of segmentations, as CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from stroma.data.classes import Class
from stroma.data.image import Image
from stroma.io.cells import new_table, write_table
from stroma.workflow.applying.components import Measured, bands, components, pixel_area

PLACE = ["image", "t", "z", "label", "class"]
SIZE = ["area_px", "area_um2"]
BOX = ["top", "left", "bottom", "right"]
COMPONENTS = [*PLACE, "component", *SIZE, "centroid_y", "centroid_x", *BOX]
SUMMARY = [*PLACE, "components", *SIZE, "share"]


def write_tables(
    labels: Image, classes: Sequence[Class], name: str, *, parts: Path, summary: Path, min_size: int
) -> None:
    """Write a table of all components and a table of classes, plane by plane.

    Parameters
    ----------
    labels : Image
        The segmentation; read in bands.
    classes : sequence of Class
        What its labels stand for.
    name : str
        What the image is called in the tables.
    parts, summary : Path
        Where to write: one row per component; one row per plane and class.
    min_size : int
        Components with fewer pixels are not listed or counted; their pixels are part of areas.
    """
    area = pixel_area(labels)
    with new_table(parts, COMPONENTS) as add_parts, new_table(summary, SUMMARY) as add_summary:
        for t, z, plane in planes(labels):
            place = {"image": name, "t": t, "z": z}
            found = components(bands(plane))
            measured = Measured.of(found, classes, pixel_area=area, min_size=min_size)
            add_parts(_component_rows(measured, place))
            names = {c.label: c.name for c in classes}
            for k in measured.coverage:
                said = {"components": k.components, "share": f"{k.share:.6f}"}
                add_summary([{**place, **_sizes(k.label, k.area, area, names), **said}])


def write_components(
    path: Path, measured: Measured, name: str, plane: Mapping[str, int] | None = None
) -> None:
    """Write the components of one plane, as `write_tables` writes those of a whole image.

    Parameters
    ----------
    path : Path
        Where to write.
    measured : Measured
        The components.
    name : str
        What the image is called in the table.
    plane : mapping of str to int, optional
        Position along t and z.
    """
    at = dict(plane or {})
    place = {"image": name, "t": at.get("t", ""), "z": at.get("z", "")}
    write_table(path, COMPONENTS, _component_rows(measured, place))


def join(tables: Iterable[Path], path: Path, *, first: Sequence[str] = SUMMARY) -> None:
    """Write several tables as one, with the heads of all; those of planes come first."""
    rows: list[dict[str, str]] = []
    heads = dict.fromkeys(first)
    for table in tables:
        with table.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            heads |= dict.fromkeys(reader.fieldnames or ())
            rows += reader
    if rows and not any("area_px" in row for row in rows):
        heads = dict.fromkeys(head for head in heads if any(head in row for row in rows))
    write_table(path, list(heads), rows)


def planes(image: Image) -> Iterable[tuple[int | str, int | str, Image]]:
    """Iterate over the planes of an image: t and z (empty where there is no such axis), plane."""
    for t in range(image.sizes.get("t", 1)):
        for z in range(image.sizes.get("z", 1)):
            at = {a: i for a, i in (("t", t), ("z", z)) if a in image.sizes}
            yield at.get("t", ""), at.get("z", ""), image.at(**at)


def _component_rows(measured: Measured, place: Mapping[str, object]) -> Iterator[dict[str, object]]:
    names = {c.label: c.name for c in measured.classes}
    for number, c in enumerate(measured.components, start=1):
        yield {
            **place,
            **_sizes(c.label, c.area, measured.pixel_area, names),
            "component": number,
            "centroid_y": f"{c.y:.3f}",
            "centroid_x": f"{c.x:.3f}",
            **{side: getattr(c, side) for side in BOX},
        }


def _sizes(label: int, pixels: int, area: float | None, names: dict[int, str]) -> dict[str, object]:
    micrometres = "" if area is None else f"{pixels * area:.6g}"
    return {
        "label": label,
        "class": names.get(label, f"class {label}"),
        "area_px": pixels,
        "area_um2": micrometres,
    }
