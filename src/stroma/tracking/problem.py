"""What a solver is given, and what a solution costs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from stroma.data.tracks import Floats, Ints
from stroma.errors import ParameterError
from stroma.tracking.candidates import MERGE, Candidates
from stroma.tracking.families import NONE, Families, possible

Divisions = Callable[[Candidates, Floats, float], Families]
"""Of candidates, their costs, and the price of a beginning: possible divisions with prices."""


@dataclass(frozen=True)
class Prices:
    """What happens beside links, in units of the cost of a link (1 is as good as none).

    Parameters
    ----------
    appear, disappear : float
        A track that begins after the first frame, or ends before the last.
    divide : float
        A division that is as it should be, with the links to both daughters; infinite for none.
    merge : float
        A merger as it should be, with the links from both; infinite for none.
    skip : float
        Every frame in which an object is missing.
    leave_out : float
        A group of alternatives of which none is taken.
    """

    appear: float = 0.6
    disappear: float = 0.6
    divide: float = 0.4
    merge: float = np.inf
    skip: float = 0.3
    leave_out: float = 2.0


@dataclass(frozen=True, eq=False)
class Chances:
    """What it costs that objects begin, end, or are no objects, one by one.

    Parameters
    ----------
    appear, disappear : (n,) float64
        Of each detection.
    alone : (n,) float64
        Of each to be linked to nothing, instead of both.
    """

    appear: Floats
    disappear: Floats
    alone: Floats


@dataclass(frozen=True, eq=False)
class Problem:
    """Candidates with their costs, from which links are to be chosen.

    Parameters
    ----------
    pairs : Candidates
        The candidates.
    cost : (m,) float64
        What linking each costs.
    prices : Prices
        What else costs.
    exclusive : sequence of sequences of int
        Detections of which at most one is real: alternative segmentations of one place.
    pinned, forbidden : (k, 2) int64
        Pairs that are links, and that are none, whatever they cost; pins are among the candidates.
    divisions : callable, optional
        Gives the possible divisions with their prices, where those are learned.
    chances : Chances, optional
        What beginnings and ends cost, object by object; the same for all unless given.
    """

    pairs: Candidates
    cost: Floats
    prices: Prices = field(default_factory=Prices)
    exclusive: Sequence[Sequence[int]] = ()
    pinned: Ints | None = None
    forbidden: Ints | None = None
    divisions: Divisions | None = None
    chances: Chances | None = None

    def __post_init__(self) -> None:
        """Check that costs are finite and pins can be met."""
        if not np.isfinite(self.cost).all():
            raise ParameterError("Costs of links are finite numbers; some are not.")
        if self.fixed.sum() < len(_rows(self.pinned)):
            raise ParameterError("A pinned link is not among the candidates.")

    @cached_property
    def families(self) -> Families:
        """Possible divisions: none with a link that must not be there, all that are pinned."""
        prices = self.prices
        most = 2 * prices.appear + prices.disappear
        learned = self.divisions is not None and np.isfinite(prices.divide)
        if self.divisions is not None and learned:
            found = self.divisions(self.pairs, self.cost, prices.appear)
            found = found.only(found.price < most)
        else:
            found = possible(self.pairs, prices.divide, most)
        found = found.only(np.asarray(self.free[found.edges].all(axis=1)))
        fixed = np.flatnonzero(self.fixed)
        first = self.pairs.pairs[fixed, 0]
        both = [
            fixed[first == one] for one in np.unique(first) if np.count_nonzero(first == one) == 2
        ]
        new = np.array(both, np.int64).reshape(-1, 2)
        known = {tuple(sorted(pair)) for pair in found.edges.tolist()} if len(new) else set()
        new = new[[tuple(sorted(pair)) not in known for pair in new.tolist()]]
        price = self.total[new].sum(axis=1) + (prices.divide if np.isfinite(prices.divide) else 0)
        return Families(np.concatenate([found.edges, new]), np.concatenate([found.price, price]))

    @cached_property
    def mergers(self) -> Families:
        """Possible mergers: none with a link that must not be there, or into what is pinned."""
        prices = self.prices
        if not np.isfinite(prices.merge):
            return NONE
        most = prices.appear + 2 * prices.disappear
        found = possible(self.pairs, prices.merge, most, single=MERGE)
        pinned = np.bincount(self.pairs.pairs[self.fixed, 1], minlength=len(self.pairs.detections))
        several = pinned[self.pairs.pairs[found.edges[:, 0], 1]] > 1
        return found.only(np.asarray(self.free[found.edges].all(axis=1) & ~several))

    @cached_property
    def ends(self) -> Chances:
        """What beginnings and ends cost: nothing in the first and in the last frame."""
        found, prices = self.pairs.detections, self.prices
        first, last = found.frame == 0, found.frame == found.frames - 1
        if self.chances is None:
            begin, end = np.where(first, 0, prices.appear), np.where(last, 0, prices.disappear)
            return Chances(begin, end, begin + end)
        begin = np.where(first, 0, self.chances.appear)
        end = np.where(last, 0, self.chances.disappear)
        return Chances(begin, end, np.minimum(self.chances.alone, begin + end))

    @property
    def total(self) -> Floats:
        """The (m,) cost of every candidate, with what skipping frames adds."""
        return self.cost + self.prices.skip * (self.pairs.gap - 1)

    @property
    def fixed(self) -> NDArray[np.bool_]:
        """The (m,) candidates that are links whatever they cost."""
        return self._among(self.pinned)

    @property
    def free(self) -> NDArray[np.bool_]:
        """The (m,) candidates that may be links."""
        return np.asarray(~self._among(self.forbidden) | self.fixed)

    def objective(self, chosen: Ints) -> float:
        """Return what a solution costs; of alternatives, those that are linked are taken.

        Parameters
        ----------
        chosen : (k,) int64
            Candidates that are links.
        """
        found, links = self.pairs.detections, self.pairs.pairs[chosen]
        out = np.bincount(links[:, 0], minlength=len(found))
        into = np.bincount(links[:, 1], minlength=len(found))
        taken = self.taken(chosen)
        begun, ended = taken & (into == 0), taken & (out == 0)
        none, prices, ends = begun & ended, self.prices, self.ends
        plain, families = self.divided(chosen)
        empty = sum(not taken[np.asarray(group)].any() for group in self.exclusive)
        return float(
            self.total[plain].sum()
            + families
            + ends.appear[begun & ~none].sum()
            + ends.disappear[ended & ~none].sum()
            + ends.alone[none].sum()
            + min(prices.leave_out, prices.appear + prices.disappear) * empty
        )

    def divided(self, chosen: Ints) -> tuple[Ints, float]:
        """Return the chosen candidates that are in no family, and what families cost."""
        inside = np.asarray(np.isin(self.families.edges, chosen).all(axis=1))
        family = self.families.only(inside)
        merger = self.mergers.only(np.asarray(np.isin(self.mergers.edges, chosen).all(axis=1)))
        n = len(self.pairs.detections)
        out = np.bincount(self.pairs.pairs[chosen, 0], minlength=n)
        many = chosen[out[self.pairs.pairs[chosen, 0]] > 1]
        lacking = np.setdiff1d(many, family.edges)
        prices = self.prices
        mothers = len(np.unique(self.pairs.pairs[lacking, 0]))
        more = prices.divide * mothers if mothers else 0.0
        known = np.union1d(family.edges, merger.edges)
        price = float(family.price.sum() + merger.price.sum() + more)
        return np.setdiff1d(chosen, known), price

    def taken(self, chosen: Ints) -> NDArray[np.bool_]:
        """Return which detections are real: all but alternatives that are not linked."""
        taken = np.ones(len(self.pairs.detections), np.bool_)
        linked = np.zeros(len(taken), np.bool_)
        linked[self.pairs.pairs[chosen].ravel()] = True
        for group in self.exclusive:
            members = np.asarray(group)
            taken[members] = linked[members]
        return taken

    def _among(self, rows: Ints | None) -> NDArray[np.bool_]:
        n = len(self.pairs.detections)
        wanted = _rows(rows)
        code = self.pairs.pairs[:, 0] * n + self.pairs.pairs[:, 1]
        return np.isin(code, wanted[:, 0] * n + wanted[:, 1])


def _rows(rows: Ints | None) -> Ints:
    return np.zeros((0, 2), np.int64) if rows is None else np.asarray(rows).reshape(-1, 2)
