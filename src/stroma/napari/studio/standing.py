"""How results stand, in words: what the session says of them, and nothing else."""

from __future__ import annotations

from stroma.session.core.status import OnScreen
from stroma.session.words import plain

CURRENT = "Up to date. Paint more where it is wrong."
COMPUTING = "Computing …"
ABSENT = "No result here."
FAILED = "It could not be computed."


def in_words(seen: OnScreen) -> str:
    """Return how results stand, and why, as the line of status says it."""
    if seen.state == "current":
        return CURRENT
    if seen.state == "computing":
        return COMPUTING
    begin = {"absent": f"{ABSENT} ", "failed": f"{FAILED} "}.get(seen.state, "")
    return f"{begin}{plain(seen.reason)}"
