"""``stroma compare``: which configuration predicts strokes best, and how long it takes."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stroma.cli.settings import Series
from stroma.cli.show import AsJson, as_json, progress, table

if TYPE_CHECKING:
    from stroma.pixel.guidance.compare import Comparison

ImageFile = Annotated[Path, typer.Argument(metavar="IMAGE", help="Image.", show_default=False)]
StrokesFile = Annotated[
    Path,
    typer.Argument(
        metavar="STROKES",
        help="Its strokes: a label image (0 where nothing is painted), an ImageJ ROI zip, or a "
        "QuPath GeoJSON. At least two classes need three strokes each, apart from one another.",
        show_default=False,
    ),
]
Aliases = Annotated[
    list[str] | None,
    typer.Option(
        "--alias",
        help="Configuration to try; may be repeated.",
        show_default="all that `stroma models` lists",
    ),
]


def compare(
    image: ImageFile,
    strokes: StrokesFile,
    aliases: Aliases = None,
    axes: Annotated[
        str | None,
        typer.Option(help="Axes of the image, such as zyx, where it does not name them."),
    ] = None,
    series: Series = None,
    json: AsJson = False,
) -> None:
    """Compare configurations on the strokes of an image.

    Accuracy is the share of the strokes that a model recognises which was not shown them, the mean
    of the classes. The range is such that in three of four images we tried, the share of the whole
    image was in it. It is of places like those that were painted.
    "as good" marks what the strokes cannot tell from the best. Seconds are from nothing: features
    and training at the strokes, and segmenting a million pixels.
    """
    from stroma.workflow.scoring.compare import compare_files

    with progress("configurations") as report:
        found = compare_files(
            [(image, strokes)],
            aliases or (),
            axes=axes,
            series=series,
            progress=partial(report, image.name),
        )
    as_json([_facts(each) for each in found]) if json else _show(found)


def _facts(each: Comparison) -> dict[str, Any]:
    tried = each.validation
    return {
        "alias": each.alias,
        "accuracy": None if tried is None else tried.accuracy,
        "range": None if tried is None else list(tried.range),
        "as_good_as_the_best": each.tied,
        "training_seconds": None if tried is None else each.training,
        "seconds_per_megapixel": None if tried is None else each.segmenting,
        "labels": [] if tried is None else list(tried.labels),
        "names": [] if tried is None else [one.name for one in tried.classes],
        "confusion": [] if tried is None else tried.confusion.tolist(),
        "untested": [] if tried is None else list(tried.untested),
        "problem": each.problem,
    }


def _show(found: list[Comparison]) -> None:
    rows = [
        (
            each.alias,
            f"{each.accuracy:.3f}",
            "-".join(f"{end:.2f}" for end in each.validation.range),
            "as good" if each.tied else "",
            f"{each.training:.2f}",
            f"{each.segmenting:.2f}",
        )
        for each in found
        if each.validation is not None
    ]
    table(("alias", "accuracy", "range", "", "training s", "s per megapixel"), rows)
    for name in _untested(found):
        typer.echo(f"{name} has too few separate strokes to tell; paint at least three.")
    for each in found:
        if each.problem:
            typer.echo(f"{each.alias}: {each.problem}")


def _untested(found: list[Comparison]) -> list[str]:
    """Return the names of classes of which nothing can be told, in the order of their labels."""
    tried = [each.validation for each in found if each.validation is not None]
    named = {one.label: one.name for each in tried for one in each.classes}
    untested = {label for each in tried for label in each.untested}
    return [named[label] for label in sorted(untested)]
