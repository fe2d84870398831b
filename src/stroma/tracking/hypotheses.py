"""The integer programme with hypotheses of how tracks begin and end.

That an object is first seen in the middle of a movie and of its view is hardly likely, that it
came in at the border, or was there before the first frame, is; so are ends. What is linked to
nothing may be no object at all. As in btrack (Ulicna et al. 2021, doi:10.3389/fcomp.2021.734559),
the chances fall off exponentially from borders and from the ends of the movie.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from stroma.data.tracks import Detections, Floats, Ints
from stroma.tracking import ilp
from stroma.tracking.problem import Chances, Problem

FRAMES = 5.0
"""Frames from the first or the last in which the chance of a beginning, or end, falls to 1/e."""

DISTANCE = 0.75
"""The same, of the distance from the border, in the greatest distances that objects get."""

UNLIKELY = 1.6
"""What a beginning or an end costs where nothing speaks for it, in those of usual ones."""

LIKELY = 0.75
"""The same at the border, and at the ends of the movie."""

FALSE = 2.1
"""What it costs that a detection is no object, in usual beginnings: less than to begin and end
where nothing speaks for it, but more than half of that, so that what is linked stays linked."""


def solve(problem: Problem) -> Ints:
    """Return the (k,) candidates that are links."""
    return ilp.solve(replace(problem, chances=chances(problem)))


def chances(problem: Problem) -> Chances:
    """Return what the beginning and the end of a track cost at every detection.

    Costs are logarithms of chances: a chance that falls off exponentially is a cost that rises
    linearly, up to that of one that nothing speaks for.
    """
    found, prices = problem.pairs.detections, problem.prices
    border = to_border(found) / (DISTANCE * problem.pairs.reach)
    early, late = found.frame / FRAMES, (found.frames - 1 - found.frame) / FRAMES
    begin, end = (np.clip(np.minimum(border, t), LIKELY, UNLIKELY) for t in (early, late))
    alone = np.full(len(found), FALSE * prices.appear)
    return Chances(prices.appear * begin, prices.disappear * end, alone)


def to_border(found: Detections) -> Floats:
    """Return the (n,) distance of each detection from the border of the view, in their unit.

    The view is what lies between the outermost places in the whole movie; along an axis on which
    all places are alike, such as a single plane, there is no border.
    """
    if not len(found):
        return np.zeros(0)
    low, high = found.places.min(axis=0), found.places.max(axis=0)
    near = np.minimum(found.places - low, high - found.places)
    near[:, high <= low] = np.inf
    return np.asarray(near.min(axis=1))
