"""``stroma export``: a trained network for other programs."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from stroma.cli.show import AsJson, as_json, refuse_existing
from stroma.cli.unused import require_company


def export(
    context: typer.Context,
    model: Annotated[
        Path,
        typer.Argument(metavar="MODEL", help="Network (.safetensors).", show_default=False),
    ],
    package: Annotated[
        Path,
        typer.Option(
            "--bioimageio", metavar="FILE.zip", help="Model package to write.", show_default=False
        ),
    ],
    name: Annotated[
        str | None, typer.Option(help="Name of the model.", show_default="that of the file")
    ] = None,
    description: Annotated[str, typer.Option(help="What it does, in one sentence.")] = "",
    authors: Annotated[
        list[str] | None,
        typer.Option("--author", help="Who made it; may be repeated.", show_default=False),
    ] = None,
    license: Annotated[str, typer.Option(help="SPDX identifier of its licence.")] = "CC-BY-4.0",
    cite: Annotated[str, typer.Option(help="What to cite, in words.")] = "",
    doi: Annotated[str, typer.Option(help="DOI of that.")] = "",
    image: Annotated[
        Path | None,
        typer.Option(
            help="Image that shows what it does: test input and cover.", show_default="noise"
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a file that is there.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Write a network as a model package of bioimage.io."""
    require_company(context, {"cite": ("doi",)})
    refuse_existing(package, overwrite=overwrite)
    from stroma.errors import FormatError
    from stroma.workflow.applying.load import NETWORK, load

    if model.suffix != NETWORK:
        raise FormatError(f"Networks are exported ({NETWORK}), got {str(model)!r}.")
    network = load(model)
    from stroma.training.model import Network
    from stroma.workflow.exchange.package import export
    from stroma.workflow.exchange.presentation import Card

    assert isinstance(network, Network)
    called = name or model.stem.replace(".", "_")
    said = Card(
        name=called if len(called) >= 5 else f"{called} network",
        description=description,
        authors=tuple(authors or ()),
        license=license,
        cite=cite,
        doi=doi,
    )
    made = export(network, package, said, image=image)
    if json:
        as_json(asdict(made))
        return
    typer.echo(f"{made.path}: weights as {', '.join(made.weights)}")
    for note in made.notes:
        typer.echo(f"  {note}")
