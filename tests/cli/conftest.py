"""Run the program in this process, and see what it wrote and how it ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from stroma.cli.app import main


@dataclass(frozen=True)
class Ended:
    """How a run ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def stroma(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """Return a function that runs ``stroma`` with its arguments."""

    def run(*args: object) -> Ended:
        with pytest.raises(SystemExit) as ended:
            main([str(arg) for arg in args])
        written = capsys.readouterr()
        return Ended(int(ended.value.code or 0), written.out, written.err)

    return run
