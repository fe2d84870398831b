"""``stroma features``: what an extractor sees in an image."""

from __future__ import annotations

from dataclasses import asdict, fields
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from stroma.cli.settings import Alias, Series, Settings, parsed, positions
from stroma.cli.show import AsJson, as_json, progress, refuse_existing, table
from stroma.cli.unused import refuse

Picture = Annotated[
    Path | None, typer.Option("--out", help="Picture to write.", show_default="IMAGE_features.png")
]
Stack = Annotated[
    Path | None,
    typer.Option(help="Write all features there instead (.npy, .tif, .zarr), as float32."),
]
At = Annotated[
    str, typer.Option(metavar="z=3,t=0", help="The plane of a stack or time series to show.")
]

SEEN = ("the image", "noise")
"""What a bias is measured on."""


def features(
    context: typer.Context,
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="Image file.", show_default=False)],
    alias: Alias = "stroma",
    settings: Settings = None,
    pca: Annotated[int, typer.Option(help="Number of principal components to show.")] = 3,
    out: Picture = None,
    stack: Stack = None,
    at: At = "",
    series: Series = None,
    bias: Annotated[
        bool,
        typer.Option(
            "--bias",
            help="Measure how much the features say of where a place lies; write nothing.",
        ),
    ] = False,
    overwrite: Annotated[bool, typer.Option(help="Replace a file.")] = False,
    json: AsJson = False,
) -> None:
    """Show the features of an image as colours.

    The features are standardised; their first three principal components become red, green and
    blue. With --stack, all features are written instead. With --bias, a linear probe is asked how
    far right, down, along the diagonal and from the middle every place lies, in the image and in
    noise of its size; 0 is nothing, 1 is all.
    """
    from stroma.io import stem_of

    if bias:
        refuse(context, ("stack", "out", "pca"), "is of what is written; --bias writes nothing.")
    if stack:
        refuse(context, ("out", "pca", "at"), "is of the picture, in place of which --stack is.")
    target = stack or out or Path(f"{stem_of(image)}_features.png")
    values, plane = parsed(settings), positions(at)
    if not bias:
        refuse_existing(target, overwrite=overwrite)
    from stroma import ConvpaintModel
    from stroma.workflow.unlabelled.features import feature_bias, feature_picture, feature_stack

    model = ConvpaintModel(alias)
    model.set_params(**values)
    if bias:
        found = dict(zip(SEEN, feature_bias(model, image, at=plane, series=series), strict=True))
        if json:
            as_json({of.split()[-1]: asdict(one) for of, one in found.items()})
            return
        names = [field.name for field in fields(found[SEEN[0]])]
        rows = [(of, *(f"{getattr(one, n):.2f}" for n in names)) for of, one in found.items()]
        table(("features of", *names), rows)
        return
    if stack:
        written = feature_stack(model, image, target, series=series)
    else:
        with progress() as report:
            written = feature_picture(
                model,
                image,
                target,
                components=pca,
                at=plane,
                series=series,
                progress=partial(report, image.name),
            )
    if json:
        as_json(asdict(written))
        return
    typer.echo(f"{written.path}: {written.features} features per pixel")
    if written.share:
        shares = ", ".join(f"{share:.0%}" for share in written.share)
        typer.echo(f"The components hold {shares} of their variance.")
