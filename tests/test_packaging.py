"""What is written for other package managers says what pyproject.toml says."""

import re
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CONDA = {"opencv-python-headless": "py-opencv"}
"""Names of the package index -> names of conda, where they differ."""


def recipe() -> dict:
    return yaml.safe_load((ROOT / "packaging" / "conda" / "recipe.yaml").read_text("utf-8"))


def test_the_conda_recipe_asks_for_what_the_project_needs():
    needed = {
        f"{CONDA.get(name, name)} {least}"
        for name, least in (
            re.fullmatch(r"([\w-]+)(>=[\d.]+)", one).groups() for one in PROJECT["dependencies"]
        )
    }
    assert set(recipe()["requirements"]["run"]) == needed | {f"python {PROJECT['requires-python']}"}


def test_the_conda_recipe_is_of_this_version_and_these_programs():
    found = recipe()
    assert found["context"]["version"] == PROJECT["version"]
    scripts = [f"{name} = {where}" for name, where in PROJECT["scripts"].items()]
    assert found["build"]["python"]["entry_points"] == scripts
    assert found["about"]["license"] == PROJECT["license"]


def test_the_container_installs_extras_that_there_are():
    text = (ROOT / "packaging" / "Containerfile").read_text(encoding="utf-8")
    [extras] = re.findall(r"\.whl\)\[([\w,]+)\]", text)
    assert set(extras.split(",")) <= set(PROJECT["optional-dependencies"])
    [entry] = re.findall(r'ENTRYPOINT \["(\w+)"\]', text)
    assert entry in PROJECT["scripts"]
