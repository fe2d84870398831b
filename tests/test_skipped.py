"""What is skipped is said in the last line, with how to have it."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
TESTS = """
import pytest

@pytest.mark.parametrize("n", range(3))
def test_page(n):
    pytest.skip("no Chromium: apt-get install chromium")

@pytest.mark.skipif(True, reason="needs a display: install Xvfb")
def test_display():
    pass
"""


def last_line(folder: Path, tests: str) -> str:
    (folder / "test_some.py").write_text(tests)
    command = [sys.executable, "-m", "pytest", "-p", "conftest", "-p", "no:cacheprovider", "-q"]
    plain = ["--rootdir", str(folder), "test_some.py"]
    ran = subprocess.run(
        [*command, *plain],
        cwd=folder,
        env={"PYTHONPATH": str(HERE), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout.splitlines()[-1]


def test_the_last_line_counts_what_was_skipped_and_says_how_to_have_it(tmp_path):
    assert last_line(tmp_path, TESTS) == (
        "Skipped: 3 no Chromium: apt-get install chromium; 1 needs a display: install Xvfb"
    )


def test_nothing_is_said_of_skipping_where_nothing_was_skipped(tmp_path):
    assert "1 passed" in last_line(tmp_path, "def test_it():\n    pass\n")
