"""Functions that numba compiles and keeps between runs."""

from __future__ import annotations

import gc
import importlib
from collections import Counter
from pathlib import Path

from numba.core.dispatcher import Dispatcher

import stroma

SOURCE = Path(stroma.__file__).parent


def test_no_two_kept_functions_have_one_name() -> None:
    """Numba links kept functions by name: those of one name are taken for one another.

    That needs two processes that compile at the same time, as workers do, and then gives wrong
    numbers without a word.
    """
    files = [p for p in SOURCE.rglob("*.py") if "jit" in p.read_text(encoding="utf-8")]
    for path in files:
        parts = path.relative_to(SOURCE.parent).with_suffix("").parts
        importlib.import_module(".".join(p for p in parts if p != "__init__"))
    gc.unfreeze()  # what was frozen is not told
    kept = {f for f in gc.get_objects() if issubclass(type(f), Dispatcher)}
    ours = [f.py_func for f in kept if f.py_func.__module__.startswith("stroma.")]
    names = Counter((f.__module__, f.__qualname__) for f in ours)
    assert len(names) > 50
    assert [name for name, count in names.items() if count > 1] == []
