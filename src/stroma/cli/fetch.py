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
        help="Aliases, extractors or combinations, as `stroma models` lists them.",
        show_default=False,
    ),
]


def fetch(names: Names, json: AsJson = False) -> None:
    """Get pretrained weights ahead of time.

    Only the tensors that the extractor's defaults and aliases use are fetched, where the server
    allows it. What is on this machine already is not fetched again.
    """
    from stroma.pixel.choices.catalogue import networks
    from stroma.weights import fetch as fetch_weights

    wanted = {name: networks(name) for name in names}
    with progress("MB", size=10**6) as report:
        origins = [
            fetch_weights(network, progress=partial(report, network))
            for network in dict.fromkeys(n for found in wanted.values() for n in found)
        ]
    if json:
        as_json([asdict(origin) for origin in origins])
        return
    for name in [name for name, found in wanted.items() if not found]:
        typer.echo(f"{name}: needs no weights")
    for origin in origins:
        where = f"{origin.repository} at {origin.revision}, " if origin.repository else ""
        typer.echo(f"{origin.name}: {where}{origin.file}")
