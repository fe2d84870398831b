"""Pairs of detections that may be the same object."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from stroma.data.tracks import Detections, Floats, Ints
from stroma.errors import ParameterError
from stroma.tracking.detect import AREA, Seen
from stroma.tracking.drift import mutual

NEAREST = 8
"""Candidates of a detection in another frame, beside those it overlaps with."""

SPREAD = 3.0
"""How many times the common displacement may be bridged, unless told."""

LEAST_PIXELS = 5.0

FAMILY_REACH = 1.75
"""How far daughters lie from their mother at most, in typical diameters."""

ALIKE = 0.05
"""Deviation of the logarithm of areas below which they are of marks, not of objects."""

DAUGHTER = 0.85
"""Greatest area of a daughter, in areas of its mother; of one that merges, of the merged one."""

DIVIDE, MERGE = 0, 1
"""Which of a pair, the earlier or the later, is the one of three that are a family."""


@dataclass(frozen=True, eq=False)
class Candidates:
    """Pairs that may be linked.

    Parameters
    ----------
    detections : Detections
        What is paired.
    pairs : (m, 2) int64
        The earlier and the later of each pair.
    distance : (m,) float64
        Between their centres, in the unit of the detections; from where motion takes the earlier
        one, if that is predicted. Of families, in proportion to how far daughters get.
    overlap : (m,) float64
        Shared pixels over those of both together.
    reach : float
        Greatest distance of a pair that does not overlap.
    family : (m,) bool
        Pairs that are links only as part of a division or a merger: further apart than the reach,
        the daughter, or the one of two that merge, clearly smaller.
    """

    detections: Detections
    pairs: Ints
    distance: Floats
    overlap: Floats
    reach: float
    family: NDArray[np.bool_]

    @property
    def gap(self) -> Ints:
        """The (m,) frames from the earlier to the later of each pair; 1 for neighbours."""
        frame = self.detections.frame
        return frame[self.pairs[:, 1]] - frame[self.pairs[:, 0]]

    def only(self, kept: NDArray[np.bool_]) -> Candidates:
        """Return some of the candidates."""
        return replace(
            self,
            pairs=self.pairs[kept],
            distance=self.distance[kept],
            overlap=self.overlap[kept],
            family=self.family[kept],
        )

    def and_also(self, pairs: Ints, distance: Floats, *, family: bool) -> Candidates:
        """Return the candidates and (k, 2) pairs more, of objects that do not overlap."""
        return replace(
            self,
            pairs=np.concatenate([self.pairs, pairs]),
            distance=np.concatenate([self.distance, distance]),
            overlap=np.concatenate([self.overlap, np.zeros(len(pairs))]),
            family=np.concatenate([self.family, np.full(len(pairs), family)]),
        )

    def ratio(self, measure: str) -> Floats:
        """Return the (m,) absolute log ratio of a measure of the two.

        Raises
        ------
        ParameterError
            If the detections have no such measure.
        """
        values = np.log(np.maximum(np.abs(self.measured(measure)), 1e-9))
        return np.asarray(np.abs(values[self.pairs[:, 0]] - values[self.pairs[:, 1]]))

    def measured(self, measure: str) -> Floats:
        """Return a measure of all detections, or raise what `ratio` does."""
        column = self.detections.measures.get(measure)
        if column is None:
            known = ", ".join(self.detections.measures) or "none"
            raise ParameterError(
                f"Linking by {measure} needs that measure; known are: {known}. The intensity is "
                "that of the movie itself, which is given as the image."
            )
        return column


def candidates(
    seen: Seen,
    reach: float,
    *,
    max_gap: int = 1,
    divisions: bool = True,
    merges: bool = False,
    ahead: Floats | None = None,
    per_frame: bool = True,
) -> Candidates:
    """Return pairs within reach of each other, and those that overlap.

    Parameters
    ----------
    seen : Seen
        Detections and their overlaps.
    reach : float
        Greatest distance of the two, in the unit of the detections.
    max_gap : int
        Frames in which an object may be missing, plus one: 1 links neighbours only.
    divisions : bool
        Whether to look further for daughters.
    merges : bool
        Whether to look further for objects that merge.
    ahead : (n, d) float64, optional
        Predicted displacement of each detection.
    per_frame : bool
        Whether that is once for every frame, or once at all.
    """
    found = seen.detections
    pairs, spans = [np.zeros((0, 2), np.int64)], [np.zeros(0)]
    for frame in range(found.frames):
        for gap in range(1, min(max_gap, found.frames - 1 - frame) + 1):
            moved = ahead if ahead is None or not per_frame else gap * ahead
            near, far = near_pairs(found, frame, gap, reach, moved)
            pairs.append(near)
            spans.append(far)
    plain = _joined(seen, np.concatenate(pairs), np.concatenate(spans), reach, ahead)
    if divisions:
        plain = _with_families(plain, DIVIDE)
    return _with_families(plain, MERGE) if merges else plain


def typical_reach(seen: Seen) -> float:
    """Return a distance that objects do not exceed from frame to frame.

    Three times the displacement that nine of ten mutual nearest neighbours keep below, but at
    least half a diameter of an object, and at most the distance of neighbours in one frame where
    that is larger than the displacement.
    """
    found, moved = seen.detections, []
    for frame in range(found.frames - 1):
        a, b = found.places[found.of(frame)], found.places[found.of(frame + 1)]
        i, j = mutual(a, b)
        if len(i):
            moved.append(np.linalg.norm(b[j] - a[i], axis=1))
    pixel = min(found.spacing)
    if not moved:
        return LEAST_PIXELS * pixel
    common = float(np.quantile(np.concatenate(moved), 0.9))
    areas = found.measures.get(AREA)
    size = found.places.shape[1]
    radius = 0.0 if areas is None or not len(areas) else 0.5 * float(np.median(areas)) ** (1 / size)
    wanted = max(SPREAD * common, radius * pixel, LEAST_PIXELS * pixel)
    return max(min(wanted, room_of(found)), common, LEAST_PIXELS * pixel)


def near_pairs(
    found: Detections, frame: int, gap: int, reach: float, moved: Floats | None
) -> tuple[Ints, Floats]:
    """Return pairs of a frame and one some frames later, within reach, and their distances.

    Distances are from where the earlier object is expected, if that is predicted (``moved``).
    """
    first, second = found.of(frame), found.of(frame + gap)
    a, b = found.places[first], found.places[second]
    if not len(a) or not len(b):
        return np.zeros((0, 2), np.int64), np.zeros(0)
    start = a if moved is None else a + moved[first]
    far, near = cKDTree(b).query(
        start, k=min(NEAREST, len(b)), distance_upper_bound=reach * np.sqrt(gap)
    )
    far, near = far.reshape(len(a), -1), near.reshape(len(a), -1)
    i, k = np.nonzero(np.isfinite(far))
    return np.stack([i + first.start, near[i, k] + second.start], axis=1), far[i, k]


def _joined(
    seen: Seen, pairs: Ints, distance: Floats, reach: float, ahead: Floats | None
) -> Candidates:
    """Return near pairs and overlapping pairs together, each once."""
    found, n = seen.detections, len(seen.detections)
    code = np.concatenate([pairs[:, 0] * n + pairs[:, 1], seen.pairs[:, 0] * n + seen.pairs[:, 1]])
    every, index = np.unique(code, return_index=True)
    both = np.stack(np.divmod(every, max(1, n)), axis=1)
    start = found.places[both[:, 0]] + (0 if ahead is None else ahead[both[:, 0]])
    apart = np.linalg.norm(start - found.places[both[:, 1]], axis=1)
    near = index < len(pairs)
    apart[near] = distance[index[near]]
    overlap = np.zeros(len(every))
    areas = found.measures.get(AREA)
    if areas is not None and len(seen.pairs):
        at = np.searchsorted(every, seen.pairs[:, 0] * n + seen.pairs[:, 1])
        union = areas[seen.pairs[:, 0]] + areas[seen.pairs[:, 1]] - seen.shared
        overlap[at] = seen.shared / union
    return Candidates(found, both, apart, overlap, reach, np.zeros(len(both), np.bool_))


def _with_families(plain: Candidates, single: int) -> Candidates:
    """Return the candidates and, beyond the reach, those of divisions or of mergers.

    ``single`` says which of a pair is the mother, or what two have merged to.
    """
    found = plain.detections
    areas = sizes(found)
    far = room_of(found) if areas is None else FAMILY_REACH * diameter(found)
    if not np.isfinite(far):
        return plain
    pairs, spans = [np.zeros((0, 2), np.int64)], [np.zeros(0)]
    for frame in range(found.frames - 1):
        near, apart = near_pairs(found, frame, 1, far, None)
        pairs.append(near)
        spans.append(apart)
    every, apart = np.concatenate(pairs), np.concatenate(spans)
    n = len(found)
    smaller = np.ones(n) if areas is None else areas
    other = 1 - single
    kept = (plain.distance <= plain.reach) | plain.family
    kept |= smaller[plain.pairs[:, other]] > DAUGHTER * smaller[plain.pairs[:, single]]
    plain = plain.only(kept)
    known = np.isin(every[:, 0] * n + every[:, 1], plain.pairs[:, 0] * n + plain.pairs[:, 1])
    new = ~known
    if areas is not None:
        new &= areas[every[:, other]] <= DAUGHTER * areas[every[:, single]]
    return plain.and_also(every[new], apart[new] / far * plain.reach, family=True)


def room_of(found: Detections) -> float:
    """Return the typical distance of neighbours in a frame; infinite where there are none."""
    apart = []
    for frame in range(found.frames):
        a = found.places[found.of(frame)]
        if len(a) > 1:
            apart.append(cKDTree(a).query(a, k=2)[0][:, 1])
    return float(np.median(np.concatenate(apart))) if apart else np.inf


def sizes(found: Detections) -> Floats | None:
    """Return the (n,) areas, if they are those of objects and not of marks that are all alike."""
    areas = found.measures.get(AREA)
    if areas is None or not len(areas):
        return None
    logs = np.log(areas)
    alike = float(np.median(np.abs(logs - np.median(logs)))) < ALIKE
    return None if alike and len(areas) > 1 else areas


def diameter(found: Detections) -> float:
    """Return the typical diameter of objects, in the unit of the detections."""
    size = found.places.shape[1]
    pixel = float(np.prod(found.spacing)) ** (1 / size)
    return float(np.median(found.measures[AREA]) ** (1 / size) * pixel)
