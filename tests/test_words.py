"""What people who paint are told has their words: no names of parameters, calls or array code."""

import ast
import re
from pathlib import Path

import pytest

import stroma
from stroma import errors
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


def errors_raised(tree):
    """Yield the function, the line, the message and the keywords of every error of ours made."""
    kinds = {n for n, k in vars(errors).items() if isinstance(k, type) and issubclass(k, Exception)}
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in kinds:
                parts = [n for a in node.args for n in ast.walk(a)]
                text = " ".join(str(n.value) for n in parts if isinstance(n, ast.Constant))
                yield function.name, node.lineno, text, {k.arg: k.value for k in node.keywords}


def test_messages_with_words_of_python_have_others_for_people():
    found = []
    for path in (p for folder in FOLDERS for p in (SOURCE / folder).rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for function, line, text, keywords in errors_raised(tree):
            told = "told" in keywords
            if PYTHON.search(text) and not told and function not in PYTHON_ONLY:
                found.append(f"{path.relative_to(SOURCE)}:{line} {text[:80]}")
            if told:
                words = [n.value for n in ast.walk(keywords["told"]) if isinstance(n, ast.Constant)]
                assert not PYTHON.search(" ".join(map(str, words))), f"{path}:{line}"
    assert not found, "\n".join(found)


@pytest.mark.parametrize("where", ["cli/app.py", "session/words.py"])
def test_front_ends_show_what_is_for_people(where):
    assert "for_people(error)" in (SOURCE / where).read_text(encoding="utf-8")


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
