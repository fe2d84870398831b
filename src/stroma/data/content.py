"""What an image in memory holds, as a short text: equal for equal pixels, whoever brings them."""

from __future__ import annotations

import hashlib
import math
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.data.image import Image

LARGEST = 64_000_000
"""Values above which an array is not looked at as a whole."""

_known: weakref.WeakKeyDictionary[Image, dict[str, str]] = weakref.WeakKeyDictionary()


def content(image: Image) -> str | None:
    """Return a digest of the values of an image (of this cut), or None if that would cost much.

    That is so for arrays that are read lazily, and for very large ones. The digest is kept as long
    as the whole image is, so asking again is free.
    """
    array, cut = image.whole.array, repr(image.selection)
    in_memory = isinstance(array, np.ndarray) and not isinstance(array, np.memmap)
    if not in_memory or image.dtype.kind not in "buif" or math.prod(image.shape) > LARGEST:
        return None
    known = _known.setdefault(image.whole, {})
    if cut not in known:
        known[cut] = _digest(image.read())
    return known[cut]


def part_content(
    image: Image, part: str, read: Callable[[], NDArray[Any]]
) -> tuple[str, NDArray[Any] | None]:
    """Return a digest of a part of an image, and its values if they had to be read for that.

    Parameters
    ----------
    image : Image
        The digest is kept as long as the whole of it is.
    part : str
        Which part; equal texts mean equal parts of this cut.
    read : callable
        Returns the values of the part.
    """
    known, key = _known.setdefault(image.whole, {}), f"{image.selection} {part}"
    if key in known:
        return known[key], None
    values = read()
    known[key] = _digest(values)
    return known[key], values


def _digest(values: NDArray[Any]) -> str:
    digest = hashlib.blake2b(repr((values.shape, values.dtype.str)).encode(), digest_size=16)
    for part in [values] if values.flags.c_contiguous else values:
        digest.update(np.ascontiguousarray(part).data)
    return digest.hexdigest()
