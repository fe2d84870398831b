"""The table of names says what the registries know, and nothing of the original is missing."""

from __future__ import annotations

import re
from pathlib import Path

from stroma.features import EXTRACTORS
from stroma.features.build import (
    ATTENTION,
    CENTRED,
    COMBINATIONS,
    GUIDED,
    ORTHOGONAL,
    SYNONYMS,
    part_names,
)
from stroma.features.networks.shifts import SETS
from stroma.pixel.choices.aliases import ALIASES

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "names.md"

ORIGINAL = {
    *("vgg", "vgg-m", "vgg-l", "dino", "gaussian", "cellpose", "ilastik", "dino-jafar"),
    *("vgg16", "ilastik_2d", "cellpose_backbone", "gaussian_features", "efficient_netb0"),
    *("convnext", "dinov2_vits14_reg", "dino_jafar_small"),
    *("combo_dino_gauss", "combo_dino_vgg", "combo_dino_ilastik"),
}
"""Aliases, extractors and combinations that the original documents."""


def rows() -> list[list[str]]:
    """Return the cells of the tables of the page, without marks of code."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    tables = (line for line in lines if line.startswith("| `"))
    return [[cell.strip().replace("`", "") for cell in line.split("|")[1:-1]] for line in tables]


def known() -> dict[tuple[str, str], str]:
    """Return what names stand for, by name and kind, as the registries have it."""
    return {
        **{(name, "alias"): str(given["fe_name"]) for name, given in ALIASES.items()},
        **{(name, "extractor"): name for name in EXTRACTORS},
        **{(name, "combination"): parts for name, parts in COMBINATIONS.items()},
        **{(name, "other name"): name_of for name, name_of in SYNONYMS.items()},
    }


def test_the_table_has_every_name_once_and_says_what_it_stands_for() -> None:
    found = [row for row in rows() if len(row) == 5]
    assert {(row[0], row[1]): row[2] for row in found} == known()
    assert len(found) == len(known())
    for row in found:
        assert part_names(row[2]), row[0]


def test_prefixes_are_those_there_are() -> None:
    found = {row[0]: row[1] for row in rows() if len(row) == 3}
    ours = {ATTENTION, CENTRED, ORTHOGONAL}
    assert set(found) == {f"{name}:" for name in (*SETS, *GUIDED)} | ours
    for kind, transformers in GUIDED.items():
        assert re.split(", ", found[f"{kind}:"]) == list(transformers)


def test_nothing_that_the_original_documents_is_missing() -> None:
    """And the page does not say of others that they are the original's."""
    said = {row[0] for row in rows() if len(row) == 5 and row[4] == "yes"}
    assert said >= ORIGINAL
    assert {name for name, _ in known()} >= said
    assert "stroma" not in said
