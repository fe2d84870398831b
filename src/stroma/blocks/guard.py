"""Whether a script can be imported by new processes without starting its work again.

Processes of a local cluster import the script that made them. Where its work stands in no
``if __name__ == "__main__":``, each would begin it anew, and all of them end in an error.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from types import FrameType

from stroma.errors import WorkerError


def require_guard() -> None:
    """Raise where the running script would be started again by its own worker processes.

    Raises
    ------
    WorkerError
        Naming the script and the line to write.
    """
    script = getattr(sys.modules["__main__"], "__file__", None)
    line = None if script is None else _line_at_work(script)
    if script is None or line is None:
        return
    if not is_guarded(Path(script).read_text(encoding="utf-8"), line):
        raise WorkerError(
            f"Processes of dask import {script} again, so put its work under "
            f"'if __name__ == \"__main__\":' (line {line} starts it)."
        )


def is_guarded(code: str, line: int) -> bool:
    """Tell whether a line of a script stands under a condition on ``__name__``."""
    for statement in ast.parse(code).body:
        if statement.lineno <= line <= (statement.end_lineno or statement.lineno):
            return isinstance(statement, ast.If) and "__name__" in ast.unparse(statement.test)
    return True


def _line_at_work(script: str) -> int | None:
    """Return the line of the script itself that is running; None in notebooks and consoles."""
    if hasattr(sys, "ps1") or not Path(script).is_file() or not script.endswith(".py"):
        return None
    frame: FrameType | None = sys._getframe()
    found = None
    while frame is not None:
        if frame.f_globals.get("__name__") == "__main__" and frame.f_code.co_name == "<module>":
            found = frame.f_lineno
        frame = frame.f_back
    return found
