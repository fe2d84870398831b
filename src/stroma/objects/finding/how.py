"""How objects are told from pixels, and from each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from stroma.errors import ParameterError


@dataclass(frozen=True)
class Finding:
    """How objects are told from pixels, and from each other.

    Parameters
    ----------
    label : int or None
        The class whose connected parts are objects; of every class where None. Classes are never
        joined. In probabilities of several, the channel of the class, counted from 1.
    threshold : float
        Least probability of a pixel of an object.
    core : float or None
        Probability that an object reaches somewhere, or is left out (hysteresis).
    split : float
        Touching objects are parted where each is deeper, by so many pixels, than the neck between
        them; 0 parts none.
    boundary : int or None
        The class between objects that touch (a rim, a membrane), along which they are parted where
        it is probable. Its pixels go to the objects they bound. With a split, objects are parted
        also at the necks that a boundary with gaps leaves between them.
    rise : float
        How much more probable the boundary is between two objects than inside each of them. Less
        parts along thin, faint or broken boundaries; more leaves objects whole in which there is
        something like a boundary, too.
    min_size, max_size : float
        Objects that are smaller or larger are left out.
    size_in : {"px", "um"}
        Whether sizes are numbers of pixels, or µm² (of volumes µm³).
    border : bool
        Whether objects that touch the border of the image are kept.
    connectivity : {"corner", "side"}
        Whether pixels that share but a corner are connected.
    """

    label: int | None = None
    threshold: float = 0.5
    core: float | None = None
    split: float = 0.0
    boundary: int | None = None
    rise: float = 0.3
    min_size: float = 0.0
    max_size: float = np.inf
    size_in: Literal["px", "um"] = "px"
    border: bool = True
    connectivity: Literal["corner", "side"] = "corner"

    def __post_init__(self) -> None:
        """Check the parameters."""
        core = self.threshold if self.core is None else self.core
        if not 0 < self.threshold <= core <= 1:
            raise ParameterError(
                "The threshold is above 0, and that of the core from there to 1; got "
                f"{self.threshold}{'' if self.core is None else f' and {self.core}'}."
            )
        if not 0 <= self.split < np.inf or not 0 <= self.min_size <= self.max_size:
            raise ParameterError(
                "Splitting and sizes are 0 or more, the least size not above the greatest; got "
                f"split {self.split}, sizes {self.min_size} to {self.max_size}."
            )
        if self.boundary is not None and self.label in (None, self.boundary):
            raise ParameterError(
                "A boundary parts the objects of another class: name both, each a class of its "
                f"own. Got {'none' if self.label is None else self.label} for the objects, and "
                f"{self.boundary} between them."
            )
        if not 0 < self.rise < 1:
            raise ParameterError(f"rise is a share between 0 and 1, got {self.rise}.")
        if self.size_in not in ("px", "um") or self.connectivity not in ("corner", "side"):
            raise ParameterError(
                "Sizes are in 'px' or 'um', pixels connected by 'corner' or 'side'; got "
                f"{self.size_in!r} and {self.connectivity!r}."
            )
