"""``stroma cluster``: classes without strokes, the same in all images."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from stroma.cli.codes import SOME_FAILED
from stroma.cli.segment import Images, show_batch
from stroma.cli.settings import Alias, Series, Settings, parsed
from stroma.cli.show import AsJson, as_json, progress, refuse_existing

if TYPE_CHECKING:
    from stroma.pixel.training.joining import Join

MODEL = "clusters.pkl"

ModelFile = Annotated[
    Path | None,
    typer.Option(
        "--model",
        "-m",
        help="Model file to write (.pkl), for `stroma segment` on other images.",
        show_default=f"{MODEL} in the folder of --out",
    ),
]


def cluster(
    images: Images,
    classes: Annotated[int, typer.Option(help="How many classes, 2 to 64.")] = 4,
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("clusters"),
    alias: Alias = "stroma",
    settings: Settings = None,
    model: ModelFile = None,
    join: Annotated[
        str,
        typer.Option(
            metavar="ward|complete",
            help="How small groups become so many: by how much they spread, or by how far apart "
            "they are, by which a few odd pixels may be a class.",
        ),
    ] = "ward",
    seed: Annotated[int, typer.Option(help="Seed of what is chosen at random.")] = 0,
    overlay: Annotated[
        bool, typer.Option("--overlay", help="Write the image with the colours of the classes.")
    ] = False,
    table: Annotated[bool, typer.Option("--table", help="Write tables, as segment does.")] = False,
    series: Series = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the model file and earlier results.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Segment images without painting: pixels that look alike become one class.

    A class is the same in all images. The model is kept, so that `stroma segment` finds the same
    classes in other images, and `stroma compare` and the rest work with it.
    """
    target = model or out / MODEL
    if target.suffix != ".pkl":
        raise typer.BadParameter(f"A model file ends in .pkl, got {target}.", param_hint="--model")
    values = parsed(settings)
    refuse_existing(target, overwrite=overwrite)
    from stroma import ConvpaintModel
    from stroma.pixel.training.joining import require_known
    from stroma.workflow.applying.find import find_images
    from stroma.workflow.applying.outputs import Outputs
    from stroma.workflow.unlabelled.cluster import cluster_files

    require_known(join)
    made = ConvpaintModel(alias)
    made.set_params(**values)
    chosen = None if series is None else (series,)
    wanted = Outputs(overlay=overlay, tables=table, overwrite=overwrite, series=chosen)
    with progress() as report:
        result = cluster_files(
            made,
            find_images(images),
            out,
            classes=classes,
            model_file=target,
            join=cast("Join", join),
            rng=seed,
            outputs=wanted,
            progress=lambda p: report(f"{p.path.name} ({p.file}/{p.files})", p.done, p.total),
        )
    as_json({"model": target, **asdict(result)}) if json else show_batch(result, "cluster")
    if not json:
        typer.echo(f"The classes as a model, for other images: {target}")
    if result.failed:
        raise typer.Exit(SOME_FAILED)
