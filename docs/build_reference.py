"""Write docs/reference from the docstrings of the public names.

Run it with ``make docs``; ``--check`` writes nothing and fails where a page is not current.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import inspect
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from typer.testing import CliRunner

import stroma
from stroma import errors
from stroma.cli import COMMANDS
from stroma.cli.app import build

FOLDER = Path(__file__).parent / "reference"
LINE = 90


def main() -> None:
    """Write the pages, or check them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail where a page is not current")
    check = parser.parse_args().check
    stale = [name for name, text in pages() if not _is_current(FOLDER / name, text)]
    if stale and check:
        sys.exit(f"docs/reference is not current: {', '.join(stale)}. Run: make docs")
    for name, text in pages():
        (FOLDER / name).write_text(text, encoding="utf-8")


def pages() -> Iterator[tuple[str, str]]:
    """Yield the name and text of every reference page."""
    testing = importlib.import_module("stroma.testing")
    yield "python.md", _page("Python: `stroma`", stroma, stroma.__all__)
    yield "testing.md", _page("Python: `stroma.testing`", testing, _defined(testing))
    yield "errors.md", _page("Python: `stroma.errors`", errors, _defined(errors))
    yield "command-line.md", _command_line()


def _is_current(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text


def _defined(module: ModuleType) -> list[str]:
    """Return the public names that a module defines itself, in the order of its source."""
    own = getattr(module, "__all__", [name for name in vars(module) if name[0] != "_"])
    return [n for n in own if getattr(getattr(module, n), "__module__", "") == module.__name__]


def _page(title: str, module: ModuleType, names: list[str]) -> str:
    things = [getattr(module, name) for name in names]
    documented = [t for t in things if inspect.isclass(t) or inspect.isfunction(t)]
    parts = [f"# {title}", markdown(inspect.getdoc(module) or ""), *map(_section, documented)]
    return "\n\n".join(parts) + "\n"


def _section(thing: Any) -> str:
    """Return a class with its methods, or a function."""
    parts = [f"## {thing.__name__}", _call(thing), markdown(inspect.getdoc(thing) or "")]
    if inspect.isclass(thing):
        parts += [_member(name, member) for name, member in _members(thing)]
    return "\n\n".join(part for part in parts if part)


def _members(thing: type) -> list[tuple[str, Any]]:
    """Return the documented public methods and properties, in the order of the source."""
    if issubclass(thing, BaseException):
        return []
    names = [name for name in dir(thing) if not name.startswith("_")]
    members = {name: inspect.getattr_static(thing, name) for name in names}
    ours = {n: m for n, m in members.items() if inspect.isfunction(_function(m)) and m.__doc__}
    return sorted(ours.items(), key=lambda item: _function(item[1]).__code__.co_firstlineno)


def _function(member: Any) -> Any:
    """Return the function behind a method or a property."""
    return getattr(member, "fget", None) or getattr(member, "__func__", member)


def _member(name: str, member: Any) -> str:
    function = _function(member)
    call = "" if isinstance(member, property) else _call(function)
    parts = [f"### {name}", call, markdown(inspect.getdoc(function) or "")]
    return "\n\n".join(part for part in parts if part)


def _call(thing: Any) -> str:
    """Return how a thing is called, as its source says; empty for classes without arguments."""
    node = ast.parse(textwrap.dedent(inspect.getsource(thing))).body[0]
    arguments = _fields(node) if isinstance(node, ast.ClassDef) else _arguments(node.args)  # type: ignore[attr-defined]
    if isinstance(node, ast.ClassDef) and not arguments:
        bases = ", ".join(map(ast.unparse, node.bases))
        return f"```text\nclass {thing.__name__}({bases})\n```" if bases else ""
    returned = getattr(node, "returns", None)
    arrow = f" -> {ast.unparse(returned)}" if returned and ast.unparse(returned) != "None" else ""
    line = f"{thing.__name__}({', '.join(arguments)}){arrow}"
    if len(line) > LINE:
        line = f"{thing.__name__}(\n" + "".join(f"    {a},\n" for a in arguments) + f"){arrow}"
    return f"```text\n{line}\n```"


def _fields(node: ast.ClassDef) -> list[str]:
    """Return the fields of a dataclass, or the arguments of ``__init__``."""
    for part in node.body:
        if isinstance(part, ast.FunctionDef) and part.name == "__init__":
            return _arguments(part.args)
    fields = [part for part in node.body if isinstance(part, ast.AnnAssign)]
    return [ast.unparse(part) for part in fields if not ast.unparse(part).startswith("_")]


def _arguments(node: ast.arguments) -> list[str]:
    plain = [*node.posonlyargs, *node.args]
    defaults = [None] * (len(plain) - len(node.defaults)) + list(node.defaults)
    found = [_argument(a, d) for a, d in zip(plain, defaults, strict=True)]
    if node.vararg or node.kwonlyargs:
        found.append(f"*{ast.unparse(node.vararg)}" if node.vararg else "*")
    found += [_argument(a, d) for a, d in zip(node.kwonlyargs, node.kw_defaults, strict=True)]
    found += [f"**{ast.unparse(node.kwarg)}"] if node.kwarg else []
    return [argument for argument in found if argument not in ("self", "cls")]


def _argument(name: ast.arg, default: ast.expr | None) -> str:
    if default is None:
        return ast.unparse(name)
    equals = " = " if name.annotation else "="
    return f"{ast.unparse(name)}{equals}{ast.unparse(default)}"


UNDERLINED = re.compile(r"^([A-Z][\w ]+)\n-{3,}\n", re.MULTILINE)
LISTS = ("Parameters", "Attributes", "Returns", "Yields", "Raises")
ROLE = re.compile(r":\w+:`~?([^`]+)`")


def markdown(doc: str) -> str:
    """Return a numpydoc docstring as Markdown."""
    lead, *rest = UNDERLINED.split(doc)
    parts = [_prose(lead)]
    for title, body in zip(rest[::2], rest[1::2], strict=True):
        parts += [f"**{title}**", _entries(body) if title in LISTS else _prose(body)]
    return "\n\n".join(part for part in parts if part)


def _prose(text: str) -> str:
    return ROLE.sub(r"`\1`", text).replace("``", "`").replace("::\n", ":\n").strip()


def _entries(body: str) -> str:
    """Return ``name : type`` lines and their indented text as a list."""
    items = re.split(r"^(?=\S)", body.strip(), flags=re.MULTILINE)
    return "\n".join(_entry(*item.partition("\n")[::2]) for item in items if item)


def _entry(head: str, text: str) -> str:
    name, _, kind = head.partition(" : ")
    of = f" ({_prose(kind)})" if kind else ""
    said = " ".join(_prose(textwrap.dedent(text)).split())
    return f"- `{name.strip()}`{of}" + (f": {said}" if said else "")


def _command_line() -> str:
    app, runner = build(), CliRunner()
    parts = ["# Command line: `stroma`"]
    for command in ["", *COMMANDS]:
        help_ = runner.invoke(app, [*command.split(), "--help"], prog_name="stroma").output
        parts.append(f"## stroma {command}".rstrip() + f"\n\n```text\n{help_.strip()}\n```")
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    main()
