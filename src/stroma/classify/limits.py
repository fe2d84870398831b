"""How large a classifier may be: what is fitted keeps to it, and what is read is held to it."""

MAX_CLASSES = 1000
"""Classes that a classifier tells apart. Every one costs memory at every pixel."""

MANY_CLASSES = 64
"""Classes above which there are fewer trees and steps, as the work of each grows with them."""

LEAST = 8
"""Trees that there are for any number of classes."""

MAX_TREES = 10_000
"""Trees of a classifier."""

MAX_NODES = 50_000_000
"""Nodes of all trees together."""

MAX_PATH = 10_000
"""Questions between the root of a tree and a leaf."""

MAX_FEATURES = 1_000_000
"""Features per pixel."""

MAX_TABLE_BYTES = 2**26
"""Bytes up to which trees are arranged for speed at the cost of memory."""


def eased(count: int, classes: int, *, least: int = LEAST) -> int:
    """Return how many trees or steps there are: fewer for many, to bound the work.

    Parameters
    ----------
    count : int
        How many there are for few classes.
    classes : int
        Classes that are told apart.
    least : int
        Not fewer than that, unless ``count`` is.
    """
    if classes <= MANY_CLASSES:
        return count
    return min(count, max(least, count * MANY_CLASSES // classes))
