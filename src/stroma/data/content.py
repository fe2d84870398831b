"""What an image in memory holds, as a short text: equal for equal pixels, whoever brings them."""

from __future__ import annotations

import hashlib
import math
import weakref
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


def _digest(values: NDArray[Any]) -> str:
    digest = hashlib.blake2b(repr((values.shape, values.dtype.str)).encode(), digest_size=16)
    for part in [values] if values.flags.c_contiguous else values:
        digest.update(np.ascontiguousarray(part).data)
    return digest.hexdigest()
