"""Tables of segmentations, as CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from stroma.data.classes import Class
from stroma.data.image import Image
from stroma.io.atomic import replaced
from stroma.workflow.components import bands, components, coverage, pixel_area

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
    with (
        replaced(parts) as new_parts,
        replaced(summary) as new_summary,
        new_parts.open("w", newline="", encoding="utf-8") as part_file,
        new_summary.open("w", newline="", encoding="utf-8") as summary_file,
    ):
        part_rows = csv.DictWriter(part_file, COMPONENTS)
        summary_rows = csv.DictWriter(summary_file, SUMMARY)
        part_rows.writeheader()
        summary_rows.writeheader()
        for t, z, plane in planes(labels):
            place = {"image": name, "t": t, "z": z}
            names = {c.label: c.name for c in classes}
            found = components(bands(plane))
            large = (c for c in found if c.area >= min_size)
            for i, c in enumerate(large, start=1):
                said = {
                    **_sizes(c.label, c.area, area, names),
                    "component": i,
                    "centroid_y": f"{c.y:.3f}",
                    "centroid_x": f"{c.x:.3f}",
                }
                box = {k: v for k, v in asdict(c).items() if k in BOX}
                part_rows.writerow({**place, **said, **box})
            for k in coverage(found, classes, min_size=min_size):
                said = {"components": k.components, "share": f"{k.share:.6f}"}
                summary_rows.writerow({**place, **_sizes(k.label, k.area, area, names), **said})


def join(tables: Iterable[Path], path: Path) -> None:
    """Write several tables with the same heads as one."""
    with replaced(path) as new, new.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, SUMMARY)
        writer.writeheader()
        for table in tables:
            with table.open(newline="", encoding="utf-8") as file:
                writer.writerows(csv.DictReader(file))


def planes(image: Image) -> Iterable[tuple[int | str, int | str, Image]]:
    """Iterate over the planes of an image: t and z (empty where there is no such axis), plane."""
    for t in range(image.sizes.get("t", 1)):
        for z in range(image.sizes.get("z", 1)):
            at = {a: i for a, i in (("t", t), ("z", z)) if a in image.sizes}
            yield at.get("t", ""), at.get("z", ""), image.at(**at)


def _sizes(label: int, pixels: int, area: float | None, names: dict[int, str]) -> dict[str, object]:
    micrometres = "" if area is None else f"{pixels * area:.6g}"
    return {
        "label": label,
        "class": names.get(label, f"class {label}"),
        "area_px": pixels,
        "area_um2": micrometres,
    }
