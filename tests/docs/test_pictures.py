"""The script that makes the pictures works, and makes those the pages show."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def pictures():
    spec = importlib.util.spec_from_file_location("make_pictures", DOCS / "make_pictures.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.PICTURES


NAMES = ["segmentation", "halo", "stride", "pyramid", "volume_halo", "anisotropy", "episodes"]


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_is_made_for_each_name(pictures, name: str, tmp_path: Path) -> None:
    assert name in pictures
    assert (DOCS / "images" / f"{name}.png").exists()
    pictures[name]().savefig(tmp_path / "picture.png", dpi=20)
    assert (tmp_path / "picture.png").stat().st_size > 1000
