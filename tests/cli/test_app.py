"""The program as a whole: it answers at once, and ends with codes that mean something."""

from __future__ import annotations

import subprocess
import sys

import pytest

import stroma as package
from stroma import errors
from stroma.cli import COMMANDS, app

HEAVY = {
    "numpy",
    "torch",
    "numba",
    "scipy",
    "skimage",
    "sklearn",
    "catboost",
    "cv2",
    "zarr",
    "rich",
}


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom stroma.cli.app import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: print(*{m.split('.')[0] for m in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.splitlines()[-1].split()) & HEAVY == set()


def test_help_lists_every_command(stroma) -> None:
    ended = stroma("--help")
    assert ended.code == 0
    listed = [line.split()[0] for line in ended.out.split("Commands:")[1].splitlines() if line]
    assert listed == list(COMMANDS)


@pytest.mark.parametrize("command", list(COMMANDS))
def test_every_command_explains_itself(stroma, command: str) -> None:
    ended = stroma(command, "--help")
    assert ended.code == 0
    summary = COMMANDS[command].__doc__.splitlines()[0]
    assert summary in ended.out


def test_version(stroma) -> None:
    assert stroma("--version").out == f"stroma {package.__version__}\n"


def test_unknown_command_is_wrong_usage_and_names_a_close_one(stroma) -> None:
    ended = stroma("doctr")
    assert ended.code == 2
    assert "doctor" in ended.err


def fail_with(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def failing(**_: object) -> None:
        raise error

    monkeypatch.setattr(app, "build", lambda: failing)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.ShapeError("a (3, 3) image"), 2),
        (PermissionError(13, "Permission denied", "out.tif"), 2),
        (errors.MissingExtraError("needs torch"), 3),
        (errors.WeightsError("no weights"), 3),
        (errors.Cancelled("cancelled by you"), 130),
    ],
)
def test_errors_are_one_line_and_a_code(stroma, monkeypatch, error: Exception, code: int) -> None:
    fail_with(monkeypatch, error)
    ended = stroma("doctor")
    assert (ended.code, ended.err, ended.out) == (code, f"stroma: {errors.for_people(error)}\n", "")


def test_debug_anywhere_shows_the_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    fail_with(monkeypatch, errors.ShapeError("a (3, 3) image"))
    with pytest.raises(errors.ShapeError, match="a \\(3, 3\\) image"):
        app.main(["doctor", "--debug"])


def test_a_defect_of_ours_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    fail_with(monkeypatch, ZeroDivisionError("ours"))
    with pytest.raises(ZeroDivisionError):
        app.main(["doctor"])
