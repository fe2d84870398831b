"""``stroma train``: from images and strokes to a model file."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stroma.cli.settings import Alias, Series, Settings, listed, named, parsed
from stroma.cli.show import AsJson, as_json, refuse_existing

if TYPE_CHECKING:
    from stroma import ConvpaintModel

Pairs = Annotated[
    list[Path],
    typer.Argument(
        metavar="IMAGE STROKES",
        help="Images, each followed by its strokes: a label image (0 where nothing is painted), "
        "an ImageJ ROI zip, or a QuPath GeoJSON.",
        show_default=False,
    ),
]
ModelFile = Annotated[
    Path, typer.Option("--model", "-m", help="Model file to write (.pkl).", show_default=False)
]
Strokes = Annotated[
    Path | None,
    typer.Option(
        help="Folder with the strokes of all images, by name; then give images only.",
        show_default=False,
    ),
]
Classes = Annotated[
    list[str] | None,
    typer.Option(
        "--class",
        metavar="LABEL=NAME",
        help="Name a class, such as 1=nucleus; may be repeated.",
        show_default=False,
    ),
]


def train(
    files: Pairs,
    model: ModelFile,
    alias: Alias = "stroma",
    settings: Settings = None,
    classes: Classes = None,
    strokes: Strokes = None,
    axes: Annotated[
        str | None,
        typer.Option(help="Axes of the images, such as zyx, where files do not name them."),
    ] = None,
    series: Series = None,
    unnamed: Annotated[
        str, typer.Option(metavar="CLASS", help="Class of marks that say none; else left out.")
    ] = "",
    channels: Annotated[
        str | None,
        typer.Option(help="Channels to use, such as 0,2; all unless given.", show_default=False),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the model file.")] = False,
    json: AsJson = False,
) -> None:
    """Train a model on images and their strokes."""
    if model.suffix != ".pkl":
        raise typer.BadParameter(f"A model file ends in .pkl, got {model}.", param_hint="--model")
    values, names, chosen = parsed(settings), named(classes), listed(channels)
    refuse_existing(model, overwrite=overwrite)
    from stroma import ConvpaintModel
    from stroma.data.classes import Class
    from stroma.workflow.learning.train import pair_up, train_files

    pairs = pair_up(files, strokes) if strokes else _alternating(files)
    made = ConvpaintModel(alias)
    made.set_params(**values)
    known = [Class(label, name) for label, name in names.items()]
    train_files(
        made, pairs, classes=known, axes=axes, series=series, unnamed=unnamed, in_channels=chosen
    )
    made.save(model, create_yml=False)
    as_json(_facts(made, model)) if json else _show(made, model)


def _alternating(files: list[Path]) -> list[tuple[Path, Path]]:
    if len(files) % 2:
        raise typer.BadParameter(
            f"Every image is followed by its strokes, so files come in pairs; got {len(files)}.",
            param_hint="IMAGE STROKES",
        )
    return list(zip(files[::2], files[1::2], strict=True))


def _facts(model: ConvpaintModel, path: Path) -> dict[str, Any]:
    return {
        "model": path,
        "classes": [asdict(each) for each in model.classes],
        "features": len(model.feature_names_),
        "shares": model.shares_,
        "parameters": dict(model.get_params().items()),
    }


def _show(model: ConvpaintModel, path: Path) -> None:
    classes = ", ".join(f"{each.label} {each.name}" for each in model.classes)
    typer.echo(f"{path}: {len(model.feature_names_)} features; classes: {classes}")
    if model.shares_:
        said = ", ".join(f"{name} {share:.0%}" for name, share in model.shares_.items())
        typer.echo(f"What decides, by what your strokes tell: {said}")
