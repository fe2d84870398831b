"""What is written for other package managers says what pyproject.toml says."""

import importlib.util
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

import stroma

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
    assert found["context"]["version"] == stroma.WRITTEN
    scripts = [f"{name} = {where}" for name, where in PROJECT["scripts"].items()]
    assert found["build"]["python"]["entry_points"] == scripts
    assert found["about"]["license"] == PROJECT["license"]


def test_the_container_installs_extras_that_there_are():
    text = (ROOT / "packaging" / "Containerfile").read_text(encoding="utf-8")
    [extras] = re.findall(r"\.whl\)\[([\w,]+)\]", text)
    assert set(extras.split(",")) <= set(PROJECT["optional-dependencies"])
    [entry] = re.findall(r'ENTRYPOINT \["(\w+)"\]', text)
    assert entry in PROJECT["scripts"]


def versions():
    """Return the module that tells the version when the project is built."""
    where = ROOT / "packaging" / "version.py"
    spec = importlib.util.spec_from_file_location("version", where)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def source(tmp_path):
    """A source without git."""
    root = tmp_path / "source"
    (root / "src" / "stroma").mkdir(parents=True)
    shutil.copy(ROOT / "src" / "stroma" / "__init__.py", root / "src" / "stroma")
    return root


def git(root, *command):
    who = ("-c", "user.name=A", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
    subprocess.run(["git", "-C", str(root), *who, *command], check=True, capture_output=True)


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not here")
def test_the_version_is_that_of_the_tag(source):
    version = versions().version
    git(source, "init")
    git(source, "add", ".")
    git(source, "commit", "-m", "first")
    assert version(source) == stroma.WRITTEN  # no tag yet
    git(source, "tag", "other-9.9.9")
    assert version(source) == stroma.WRITTEN
    git(source, "tag", "v1.2.3")
    assert version(source) == "1.2.3"
    git(source, "commit", "--allow-empty", "-m", "more")
    assert version(source) == "1.2.4.dev1"
    (source / "inner").mkdir()
    shutil.copytree(source / "src", source / "inner" / "src")
    assert version(source / "inner") == stroma.WRITTEN  # within another repository
    (source / "PKG-INFO").write_text("Metadata-Version: 2.4\nVersion: 7.8.9\n")
    assert version(source) == "7.8.9"


def test_a_source_without_git_has_the_version_that_is_written(source, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert versions().version(source) == stroma.WRITTEN
