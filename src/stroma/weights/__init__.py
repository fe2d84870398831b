"""Pretrained tensors: where they come from, and fetching only those that are used."""

from stroma.weights.catalogue import CATALOGUE, Entry, Source
from stroma.weights.obtain import Origin, Tensors, fetch, load, stamp, status

__all__ = ["CATALOGUE", "Entry", "Origin", "Source", "Tensors", "fetch", "load", "stamp", "status"]
