"""The command line, run in this process."""

from __future__ import annotations

import pytest

from stroma.cli.app import main


def run(capsys, *args: object) -> str:
    """Run a command that succeeds, and return what it said."""
    with pytest.raises(SystemExit) as ended:
        main([str(arg) for arg in args])
    said = capsys.readouterr()
    assert not ended.value.code, said.err
    return said.out
