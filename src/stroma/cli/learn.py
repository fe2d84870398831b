"""``stroma learn``: from labelled images to a network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stroma.cli.settings import named, parsed
from stroma.cli.show import AsJson, as_json, refuse_existing, training

if TYPE_CHECKING:
    from stroma.training.model import Network

Images = Annotated[
    Path,
    typer.Argument(metavar="IMAGES", help="Folder of images, or one image.", show_default=False),
]
Labels = Annotated[
    Path | None,
    typer.Argument(
        metavar="LABELS",
        help="Folder of their labels; files pair by name: cells.tif with cells.png or "
        "cells_labels.tif. Points as cells.csv; for --target denoise, none.",
        show_default=False,
    ),
]
ModelFile = Annotated[
    Path, typer.Option("--model", "-m", help="File to write (.safetensors).", show_default=False)
]
Folder = Annotated[
    Path | None,
    typer.Option(
        help="Folder for history, curves and pictures, and for going on after an interruption.",
        show_default="the model's name with _training",
    ),
]
Options = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Set anything else, such as ndim=3, patch=[128,128] or steps=500; may be repeated.",
    ),
]
Ignore = Annotated[
    list[int] | None,
    typer.Option(help="Label of pixels that nobody knows; may be repeated.", show_default=False),
]
Classes = Annotated[
    list[str] | None,
    typer.Option(
        "--class", metavar="LABEL=NAME", help="Name a class; may be repeated.", show_default=False
    ),
]


def learn(
    images: Images,
    model: ModelFile,
    labels: Labels = None,
    target: Annotated[str, typer.Option(help="What is learned.")] = "semantic",
    network: Annotated[str, typer.Option(help="Network; auto chooses.")] = "auto",
    minutes: Annotated[float, typer.Option(help="Time for the training.")] = 10.0,
    memory: Annotated[float, typer.Option(help="Memory for the training, in GB.")] = 2.0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    ignore: Ignore = None,
    regions: Annotated[
        Path | None,
        typer.Option(help="Folder of masks, not 0 where an image is annotated."),
    ] = None,
    classes: Classes = None,
    folder: Folder = None,
    settings: Options = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the model file, and start over.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Train a network on images and their labels.

    A training that was interrupted goes on when the same command is given again.
    """
    if model.suffix != ".safetensors":
        raise typer.BadParameter(
            f"A network is kept in a .safetensors file, got {model}.", param_hint="--model"
        )
    values, names = parsed(settings), named(classes)
    refuse_existing(model, overwrite=overwrite)
    import stroma
    from stroma.data.classes import Class

    with training() as report:
        made = stroma.learn(
            images,
            labels,
            target=target,
            network=network,
            minutes=minutes,
            memory_gb=memory,
            device=device,
            ignore=tuple(ignore or ()),
            regions=regions,
            classes=[Class(label, name) for label, name in names.items()],
            folder=folder or model.with_name(f"{model.stem}_training"),
            overwrite=overwrite,
            tell=report,
            **values,
        )
    made.save(model)
    as_json(_facts(made, model)) if json else _show(made, model)


def _facts(network: Network, path: Path) -> dict[str, Any]:
    return {
        "model": path,
        "scores": dict(network.scores_),
        "channels": network.channel_names,
        "training": {k: v for k, v in network.about.training.items() if k != "history"},
        "plan": dict(network.plan_),
    }


def _show(network: Network, path: Path) -> None:
    training = network.about.training
    typer.echo(f"{path}: {training['steps']} steps in {training['seconds']:.0f} s")
    for name, value in network.scores_.items():
        typer.echo(f"  {name}: {value:.3f}")
