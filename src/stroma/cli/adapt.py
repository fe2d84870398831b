"""``stroma adapt``: a network gets used to images of another kind, without labels of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stroma.cli.settings import parsed
from stroma.cli.show import AsJson, as_json, refuse_existing, training


def adapt(
    model: Annotated[
        Path,
        typer.Argument(
            metavar="MODEL", help="Network (.safetensors) of `stroma learn`.", show_default=False
        ),
    ],
    images: Annotated[
        Path,
        typer.Argument(
            metavar="IMAGES", help="Folder of new images, without labels.", show_default=False
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(help="File to write (.safetensors).", show_default="MODEL_adapted"),
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option(
            help="Folder of images with labels that are learned from as well: those that the "
            "network was trained on, or like them.",
            show_default=False,
        ),
    ] = None,
    source_labels: Annotated[
        Path | None,
        typer.Option(help="Folder of their labels; files pair by name.", show_default=False),
    ] = None,
    minutes: Annotated[float, typer.Option(help="Time for all of it, in minutes.")] = 5.0,
    least: Annotated[
        float,
        typer.Option(help="Share of the new images that the network is to be sure of beforehand."),
    ] = 0.2,
    device: Annotated[str, typer.Option(metavar="auto|cpu|cuda|mps", help="Where to run.")] = (
        "auto"
    ),
    folder: Annotated[
        Path | None,
        typer.Option(
            help="Folder for the state: the same command goes on after an interruption.",
            show_default="the name of --out with _training",
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Set anything else: steps, rate, batch, decay, seed; may be repeated.",
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the file that is written.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Make a network used to images of another kind, without labels of them.

    It says first how much of the new images the network is sure of, and refuses below --least: it
    learns from what it is sure of, and of the rest nothing. Labelled images of the old kind, given
    with --source, keep it from forgetting.
    """
    path = out or model.with_name(f"{model.stem}_adapted.safetensors")
    refuse_existing(path, overwrite=overwrite)
    from stroma.workflow.learning.adapt import adapt as adapted

    with training() as report:
        made = adapted(
            model,
            images,
            source=source,
            source_labels=source_labels,
            minutes=minutes,
            least=least,
            device=device,
            folder=folder or path.with_name(f"{path.stem}_training"),
            tell=report,
            warn=lambda found: typer.echo(str(found), err=True),
            **parsed(settings),
        )
    made.save(path)
    said = made.about.training["adapted"]
    if json:
        as_json({"model": path, **said})
        return
    typer.echo(
        f"{path}: {said['steps']} steps in {said['seconds']:.0f} s; sure of "
        f"{said['sure after']:.0%} of the new images, {said['sure before']:.0%} before"
    )
