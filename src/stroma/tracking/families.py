"""Divisions and mergers: which three objects may be one and what it became, and at what price."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stroma.data.tracks import Floats, Ints
from stroma.tracking.candidates import DIVIDE, Candidates, diameter, sizes

NEAR = 5
"""Daughters that are looked at for a mother, and parts of what is merged: the nearest ones."""

UNLIKE = 0.5
"""What it costs that one daughter is e times as large as the other."""

UNSEEN = 0.3
"""What a division costs beside, where no sizes speak for it."""


@dataclass(frozen=True, eq=False)
class Families:
    """Mothers with two daughters in the next frame, or two objects that become one in it.

    Parameters
    ----------
    edges : (f, 2) int64
        Candidates from the mother to one daughter and to the other, or from each of two to what
        they become.
    price : (f,) float64
        What each division, or merger, costs; the links of a family cost nothing beside.
    """

    edges: Ints
    price: Floats

    def only(self, kept: NDArray[np.bool_]) -> Families:
        """Return some of the families."""
        return Families(self.edges[kept], self.price[kept])


NONE = Families(np.zeros((0, 2), np.int64), np.zeros(0))


def possible(pairs: Candidates, base: float, most: float, *, single: int = DIVIDE) -> Families:
    """Return the families whose price is below a limit.

    Both daughters together are where their mother was, to the reach or her diameter, and as large
    as she was, and one is about as large as the other: a division costs the more the less that is
    so. A merger is a division backwards in time. Sizes count where they are those of the objects
    and not of marks of one size.

    Parameters
    ----------
    pairs : Candidates
        Pairs of mother and daughter, among others.
    base : float
        Price of a division as it should be; infinite for none.
    most : float
        Price at which a division cannot pay.
    single : int
        ``DIVIDE``, or ``MERGE`` for mergers.
    """
    if not np.isfinite(base):
        return NONE
    edges = _couples(pairs, single)
    family = pairs.pairs[edges]
    mother = family[:, 0, single]
    one, two = family[:, 0, 1 - single], family[:, 1, 1 - single]
    places = pairs.detections.places
    middle = 0.5 * (places[one] + places[two]) - places[mother]
    areas = sizes(pairs.detections)
    far = max(pairs.reach, 0 if areas is None else diameter(pairs.detections))
    price = base + np.square(middle / far).sum(axis=1)
    if areas is None:
        price += UNSEEN
    else:
        price += np.abs(np.log((areas[one] + areas[two]) / areas[mother]))
        price += UNLIKE * np.abs(np.log(areas[one] / areas[two]))
    return Families(edges, price).only(price < most)


def _couples(pairs: Candidates, single: int) -> Ints:
    """Return the (f, 2) candidates between one object and two near ones in the next frame."""
    near = np.flatnonzero(pairs.gap == 1)
    order = near[np.lexsort((pairs.distance[near], pairs.pairs[near, single]))]
    mother = pairs.pairs[order, single]
    rank = np.arange(len(order)) - np.searchsorted(mother, mother)
    order, mother = order[rank < NEAR], mother[rank < NEAR]
    found = [np.zeros((0, 2), np.int64)]
    for step in range(1, NEAR):
        same = mother[step:] == mother[:-step]
        found.append(np.stack([order[:-step][same], order[step:][same]], axis=1))
    return np.concatenate(found)
