"""No module of the package imports, by way of others, itself: each can be read on its own.

Imports inside functions count, as the knot is there however late it is drawn, and so do those that
are for type checkers alone.
"""

import ast
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

import stroma

SOURCE = Path(stroma.__file__).parent


def modules(root):
    """Return the files of a package by module name."""
    found = {}
    for path in sorted(root.rglob("*.py")):
        parts = (root.name, *path.relative_to(root).with_suffix("").parts)
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(tree):
    """Yield the names a module imports; both a module and what is taken from it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
            yield str(node.module)


def knots(root):
    """Return the groups of modules that import one another, largest first."""
    files = modules(root)
    names = list(files)
    place = {name: i for i, name in enumerate(names)}
    edges = {
        (place[name], place[other])
        for name, path in files.items()
        for other in imported(ast.parse(path.read_text(encoding="utf-8")))
        if other in place and other != name
    }
    # a package's __init__ runs before its modules, so a name that is a module counts as that alone
    edges = {(a, b) for a, b in edges if not names[a].startswith(names[b] + ".")}
    a, b = np.array(sorted(edges)).T
    graph = coo_matrix((np.ones(len(a)), (a, b)), shape=(len(names), len(names)))
    count, group = connected_components(graph, connection="strong")
    groups = [{names[i] for i in np.flatnonzero(group == g)} for g in range(count)]
    return sorted((g for g in groups if len(g) > 1), key=lambda g: (-len(g), min(g)))


def test_no_module_imports_itself_by_way_of_others():
    found = knots(SOURCE)
    assert not found, f"these import one another: {[sorted(group) for group in found]}"


@pytest.mark.parametrize(
    ("a", "b", "found"),
    [
        ("from pack import b", "import pack.a", True),
        ("from pack.b import thing", "def late():\n    from pack.a import other", True),
        ("from pack.b import thing", "if TYPE_CHECKING:\n    from pack.a import other", True),
        ("from pack.b import thing", "import json", False),
    ],
)
def test_a_cycle_is_found(tmp_path, a, b, found):
    root = tmp_path / "pack"
    root.mkdir()
    (root / "__init__.py").write_text("")
    (root / "a.py").write_text(a)
    (root / "b.py").write_text(b)
    assert bool(knots(root)) == found
