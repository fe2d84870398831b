"""How large a classifier may be: what is fitted keeps to it, and what is read is held to it."""

MAX_CLASSES = 1000
"""Classes that a classifier tells apart. Every one costs memory at every pixel."""

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
