"""How the session's folder is built: no module needs one that needs it."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import stroma.session

FOLDER = Path(stroma.session.__file__).parent


def module(path):
    parts = path.relative_to(FOLDER).with_suffix("").parts
    return ".".join(("stroma.session", *(p for p in parts if p != "__init__")))


def imports(path):
    """Return what a module imports, wherever in it, also only for the sake of types."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


def test_no_imports_go_in_circles():
    modules = {module(path): path for path in FOLDER.rglob("*.py")}
    graph = {
        name: [one for one in imports(path) if one in modules and one != name]
        for name, path in modules.items()
        if name != "stroma.session"
    }
    order = list(TopologicalSorter(graph).static_order())
    assert order.index("stroma.session.core.core") > order.index("stroma.session.core.document")
    assert order.index("stroma.session.session") > order.index("stroma.session.strokes.model")


def test_the_core_knows_no_bench_and_benches_know_no_facade():
    for path in FOLDER.rglob("*.py"):
        room = path.relative_to(FOLDER).parts[0]
        beyond = {"core": ("stroma.session.strokes", "stroma.session.session")}.get(room, ())
        beyond = ("stroma.session.session",) if room == "strokes" else beyond
        assert not [one for one in imports(path) if one in beyond], path
        assert not [one for one in imports(path) if one.startswith(tuple(b + "." for b in beyond))]


def test_no_room_has_more_than_twenty_files():
    rooms = [FOLDER, *(p.parent for p in FOLDER.rglob("__init__.py"))]
    counts = {room.name: len(list(room.glob("*.py"))) for room in rooms}
    assert counts["core"] > 1
    assert max(counts.values()) <= 21  # twenty, and __init__
