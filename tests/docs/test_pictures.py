"""The script that makes the pictures works, and makes those the pages show."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import numpy as np
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


def test_the_script_of_the_picture_of_places_finds_its_parts() -> None:
    """Its networks take long; what it is made of is there, and its picture is the page's."""
    pytest.importorskip("transformers", reason="needs the extra deep")
    spec = importlib.util.spec_from_file_location("place", DOCS / "make_place_picture.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert f"](../images/{module.TARGET.name})" in (DOCS / "concepts" / "place.md").read_text(
        "utf-8"
    )
    colours = np.zeros((3, 8, 8), np.uint8)
    figure = module.drawn(colours, dict.fromkeys(module.SHOWN, (colours, None)))
    assert [axis.get_title().split("\n")[0] for axis in figure.axes][1] == "EfficientNet-Lite0,"
    page = (DOCS / "concepts" / "place.md").read_text("utf-8")
    for name in module.SHOWN:
        kind = "real" if name.startswith("efficientnet") else "random"
        assert f"| `{name}`, {kind} weights |" in page


def test_the_picture_of_targets_shows_every_target() -> None:
    pytest.importorskip("torch", reason="needs the extra train")
    spec = importlib.util.spec_from_file_location("targets", DOCS / "make_target_pictures.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert f"](../images/{module.PICTURE.name})" in (DOCS / "how-to" / "targets.md").read_text(
        "utf-8"
    )
    titles = [axis.get_title() for axis in module.drawn().axes]
    for name, target in module.TARGETS.items():
        assert f"{name}: {target.result}" in titles


def test_every_picture_of_the_gallery_is_made_by_a_script() -> None:
    scripts = "".join(path.read_text("utf-8") for path in DOCS.glob("make_*.py"))
    gallery = (DOCS / "gallery.md").read_text("utf-8")
    shown = re.findall(r"\]\(images/([\w-]+)\.png\)", gallery)
    assert len(shown) > 10
    assert [name for name in shown if not re.search(rf"\b{name}\b", scripts)] == []
