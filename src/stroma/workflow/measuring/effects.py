"""What of all that is given to find and measure objects has an effect on those of a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from stroma.errors import ParameterError
from stroma.objects.finding.how import Finding

RING = 3.0
CLASSIFIER = "forest"
"""The usual width of a ring in pixels, and kind of classifier."""

ADD = ". Add that, or leave it out."
"""What to do where something else makes it work."""


def require_effect(
    path: Path,
    how: Finding,
    *,
    probabilities: bool,
    image: bool,
    series: int | None,
    ring: float,
    teaches: bool,
    classifier: str,
) -> None:
    """Refuse what has no effect on the objects of a file; what is as usual is not given.

    Parameters
    ----------
    path : Path
        The file.
    how : Finding
        How objects are found.
    probabilities : bool
        Whether it holds these, rather than labels.
    image : bool
        Whether there is an image to measure.
    series, ring, classifier
        As `stroma.workflow.measuring.objects.measure_file` takes them.
    teaches : bool
        Whether something says the classes of objects.

    Raises
    ------
    ParameterError
        Naming it, and what it goes with.
    """
    usual, sized = Finding(), how.min_size > 0 or how.max_size < np.inf
    of_labels = f"probabilities, and {path} holds labels. Leave it out."
    uses = (
        ("threshold", how.threshold != usual.threshold, probabilities, of_labels),
        ("core", how.core is not None, probabilities, of_labels),
        ("rise", how.rise != usual.rise, how.boundary is not None, f"boundary={ADD}"),
        ("size_in", how.size_in != usual.size_in, sized, f"min_size= or max_size={ADD}"),
        ("series", series is not None, image, f"image={ADD}"),
        ("ring", ring != RING, image, f"image={ADD}"),
        ("classifier", classifier != CLASSIFIER, teaches, f"clicks= or joins={ADD}"),
    )
    for name, given, works, beside in uses:
        if given and not works:
            raise ParameterError(f"{name}= goes with {beside}")
