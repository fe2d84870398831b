"""Colours as lightness and two opponent colours (CIELAB)."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

LAB = ("L", "a", "b")
"""Lightness, green to red, blue to yellow."""


def rgb_to_lab(values: NDArray[Any], black: float, white: float) -> NDArray[np.float32]:
    """Return (3, ...) red, green and blue as (3, ...) CIELAB (D65), lightness 0 to 100.

    Parameters
    ----------
    values : (3, ...) array
        Red, green and blue as in sRGB.
    black, white : float
        Values that stand for black and white.
    """
    flat = values.reshape(3, -1).astype(np.float32)
    scaled = np.ascontiguousarray(((flat - black) / max(white - black, 1e-6)).T)
    lab = cv2.cvtColor(scaled[:, None], cv2.COLOR_RGB2Lab)[:, 0]
    return np.ascontiguousarray(lab.T).reshape(values.shape)
