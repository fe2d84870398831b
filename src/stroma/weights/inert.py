"""Tensors of training checkpoints that hold more than tensors; the rest is left out, not made.

An optimiser's or a configuration's objects would have to be built by their own code. Here nothing
is called but what tensors are made of; whatever else a file names becomes an object that does
nothing.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch

TENSORS = {
    ("collections", "OrderedDict"),
    ("torch._utils", "_rebuild_tensor_v2"),
    ("torch._utils", "_rebuild_parameter"),
    *(
        ("torch", f"{kind}Storage")
        for kind in ("Float", "Double", "Half", "BFloat16", "Long", "Int")
    ),
}
"""Modules and names that tensors are made of."""


class Nothing:
    """Stands for an object of a class that is not made."""

    def __new__(cls, *_: Any, **__: Any) -> Nothing:
        """Take whatever the class would take."""
        return super().__new__(cls)

    def __init__(self, *_: Any, **__: Any) -> None:
        """Keep none of it."""

    def __call__(self, *_: Any, **__: Any) -> Nothing:
        """Return what also does nothing."""
        return self

    def __setstate__(self, state: object) -> None:
        """Keep no state."""

    def __setitem__(self, key: object, value: object) -> None:
        """Keep no items."""

    def append(self, value: object) -> None:
        """Keep no values."""

    def extend(self, values: object) -> None:
        """Keep no values."""


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        return super().find_class(module, name) if (module, name) in TENSORS else Nothing


def _load(file: Any, **options: Any) -> Any:
    return _Unpickler(file, **options).load()


def read(path: Path) -> Any:
    """Return what a file of ``torch.save`` holds, with nothing in place of unknown objects."""
    module = SimpleNamespace(Unpickler=_Unpickler, load=_load, __name__="inert")
    return torch.load(path, map_location="cpu", pickle_module=module, weights_only=False)
