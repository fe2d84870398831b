"""How many steps there is time for, and when to look at how good they were."""

from __future__ import annotations

import math
from dataclasses import dataclass

ROUNDS = 20
"""How often a training is validated and saved, in all."""

SHARE = 0.15
"""Of the time that is left, how much validation may take: where it is slow it comes less often."""


@dataclass
class Pace:
    """The speed of a training, as it is measured.

    Parameters
    ----------
    limit : float
        Seconds for all of it.
    learning : float
        Seconds that the steps took so far.
    taken : int
        How many those were.
    """

    limit: float
    learning: float = 0.0
    taken: int = 0

    def took(self, seconds: float) -> None:
        """Remember how long a step took."""
        self.learning += seconds
        self.taken += 1

    @property
    def per_step(self) -> float:
        """Mean seconds of a step."""
        return max(self.learning / max(self.taken, 1), 1e-6)

    def rest(self, elapsed: float, cost: float) -> tuple[int, int]:
        """Return how many steps there is time for, and after how many the next round comes.

        Parameters
        ----------
        elapsed : float
            Seconds since the training began.
        cost : float
            Seconds of a round.
        """
        left = self.limit - elapsed
        wanted = max(1, math.ceil(ROUNDS * left / self.limit))
        rounds = max(1, min(wanted, int(SHARE * left / max(cost, 1e-6))))
        steps = max(0, int((left - rounds * cost) / self.per_step))
        return steps, max(1, math.ceil(steps / rounds))
