"""``stroma models``: the feature extractors there are, and their aliases."""

from __future__ import annotations

from dataclasses import asdict

import typer

from stroma.cli.show import AsJson, as_json, table


def models(json: AsJson = False) -> None:
    """List feature extractors and aliases.

    With the number of features per pixel of a grey and of a colour image, and whether pretrained
    weights are on this machine. Nothing is fetched.
    """
    from stroma.pixel.catalogue import entries

    found = entries()
    if json:
        as_json([asdict(entry) for entry in found])
        return
    rows = [
        (e.kind, e.name, e.extractor, _scalings(e.scalings), e.grey or "?", e.rgb or "?", e.weights)
        for e in found
    ]
    table(("kind", "name", "extractor", "scalings", "grey", "rgb", "weights"), rows)
    if any(entry.weights == "missing" for entry in found):
        typer.echo("Missing weights are fetched when first used, or with: stroma fetch NAME")
    for message in sorted({entry.missing for entry in found} - {""}):
        typer.echo(message)


def _scalings(scalings: list[object] | None) -> str:
    """Write ``[1, 2, 4]`` as "1/2/4", one such per part of a combination."""
    if not scalings:
        return "1"
    if isinstance(scalings[0], list):
        return " + ".join(_scalings(part) for part in scalings if isinstance(part, list))
    return "/".join(map(str, scalings))
