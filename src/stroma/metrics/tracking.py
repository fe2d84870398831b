"""Scores of tracks, after the Cell Tracking Challenge and beyond.

Matula et al., Cell tracking accuracy measurement based on comparison of acyclic oriented graphs,
PLoS ONE 10(12), 2015, doi:10.1371/journal.pone.0144959. Kaiser et al., CHOTA: a higher order
accuracy metric for cell tracking, 2024, arXiv:2408.11571.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stroma.data.tracks import Detections, Ints, Tracks

SPLIT, MISSING, FALSE = 5.0, 10.0, 1.0
WRONG_EDGE, MISSING_EDGE, OTHER_EDGE = 1.0, 1.5, 1.0
"""Prices of the corrections that turn a result into the truth."""


@dataclass(frozen=True, eq=False)
class Matches:
    """Which detection of a result covers which of the truth.

    Parameters
    ----------
    pairs : (k, 2) int64
        True detection, and the one of the result that covers more than half of it.
    """

    pairs: Ints

    def unique(self, count: int) -> Ints:
        """Return, for every one of ``count`` results, the true one it covers alone, or -1."""
        covers = np.bincount(self.pairs[:, 1], minlength=count)
        found = np.full(count, -1, np.int64)
        found[self.pairs[:, 1]] = self.pairs[:, 0]
        found[covers != 1] = -1
        return found


def match(
    truth: Detections,
    result: Detections,
    frames: Iterable[tuple[NDArray[np.generic], NDArray[np.generic]]],
) -> Matches:
    """Return the matches of two movies: more than half of a true object is covered.

    Parameters
    ----------
    truth, result : Detections
        Of the label images.
    frames : iterable of (true labels, labels of the result)
        Frame by frame, of the same shape.
    """
    found = [np.zeros((0, 2), np.int64)]
    for t, (true, ours) in enumerate(frames):
        a, b = truth.of(t), result.of(t)
        size = np.zeros(a.stop - a.start, np.int64)
        flat = np.flatnonzero(true)
        i = np.searchsorted(truth.label[a], true.ravel()[flat].astype(np.int64))
        size += np.bincount(i, minlength=len(size))
        other = ours.ravel()[flat].astype(np.int64)
        both = other != 0
        j = np.searchsorted(result.label[b], other[both])
        width = max(1, b.stop - b.start)
        code, shared = np.unique(i[both] * width + j, return_counts=True)
        i, j = np.divmod(code, width)
        chosen = shared > 0.5 * size[i]
        found.append(np.stack([i[chosen] + a.start, j[chosen] + b.start], axis=1))
    return Matches(np.concatenate(found))


def scores(truth: Tracks, result: Tracks, matches: Matches) -> dict[str, float]:
    """Return DET, TRA, LNK, CHOTA, and precision, recall and F1 of links and divisions.

    ``DET``, ``TRA`` and ``LNK`` are 1 less the price of corrections, over that of making everything
    anew: of detections, of both, of links alone. A score of nothing against nothing is 1.
    """
    nodes, edges = _prices(truth, result, matches)
    all_nodes = MISSING * len(truth.detections)
    all_edges = MISSING_EDGE * len(truth.links)
    links = _links(truth, result, matches)
    return {
        "DET": _share(nodes, all_nodes),
        "TRA": _share(nodes + edges, all_nodes + all_edges),
        "LNK": _share(edges, all_edges),
        "CHOTA": chota(truth, result, matches),
        **{f"link_{name}": value for name, value in links.items()},
        **{f"division_{name}": value for name, value in divisions(truth, result, matches).items()},
    }


def _share(price: float, everything: float) -> float:
    if not everything:
        return 1.0 if not price else 0.0
    return 1 - min(price, everything) / everything


def _prices(truth: Tracks, result: Tracks, matches: Matches) -> tuple[float, float]:
    """Return what correcting the detections costs, and what the links."""
    n = len(result.detections)
    covers = np.bincount(matches.pairs[:, 1], minlength=n)
    splits = int(np.maximum(covers - 1, 0).sum())
    missing = len(truth.detections) - len(np.unique(matches.pairs[:, 0]))
    false = int((covers == 0).sum())
    nodes = SPLIT * splits + MISSING * missing + FALSE * false
    ours, true, kind = _edges(truth, result, matches)
    wrong = len(ours) - len(kind)
    lacking = len(true) - len(kind)
    edges = WRONG_EDGE * wrong + MISSING_EDGE * lacking + OTHER_EDGE * int((~kind).sum())
    return nodes, edges


def _edges(truth: Tracks, result: Tracks, matches: Matches) -> tuple[Ints, Ints, NDArray[np.bool_]]:
    """Return codes of our links between clear matches, of true links, and which agree in kind.

    The last has an entry for every link that both have: True where both continue a track, or both
    do not.
    """
    n = max(1, len(truth.detections))
    partner = matches.unique(len(result.detections))
    links = partner[result.links]
    clear = (links >= 0).all(axis=1)
    ours = links[clear, 0] * n + links[clear, 1]
    true = truth.links[:, 0] * n + truth.links[:, 1]
    _, a, b = np.intersect1d(ours, true, return_indices=True)
    return ours, true, result.plain[clear][a] == truth.plain[b]


def _links(truth: Tracks, result: Tracks, matches: Matches) -> dict[str, float]:
    _, _, kind = _edges(truth, result, matches)
    return _f1(len(kind), len(result.links), len(truth.links))


def divisions(truth: Tracks, result: Tracks, matches: Matches) -> dict[str, float]:
    """Return precision, recall and F1 of divisions: mother and daughters as in the truth."""
    partner = matches.unique(len(result.detections))
    true, ours = _families(truth, None), _families(result, partner)
    return _f1(len(true & ours), int((result.children > 1).sum()), len(true))


def _families(tracks: Tracks, partner: Ints | None) -> set[tuple[int, ...]]:
    """Return mother and daughters of every division, as detections of the truth."""
    found = set()
    for mother in np.flatnonzero(tracks.children > 1):
        members = [mother, *tracks.links[tracks.links[:, 0] == mother, 1]]
        named = [int(m) if partner is None else int(partner[m]) for m in members]
        if min(named) >= 0:
            found.add((named[0], *sorted(named[1:])))
    return found


def _f1(right: int, ours: int, true: int) -> dict[str, float]:
    if not ours and not true:
        return {"precision": 1.0, "recall": 1.0, "f1": 1.0}
    return {
        "precision": right / ours if ours else 0.0,
        "recall": right / true if true else 0.0,
        "f1": 2 * right / (ours + true),
    }


def chota(truth: Tracks, result: Tracks, matches: Matches) -> float:
    """Return the root of the detections' accuracy times that of association within lineages.

    Of every matched pair, those detections are looked at that are its ancestors, descendants, or
    of its own track: how many of them the two have in common, over all that either has.
    """
    if not len(matches.pairs):
        return 1.0 if not len(truth.detections) + len(result.detections) else 0.0
    found = len(matches.pairs)
    missing = len(truth.detections) - len(np.unique(matches.pairs[:, 0]))
    false = len(result.detections) - len(np.unique(matches.pairs[:, 1]))
    return float(np.sqrt(_association(truth, result, matches.pairs) / (found + missing + false)))


def _association(truth: Tracks, result: Tracks, pairs: Ints) -> float:
    """Return the sum over matched pairs of what their lineages have in common."""
    true, ours = truth.track[pairs[:, 0]] - 1, result.track[pairs[:, 1]] - 1
    shared = np.zeros((result.count, truth.count))
    np.add.at(shared, (ours, true), 1)
    of_ours, of_true = _related(result), _related(truth)
    sizes_ours = of_ours @ np.bincount(result.track - 1, minlength=result.count)
    sizes_true = of_true @ np.bincount(truth.track - 1, minlength=truth.count)
    common = of_ours @ shared @ of_true.T
    kinds, many = np.unique(np.stack([ours, true]), axis=1, return_counts=True)
    both = common[kinds[0], kinds[1]]
    either = sizes_ours[kinds[0]] + sizes_true[kinds[1]] - both
    return float((many * both / either).sum())


def _related(tracks: Tracks) -> NDArray[np.float64]:
    """Return which tracks are of one line: (tracks, tracks), 1 for ancestors and descendants."""
    related = np.eye(tracks.count)
    for earlier, later in tracks.lineage[np.argsort(tracks.lineage[:, 1])]:
        related[later - 1] = np.maximum(related[later - 1], related[earlier - 1])
    return np.maximum(related, related.T)


def seg(frames: Iterable[tuple[NDArray[np.generic], NDArray[np.generic]]]) -> float:
    """Return the mean overlap of true outlines with the objects that cover more than half of them.

    Parameters
    ----------
    frames : iterable of (true labels, labels of the result)
        Those that have outlines. An object that nothing covers counts as 0.
    """
    each = []
    for true, ours in frames:
        names, code, size = np.unique(true, return_inverse=True, return_counts=True)
        others, other, area = np.unique(ours, return_inverse=True, return_counts=True)
        pair, shared = np.unique(code.ravel() * len(others) + other.ravel(), return_counts=True)
        i, j = np.divmod(pair, len(others))
        covered = (shared > 0.5 * size[i]) & (names[i] != 0) & (others[j] != 0)
        overlap = shared[covered] / (size[i] + area[j] - shared)[covered]
        each += [*overlap, *(0.0,) * (int((names != 0).sum()) - len(overlap))]
    return float(np.mean(each)) if each else float("nan")
