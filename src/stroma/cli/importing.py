"""``stroma import``: what other programs saved, taken over."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stroma.cli.show import AsJson, as_json, refuse_existing
from stroma.cli.unused import refuse
from stroma.cli.words import on_command_line, options_of
from stroma.errors import MissingExtraError, install

if TYPE_CHECKING:
    from stroma.session.migrate import Moved
    from stroma.workflow.exchange.foreign import Kept

File = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        help="ilastik .ilp, Cellpose _seg.npy, QuPath pixel classifier .json, Labkit .classifier "
        "or .labeling, Trainable Weka .arff, Convpaint .yml, BiaPy .yaml; or a trained network: a "
        "file of Cellpose 1 to 3, Cellpose-SAM (cpsam) or CAREamics, a folder of StarDist, "
        "nnU-Net or Spotiflow.",
        show_default=False,
    ),
]
Images = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="IMAGE",
        help="Images that the file does not name, or where they are now; folders are searched.",
        show_default=False,
    ),
]
Strokes = Annotated[
    list[Path] | None,
    typer.Option(
        help="Strokes for the images, one file each, in their order: GeoJSON of QuPath, ROIs of "
        "ImageJ, a label image; may be repeated.",
        show_default=False,
    ),
]


OF_PROJECTS = ("images", "strokes")
"""What is only for projects, classifiers and segmentations."""


def import_(
    context: typer.Context,
    file: File,
    images: Images = None,
    strokes: Strokes = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder to write to; of a network, also the .safetensors to write.",
            show_default="that of the file",
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(help="Name of the project.", show_default="that of the file"),
    ] = None,
    diameter: Annotated[
        float | None,
        typer.Option(
            help="Networks that ask for it: diameter of most of your objects, in pixels.",
            show_default="as the file says",
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files that are there, but no project.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Take over a project, classifier or segmentation of another program.

    Images, strokes, classes and chosen features become a project to go on with; objects become
    label images; a trained network becomes one of ours, and a configuration of BiaPy a recipe for
    a training. What could not be taken over is said. No
    code in the file is run.
    """
    from stroma.session.migrate import move_in
    from stroma.zoo.biapy import is_biapy
    from stroma.zoo.networks.taken import is_foreign
    from stroma.zoo.taken import take

    if is_foreign(file):
        refuse(context, OF_PROJECTS, f"goes with a project; {file} is a trained network.")
        if out is not None and out.suffix == ".safetensors":
            refuse(context, ["name"], f"names a file in a folder; --out is a file: {out}.")
        kept = _network(file, out, name=name, diameter=diameter, overwrite=overwrite)
        as_json(asdict(kept)) if json else show_network(kept)
        return
    refuse(context, ["diameter"], f"goes with a trained network; {file} is none.")
    if is_biapy(file):
        refuse(context, OF_PROJECTS, f"goes with a project; {file} is a configuration.")
        _recipe(file, out, name=name, overwrite=overwrite, json=json)
        return
    taken = take(file, images or ())
    called = name or file.stem.removesuffix("_seg")
    moved = move_in(
        taken, out or file.parent, name=called, strokes=strokes or (), overwrite=overwrite
    )
    as_json(asdict(moved)) if json else show(moved)


def _network(file: Path, out: Path | None, **options: Any) -> Kept:
    try:
        from stroma.workflow.exchange.foreign import keep
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("stroma"):
            raise
        raise MissingExtraError(
            f"The network in {file} needs {error.name}. Install it with: {install('train')}"
        ) from error
    return keep(file, out, **options)


def _recipe(file: Path, out: Path | None, *, name: str | None, overwrite: bool, json: bool) -> None:
    """Write a configuration of BiaPy as a recipe, and say what of it that is."""
    from stroma.workflow.learning.recipe import recipe_of, written_recipe
    from stroma.zoo.biapy import take

    taken = take(file)
    recipe_of(taken.values, source=str(file))
    target = (out or file.parent) / f"{name or file.stem}_recipe.yml"
    refuse_existing(target, overwrite=overwrite)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(written_recipe(taken.values), encoding="utf-8")
    if json:
        as_json({"program": "BiaPy", "recipe": str(target), **asdict(taken)})
        return
    _show_taken("BiaPy", taken.took, taken.left)
    typer.echo(f"{target}: the recipe. Learn: stroma learn --recipe {target}")


def _show_taken(program: str, took: Iterable[str], left: Iterable[str]) -> None:
    """Say what was taken over from a program, and what not."""
    typer.echo(f"From {program}:")
    for line in took:
        typer.echo(f"  taken: {line}")
    for line in left:
        typer.echo(f"  left:  {on_command_line(line, options_of(['import']))}")


def show_network(kept: Kept) -> None:
    """Say what was taken over of a network, what not, and how to go on."""
    _show_taken(kept.program, kept.took, kept.left)
    if kept.licence:
        typer.echo(f"  licence of the weights, and of what is trained from them: {kept.licence}")
    typer.echo(f"{kept.model}: the network. Apply it: stroma segment {kept.model} IMAGES")


def show(moved: Moved) -> None:
    """Say what was taken over, what not, and how to go on."""
    _show_taken(moved.program, moved.took, moved.left)
    for path in moved.objects:
        typer.echo(f"{path}: objects. Measure them: stroma objects {path}")
    if moved.project is not None:
        typer.echo(f"{moved.project}: go on with it: stroma paint {moved.project}")
    if moved.parameters is not None:
        typer.echo(
            f"{moved.parameters}: parameters. In Python: "
            f"ConvpaintModel(model_path={str(moved.parameters)!r})"
        )
