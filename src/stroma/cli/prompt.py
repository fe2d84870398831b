"""``stroma prompt``: clicks to objects."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from stroma.cli.settings import Series
from stroma.cli.show import AsJson, as_json
from stroma.cli.unused import require_company

NEEDS = {"carry_by": ("carry",), "by": ("everything",), "decoder": ("by",)}


def prompt(
    context: typer.Context,
    image: Annotated[
        Path, typer.Argument(metavar="IMAGE", help="What was clicked on.", show_default=False)
    ],
    out: Annotated[Path, typer.Option(help="Label image to write, such as cells_objects.tif.")],
    points: Annotated[
        Path | None,
        typer.Option(
            help="Table of clicks (.csv): y, x (z, t) in pixels; object: which object each is for "
            "(without it, each for one of its own); label: 1 on it, 0 beside it. Or of boxes: y0, "
            "x0, y1, x1.",
            show_default=False,
        ),
    ] = None,
    box: Annotated[
        list[str] | None,
        typer.Option(
            help="Box around an object, instead of clicks: y0,x0,y1,x1 in pixels (of volumes "
            "z0,y0,x0,z1,y1,x1). Give one for each object.",
            show_default=False,
        ),
    ] = None,
    carry: Annotated[
        int,
        typer.Option(
            help="Find objects on the plane of their clicks alone, and carry them through so many "
            "neighbouring planes (or frames of a movie) at most, each way, until they fade.",
            min=0,
        ),
    ] = 0,
    carry_by: Annotated[
        str,
        typer.Option(
            help="How --carry finds them again: prompts (a click and a box where the object was), "
            "memory (SAM 2: by what the frames before looked like), or auto (memory where the "
            "engine has one)."
        ),
    ] = "auto",
    everything: Annotated[
        bool,
        typer.Option("--everything", help="Find all objects, without clicks; plane by plane."),
    ] = False,
    by: Annotated[
        str,
        typer.Option(
            help="How --everything looks for them: grid (clicks at a grid of points), decoder (of "
            "micro-sam, given with --decoder), or prompts (a click on each that the decoder found)."
        ),
    ] = "grid",
    engine: Annotated[
        str,
        typer.Option(help="What finds the objects: graph, or a network (sam, sam_vit_b_lm, ...)."),
    ] = "graph",
    weights: Annotated[
        Path | None,
        typer.Option(help="File or folder with the network's weights.", show_default=False),
    ] = None,
    cache: Annotated[
        Path | None,
        typer.Option(
            help="Folder where what the network makes of images is kept for later runs.",
            show_default=False,
        ),
    ] = None,
    decoder: Annotated[
        Path | None,
        typer.Option(
            help="File with the decoder of micro-sam's automatic mode.", show_default=False
        ),
    ] = None,
    series: Series = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace earlier files.")] = False,
    json: AsJson = False,
) -> None:
    """Find the object under each click, in each box, or all objects there are."""
    require_company(context, NEEDS)
    from stroma.workflow.prompting.prompt import prompt_file

    found = prompt_file(
        image,
        points,
        out,
        boxes=box or (),
        carry=carry,
        carry_by=carry_by,
        everything=by if everything else None,
        decoder=decoder,
        engine=engine,
        weights=weights,
        cache=cache,
        series=series,
        overwrite=overwrite,
    )
    if json:
        as_json(asdict(found))
        return
    if everything:
        typer.echo(f"{found.objects} objects. Written to {out}")
        return
    given = f"{found.clicks} {'boxes' if box else 'clicks'}"
    typer.echo(f"{found.objects} objects from {given}. Written to {out}")
