"""The template of a plugin installs, is found by name, and passes its own tests."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLUGIN = ROOT / "examples" / "extractor_plugin"

COMPUTE = """
import numpy as np
from stroma.features import EXTRACTORS

block = np.zeros((1, 12, 13), np.float32)
block[0, 6, 6] = 5
(result,) = EXTRACTORS["local_range"]()(block)
print(sorted(EXTRACTORS), result.values.shape, result.values.max())
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """The variables of a process that sees the installed plugin."""
    folder = tmp_path_factory.mktemp("site")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", *options]
    run([*pip, "--target", str(folder), str(PLUGIN)], os.environ)
    return {**os.environ, "PYTHONPATH": str(folder)}


def run(command, environment):
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=PLUGIN)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_installed_plugin_is_listed_and_computes(environment):
    out = run([sys.executable, "-P", "-c", COMPUTE], environment)
    assert "'local_range'" in out
    assert "'ilastik_2d'" in out
    assert "(1, 6, 7) 5.0" in out


def test_plugin_passes_its_own_tests(environment):
    run([sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider"], environment)


def test_the_how_to_shows_the_code_of_the_plugin():
    page = (ROOT / "docs" / "how-to" / "add-an-extractor.md").read_text(encoding="utf-8")
    shown = re.findall(r"^```(?:python|toml)\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    module, test, entry_point = shown
    assert module == (PLUGIN / "stroma_local_range.py").read_text(encoding="utf-8")
    assert entry_point in (PLUGIN / "pyproject.toml").read_text(encoding="utf-8")
    function = test[test.index("def ") :]
    assert function in (PLUGIN / "test_stroma_local_range.py").read_text(encoding="utf-8")
