"""Pixels without data: those that are NaN in any channel.

Whether an image has any is known once somebody read them: all of an array in memory is looked at,
images that are read lazily are noted by whoever reads a box of them.
"""

from __future__ import annotations

import logging
import threading
import weakref
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.data.image import Image

SAID = (
    "Some pixels{of} hold no data (NaN). They are left out of statistics and training, and get no "
    "class (label 0)."
)

_lacking: weakref.WeakKeyDictionary[Image, bool] = weakref.WeakKeyDictionary()
_changing = threading.Lock()
_logger = logging.getLogger(__name__)


def note_missing(image: Image) -> None:
    """Note that pixels without data were met in an image, or in a cut of it; said once."""
    with _changing:
        new = not _lacking.get(image.whole, False)
        _lacking[image.whole] = True
    if new:
        _logger.warning("%s", _sentence(image))


def lacks_data(image: Image) -> bool:
    """Tell whether pixels without data were met so far in the whole of an image."""
    if image.dtype.kind != "f":
        return False
    whole = image.whole
    if whole not in _lacking and isinstance(whole.array, np.ndarray):
        if not isinstance(whole.array, np.memmap) and np.isnan(
            np.min(np.asarray(whole.array), initial=0)
        ):
            note_missing(image)
        _lacking.setdefault(whole, False)
    return _lacking.get(whole, False)


def said_of(image: Image) -> tuple[str, ...]:
    """Return what people should know of the pixels without data that were met."""
    return (_sentence(image),) if lacks_data(image) else ()


def missing_pixels(values: NDArray[Any]) -> NDArray[np.bool_] | None:
    """Return which pixels of (C, ...) values are NaN in any channel; None where none is."""
    if values.dtype.kind != "f" or not np.isnan(values.min(initial=0)):
        return None
    lacking: NDArray[np.bool_] = np.isnan(values).any(axis=0)
    return lacking


def _sentence(image: Image) -> str:
    return SAID.format(of=f" of {image.source}" if image.source else "")
