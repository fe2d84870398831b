"""Colours as networks trained on ImageNet were given them.

Such networks got photographs with values from 0 (black) to 1 (white), minus the mean and divided by
the deviation of ImageNet's colours. So black and white have to be known, for images of any type.
The rule looks at values, not at types: the same picture gives the same features however it is
stored.

- Where no value is negative and the largest lies in the upper half of a customary full scale, 1,
  255, 4095 or 65535, that scale is believed: black is 0, white is its end.
- Otherwise (signed integers, floats in units of their own, very dark images) black and
  white are the least and the largest value, but no further than three deviations from the mean, so
  that hot pixels do not decide. All three channels share them: colours keep their proportions.

Nothing is clipped. The statistics are those of the whole image.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.data.statistics import Statistics, black_and_white
from stroma.errors import ShapeError

MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)
"""Of red, green and blue in ImageNet, on a scale from 0 to 1."""

LEAST_SPAN = 1e-6


def like_imagenet(values: NDArray[Any], statistics: Statistics) -> NDArray[np.float32]:
    """Return colours as networks trained on ImageNet expect them.

    Parameters
    ----------
    values : (3, ..., y, x) array
        Red, green and blue, of any type and range.
    statistics : Statistics
        Of the whole image, one entry per channel.

    Raises
    ------
    ShapeError
        If there are not three channels.
    """
    if len(values) != len(MEAN):
        raise ShapeError(f"ImageNet's statistics are for 3 channels, got {len(values)}.")
    black, white = black_and_white(statistics)
    span = max(white - black, LEAST_SPAN)
    column = (-1, *(1,) * (values.ndim - 1))
    offset = (black + span * np.array(MEAN)).reshape(column)
    scale = (span * np.array(DEVIATION)).reshape(column)
    return ((values - offset) / scale).astype(np.float32)
