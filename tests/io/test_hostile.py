"""Damaged and misleading files are read or refused: no crash, no hang, no foreign error."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "hostile.py"


@pytest.mark.skipif(sys.platform == "win32", reason="the script sets limits of processes")
def test_some_hundred_damaged_files_make_no_trouble(tmp_path):
    command = [sys.executable, str(SCRIPT), "--count", "420", "--keep", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout.splitlines()[-1]
    counts = {" ".join(words[1:]): int(words[0]) for words in map(str.split, said[3:].split(","))}
    assert counts["read"] > 20, said
    assert counts["refused"] > 100
