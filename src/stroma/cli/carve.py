"""``stroma carve``: one object out of an image, with strokes on it and beside it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from stroma.cli.settings import Series
from stroma.cli.show import AsJson, as_json


def carve(
    image: Annotated[
        Path, typer.Argument(metavar="IMAGE", help="A plane or volume.", show_default=False)
    ],
    seeds: Annotated[
        Path,
        typer.Option(
            help="Label image of the same size with strokes: 1 on background, 2 on the object, "
            "0 elsewhere.",
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Option(help="Label image to write, such as cell_object.tif.")],
    boundary: Annotated[
        str,
        typer.Option(
            metavar="edges|bright|dark",
            help="What bounds objects: steps in brightness, or bright or dark lines and sheets, "
            "such as membranes.",
        ),
    ] = "edges",
    sigma: Annotated[
        float, typer.Option(help="Width of the Gaussian that boundaries are found with, in pixels.")
    ] = 1.6,
    series: Series = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace earlier files.")] = False,
    json: AsJson = False,
) -> None:
    """Carve one object out of an image, with a few strokes."""
    from stroma.workflow.prompting.carve import carve_file

    found = carve_file(
        image, seeds, out, boundary=boundary, sigma=sigma, series=series, overwrite=overwrite
    )
    if json:
        as_json(asdict(found))
        return
    typer.echo(f"{found.pixels} pixels, of {found.regions} regions. Written to {out}")
