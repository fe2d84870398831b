"""``import stroma`` costs nothing, and its names are the ones it declares."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import stroma

HEAVY = {"numpy", "torch", "numba", "scipy", "skimage", "sklearn", "catboost", "cv2", "zarr"}


def loaded_by(statement: str) -> set[str]:
    """Return the top-level modules that a fresh Python has after a statement."""
    code = f"{statement}\nimport sys; print(*sorted({{m.split('.')[0] for m in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def public_names() -> dict[str, str]:
    """Return the names that the stub imports, and the modules it imports them from."""
    stub = ast.parse(Path(stroma.__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    imports = [node for node in stub.body if isinstance(node, ast.ImportFrom)]
    return {alias.name: str(node.module) for node in imports for alias in node.names}


def test_import_stroma_loads_neither_numpy_nor_torch() -> None:
    assert loaded_by("import stroma") & HEAVY == set()


def test_tables_of_names_load_no_part() -> None:
    assert loaded_by("import stroma.features, stroma.classify, stroma.io") & HEAVY == set()


def test_a_project_is_opened_without_torch(tmp_path: Path) -> None:
    where = repr(str(tmp_path / "cells.stroma"))
    made = f"from stroma.session import Session; Session.create({where}).close()"
    assert "torch" not in loaded_by(f"{made}; Session.open({where}).close()")


def test_public_names_are_those_of_the_stub() -> None:
    assert {*public_names(), "__version__"} == set(stroma.__all__) == set(dir(stroma))


@pytest.mark.parametrize(("name", "module"), public_names().items())
def test_public_name_is_found_where_the_stub_says(name: str, module: str) -> None:
    assert getattr(stroma, name).__module__ == module


def test_unknown_public_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'Segmenter'"):
        stroma.Segmenter  # noqa: B018
