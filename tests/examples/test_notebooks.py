"""The notebooks run from top to bottom, with a budget of a few steps."""

import csv
import json
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

from stroma.training.model import Network

FOLDER = Path(__file__).parents[2] / "examples" / "notebooks"
BUDGET = '{"minutes": 10}'
TINY = """{
    "steps": 2, "device": "cpu", "patch": [64, 64], "network_options": {"features": [4, 8]}
}"""
COLUMNS = {"classes": 7, "objects": 6}


@pytest.mark.parametrize("name", COLUMNS)
def test_a_notebook_runs(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cells = json.loads((FOLDER / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert sum(BUDGET in text for text in code) == 1
    namespace = {"__name__": "__main__"}
    for number, text in enumerate(code):
        exec(compile(text.replace(BUDGET, TINY), f"{name}.ipynb[{number}]", "exec"), namespace)
    plt.close("all")
    with open(f"{name}_quality.csv", newline="") as file:
        rows = list(csv.reader(file))
    assert [row[0] for row in rows] == ["image", "scene0.tif", "scene1.tif"]
    assert {len(row) for row in rows} == {COLUMNS[name]}
    assert Network.load(f"{name}.safetensors").about.training["steps"] == 2
    assert len(list(Path("results").glob("scene*.tif"))) == 2
    assert Path(f"{name}_curves.png").stat().st_size > 1000


def test_every_notebook_is_run_here_and_holds_no_outputs():
    notebooks = sorted(FOLDER.glob("*.ipynb"))
    assert [path.stem for path in notebooks] == sorted(COLUMNS)
    for path in notebooks:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells)
