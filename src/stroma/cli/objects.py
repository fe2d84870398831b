"""``stroma objects``: measurements and classes of the objects of a segmentation."""

from __future__ import annotations

from dataclasses import asdict, replace
from math import isnan
from pathlib import Path
from typing import Annotated

import typer

from stroma.cli.settings import Series
from stroma.cli.show import AsJson, as_json


def objects(
    segmentation: Annotated[
        Path,
        typer.Argument(
            metavar="SEGMENTATION",
            help="Label image: objects with a number each, or classes (--class); or probabilities.",
            show_default=False,
        ),
    ],
    table: Annotated[
        Path, typer.Option(help="Table to write, a row for each object: .csv, .parquet or .h5ad.")
    ],
    image: Annotated[
        Path | None, typer.Option(help="Image to measure the values of.", show_default=False)
    ] = None,
    of_class: Annotated[
        str | None,
        typer.Option(
            "--class",
            help="Name of the class whose connected parts are the objects, or its label; of "
            "probabilities without names, the number of the channel.",
            show_default=False,
        ),
    ] = None,
    threshold: Annotated[
        float, typer.Option(help="Least probability of a pixel of an object.")
    ] = 0.5,
    core: Annotated[
        float | None,
        typer.Option(help="Probability that an object reaches somewhere.", show_default=False),
    ] = None,
    split: Annotated[
        float,
        typer.Option(
            help="Part touching objects at necks this much narrower (in pixels of depth) than "
            "what they join; 0 parts none, 1 is usual."
        ),
    ] = 0.0,
    boundary: Annotated[
        str | None,
        typer.Option(
            metavar="CLASS",
            help="The class between touching objects, such as their rims, named alike: they "
            "are parted where it is probable (of probabilities), or is (of classes); with --split "
            "also where it has gaps.",
            show_default=False,
        ),
    ] = None,
    rise: Annotated[
        float,
        typer.Option(
            help="How much more probable that class is between two objects than inside each: less "
            "parts along thin or faint boundaries, more leaves speckled objects whole."
        ),
    ] = 0.3,
    min_size: Annotated[float, typer.Option(help="Least size of an object.")] = 0.0,
    max_size: Annotated[
        float | None, typer.Option(help="Greatest size of an object.", show_default=False)
    ] = None,
    size_in: Annotated[
        str, typer.Option(metavar="px|um", help="Whether sizes are in pixels, or µm² (µm³).")
    ] = "px",
    border: Annotated[
        bool, typer.Option("--border/--no-border", help="Keep objects at the border of the image.")
    ] = True,
    ring: Annotated[float, typer.Option(help="Width of the ring around objects, in pixels.")] = 3.0,
    embed: Annotated[
        list[str] | None,
        typer.Option(
            metavar="EXTRACTOR",
            help="Measure the mean of a feature extractor inside objects, too, such as texture_2d "
            "or efficientnet_lite0; may be repeated. What --model was taught is measured anyway.",
        ),
    ] = None,
    join: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="TABLE",
            help="Table of another program with the numbers of the objects (column label): its "
            "numbers become columns, its classes are learnt unless --labels or --model say them; "
            "may be repeated.",
        ),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            help="Labelled objects to learn classes from: table with class, and label or y and x.",
            show_default=False,
        ),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            help="Classes learnt before: from --labels, or a network (.safetensors) that stroma "
            "learn --objects made, which looks at --image.",
            show_default=False,
        ),
    ] = None,
    save_model: Annotated[
        Path | None,
        typer.Option(help="Where to save classes learnt from --labels.", show_default=False),
    ] = None,
    classifier: Annotated[
        str, typer.Option(metavar="forest|ensemble|logistic|catboost", help="What learns classes.")
    ] = "forest",
    label_image: Annotated[
        Path | None,
        typer.Option(help="Label image to write, with the numbers of the table."),
    ] = None,
    outlines: Annotated[
        list[Path] | None,
        typer.Option(
            help="Outlines to write: .geojson (QuPath), .zip (ImageJ ROIs) or _seg.npy (Cellpose); "
            "may be repeated."
        ),
    ] = None,
    axes: Annotated[
        str | None,
        typer.Option(help="Axes of a segmentation that does not name them, such as tyx."),
    ] = None,
    series: Series = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace earlier files.")] = False,
    json: AsJson = False,
) -> None:
    """Measure the objects of a segmentation, and class them from a few."""
    from stroma.objects.finding.how import Finding
    from stroma.workflow.measuring.objects import Wanted, measure_file

    most = float("inf") if max_size is None else max_size
    how = Finding(
        threshold=threshold,
        core=core,
        split=split,
        rise=rise,
        min_size=min_size,
        max_size=most,
        size_in=size_in,  # type: ignore[arg-type]  # checked there
        border=border,
    )
    found = measure_file(
        segmentation,
        Wanted(table, label_image, tuple(outlines or ()), save_model, overwrite),
        image=image,
        of_class=of_class,
        boundary=boundary,
        how=how,
        model=model,
        clicks=labels,
        classifier=classifier,
        ring=ring,
        extractors=tuple(embed or ()),
        joins=tuple(join or ()),
        series=series,
        axes=axes,
    )
    if found.accuracy is not None and isnan(found.accuracy):
        found = replace(found, accuracy=None)  # one of each class: nothing to tell it by
    if json:
        as_json(asdict(found))
        return
    typer.echo(f"{found.objects} objects{_counts(found.classes)}. Written to {table}")
    if found.accuracy is not None:
        typer.echo(
            f"Of the labelled objects, {found.accuracy:.0%} are classed rightly when learnt from "
            "the others."
        )
    if found.next_to_label:
        typer.echo(f"Least sure: {', '.join(map(str, found.next_to_label))}")


def _counts(classes: dict[str, int]) -> str:
    return f" ({', '.join(f'{n} {name}' for name, n in classes.items())})" if classes else ""
