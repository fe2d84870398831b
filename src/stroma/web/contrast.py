"""How the channels of an image are shown until somebody says otherwise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stroma.data.image import Image
from stroma.data.statistics import Statistics, measure

COLOURS = ("#00c853", "#d500f9", "#00b0ff", "#ffab00", "#ff5252", "#ffffff")
"""Green and magenta first: the pair that most people tell apart; mixed they give white."""

RGB = ("#ff0000", "#00ff00", "#0000ff")
COLOUR_NAMES = ("red", "green", "blue")
SHOWN_AT_FIRST = 3


@dataclass(frozen=True)
class Channel:
    """A channel and how it is shown.

    Parameters
    ----------
    name : str
        For people.
    on : bool
        Whether it is shown.
    color : str
        "#rrggbb" of full brightness.
    low, high : float
        Values shown as black and at full brightness.
    minimum, maximum : float
        What may be chosen: the range of the values.
    """

    name: str
    on: bool
    color: str
    low: float
    high: float
    minimum: float
    maximum: float


def automatic(image: Image) -> list[Channel]:
    """Return the channels of an image; contrast from the 1st to the 99th percentile.

    Pictures in colours are shown as they are: their channels belong together.
    """
    found = measure(image)
    count = len(found.mean)
    given = image.channels or (COLOUR_NAMES if image.rgb else ())
    names = given or tuple(f"channel {i + 1}" for i in range(count))
    colours = RGB if image.rgb else COLOURS if count > 1 else ("#ffffff",)
    made = []
    for i in range(count):
        low, high = (0.0, 255.0) if image.rgb and image.dtype == np.uint8 else _spread(found, i)
        bounds = min(found.minimum[i], low), max(found.maximum[i], high)
        colour = colours[i % len(colours)]
        made.append(Channel(names[i], i < SHOWN_AT_FIRST, colour, low, high, *bounds))
    return made


def _spread(found: Statistics, i: int) -> tuple[float, float]:
    low, high = found.low[i], found.high[i]
    return (low, high) if high > low else (low, low + 1)
