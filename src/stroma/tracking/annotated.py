"""Movies whose true links are known, and the pairs of objects in them that are learned from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from stroma.data.tracks import Floats, Ints, Tracks
from stroma.errors import LabelError
from stroma.tracking.candidates import Candidates, candidates, typical_reach
from stroma.tracking.detect import Seen
from stroma.tracking.families import Families
from stroma.tracking.motion import heading, runs_steadily

GAP = 3
"""Frames between the two of a pair, at most, that is learned from."""

FOLDS = 4
"""Parts of a movie, runs of frames, one of which is left out to score."""

ROOM = 1.1
WIDEST = 8.0
NEARLY_ALL = 0.99
"""Share of the links that are in reach, with some room; at most so many times the typical one."""

ENOUGH_LINKS = 20


@dataclass(frozen=True, eq=False)
class Annotated:
    """A movie whose true links are known.

    Parameters
    ----------
    seen : Seen
        Its objects, as they will be found in other movies.
    links : (k, 2) int64
        Which are the same, or mother and daughter: positions of the objects.
    """

    seen: Seen
    links: Ints


class LearnedLinks(Protocol):
    """What learns links, and is a cost once it is fitted; see `stroma.tracking.LEARNERS`."""

    @property
    def measures_(self) -> tuple[str, ...]:
        """What it looks at beside places, areas and overlaps."""
        ...

    @property
    def scores_(self) -> Mapping[str, float]:
        """Scores in frames that were left out."""
        ...

    @property
    def wider(self) -> float:
        """How many times as far as is typical objects may get."""
        ...

    def fit(self, movies: Sequence[Annotated]) -> Self:
        """Return a copy fitted to annotated movies."""
        ...

    def __call__(self, pairs: Candidates) -> Floats:
        """Return the (m,) cost of every pair."""
        ...

    def divisions(self, pairs: Candidates, cost: Floats, appear: float) -> Families:
        """Return the possible divisions, with their prices."""
        ...

    def state(self) -> dict[str, Any]:
        """Return everything as plain values and arrays, the name of the learner among them."""
        ...


@dataclass(frozen=True, eq=False)
class Paired:
    """The pairs of a movie that may be links, and which of them are.

    Parameters
    ----------
    pairs : Candidates
        The m pairs.
    same : (m,) bool
        Which are links.
    part : (m,) int64
        Run of frames that each begins in, 0 to 3, of equal length.
    """

    pairs: Candidates
    same: NDArray[np.bool_]
    part: Ints


def paired(movie: Annotated, wider: float, number: int = 0) -> Paired:
    """Return the pairs of a movie; parts are counted on from the number of the movie."""
    seen = movie.seen.still
    reach = wider * typical_reach(seen)
    ahead = heading(seen.detections, reach) if runs_steadily(seen.detections) else None
    pairs = candidates(seen, reach, max_gap=GAP, ahead=ahead)
    code = np.array([len(seen.detections), 1])
    true = Tracks(seen.detections, movie.links).links
    frame = seen.detections.frame[pairs.pairs[:, 0]]
    frames = int(frame.max(initial=0)) + 1
    part = (frame * FOLDS // frames + number) % FOLDS
    return Paired(pairs, np.isin(pairs.pairs @ code, true @ code), part)


def wider_than_usual(movies: Sequence[Annotated]) -> float:
    """Return how many times the typical reach nearly all objects of all movies stay within."""
    return max(1.0, *(_wider(movie) for movie in movies))


def _wider(movie: Annotated) -> float:
    found = movie.seen.still.detections
    a, b = movie.links.T
    near = found.frame[b] - found.frame[a] == 1
    moved = np.linalg.norm(found.places[b[near]] - found.places[a[near]], axis=1)
    if not len(moved):
        return 1.0
    far = ROOM * float(np.quantile(moved, NEARLY_ALL))
    return min(WIDEST, far / typical_reach(movie.seen.still))


def common_measures(movies: Sequence[Annotated]) -> tuple[str, ...]:
    """Return the measures that all movies have, but for areas, which are looked at anyway.

    Raises
    ------
    LabelError
        If there is no movie.
    """
    if not movies:
        raise LabelError("Links are learned from annotated movies; there is none.")
    first, *others = [movie.seen.detections.measures for movie in movies]
    return tuple(m for m in first if m != "area" and all(m in other for other in others))


def require_enough(same: NDArray[np.bool_]) -> None:
    """Refuse too few links, or nothing that is none.

    Raises
    ------
    LabelError
        If there are fewer than 20 links, or nothing that is no link.
    """
    links = int(same.sum())
    if links < ENOUGH_LINKS or links == len(same):
        raise LabelError(
            f"Links are learned from {ENOUGH_LINKS} true ones at least, and from pairs that are "
            f"none; here are {links} of {len(same)} pairs. Annotate more frames, or a movie with "
            "several objects in each."
        )
