"""The notebooks run from top to bottom, with a budget of a few steps."""

import csv
import json
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

from stroma.features import EXTRACTORS
from stroma.io import read_image
from stroma.pixel.model import ConvpaintModel
from stroma.training.model import Network
from stroma.workflow.exchange.package import PYDANTIC, works

FOLDER = Path(__file__).parents[2] / "examples" / "notebooks"
BUDGET = '{"minutes": 10}'
TINY = """{
    "steps": 2, "device": "cpu", "patch": [64, 64], "network_options": {"features": [4, 8]}
}"""
COLUMNS = {"classes": 7, "objects": 6, "spots": 6, "denoise": 5}
OTHERS = ("prompts", "strokes", "tracks", "zoo")
"""Those that have a test of their own."""


@pytest.mark.parametrize("name", COLUMNS)
def test_a_notebook_runs(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = code_of(name)
    assert sum(BUDGET in text for text in code) == 1
    run(name, [text.replace(BUDGET, TINY) for text in code])
    rows = quality(name)
    assert [row[0] for row in rows] == ["image", "scene0.tif", "scene1.tif"]
    assert {len(row) for row in rows} == {COLUMNS[name]}
    assert Network.load(f"{name}.safetensors").about.training["steps"] == 2
    ending = "csv" if name == "spots" else "tif"
    assert len(list(Path("results").glob(f"scene*.{ending}"))) == 2
    assert Path(f"{name}_curves.png").stat().st_size > 1000


def test_two_classes_of_stripes_are_told_apart_by_strokes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run("strokes", code_of("strokes"))
    rows = quality("strokes")
    assert [row[0] for row in rows] == ["image", "scene0.tif", "scene1.tif"]
    assert all(float(score) > 0.8 for row in rows[1:] for score in row[1:])
    assert ConvpaintModel(model_path="strokes.pkl").classifier is not None
    assert Path("results/summary.csv").exists()


def test_every_object_that_was_clicked_is_found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run("prompts", code_of("prompts"))
    rows = quality("prompts")
    assert [row[0] for row in rows] == ["object", "1", "2", "3", "4"]
    assert all(float(row[2]) > 0.85 for row in rows[1:])
    assert read_image("prompts_labels.tif").shape == (96, 96)


def test_an_object_that_divides_has_two_daughters(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace = run("tracks", code_of("tracks"))
    assert sorted(int(row[3]) for row in quality("tracks")[1:]) == [4, 4, 4, 8, 8]
    assert namespace["tracks"].count == 5
    assert len(Path("tracks/res_track.txt").read_text().splitlines()) == 5


def test_a_package_is_applied_and_paints(tmp_path, monkeypatch):
    pytest.importorskip("bioimageio.spec", exc_type=ImportError)
    if not works():
        pytest.skip(f"bioimageio.spec needs pydantic {PYDANTIC}")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(EXTRACTORS, "_added", dict(EXTRACTORS._added))
    code = code_of("zoo")
    assert sum(BUDGET in text for text in code) == 1
    namespace = run("zoo", [text.replace(BUDGET, TINY) for text in code])
    assert [row[:2] for row in quality("zoo")[1:]] == [["scene0.tif", "2"], ["scene1.tif", "2"]]
    assert len(list(Path("results").glob("scene*_labels.tif"))) == 2
    assert namespace["painted"].segment(namespace["first"]).shape == (96, 96)


def code_of(name: str) -> list[str]:
    cells = json.loads((FOLDER / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def run(name: str, code: list[str]) -> dict[str, object]:
    """Run cells one after the other, and return what they leave behind."""
    namespace: dict[str, object] = {"__name__": "__main__"}
    for number, text in enumerate(code):
        exec(compile(text, f"{name}.ipynb[{number}]", "exec"), namespace)
    plt.close("all")
    return namespace


def quality(name: str) -> list[list[str]]:
    with open(f"{name}_quality.csv", newline="") as file:
        return list(csv.reader(file))


def test_every_notebook_is_run_here_and_holds_no_outputs():
    notebooks = sorted(FOLDER.glob("*.ipynb"))
    assert [path.stem for path in notebooks] == sorted([*COLUMNS, *OTHERS])
    for path in notebooks:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells)
