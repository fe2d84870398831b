"""``stroma fetch``: pretrained weights, ahead of time."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import Annotated

import typer

from stroma.cli.show import AsJson, as_json, progress

Names = Annotated[
    list[str],
    typer.Argument(
        metavar="NAME",
        help="Extractors, as `stroma models` lists them.",
        show_default=False,
    ),
]


def fetch(names: Names, json: AsJson = False) -> None:
    """Get pretrained weights ahead of time.

    Only the tensors that the extractor's defaults and aliases use are fetched, where the server
    allows it. What is on this machine already is not fetched again.
    """
    from stroma.weights import fetch as fetch_weights

    with progress("MB", size=10**6) as report:
        origins = [fetch_weights(name, progress=partial(report, name)) for name in names]
    if json:
        as_json([asdict(origin) for origin in origins])
        return
    for origin in origins:
        where = f"{origin.repository} at {origin.revision}, " if origin.repository else ""
        typer.echo(f"{origin.name}: {where}{origin.file}")
