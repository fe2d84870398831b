"""Many small groups of pixels become few: by how much they spread, or how far apart they are."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from stroma.errors import ParameterError, short

Join = Literal["ward", "complete"]


def require_known(join: str) -> None:
    """Refuse a way to join that there is not.

    Raises
    ------
    ParameterError
        If it is none of `Join`.
    """
    if join not in get_args(Join):
        ways = " or ".join(f"join={way!r}" for way in get_args(Join))
        raise ParameterError(f"There is no way {short(join)!r} to join groups. Use {ways}.")


def joined(
    centres: NDArray[np.floating],
    sizes: NDArray[np.integer],
    classes: int,
    *,
    by: Join = "ward",
) -> NDArray[np.intp]:
    """Return in which of ``classes`` joined groups each group is, 0 to ``classes`` - 1.

    Parameters
    ----------
    centres : (g, F) float array
        Middles of the groups.
    sizes : (g,) int array
        Rows of each.
    classes : int
        How many are wanted; no more than there are groups.
    by : {"ward", "complete"}
        Join next those two by which rows come to lie least further from the middle of their group
        (Ward, Journal of the American Statistical Association 1963): how many rows a group has
        counts, else a few rows unlike all others would be a class, and two large groups one. Or
        those whose middles that are furthest apart are nearest, whatever their size (complete
        linkage, as Docherty et al., arXiv:2410.19836, join them).

    Raises
    ------
    ParameterError
        If there is no such way.
    """
    require_known(by)
    if by == "ward":
        return _by_spread(centres, sizes, classes)
    if classes == len(centres):
        return np.arange(classes)
    from sklearn.cluster import AgglomerativeClustering

    found = AgglomerativeClustering(classes, linkage="complete").fit_predict(centres)
    return np.asarray(found, np.intp)


def joined_within(
    centres: NDArray[np.floating], sizes: NDArray[np.integer], distance: float
) -> NDArray[np.intp]:
    """Return in which joined group each group is: middles of one lie no further apart than that.

    There are two at least.

    Parameters
    ----------
    centres : (g, F) float array
        Middles of the groups; two or more.
    sizes : (g,) int array
        Rows of each.
    distance : float
        Up to which groups are joined by complete linkage.
    """
    from sklearn.cluster import AgglomerativeClustering

    how = {"n_clusters": None, "distance_threshold": distance}
    found = AgglomerativeClustering(linkage="complete", **how).fit_predict(centres)
    if not found.any():
        return joined(centres, sizes, 2, by="complete")
    return np.asarray(found, np.intp)


def _by_spread(
    centres: NDArray[np.floating], sizes: NDArray[np.integer], classes: int
) -> NDArray[np.intp]:
    middles, weights = centres.astype(np.float64), np.maximum(sizes, 1e-9)
    members = np.arange(len(middles))
    while len(middles) > classes:
        away = np.square(middles[:, None] - middles[None]).sum(axis=-1)
        cost = away / (1 / weights[:, None] + 1 / weights[None])
        cost[np.tril_indices(len(cost))] = np.inf
        kept, gone = np.unravel_index(cost.argmin(), cost.shape)
        both = weights[kept] + weights[gone]
        middles[kept] = np.average(middles[[kept, gone]], axis=0, weights=weights[[kept, gone]])
        weights[kept] = both
        middles, weights = np.delete(middles, gone, axis=0), np.delete(weights, gone)
        members[members == gone] = kept
        members[members > gone] -= 1
    return members
