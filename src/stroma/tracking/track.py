"""Detections in, tracks out: candidates, costs, solver, and motion where it is predicted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

import numpy as np

from stroma.data.tracks import Detections, Floats, Ints, Tracks
from stroma.errors import ParameterError
from stroma.tracking import SOLVERS
from stroma.tracking.candidates import Candidates, candidates, typical_reach
from stroma.tracking.costs import combined, penalised
from stroma.tracking.detect import Seen
from stroma.tracking.follow import without_stubs
from stroma.tracking.motion import heading, runs_steadily, settled
from stroma.tracking.problem import Prices, Problem

Motion = Literal["auto", "none", "brownian", "velocity"]

MERGER = 0.4
"""Price of a merger as it should be, where those are allowed and nothing else is said."""

Cost = str | Callable[[Candidates], Floats]
"""Names of costs, or a learned cost (`stroma.tracking.learned.LinkModel`), whose ``divisions``, if
it has them, are the possible divisions."""


@dataclass(frozen=True)
class Linking:
    """How detections are linked.

    Parameters
    ----------
    cost : str or callable
        Names of costs joined by "+", with weights if wanted: "overlap+2*distance"; or costs that
        were learned, of divisions too.
    solver : {"lap", "greedy", "ilp", "hypotheses"}
        Frame by frame, cheapest first, all at once, or that with beginnings and ends that are
        likely near borders and the ends of the movie.
    max_distance : float, optional
        How far an object gets from frame to frame, in the unit of the detections; found from the
        data unless given.
    max_gap : int
        Frames in which an object may be missing.
    divisions : bool
        Whether objects may divide.
    merges : bool
        Whether two objects may become one.
    motion : {"auto", "none", "brownian", "velocity"}
        Whether objects are expected where they were, where a Kalman filter thinks that they were
        (places are measured with an error), or where they were heading; "auto" looks whether they
        run on steadily, and else is "none".
    prices : Prices
        What beginnings, ends, divisions and gaps cost.
    penalties : mapping of str to float
        Measures of the objects whose difference makes two more distant, with weights.
    """

    cost: Cost = "overlap+distance"
    solver: str = "lap"
    max_distance: float | None = None
    max_gap: int = 1
    divisions: bool = True
    motion: Motion = "auto"
    prices: Prices = field(default_factory=Prices)
    penalties: Mapping[str, float] = field(default_factory=dict)
    merges: bool = False

    def __post_init__(self) -> None:
        """Check the parameters."""
        if self.max_distance is not None and not 0 < self.max_distance < np.inf:
            raise ParameterError(f"max_distance is above 0, got {self.max_distance}.")
        if not 0 <= self.max_gap <= 50:
            raise ParameterError(f"max_gap is 0 to 50 frames, got {self.max_gap}.")
        if self.motion not in get_args(Motion):
            known = " or ".join(map(repr, get_args(Motion)))
            raise ParameterError(f"motion is {known}, got {self.motion!r}.")
        wrong = [f"{m}={w}" for m, w in self.penalties.items() if not 0 < w < np.inf]
        if wrong:
            raise ParameterError(f"Weights of penalties are above 0, got {wrong[0]}.")


def link(
    seen: Seen | Detections,
    how: Linking | None = None,
    *,
    exclusive: Sequence[Sequence[int]] = (),
    pinned: Ints | None = None,
    forbidden: Ints | None = None,
) -> Tracks:
    """Return the tracks of detections.

    Parameters
    ----------
    seen : Seen or Detections
        Detections, with the overlaps of label images where there are any.
    how : Linking, optional
        How they are linked.
    exclusive : sequence of sequences of int
        Detections of which at most one is real (solver "ilp").
    pinned, forbidden : (k, 2) int64, optional
        Links that must, and must not, be there, whatever they cost.
    """
    how = how or Linking()
    known = seen if isinstance(seen, Seen) else Seen(seen, _NO_PAIRS, _NO_PAIRS[:, 0])
    known = known.still
    reach = how.max_distance or typical_reach(known) * float(getattr(how.cost, "wider", 1.0))
    steady = how.motion == "velocity" or (how.motion == "auto" and runs_steadily(known.detections))
    ahead = heading(known.detections, reach) if steady else None
    if how.motion == "brownian":
        ahead = settled(known.detections, reach)
    found = candidates(
        known,
        reach,
        max_gap=how.max_gap + 1,
        divisions=how.divisions,
        merges=how.merges,
        ahead=ahead,
        per_frame=steady,
    )
    found = _with(found, pinned)
    prices = how.prices if how.divisions else replace(how.prices, divide=np.inf)
    if how.merges and not np.isfinite(prices.merge):
        prices = replace(prices, merge=MERGER)
    if how.penalties:
        found = replace(found, distance=found.distance * penalised(found, how.penalties))
    cost = combined(found, how.cost) if isinstance(how.cost, str) else how.cost(found)
    divisions = getattr(how.cost, "divisions", None)
    problem = Problem(found, cost, prices, exclusive, pinned, forbidden, divisions)
    chosen = without_stubs(problem, SOLVERS[how.solver](problem))
    return Tracks(seen.detections if isinstance(seen, Seen) else seen, found.pairs[chosen])


_NO_PAIRS = np.zeros((0, 2), np.int64)


def _with(found: Candidates, pinned: Ints | None) -> Candidates:
    """Return the candidates, with those that are pinned among them."""
    if pinned is None or not len(pinned):
        return found
    rows, n = np.asarray(pinned, np.int64).reshape(-1, 2), len(found.detections)
    known = found.pairs[:, 0] * n + found.pairs[:, 1]
    new = rows[~np.isin(rows[:, 0] * n + rows[:, 1], known)]
    places = found.detections.places
    apart = np.linalg.norm(places[new[:, 0]] - places[new[:, 1]], axis=1)
    return found.and_also(new, apart, family=False)
