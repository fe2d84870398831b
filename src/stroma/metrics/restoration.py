"""How near an image is to a clean one: PSNR, scale-invariant PSNR, SSIM, NRMSE."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from stroma.errors import LabelError
from stroma.metrics.shared import require_same_shape

MOST = 100.0
"""PSNR of images that are equal, in dB."""

SPREAD = "spread"
"""How names of channels begin that say how uncertain a restored image is."""

SIGMA = 1.5
"""Of the Gaussian window of SSIM, in pixels."""


def restoration_scores(result: Any, truth: Any) -> dict[str, float]:
    """Return the scores of one image.

    Parameters
    ----------
    result, truth : arrays of the same shape
        What was restored, and the clean image, whose range is the range of the scores. Pixels where
        the clean image is NaN do not count.

    Returns
    -------
    dict
        ``si psnr`` (after the result is shifted and scaled for the least error), ``psnr``, both in
        dB, ``ssim``, and ``nrmse`` (root of the mean squared error by the range).

    Raises
    ------
    LabelError
        If nothing is known of the clean image.
    """
    found, true = np.asarray(result, np.float64), np.asarray(truth, np.float64)
    require_same_shape(found, true)
    known = ~np.isnan(true)
    if not known.any():
        raise LabelError(
            "The clean image is not known anywhere: all of it is NaN. Leave this image out."
        )
    one, other = found[known], true[known]
    span = max(float(np.ptp(other)), 1e-12)
    return {
        "si psnr": psnr(fitted(one, other), other),
        "psnr": psnr(one, other),
        "ssim": _ssim(found, true, span, known),
        "nrmse": float(np.sqrt(((one - other) ** 2).mean()) / span),
    }


def psnr(result: NDArray[Any], truth: NDArray[Any]) -> float:
    """Return 10 log10 of squared range by mean squared error, in dB; at most 100."""
    span = float(np.ptp(truth))
    error = float(((np.asarray(result, np.float64) - truth) ** 2).mean())
    if error <= span**2 * 10 ** (-MOST / 10):
        return MOST
    return float(10 * np.log10(max(span, 1e-12) ** 2 / error))


def fitted(result: NDArray[Any], truth: NDArray[Any]) -> NDArray[np.float64]:
    """Return a result, shifted to the truth's mean and scaled for the least squared error.

    After Weigert et al. 2018, doi 10.1038/s41592-018-0216-7.
    """
    centred, aim = result - result.mean(), truth - truth.mean()
    size = float((centred**2).sum())
    factor = float((centred * aim).sum()) / size if size > 0 else 0.0
    found: NDArray[np.float64] = factor * centred + truth.mean()
    return found


def _ssim(found: NDArray[Any], true: NDArray[Any], span: float, known: NDArray[np.bool_]) -> float:
    """Return the mean over known pixels; windows lie within planes and channels, and may be cut."""
    found, true = np.where(known, found, 0), np.where(known, true, 0)
    sigmas = [0.0] * (true.ndim - 2) + [SIGMA] * min(2, true.ndim)

    def mean(values: NDArray[Any]) -> NDArray[Any]:
        smooth: NDArray[Any] = gaussian_filter(values, sigmas, truncate=3.5)
        return smooth

    a, b = mean(found), mean(true)
    small, weak = (0.01 * span) ** 2, (0.03 * span) ** 2
    spread = mean(found * found) - a * a + mean(true * true) - b * b
    together = mean(found * true) - a * b
    each = (2 * a * b + small) * (2 * together + weak)
    return float((each / ((a * a + b * b + small) * (spread + weak)))[known].mean())
