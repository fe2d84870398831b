"""``stroma locate``: what stands out of images, without strokes."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from stroma.cli.codes import SOME_FAILED
from stroma.cli.segment import Images
from stroma.cli.settings import Alias, Series, Settings, parsed
from stroma.cli.show import AsJson, as_json, progress, refuse_existing
from stroma.cli.words import options_of, said

MODEL = "foreground.pkl"
MARKS = {"geojson": ".geojson", "roi": ".zip"}

Outlines = Annotated[
    list[str] | None,
    typer.Option(
        metavar="geojson|roi",
        help="Write outlines and boxes too, for QuPath (geojson) or ImageJ (roi); may be repeated.",
        show_default=False,
    ),
]


def locate(
    images: Images,
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("found"),
    alias: Alias = "stroma",
    settings: Settings = None,
    least: Annotated[int, typer.Option(help="Pixels of the parts that are told, at least.")] = 200,
    outlines: Outlines = None,
    seed: Annotated[int, typer.Option(help="Seed of what is chosen at random.")] = 0,
    overlay: Annotated[
        bool, typer.Option("--overlay", help="Write the image with the colours of the groups.")
    ] = False,
    series: Series = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the model file and earlier results.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Find what stands out of images without painting: masks and boxes.

    Pixels that look alike are grouped; with a vision transformer, groups that it looks at stand
    out, with other features those that avoid the border of the image. Groups are the same in all
    images, and kept as a model. Boxes go to NAME_boxes.json, the mask to NAME_foreground.tif.
    """
    target = out / MODEL
    values = parsed(settings)
    unknown = [name for name in outlines or () if name not in MARKS]
    if unknown:
        known = " or ".join(MARKS)
        raise typer.BadParameter(f"is {known}, got {unknown[0]}.", param_hint="--outlines")
    refuse_existing(target, overwrite=overwrite)
    from stroma import ConvpaintModel
    from stroma.workflow.applying.find import find_images
    from stroma.workflow.applying.outputs import Outputs
    from stroma.workflow.unlabelled.locate import locate_files

    made = ConvpaintModel(alias)
    made.set_params(**values)
    chosen = None if series is None else (series,)
    with progress() as report:
        result = locate_files(
            made,
            find_images(images),
            out,
            model_file=target,
            least=least,
            marks=[MARKS[name] for name in outlines or ()],
            rng=seed,
            outputs=Outputs(overlay=overlay, overwrite=overwrite, series=chosen),
            progress=lambda p: report(f"{p.path.name} ({p.file}/{p.files})", p.done, p.total),
        )
    failed = [one for one in result if one.file.status == "failed"]
    if json:
        files = [{**asdict(one.file), "boxes": [f.plain() for f in one.found]} for one in result]
        as_json({"model": target, "files": files})
    else:
        for one in result:
            told = f"{len(one.found)} boxes"
            if one.file.error is not None:
                told = f"failed: {said(one.file.error, options_of(['locate']))}"
            typer.echo(f"{one.file.path}: {told}")
        typer.echo(f"Masks and boxes are in {out}.")
    if failed:
        raise typer.Exit(SOME_FAILED)
