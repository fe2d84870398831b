"""Statistics of a whole image, measured once."""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from stroma.data.color import rgb_to_lab
from stroma.data.content import content
from stroma.data.image import Image
from stroma.data.missing import missing_pixels, note_missing
from stroma.errors import ImageError

SAMPLE_ABOVE = 64_000_000
"""Pixels per channel above which statistics come from a sample of blocks."""

SAMPLE_BLOCKS = 64
SAMPLE_SIDE = 512
READ_PIXELS = 4_000_000
SORTED_VALUES = 200_000

LOW_HIGH = (1.0, 99.0)
"""Percentiles that are measured unless others are asked for."""

RECENT = 64
"""Arrays whose statistics are remembered by their content."""

FULL_SCALES = (1.0, 255.0)
DEEP_SCALES = (4095.0, 65535.0)
FILLED = 1 / 8
"""Share of a deep scale that 99 of 100 values must reach; hot pixels alone are no reason for it."""

MOST_DEVIATIONS = 3.0
MAD_OF_NORMAL = 0.6745
LARGEST = 1e36
"""Value up to which sums of a few pixels are numbers in single precision."""

IMMERKAER = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)


@dataclass(frozen=True)
class Statistics:
    """Per channel: how many values, their mean, deviation, extremes and percentiles.

    Pixels without data (NaN in any channel) are left out; where nothing is left, all are 0.

    Parameters
    ----------
    count : int
        Values per channel that were measured.
    mean, std, minimum, maximum : tuple of float
        Population statistics per channel.
    low, high : tuple of float
        1st and 99th percentile per channel (of about 200 thousand values, evenly spread).
    noise : tuple of float
        Deviation of the noise per channel, after Immerkaer (1996, doi 10.1006/cviu.1996.0060),
        from the median response, which edges do not disturb.
    lab : Statistics or None
        Of the same image as lightness and two opponent colours; for rgb images only.
    filled : float
        Share of the pixels in which some channel is not 0.
    """

    count: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    minimum: tuple[float, ...]
    maximum: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    noise: tuple[float, ...]
    lab: Statistics | None = None
    filled: float = 1.0

    def without_empty(self) -> Statistics:
        """Return mean and deviation of the pixels in which some channel is not 0."""
        share = self.filled if self.filled > 0 else 1.0
        mean = np.array(self.mean) / share
        second = (np.square(self.std) + np.square(self.mean)) / share
        spread = np.sqrt(np.maximum(second - mean**2, 0))
        return replace(self, mean=_floats(mean), std=_floats(spread))


_known: weakref.WeakKeyDictionary[Image, dict[Any, Statistics]] = weakref.WeakKeyDictionary()
_recent: OrderedDict[Any, Statistics] = OrderedDict()
_changing = threading.Lock()


def measure(
    image: Image, *, rgb: bool = False, rng: int = 0, percentiles: tuple[float, float] = LOW_HIGH
) -> Statistics:
    """Return the statistics of an image (of this cut, not of the whole it came from).

    The result is kept as long as the whole image is, so asking again is free; for arrays in
    memory, asking for one with the same content costs little.

    Parameters
    ----------
    image : Image
        Any axes; all but ``c`` are pooled.
    rgb : bool
        Whether its three channels are colours, to be measured as CIELAB too.
    rng : int
        Seed of the sample taken of images above 64 million pixels per channel.
    percentiles : (float, float)
        Which are given as ``low`` and ``high``.

    Raises
    ------
    ImageError
        If a value is infinite.
    """
    cuts = _known.setdefault(image.whole, {})
    key = (repr(image.selection), rgb, rng, percentiles)
    if key not in cuts:
        cuts[key] = _of_content(image, rgb, rng, percentiles)
    return cuts[key]


def _of_content(
    image: Image, rgb: bool, rng: int, percentiles: tuple[float, float] = LOW_HIGH
) -> Statistics:
    """Measure, unless an array with this content was measured lately: one is given every round."""
    key = (content(image), image.kept_axes, rgb, rng, percentiles)
    found = None if key[0] is None else _recent.get(key)
    if found is None:
        plain = _measure(image, rng, percentiles=percentiles)
        found = replace(plain, lab=_measure(image, rng, plain)) if rgb else plain
    with _changing:
        _recent[key] = found
        while len(_recent) > RECENT:
            _recent.popitem(last=False)
    return found


def black_and_white(statistics: Statistics) -> tuple[float, float]:
    """Return the values that stand for black and white in an rgb image.

    Where no value is negative and the largest lies in the upper half of a customary full scale (1,
    255, 4095 or 65535), that scale is believed; the last two only where the image fills some of it.
    Otherwise they are the least and the largest value, but no further than three deviations from
    the mean, so that hot pixels do not decide.
    """
    least, most = min(statistics.minimum), max(statistics.maximum)
    scales = (*FULL_SCALES, *(d for d in DEEP_SCALES if max(statistics.high) > FILLED * d))
    for white in scales:
        if least >= 0 and white / 2 < most <= white:
            return 0.0, white
    mean = float(np.mean(statistics.mean))
    second = np.mean(np.square(statistics.std) + np.square(np.subtract(statistics.mean, mean)))
    reach = MOST_DEVIATIONS * float(np.sqrt(second))
    return max(least, mean - reach), min(most, mean + reach)


def pool(parts: Iterable[Statistics]) -> Statistics:
    """Return the statistics of several images taken together.

    Mean, deviation and extremes are exact; percentiles and noise are averages weighted by size.
    """
    every = list(parts)
    items = [s for s in every if s.count] or every
    colours = [s.lab for s in items if s.lab is not None]
    weight = np.array([s.count for s in items], float)[:, None]
    share = weight / max(1, weight.sum())
    mean = (share * [s.mean for s in items]).sum(0)
    second = (share * (np.square([s.std for s in items]) + np.square([s.mean for s in items]))).sum(
        0
    )
    return Statistics(
        count=int(weight.sum()),
        mean=_floats(mean),
        std=_floats(np.sqrt(np.maximum(second - mean**2, 0))),
        minimum=_floats(np.min([s.minimum for s in items], axis=0)),
        maximum=_floats(np.max([s.maximum for s in items], axis=0)),
        low=_floats((share * [s.low for s in items]).sum(0)),
        high=_floats((share * [s.high for s in items]).sum(0)),
        noise=_floats((share * [s.noise for s in items]).sum(0)),
        lab=pool(colours) if len(colours) == len(items) else None,
        filled=float((share[:, 0] * [s.filled for s in items]).sum()),
    )


def require_finite(values: NDArray[Any], source: str = "") -> None:
    """Raise where values are NaN, infinite, too large for single precision, or no numbers.

    Raises
    ------
    ImageError
        Naming how many values are not finite, or the least and the largest.
    """
    require_numbers(values, source)
    if values.dtype.kind == "f" and np.isnan(values.min(initial=0)):
        raise _not_finite(values, source, "NaN or infinite")


def require_numbers(values: NDArray[Any], source: str = "") -> None:
    """Raise as `require_finite` does, but let NaN pass, which stands for "no data"."""
    if values.dtype.kind not in "buif":
        raise ImageError(
            f"The image{_where(source)} has values of type {values.dtype}; allowed are integers, "
            f"floats and booleans. Convert it first, for complex values for instance with abs().",
            told=f"The image{_where(source)} holds values of a kind that is no brightness (such as "
            f"complex numbers). Export it as whole numbers or decimals.",
        )
    if values.dtype.kind != "f":
        return
    least, most = float(values.min(initial=0)), float(values.max(initial=0))
    if least >= -LARGEST and most <= LARGEST:  # false for NaN
        return
    least = float(np.fmin.reduce(values, axis=None, initial=0))
    most = float(np.fmax.reduce(values, axis=None, initial=0))
    if least >= -LARGEST and most <= LARGEST:
        return
    if np.isinf(values).any():
        raise _not_finite(values, source, "infinite")
    raise ImageError(
        f"The image{_where(source)} holds values from {least:.3g} to {most:.3g}; allowed are "
        f"-{LARGEST:g} to {LARGEST:g}. Divide the image by its largest value first."
    )


def _not_finite(values: NDArray[Any], source: str, what: str) -> ImageError:
    bad = np.isinf(values).sum() if what == "infinite" else values.size - np.isfinite(values).sum()
    return ImageError(
        f"The image{_where(source)} holds {int(bad)} values that are {what}. Replace them first, "
        f"for instance with numpy.nan_to_num(image).",
        told=f"The image{_where(source)} has {int(bad)} pixels without a value ({what}). Fill them "
        f"in first, in the program it comes from.",
    )


def _where(source: str) -> str:
    return f" {source}" if source else ""


def _measure(
    image: Image,
    rng: int,
    rgb: Statistics | None = None,
    *,
    percentiles: tuple[float, float] = LOW_HIGH,
) -> Statistics:
    """Measure an image; as CIELAB, if its statistics as rgb are given."""
    channels = image.sizes.get("c", 1)
    count, mean, moment, filled = 0, np.zeros(channels), np.zeros(channels), 0
    least, most = np.full(channels, np.inf), np.full(channels, -np.inf)
    total = int(np.prod(image.shape)) // channels
    spread = min(total, SAMPLE_ABOVE) // SORTED_VALUES | 1  # odd, as many widths are even
    kept: list[NDArray[Any]] = []
    rough: list[NDArray[Any]] = []
    for planes in _chunks(image, total, rng):
        require_numbers(planes, image.source)
        lacking = missing_pixels(planes)
        if lacking is not None:
            note_missing(image)
        if rgb is not None:
            planes = _as_lab(planes, rgb, lacking)
        values = _with_data(planes, lacking)
        if not values.size:
            continue
        n, m = values.shape[1], values.mean(axis=1, dtype=np.float64)
        moment += values.var(axis=1, dtype=np.float64) * n + (m - mean) ** 2 * count * n / (
            count + n
        )
        mean += (m - mean) * n / (count + n)
        count += n
        filled += int(np.count_nonzero(values.any(0) if channels > 1 else values))
        least, most = np.minimum(least, values.min(1)), np.maximum(most, values.max(1))
        kept.append(values[:, ::spread])
        rough.append(_with_data(_roughness(planes), lacking)[:, ::spread])
    if not count:
        return _nothing(channels)
    low, high = np.percentile(np.concatenate(kept, axis=1), percentiles, axis=1)
    noise = _median(np.concatenate(rough, axis=1)) / (6 * MAD_OF_NORMAL)
    return Statistics(
        count=count,
        mean=_floats(mean),
        std=_floats(np.sqrt(moment / count)),
        minimum=_floats(least),
        maximum=_floats(most),
        low=_floats(low),
        high=_floats(high),
        noise=_floats(noise),
        filled=filled / count,
    )


def _nothing(channels: int) -> Statistics:
    """Return the statistics of an image without data."""
    zero = (0.0,) * channels
    return Statistics(0, zero, zero, zero, zero, zero, zero, zero)


def _as_lab(
    planes: NDArray[Any], rgb: Statistics, lacking: NDArray[np.bool_] | None
) -> NDArray[np.float32]:
    """Return (3, h, w) colours as CIELAB, NaN where there is no data."""
    known = planes if lacking is None else np.where(lacking, 0, planes)
    lab = rgb_to_lab(known, *black_and_white(rgb))
    if lacking is not None:
        lab[:, lacking] = np.nan
    return lab


def _with_data(planes: NDArray[Any], lacking: NDArray[np.bool_] | None) -> NDArray[Any]:
    """Return the (C, n) values of pixels that have data."""
    return planes.reshape(len(planes), -1) if lacking is None else planes[:, ~lacking]


def _median(responses: NDArray[np.float32]) -> NDArray[Any]:
    """Return the median along rows, of responses that no pixel without data disturbed."""
    known = missing_pixels(responses)
    kept = responses if known is None else responses[:, ~known]
    return np.median(kept, axis=1) if kept.size else np.zeros(len(responses))


def _roughness(planes: NDArray[Any]) -> NDArray[np.float32]:
    """Return the (C, h, w) absolute responses of planes to Immerkaer's mask."""
    responses = [
        np.abs(cv2.filter2D(plane.astype(np.float32), cv2.CV_32F, IMMERKAER)) for plane in planes
    ]
    return np.stack(responses)


def _chunks(image: Image, total: int, rng: int) -> Iterator[NDArray[Any]]:
    """Yield (C, h, w) values: all of them, or those of a seeded sample of blocks."""
    boxes = _all_boxes(image) if total <= SAMPLE_ABOVE else _sampled_boxes(image, rng)
    for box in boxes:
        values = image.read(box)
        if values.dtype.kind == "b":
            values = values.view(np.uint8)
        has_channels = "c" in image.kept_axes
        moved = np.moveaxis(values, image.kept_axes.index("c"), 0) if has_channels else values[None]
        yield moved.reshape(moved.shape[0], *moved.shape[-2:])


def _planes(image: Image) -> Iterator[dict[str, slice]]:
    outer = [a for a in image.kept_axes if a in "tz"]
    for position in product(*(range(image.sizes[a]) for a in outer)):
        yield {a: slice(i, i + 1) for a, i in zip(outer, position, strict=True)}


def _all_boxes(image: Image) -> Iterator[dict[str, slice]]:
    height, width = image.sizes["y"], image.sizes["x"]
    rows = max(1, READ_PIXELS // width)
    for plane in _planes(image):
        for top in range(0, height, rows):
            yield {**plane, "y": slice(top, min(top + rows, height))}


def _sampled_boxes(image: Image, rng: int) -> Iterator[dict[str, slice]]:
    random, planes = np.random.default_rng(rng), list(_planes(image))
    for _ in range(SAMPLE_BLOCKS):
        box = dict(planes[random.integers(len(planes))])
        for axis in "yx":
            length = image.sizes[axis]
            start = int(random.integers(max(1, length - SAMPLE_SIDE + 1)))
            box[axis] = slice(start, min(start + SAMPLE_SIDE, length))
        yield box


def _floats(values: NDArray[Any]) -> tuple[float, ...]:
    return tuple(float(v) for v in values)
