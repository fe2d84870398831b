"""Scripts that their own worker processes would start again are told so, in one sentence."""

import os
import subprocess
import sys

import pytest

from stroma.blocks.guard import is_guarded, require_guard

WORK = """
from stroma.blocks.guard import require_guard

def work():
    require_guard()
    print("done")
"""


@pytest.mark.parametrize(
    ("start", "works"),
    [
        ("work()", False),
        ("for _ in range(1):\n    work()", False),
        ("if __name__ == '__main__':\n    work()", True),
        ("if True:\n    work()", False),
        ("if '__main__' != __name__:\n    pass\nelse:\n    work()", True),
    ],
)
def test_a_script_without_guard_is_told_the_line(start, works, tmp_path):
    script = tmp_path / "mine.py"
    script.write_text(WORK + start + "\n")
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=False, env=os.environ
    )
    assert ("done" in done.stdout) == works
    if not works:
        last = done.stderr.strip().splitlines()[-1]
        assert 'if __name__ == "__main__"' in last
        assert "mine.py" in last


def test_functions_and_imports_are_not_asked():
    assert is_guarded("import json\n", 7)
    require_guard()
