"""What people who paint are told has their words: no names of parameters, calls or array code."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest
import typer

import stroma
from stroma import errors
from stroma.cli import COMMANDS
from stroma.cli.app import build
from stroma.cli.words import ARGUMENT, BEFORE, known, on_command_line, options_of
from stroma.errors import StromaError, for_people

SOURCE = Path(stroma.__file__).parent
FOLDERS = ("pixel", "features", "classify", "data")
PYTHON = re.compile(
    r"\b(in_channels|channel_mode|image_downsample|memory_mode|img_ids|nan_to_num|moveaxis"
    r"|reset_training|ignore_warnings|restore_input_form|fe_[a-z]+|clf_[a-z]+|set_params?"
    r"|get_[a-z_]+|numpy|filled|abs)\b"
)
PYTHON_ONLY = {
    "__init__": "how a model is made",
    "get_feature_image": "arguments of a call",
    "_wrong_ids": "arguments of a call",
    "create_fe": "a call",
    "_instead_of": "how a model is made",
    "_require_settable": "settings of front ends do not name it",
    "_layers": "settings of front ends are lists to choose from",
    "_share": "settings of front ends are lists to choose from",
    "reduced": "arguments of a call",
}
"""Functions whose messages only a program can cause, and why."""


@cache
def parsed(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def errors_raised(tree):
    """Yield the function, the line, the message and the keywords of every error of ours made."""
    kinds = {n for n, k in vars(errors).items() if isinstance(k, type) and issubclass(k, Exception)}
    for function in [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]:
        for node in [n for n in ast.walk(function) if isinstance(n, ast.Call)]:
            if getattr(node.func, "id", "") in kinds:
                parts = [n for a in node.args for n in ast.walk(a)]
                text = " ".join(str(n.value) for n in parts if isinstance(n, ast.Constant))
                yield function.name, node.lineno, text, {k.arg: k.value for k in node.keywords}


def test_messages_with_words_of_python_have_others_for_people():
    found = []
    for path in (p for folder in FOLDERS for p in (SOURCE / folder).rglob("*.py")):
        tree = parsed(path)
        for function, line, text, keywords in errors_raised(tree):
            told = "told" in keywords
            if PYTHON.search(text) and not told and function not in PYTHON_ONLY:
                found.append(f"{path.relative_to(SOURCE)}:{line} {text[:80]}")
            if told:
                words = [n.value for n in ast.walk(keywords["told"]) if isinstance(n, ast.Constant)]
                assert not PYTHON.search(" ".join(map(str, words))), f"{path}:{line}"
    assert not found, "\n".join(found)


OPTION = re.compile(r"(?<![\w-])--[a-z]")
OF_FRONT_ENDS = ("cli", "web", "napari")
APART = ("session/code.py", "workflow/learning/recipe.py", "training/strokes")
"""What was done, as a command; a file for one; a program of its own."""


def texts(path):
    """Yield line and text of what a file says, without its docstrings."""
    tree = parsed(path)
    joined = [n for n in ast.walk(tree) if isinstance(n, ast.JoinedStr)]
    parts = {id(v) for n in joined for v in n.values}
    alone = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            said = (str(v.value) if isinstance(v, ast.Constant) else "'x'" for v in node.values)
            yield node.lineno, "".join(said)
        elif isinstance(node, ast.Constant) and id(node) not in parts | alone:
            yield node.lineno, str(node.value)


def test_what_everybody_calls_names_no_options_of_commands():
    for path in SOURCE.rglob("*.py"):
        where = path.relative_to(SOURCE).as_posix()
        if where.split("/")[0] in OF_FRONT_ENDS or where.startswith(APART):
            continue
        found = [f"{where}:{n} {t}" for n, t in texts(path) if OPTION.search(t)]
        found = [one for one in found if "stroma " not in one]  # a whole command
        assert not found, "\n".join(found)


@pytest.mark.parametrize("where", ["cli/words.py", "session/words.py"])
def test_front_ends_show_what_is_for_people(where):
    assert "for_people(error)" in (SOURCE / where).read_text(encoding="utf-8")


EVERY = frozenset().union(*(options_of([command]) for command in COMMANDS))


def test_messages_on_the_command_line_speak_of_options():
    found = []
    for path in SOURCE.rglob("*.py"):
        where = path.relative_to(SOURCE)
        if where.parts[0] in OF_FRONT_ENDS or where.name == "conformance.py":
            continue
        for function, line, text, keywords in errors_raised(parsed(path)):
            named = [one["name"] for one in ARGUMENT.finditer(text) if one["name"] not in known()]
            shown = on_command_line(text, EVERY - {"--alias"})  # so that recipes are set
            shown = on_command_line(shown, EVERY)
            left = [m for m in ARGUMENT.finditer(shown) if shown[: m.start()][-6:] != "--set "]
            if "told" not in keywords and function not in PYTHON_ONLY and (named or left):
                found.append(f"{where}:{line} {named} {shown[:90]}")
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("command", "written", "shown"),
    [
        ("segment", "Choose another with series=.", "Choose another with --series."),
        ("segment", "Say so with axes='cyx'.", "Say so with --axes cyx."),
        ("segment", "It is there. Replace it with overwrite=True.", None),
        ("segment", "mirror=False goes with networks.", "--no-mirror goes with networks."),
        ("segment", "min_size is a number of pixels.", "--min-size is a number of pixels."),
        ("train", "Normalise it (normalize=2).", "Normalise it (--set normalize=2)."),
        ("learn", "Give network='ladder'.", "Give --network ladder."),
        ("learn", "Learn with resample=false.", "Learn with --set resample=false."),
        ("evaluate", "It has axes. Name them with axes=.", "It has axes."),
        ("doctor", "Delete it, or start over (resume=False).", "Delete it, or start over."),
        ("train", "It has NaN. Use numpy.nan_to_num(image).", "It has NaN."),
        ("train", "dose=5/a.tif is gone.", "dose=5/a.tif is gone."),
        ("train", "axes=5.tif is gone.", "axes=5.tif is gone."),
        ("train", "cells(1).tif is gone.", "cells(1).tif is gone."),
        ("train", "Use axes=x.tif.\nThen more.", "Use axes=x.tif.\nThen more."),
    ],
)
def test_an_argument_is_an_option_of_the_command(command, written, shown):
    if shown is None:
        shown = written.replace("overwrite=True", "--overwrite")
    assert on_command_line(written, options_of([command, "a.tif"])) == shown


def test_options_before_the_command_are_those_of_the_program():
    program = typer.main.get_command(build())
    assert {o for p in program.params for o in p.opts} - {"--version", "--debug"} == BEFORE


def test_an_error_says_both():
    error = StromaError("set channel_mode", told="Choose what the channels are.")
    assert str(error) == "set channel_mode"
    assert for_people(error) == "Choose what the channels are."
    assert for_people(StromaError("plain")) == "plain"
    assert for_people(ValueError("other")) == "other"


@pytest.mark.parametrize(
    ("python", "people"),
    [
        ("It has {'z': 2, 'y': 60, 'x': 80}.", "It has 2 planes of 60 x 80."),
        ("It has {'y': 60, 'x': 80}.", "It has 60 x 80."),
        ("It has shape (2, 60, 80) (see there).", "It has shape 2 x 60 x 80 (see there)."),
    ],
)
def test_sizes_are_written_as_people_write_them(python, people):
    assert for_people(errors.ShapeError(python)) == people
