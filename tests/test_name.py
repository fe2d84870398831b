"""The distribution has one name; the module's name on the package index is somebody else's."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from stroma.errors import DISTRIBUTION, install

ROOT = Path(__file__).parents[1]
FOREIGN = re.compile(
    r"""pip3? install [^\n`]*?(?<![\w.'-])'?"?stroma(\[|\b(?!-seg))|["']stroma\["""
)
TEXTS = [
    path
    for folder in ("src", "docs", "examples", "benchmarks", ".ci")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in {".py", ".md", ".js", ".html", ".toml", ".yaml", ".yml", ""}
    and path.is_file()
] + [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "Makefile", "pyproject.toml")]


def test_the_wheel_has_the_name_that_messages_say() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["name"] == DISTRIBUTION
    assert install() == f"pip install {DISTRIBUTION}"
    assert install("web") == f"pip install '{DISTRIBUTION}[web]'"


@pytest.mark.parametrize("said", ["pip install stroma", "pip install 'stroma[web]'"])
def test_the_pattern_finds_the_foreign_name(said) -> None:
    assert FOREIGN.search(said)


def test_no_text_installs_the_distribution_of_somebody_else() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in TEXTS
        for line in path.read_text(errors="replace").splitlines()
        if FOREIGN.search(line)
    ]
    assert not found
