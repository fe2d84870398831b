"""Numbers of objects that have some already: they stay, and new ones come after the largest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stroma.errors import LabelError

MOST = 2**31 - 1
"""The largest number of an object."""


def recoded(labels: NDArray[np.integer]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return the numbers there are, ascending, and labels in which the i-th of them is i + 1.

    Raises
    ------
    LabelError
        If one is too large.
    """
    names, codes = np.unique(np.append(0, labels.ravel()), return_inverse=True)
    if int(names[-1]) > MOST:
        raise LabelError(f"Numbers of objects are below {MOST + 1}, got {names[-1]}.")
    return names[1:].astype(np.int64), codes[1:].reshape(labels.shape).astype(np.int32)


def following(largest: int, count: int) -> NDArray[np.int64]:
    """Return numbers for new objects.

    Raises
    ------
    LabelError
        If there are not so many after the largest.
    """
    if count > MOST - largest:
        raise LabelError(
            f"Numbers of objects end at {MOST}. {count} parts were split off, which get numbers "
            f"after the largest, {largest}. Number the objects from 1 first, or leave out split=."
        )
    return largest + 1 + np.arange(count)


def named(parts: NDArray[np.int32], names: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return objects by their numbers; new parts get theirs in the order of first pixels.

    Parameters
    ----------
    parts : int32 array
        1 to n are the objects that have names, further ones are new.
    names : (n,) int64
        Ascending.
    """
    there, first = np.unique(parts, return_index=True)
    new = there > len(names)
    order = there[new][np.argsort(first[new])]
    table = np.zeros(max(int(there.max(initial=0)), len(names)) + 1, np.int32)
    table[1 : len(names) + 1] = names
    table[order] = following(int(names.max(initial=0)), len(order))
    return np.asarray(table[parts])
