"""Pretrained tensors: where they come from, and fetching only those that are used."""

from stroma.weights.catalogue import CATALOGUE, Entry, Source
from stroma.weights.download import Progress
from stroma.weights.obtain import (
    Origin,
    Tensors,
    described,
    fetch,
    holds,
    load,
    shapes,
    stamp,
    status,
)

__all__ = [
    "CATALOGUE",
    "Entry",
    "Origin",
    "Progress",
    "Source",
    "Tensors",
    "described",
    "fetch",
    "holds",
    "load",
    "shapes",
    "stamp",
    "status",
]
