"""``stroma models``: the feature extractors there are, and their aliases."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from stroma.cli.show import AsJson, as_json, table

if TYPE_CHECKING:
    from stroma.pixel.choices.catalogue import Entry


def models(json: AsJson = False) -> None:
    """List feature extractors and aliases, and engines with other weights.

    With the number of features per pixel of a grey and of a colour image, whether pretrained
    weights are on this machine, how large their files are, and their licence. Nothing is fetched.
    """
    from stroma.pixel.choices.catalogue import entries
    from stroma.prompts import ENGINES
    from stroma.weights import CATALOGUE, status

    found = entries()
    if json:
        as_json([asdict(entry) for entry in found])
        return
    table(
        ("kind", "name", "extractor", "scalings", "grey", "rgb", "weights", "MB", "licence"),
        map(_row, found),
    )
    own = sorted(name for name in ENGINES if name in CATALOGUE and name not in _names(found))
    table(
        ("engine of 'stroma prompt'", "weights", "licence"),
        ((name, status(name), CATALOGUE[name].licence) for name in own),
    )
    others = [name for name in ENGINES if name not in own]
    typer.echo(f"Further engines of 'stroma prompt', weights as above: {', '.join(others)}")
    if any(entry.weights == "missing" for entry in found):
        typer.echo("Missing weights are fetched when first used, or with: stroma fetch NAME")
    if any(entry.weights == "by hand" for entry in found):
        typer.echo("Those by hand are on no hub; where to get them, says: stroma fetch NAME")
    for advice in sorted({e.missing.partition(". ")[2] for e in found if e.missing}):
        typer.echo(f"What has a ? needs more than is installed. {advice}")


def _names(found: list[Entry]) -> set[str]:
    return {entry.name for entry in found if entry.kind == "extractor"}


def _row(entry: Entry) -> tuple[object, ...]:
    known = ("?", "?", "?")
    if not entry.missing:
        known = (_scalings(entry.scalings), str(entry.grey), str(entry.rgb))
    told = entry.weights, str(entry.megabytes or ""), entry.licence
    return entry.kind, entry.name, entry.extractor, *known, *told


def _scalings(scalings: list[object] | None) -> str:
    """Write ``[1, 2, 4]`` as "1/2/4", one such per part of a combination."""
    if not scalings:
        return "1"
    if isinstance(scalings[0], list):
        return " + ".join(_scalings(part) for part in scalings if isinstance(part, list))
    return "/".join(map(str, scalings))
