"""``stroma learn``: from labelled images to a network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stroma.cli.settings import named, parsed
from stroma.cli.show import AsJson, as_json, refuse_existing, training
from stroma.cli.unused import refuse, require_company
from stroma.training.planning.options import CHOICES, Options, described

if TYPE_CHECKING:
    from stroma.training.model import Network
    from stroma.workflow.learning.recipe import Recipe

LINKS = "links"
"""The target that learns what becomes of objects over time, without a network."""

DEFAULT = Options()
SAID = described(Options)

Images = Annotated[
    Path | None,
    typer.Argument(metavar="IMAGES", help="Folder of images, or one image.", show_default=False),
]
Labels = Annotated[
    Path | None,
    typer.Argument(
        metavar="LABELS",
        help="Folder of their labels; files pair by name: cells.tif with cells.png or "
        "cells_labels.tif. Points as cells.csv; none for --target denoise, and where IMAGES is a "
        "raw dataset of nnU-Net. For --target classify a table with the columns file and class; "
        "none where IMAGES has a folder for every class. With --objects tables with the columns "
        "label and class, or marks of QuPath or ImageJ on some objects.",
        show_default=False,
    ),
]
Objects = Annotated[
    Path | None,
    typer.Option(
        "--objects",
        help="Folder of label images with the objects of every image, for --target classify: learn "
        "a class for each object, not for the image.",
        show_default=False,
    ),
]
ModelFile = Annotated[
    Path | None,
    typer.Option(
        "--model", "-m", help="File to write (.safetensors; of links .pkl).", show_default=False
    ),
]
RecipeFile = Annotated[
    Path | None,
    typer.Option(
        "--recipe",
        help="YAML file with any of these; `stroma recipe` writes one. What is given here as well "
        "wins.",
        show_default=False,
    ),
]
Folder = Annotated[
    Path | None,
    typer.Option(
        help="Folder for history, curves and pictures, and for going on after an interruption.",
        show_default="the model's name with _training",
    ),
]
Further = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Set anything else that a recipe has, such as ndim=3, patch=[128,128] or steps=500; "
        "may be repeated.",
    ),
]
Ignore = Annotated[list[int] | None, typer.Option(help=SAID["ignore"], show_default=False)]
Classes = Annotated[
    list[str] | None,
    typer.Option(
        "--class", metavar="LABEL=NAME", help="Name a class; may be repeated.", show_default=False
    ),
]
Target = Annotated[
    str | None,
    typer.Option(
        help=f"{SAID['target']} 'links' learns from tracks: IMAGES are then folders or stacks of "
        "annotated tracks, LABELS, where given, the segmentation of the same movie.",
        show_default=DEFAULT.target,
    ),
]
NetworkName = Annotated[
    str | None,
    typer.Option(
        help=f"{SAID['network']} With --target links: trees, or transformer.",
        show_default=f"{DEFAULT.network}, of links trees",
    ),
]
Minutes = Annotated[
    float | None, typer.Option(help=SAID["minutes"], show_default=str(DEFAULT.minutes))
]
Memory = Annotated[
    float | None, typer.Option(help=SAID["memory_gb"], show_default=str(DEFAULT.memory_gb))
]
Folds = Annotated[int | None, typer.Option(help=SAID["folds"], show_default=str(DEFAULT.folds))]
Device = Annotated[
    str | None,
    typer.Option(
        metavar="|".join(CHOICES["device"]), help=SAID["device"], show_default=DEFAULT.device
    ),
]


def asked(
    recipe: Path | None, settings: Sequence[str] | None, ignore: Sequence[int] | None, **given: Any
) -> Recipe:
    """Return what a recipe file and the options say together; options win."""
    from stroma.workflow.learning.recipe import read_recipe, recipe_of

    values: dict[str, Any] = {} if recipe is None else read_recipe(recipe)
    own = {k: str(v) if isinstance(v, Path) else v for k, v in given.items() if v is not None}
    if ignore:
        own["ignore"] = list(ignore)
    values.update(own, **parsed(settings))
    if "images" not in values:
        raise typer.BadParameter("Give a folder of images, or a recipe that names one.")
    return recipe_of(values, source="Options" if recipe is None else str(recipe))


Teacher = Annotated[
    Path | None,
    typer.Option(
        "--from",
        metavar="MODEL",
        help="Model of strokes (.pkl): what it says of pixels is learned, as far as it is certain. "
        "LABELS are then strokes of the images, which count more, or left out.",
        show_default=False,
    ),
]
Confidence = Annotated[
    float | None,
    typer.Option(
        help="Probability from which on what the model of --from says is learned.",
        show_default="0.5",
    ),
]


Base = Annotated[
    Path | None,
    typer.Option(
        "--base",
        metavar="MODEL",
        help="Network (.safetensors) that the training begins with: it goes on learning what that "
        "has learned.",
        show_default=False,
    ),
]


PICTURES = {
    "curves.png": "loss and score",
    "validation.png": "image, truth and prediction",
}
"""What a training leaves to look at, and what that shows."""

SCORED = "Scores of what was kept from the training:"
AGREEMENT = "How far it agrees with its teacher and the strokes (nothing was kept for scores):"

OF_NETWORKS = (
    *("recipe", "teacher", "confidence", "base", "minutes", "memory", "folds", "device"),
    *("ignore", "regions", "objects", "classes", "folder", "settings"),
)
"""What a training of links does not look at."""


def learn(
    context: typer.Context,
    images: Images = None,
    labels: Labels = None,
    model: ModelFile = None,
    recipe: RecipeFile = None,
    target: Target = None,
    objects: Objects = None,
    teacher: Teacher = None,
    confidence: Confidence = None,
    base: Base = None,
    network: NetworkName = None,
    minutes: Minutes = None,
    memory: Memory = None,
    folds: Folds = None,
    device: Device = None,
    ignore: Ignore = None,
    regions: Annotated[
        Path | None,
        typer.Option(help="Folder of masks, not 0 where an image is annotated."),
    ] = None,
    classes: Classes = None,
    folder: Folder = None,
    settings: Further = None,
    movie: Annotated[
        Path | None,
        typer.Option(
            help="The movie itself, so that --target links looks at intensities.",
            show_default=False,
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the model file, and start over.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Train a network on images and their labels, or links on tracks.

    A training that was interrupted goes on when the same command is given again.
    """
    if target == LINKS:
        refuse(context, OF_NETWORKS, "is for networks; --target links trains none.")
        how: dict[str, Any] = {"learner": network or "trees", "overwrite": overwrite, "json": json}
        _learn_links(images, labels, movie, model, **how)
        return
    refuse(context, ["movie"], "goes with --target links.")
    require_company(context, {"confidence": ("teacher", "recipe")})
    wanted = asked(
        recipe,
        settings,
        ignore,
        images=images,
        labels=labels,
        model=model,
        target=target,
        objects=objects,
        teacher=teacher,
        confidence=confidence,
        base=base,
        network=network,
        minutes=minutes,
        memory_gb=memory,
        folds=folds,
        device=device,
        regions=regions,
        classes=named(classes) or None,
        folder=folder,
    )
    if model is None and recipe is None:
        raise typer.BadParameter("Name the file to write, such as --model cells.safetensors.")
    path = Path(wanted.model)
    refuse_existing(path, overwrite=overwrite)
    from stroma.workflow.learning.learn import followed

    with training() as report:
        made = followed(wanted, overwrite=overwrite, tell=report)
    as_json(_facts(made, path)) if json else _show(made, path, wanted.progress_folder)


def _facts(network: Network, path: Path) -> dict[str, Any]:
    return {
        "model": path,
        "scores": dict(network.scores_),
        "channels": network.channel_names,
        "training": {k: v for k, v in network.about.training.items() if k != "history"},
        "plan": dict(network.plan_),
    }


def _show(network: Network, path: Path, folder: Path) -> None:
    training = network.about.training
    typer.echo(f"{path}: {training['steps']} steps in {training['seconds']:.0f} s")
    typer.echo(AGREEMENT if training.get("guessed") else SCORED)
    for name, value in network.scores_.items():
        typer.echo(f"  {name}: {value:.3f}")
    shown = [f"{name} ({what})" for name, what in PICTURES.items() if (folder / name).exists()]
    if shown:  # networks that are averaged have folders of their own
        typer.echo(f"{folder}: {', '.join(shown)}")
    objects = " --objects OBJECTS" if network.of_objects else ""
    typer.echo(f"Apply it: stroma segment {path} IMAGES{objects} --out results")


def _learn_links(
    tracks: Path | None,
    labels: Path | None,
    movie: Path | None,
    model: Path | None,
    *,
    learner: str,
    overwrite: bool,
    json: bool,
) -> None:
    """Learn links from one movie, or from a folder of movies, and write them to a file."""
    from stroma.workflow.moving.links import check_name, learn_links, movies_of, save_links

    if tracks is None or model is None:
        raise typer.BadParameter(
            "Give the annotated tracks and a file to write: stroma learn TRACKS --target links "
            "--model links.pkl"
        )
    check_name(model)
    refuse_existing(model, overwrite=overwrite)
    made = learn_links(movies_of(tracks), labels or (), image=movie or (), learner=learner)
    save_links(model, made)
    if json:
        as_json({"model": model, "scores": dict(made.scores_), "measures": made.measures_})
        return
    typer.echo(
        f"{model}: looks at places, areas, overlaps{''.join(f', {m}' for m in made.measures_)}"
    )
    for name, value in made.scores_.items():
        typer.echo(f"  {name} of links in frames that were left out: {value:.3f}")
