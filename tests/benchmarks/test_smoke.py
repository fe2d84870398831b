"""Every benchmark runs; how fast things are is not asked here."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"
SCRIPTS = {
    "filters": "40 blurs",
    "trees": "ours, maps",
    "rounds": "stroma, ratio",
    "deep": "Windows computed: 1, then 0",
    "large": "times as fast",
    "live": "in view",
    "hostile_models": "40 parameters:",
    "gpu": "Weights:",
    "tracking": "right links",
    "tracking_movies": "best possible",
    "tracking_long": "| ilp |",
    "decoding": "| seconds | memory added | F1 |",
    "objects": "64 objects in 256 x 256",
    "volumes": "noise 0.25",
    "sequences": "last frame",
    "prompts": "| `grabcut` |",
    "prompting": "| `graph` |",
    "upsampling": "| `naf:dino_vits8` |",
    "many_objects": '"found": 40,',
    "heads": "results are equal",
}
ELSEWHERE = {
    "adapt",
    "guidance",
    "instances",
    "hostile",
    "measuring",
    "movies",
    "phantom",
    "quality",
    "tracking_segmented",
    "clusters",
    "learn",
    "teaching",
    "mixing",
    "few_labels",
    "napari_gui",
    "page",
}
"""What the scripts share, those that need labelled images or a screen, and what others run."""


def test_every_benchmark_is_run_here():
    assert {path.stem for path in FOLDER.glob("*.py")} - ELSEWHERE == set(SCRIPTS)


NEEDS = {
    "decoding": "torch",
    "heads": "torch",
    "many_objects": "torch",
    "deep": "transformers",
    "large": "distributed",
    "live": "websockets",
    "prompting": "accelerate",
    "gpu": "transformers",
    "upsampling": "transformers",
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_benchmark_runs_on_small_images_and_shows_its_numbers(name, tmp_path):
    needed = NEEDS.get(name)
    if needed and importlib.util.find_spec(needed) is None:
        pytest.skip(f"needs {needed}")
    command = [sys.executable, str(FOLDER / f"{name}.py"), "--smoke"]
    environment = {**os.environ, "STROMA_CACHE": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert SCRIPTS[name] in done.stdout
