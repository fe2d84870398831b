"""``stroma particles``: points that sit on membranes, with the way out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stroma.cli.show import refuse_existing


def particles(
    points: Annotated[
        Path,
        typer.Argument(
            metavar="POINTS",
            help="Table with columns y, x (and z) in pixels, such as NAME_points.csv.",
            show_default=False,
        ),
    ],
    labels: Annotated[
        Path,
        typer.Argument(metavar="LABELS", help="Label image of membranes.", show_default=False),
    ],
    out: Annotated[
        Path | None,
        typer.Option(help="Table to write.", show_default="POINTS with _particles"),
    ] = None,
    label: Annotated[
        int | None,
        typer.Option(help="Label of the membrane.", show_default="all above 0"),
    ] = None,
    within: Annotated[
        float,
        typer.Option(
            help="How far from its surface points may be, in the unit of the image (pixels, if it "
            "has none)."
        ),
    ] = 3.0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file.")] = False,
) -> None:
    """Keep the points that sit on a membrane, with distance and normal.

    Normals have length 1 in space and point out of the membrane, on the side of the point.
    """
    target = out or points.with_name(f"{points.stem}_particles.csv")
    refuse_existing(target, overwrite=overwrite)
    from stroma.workflow.measuring.particles import write_particles

    count = write_particles(points, labels, target, label=label, within=within)
    typer.echo(f"{target}: {count} points on membranes")
