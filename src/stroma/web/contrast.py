"""How the channels of an image are shown until somebody says otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.data.image import Image
from stroma.data.statistics import Statistics, measure

COLOURS = ("#00c853", "#d500f9", "#00b0ff", "#ffab00", "#ff5252", "#ffffff")
"""Green and magenta first: the pair that most people tell apart; mixed they give white."""

STAINS = {
    "#00b0ff": ("dapi", "hoechst", "draq", "cfp", "bfp", "405"),
    "#00c853": ("gfp", "fitc", "alexa488", "488", "yfp", "calcein", "mneongreen"),
    "#ff5252": ("mcherry", "rfp", "tritc", "texasred", "tdtomato", "cy3", "dsred", "568", "594"),
    "#d500f9": ("cy5", "647", "farred", "alexa633"),
    "#ffffff": ("phase", "brightfield", "transmitted"),
}
"""What channels of these names are shown as: the colours people know their stains by."""

RGB = ("#ff0000", "#00ff00", "#0000ff")
COLOUR_NAMES = ("red", "green", "blue")
SHOWN_AT_FIRST = 3
BINS = 64
SAMPLE = 1024
"""Half the side of the square whose values the histogram counts."""


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
    histogram : tuple of int
        How frequent values are from minimum to maximum, in equal steps; 100 for the most frequent.
        Heights are square roots, so that what is rare is seen too.
    """

    name: str
    on: bool
    color: str
    low: float
    high: float
    minimum: float
    maximum: float
    histogram: tuple[int, ...] = ()


def automatic(image: Image) -> list[Channel]:
    """Return the channels of an image; contrast from the 1st to the 99th percentile.

    Pictures in colours are shown as they are: their channels belong together.
    """
    found = measure(image)
    count = len(found.mean)
    given = image.channels or (COLOUR_NAMES if image.rgb else ())
    names = given or tuple(f"channel {i + 1}" for i in range(count))
    colours = RGB if image.rgb else _colours(names) if count > 1 else ("#ffffff",)
    sample = _sample(image)
    made = []
    for i in range(count):
        low, high = (0.0, 255.0) if image.rgb and image.dtype == np.uint8 else _spread(found, i)
        bounds = min(found.minimum[i], low), max(found.maximum[i], high)
        heights = histogram(sample[i], *bounds)
        made.append(Channel(names[i], i < SHOWN_AT_FIRST, colours[i], low, high, *bounds, heights))
    return made


def _colours(names: Sequence[str]) -> tuple[str, ...]:
    """Return a colour for each channel: of its stain, where all have one and no two the same."""
    known = [_of_stain(name) for name in names]
    if all(known) and len(set(known)) == len(known):
        return tuple(known)
    return tuple(COLOURS[i % len(COLOURS)] for i in range(len(names)))


def _of_stain(name: str) -> str:
    plain = "".join(letter for letter in name.lower() if letter.isalnum())
    words = ((word, colour) for colour, words in STAINS.items() for word in words)
    return next((colour for word, colour in words if word in plain), "")


def _sample(image: Image) -> NDArray[Any]:
    """Return (channels, values) of the middle of the image: what people see first."""
    plane = image.at(**{a: n // 2 for a, n in image.sizes.items() if a in "tz"})
    height, width = plane.sizes["y"], plane.sizes["x"]
    rows, columns = (slice(max(0, n // 2 - SAMPLE), n // 2 + SAMPLE) for n in (height, width))
    values = plane.read({"y": rows, "x": columns})
    return values.reshape(values.shape[0] if "c" in plane.sizes else 1, -1)


def histogram(values: NDArray[Any], minimum: float, maximum: float) -> tuple[int, ...]:
    """Return the heights of the bars of a histogram, 0 to 100."""
    known = values[np.isfinite(values)]
    if not known.size or not maximum > minimum:
        return ()
    counts, _ = np.histogram(known, bins=BINS, range=(minimum, maximum))
    heights = np.sqrt(counts / max(1, counts.max()))
    return tuple(np.rint(100 * heights).astype(int).tolist())


def _spread(found: Statistics, i: int) -> tuple[float, float]:
    low, high = found.low[i], found.high[i]
    return (low, high) if high > low else (low, low + 1)
