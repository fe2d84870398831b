"""What objects are found in, and how, checked to fit each other before anything is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from stroma.data.image import Image
from stroma.errors import ImageError, ParameterError
from stroma.objects.entry import checked_spacing, micrometres
from stroma.objects.finding.how import Finding
from stroma.objects.finding.pixels import Source, source_of


@dataclass(frozen=True, eq=False)
class Sought:
    """What objects are found in, and how.

    Parameters
    ----------
    source : Source
        Pixels.
    finding : Finding
        How.
    spacing : tuple of float
        Size of a pixel along (z,) y and x in µm; empty if unknown.
    numbered : bool
        Whether labels are objects already.
    """

    source: Source
    finding: Finding
    spacing: tuple[float, ...]
    numbered: bool

    def at(self, t: int) -> Sought:
        """Return one frame."""
        return replace(self, source=self.source.at(t=t))

    def sizes(self) -> tuple[float, float]:
        """Return the least and the greatest size of an object, in pixels."""
        pixel = float(np.prod(self.spacing)) if self.finding.size_in == "um" else 1.0
        return self.finding.min_size / pixel, self.finding.max_size / pixel


def seek(
    image: Image,
    finding: Finding,
    spacing: Sequence[float] = (),
    *,
    numbered: bool = False,
    boundary: Any = None,
) -> Sought:
    """Return what objects are found in, and how, checked to fit; reads nothing.

    Parameters
    ----------
    image, finding, spacing, numbered, boundary
        As `objects_of` takes them.

    Raises
    ------
    ImageError
        If the image has no pixels.
    """
    if 0 in image.shape:
        told = ", ".join(f"{a} {n}" for a, n in image.sizes.items())
        raise ImageError(f"There are no pixels to find objects in: the image is of size {told}.")
    known = checked_spacing(spacing, image) or micrometres(image)
    if finding.size_in == "um" and not known:
        raise ParameterError(
            "The size of a pixel is not known, so sizes cannot be in µm². Give sizes in pixels, or "
            "an image that knows how large its pixels are. It is given as spacing in Python."
        )
    if numbered and finding.boundary is not None:
        raise ParameterError(
            "A class is the boundary between objects of another class, not between those that "
            "have numbers already. Leave out boundary, or numbered."
        )
    return Sought(source_of(image, finding, boundary), finding, known, numbered)
