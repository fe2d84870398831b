"""``stroma segment``: a model on many files."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stroma.cli.codes import MISSING, SOME_FAILED, exit_code
from stroma.cli.settings import several
from stroma.cli.show import AsJson, as_json, progress
from stroma.cli.unused import refuse, require_company
from stroma.cli.words import options_of, said

if TYPE_CHECKING:
    from stroma.workflow.applying.segment import BatchResult, FileResult

Model = Annotated[
    Path,
    typer.Argument(
        metavar="MODEL",
        help="Model file: .pkl of strokes, .safetensors of a network, .zip of a model package, or "
        "the id of one at bioimage.io; or a network of another program: Cellpose's cyto3 or "
        "cpsam, a checkpoint of CAREamics, a folder of StarDist, nnU-Net or Spotiflow.",
        show_default=False,
    ),
]
Images = Annotated[
    list[Path],
    typer.Argument(metavar="IMAGE", help="Images, or folders of them.", show_default=False),
]
Format = Annotated[
    str,
    typer.Option(
        "--format",
        metavar="tif|ome.tif|png|npy|zarr",
        help="Format of labels and probabilities.",
        show_default="zarr for OME-Zarr, tif for others",
    ),
]
Mask = Annotated[
    Path | None,
    typer.Option(
        help="Image that is 0 where nothing is to be segmented, or marks of ImageJ or QuPath; or a "
        "folder with one per image.",
        show_default=False,
    ),
]

Objects = Annotated[
    Path | None,
    typer.Option(
        "--objects",
        help="Networks that learned classes of objects: label image of the objects, or a folder "
        "with one per image.",
        show_default=False,
    ),
]

Diameter = Annotated[
    float | None,
    typer.Option(
        help="Networks that ask for it, such as Cellpose's: diameter of most objects, in pixels.",
        show_default="as the model says",
    ),
]

Trust = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NUMBER",
        help="Run a program in a model package (TorchScript, Python), which can do whatever you "
        "can. The message that refuses the program names its number; may be repeated.",
        show_default=False,
    ),
]


def segment(
    context: typer.Context,
    model: Model,
    images: Images,
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("results"),
    form: Format = "auto",
    probabilities: Annotated[
        bool, typer.Option("--probabilities", help="Write the probability of every class.")
    ] = False,
    overlay: Annotated[
        bool,
        typer.Option(
            "--overlay",
            help="Write the image with the colours of the classes, or the outlines of objects.",
        ),
    ] = False,
    table: Annotated[
        bool,
        typer.Option("--table", help="Write tables of connected components and of classes."),
    ] = False,
    min_size: Annotated[
        int, typer.Option(help="Leave smaller components out of tables, in pixels.")
    ] = 0,
    mask: Mask = None,
    axes: Annotated[
        str | None,
        typer.Option(help="Axes of the images, such as zyx, where files do not name them."),
    ] = None,
    series: Annotated[
        str | None,
        typer.Option(
            metavar="0,2|all",
            help="Which images, where a file holds several, counted from 0.",
            show_default="the first, and the others are named",
        ),
    ] = None,
    mirror: Annotated[
        bool | None,
        typer.Option(
            "--mirror/--no-mirror",
            help="Networks: predict mirror images too, and take the mean; 4 or 8 times the work.",
            show_default="as decided at the training",
        ),
    ] = None,
    directions: Annotated[
        bool,
        typer.Option(
            "--directions",
            help="Networks of planes that find objects: look at volumes along z, y and x, and "
            "take what two directions agree on.",
        ),
    ] = False,
    objects: Objects = None,
    diameter: Diameter = None,
    trust: Trust = None,
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite",
            help="Do again what is done already; replace results of other images too.",
        ),
    ] = False,
    json: AsJson = False,
) -> None:
    """Segment images with a trained model.

    An image whose results are there, made by the same model with the same options, is skipped.
    An image that fails does not stop the others; the exit code is then 1.
    """
    import stroma
    from stroma.workflow.applying.applied import is_table, sized
    from stroma.workflow.applying.find import find_images
    from stroma.workflow.applying.load import is_package
    from stroma.workflow.applying.outputs import Outputs
    from stroma.workflow.applying.segment import segment_files

    require_company(context, {"min_size": ("table",)})
    if not is_package(model):
        refuse(context, ["trust"], f"goes with model packages; {model} is none. Leave it out.")
    wanted = Outputs(
        format=form if form == "auto" else f".{form.removeprefix('.')}",
        probabilities=probabilities,
        overlay=overlay,
        tables=table,
        min_size=min_size,
        mask=mask,
        axes=axes,
        overwrite=overwrite,
        series=several(series),
        mirror=mirror,
        directions=directions,
        objects=objects,
    )
    trained = sized(stroma.load(model, trust=trust or ()), diameter)
    if is_table(trained):
        refuse(context, ["form"], "goes with images; what this network finds is a table.")
    with progress() as report:
        result = segment_files(
            trained,
            find_images(images),
            out,
            outputs=wanted,
            progress=lambda p: report(f"{p.path.name} ({p.file}/{p.files})", p.done, p.total),
        )
    as_json(asdict(result)) if json else show_batch(result, "segment")
    if result.failed:
        codes = {exit_code(file.error) for file in result.failed if file.error}
        raise typer.Exit(MISSING if codes == {MISSING} else SOME_FAILED)


def show_batch(result: BatchResult, command: str) -> None:
    """Print a line for every file, in the words of a command."""
    for file in result.files:
        typer.echo(_line(file, command), err=file.status == "failed")
    if result.summary:
        typer.echo(f"Classes of all images: {result.summary}")


def _line(file: FileResult, command: str) -> str:
    if file.status == "failed":
        why = said(file.error, options_of([command])) if file.error else ""
        return f"{file.path}: failed: {why}"
    written = ", ".join(map(str, file.outputs))
    if file.status == "skipped":
        return f"{file.path}: done before: {written}"
    return f"{file.path}: {written} ({file.seconds:.1f} s)"
