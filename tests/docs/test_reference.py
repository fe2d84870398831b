"""The reference pages say what the source says."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

import stroma
from stroma.cli import COMMANDS

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def build() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_reference", DOCS / "build_reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_sections_of_a_docstring_become_lists(build: ModuleType) -> None:
    doc = (
        "Return ``x`` of :class:`stroma.Image`.\n\nParameters\n----------\nx : (C, y, x) array\n"
        "    Values,\n    in µm.\n**kwargs\n    More.\n\nRaises\n------\nShapeError\n    Never.\n"
    )
    assert build.markdown(doc) == (
        "Return `x` of `stroma.Image`.\n\n**Parameters**\n\n"
        "- `x` ((C, y, x) array): Values, in µm.\n- `**kwargs`: More.\n\n"
        "**Raises**\n\n- `ShapeError`: Never."
    )


def test_calls_are_written_as_in_the_source(build: ModuleType) -> None:
    def call(self, a: int, b: str = "x", *, c: float | None = None) -> list[int]:
        return []

    assert build._call(call) == (
        "```text\ncall(a: int, b: str = 'x', *, c: float | None = None) -> list[int]\n```"
    )


def test_every_public_name_and_command_has_a_section(build: ModuleType) -> None:
    pages = dict(build.pages())
    for name in set(stroma.__all__) - {"__version__"}:
        assert f"\n## {name}\n" in pages["python.md"]
    for command in COMMANDS:
        assert f"\n## stroma {command}\n" in pages["command-line.md"]
    assert "\n### segment\n" in pages["python.md"]


def test_pages_name_no_place_of_the_machine_they_were_made_on(build: ModuleType) -> None:
    for text in dict(build.pages()).values():
        assert str(Path.home()) not in text
        assert str(DOCS.parent) not in text
