"""Run the program in this process, and see what it wrote and how it ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from stroma import ConvpaintModel
from stroma.cli.app import main
from stroma.io import write_image, write_labels


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


@pytest.fixture
def halves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder, and work in it: two images, dark left and bright right, and strokes.

    ``a.png`` and ``b.png`` are 20 x 40; ``a_strokes.png`` marks 1 in the dark, 2 in the bright.
    """
    monkeypatch.chdir(tmp_path)
    values = np.full((20, 40), 60, np.uint8)
    values[:, 20:] = 200
    for name in "ab":
        write_image(f"{name}.png", values, axes="yx", spacing={})
    strokes = np.zeros(values.shape, np.uint8)
    strokes[5:8, 2:10], strokes[5:8, 30:38] = 1, 2
    write_labels("a_strokes.png", strokes)
    return tmp_path


@pytest.fixture
def model(halves: Path) -> Path:
    """Return a model file trained on these halves."""
    made = ConvpaintModel("gaussian")
    made.train("a.png", "a_strokes.png")
    made.save("model.pkl", create_yml=False)
    return halves / "model.pkl"
