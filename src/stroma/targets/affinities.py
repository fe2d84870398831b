"""Objects by which pixels belong together, near ones and far ones, decoded by a mutex watershed.

Wolf et al. 2018, doi 10.1007/978-3-030-01225-0_34. Neighbours attract each other as much as they
are predicted to be of one object; pixels far apart repel each other as much as they are not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from stroma.errors import ParameterError
from stroma.targets.contract import Encoded, Facts, Losses
from stroma.targets.instances import Instances, require_axes, sizes_of, without_small
from stroma.targets.kernels.mutex import clustered
from stroma.targets.losses import CrossEntropy, Dice
from stroma.targets.turns import Turn

Array = NDArray[np.float32]
Offset = tuple[int, ...]
FAR = (3, 9)
"""Lengths of far offsets, in pixels of the finest axis, where nothing is known of objects."""

SHARES = (0.25, 0.6)
"""Lengths of far offsets, as shares of the diameter of small objects."""

WEAK = 0.05
"""Edges below this decide nothing: what they could join or keep apart is decided by then."""

LEVELS = 65535
"""Edges are told apart by so many levels of strength."""

SPARSE = 2
"""Far edges start at every so many pixels along each axis: they say the same over and over."""


def far_offsets(
    ndim: int, lengths: Sequence[int], spacing: Sequence[float] = ()
) -> Iterator[Offset]:
    """Yield offsets along axes and their diagonals, as long in space along coarse axes as others.

    Parameters
    ----------
    ndim : {2, 3}
        Axes.
    lengths : sequence of int
        In pixels of the finest axis.
    spacing : sequence of float
        Size of pixels; equal, unless given.
    """
    sizes = np.array(spacing or (1.0,) * ndim)
    seen: set[Offset] = set()
    for length in lengths:
        sides = np.rint(length * sizes.min() / sizes).astype(int).tolist()
        for offset in _directions(sides):
            # Along a coarse axis what is not farther than a neighbour says nothing new.
            if sum(abs(n) for n in offset) > 1 and offset not in seen:
                seen.add(offset)
                yield offset


def _directions(sides: Sequence[int]) -> Iterator[Offset]:
    """Yield one offset along every axis, and both diagonals of every two axes."""
    unit = np.diag(sides)
    for row in unit:
        yield tuple(row.tolist())
    for a, b in combinations(range(len(sides)), 2):
        if sides[a] and sides[b]:
            yield tuple((unit[a] + unit[b]).tolist())
            yield tuple((unit[a] - unit[b]).tolist())


@dataclass(frozen=True)
class Affinities(Instances):
    """Foreground, and for some offsets whether the pixel there is of the same object.

    Parameters
    ----------
    diameter : float
        Of the largest objects, in pixels: how far decoding looks around a block.
    smallest : int
        Objects of fewer pixels are left out.
    offsets : tuple of tuple of int
        Steps along the axes to pixels that are far; those to neighbours come before them.
    """

    offsets: tuple[Offset, ...] = tuple(far_offsets(2, FAR))

    def __post_init__(self) -> None:
        """Take lists for tuples, as JSON has them, and check."""
        object.__setattr__(self, "offsets", tuple(tuple(map(int, o)) for o in self.offsets))
        lengths = {len(o) for o in self.offsets}
        if not self.offsets or lengths not in ({2}, {3}):
            raise ParameterError(
                f"offsets are steps along all axes, 2 or 3, such as (0, 9), got {self.offsets}."
            )
        if any(sum(map(abs, o)) < 2 for o in self.offsets):
            raise ParameterError(
                f"offsets lead farther than to a neighbour (those are always there), got "
                f"{self.offsets}."
            )

    @classmethod
    def made_for(cls, facts: Facts, /, **options: Any) -> Self:
        """Return the target for objects of some sizes, in pixels of some sizes."""
        lengths: Sequence[int] = FAR
        if facts.diameters:
            small = float(np.percentile(facts.diameters, 25))
            lengths = sorted({max(2, round(share * small)) for share in SHARES})
        known: dict[str, Any] = {
            **sizes_of(facts),
            "offsets": tuple(far_offsets(facts.ndim, lengths, facts.spacing)),
        }
        return cls(**{**known, **options})

    @property
    def ndim(self) -> int:
        """Spatial axes."""
        return len(self.offsets[0])

    @property
    def every(self) -> tuple[Offset, ...]:
        """All offsets: to the next pixel along each axis, then the far ones."""
        return *(tuple(row) for row in np.eye(self.ndim, dtype=int).tolist()), *self.offsets

    @property
    def tunable(self) -> Mapping[str, tuple[Any, ...]]:
        """Threshold of foreground, how strongly far pixels repel, and the smallest objects."""
        return {
            "foreground": (0.5, 0.4, 0.6, 0.3, 0.7),
            "repulsion": (1.0, 0.8, 0.6, 1.2, 1.5),
            "smallest": self.smallest_tried,
        }

    def channels(self) -> tuple[str, ...]:
        """Return their names."""
        return ("foreground", *(f"with {' '.join(f'{n:+d}' for n in o)}" for o in self.every))

    def encode(self, truth: Any, /, *, shape: tuple[int, ...]) -> Encoded:
        """Return the channels of objects by number; pairs across the border have no weight."""
        labels = np.asarray(truth)
        require_axes(self.ndim, labels.ndim)
        values = np.zeros((1 + len(self.every), *labels.shape), np.float32)
        known = np.zeros_like(values)
        values[0], known[0] = labels > 0, labels >= 0
        for k, offset in enumerate(self.every, start=1):
            here, there = ends(offset, labels.shape)
            one, other = labels[here], labels[there]
            values[k][here] = (one == other) & (one > 0)
            known[k][here] = (one >= 0) & (other >= 0)
        return Encoded(values, known)

    def loss(self, output: torch.Tensor, truth: torch.Tensor, known: torch.Tensor, /) -> Losses:
        """Return the cross-entropy of all channels, and Dice, which pairs apart count in too."""
        crossed = CrossEntropy("sigmoid")(output, truth, known)
        dice = Dice("sigmoid", batch=True)(output[:, :1], truth[:, :1], known[:, :1])
        apart = Dice("sigmoid", batch=True)(-output[:, 1:], 1 - truth[:, 1:], known[:, 1:])
        parts = {"cross entropy": crossed, "dice": dice, "apart": apart}
        return crossed + dice + apart, {name: part.detach() for name, part in parts.items()}

    def activate(self, output: torch.Tensor, /) -> torch.Tensor:
        """Return all channels from 0 to 1."""
        return output.sigmoid()

    def decode(
        self,
        prediction: NDArray[np.float32],
        /,
        *,
        foreground: float = 0.5,
        repulsion: float = 1.0,
        smallest: int | None = None,
    ) -> NDArray[np.uint32]:
        """Return objects by number.

        Parameters
        ----------
        prediction : (1 + neighbours + offsets, *space) float32 array
            From 0 to 1.
        foreground : float
            Threshold.
        repulsion : float
            What repulsion of far pixels is multiplied with, before it is compared with attraction.
        smallest : int, optional
            Objects of fewer pixels are left out.
        """
        least = self.smallest if smallest is None else smallest
        front = prediction[0] > foreground
        numbers = np.full(front.shape, -1, np.int32)
        count = int(front.sum())
        numbers[front] = np.arange(count, dtype=np.int32)
        ones, others, attracts = self._edges(prediction[1:], numbers, repulsion)
        clusters = clustered(count, ones, others, attracts)
        labels = np.zeros(front.shape, np.uint32)
        labels[front] = np.unique(clusters, return_inverse=True)[1] + 1
        return without_small(labels, least)

    def _edges(
        self, values: Array, numbers: NDArray[np.int32], repulsion: float
    ) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.bool_]]:
        """Return both ends of edges and whether they attract, the strongest first."""
        found = []
        for k, offset in enumerate(self.every):
            near = k < self.ndim
            step = 1 if near else SPARSE
            here, there = ends(offset, numbers.shape, step=step)
            strength = values[k][here] if near else repulsion * (1 - values[k][here])
            one, other = numbers[here], numbers[there]
            kept = (one >= 0) & (other >= 0) & (strength > WEAK)
            found.append((one[kept], other[kept], strength[kept], np.full(int(kept.sum()), near)))
        ones, others, strengths, attracts = (
            np.concatenate(parts) for parts in zip(*found, strict=True)
        )
        # Whole numbers are sorted by their digits, in a tenth of the time.
        steps = (LEVELS * np.clip(1 - strengths / max(1.0, repulsion), 0, 1)).astype(np.uint16)
        order = np.argsort(steps, kind="stable")
        return ones[order], others[order], attracts[order]

    def turned_back(self, prediction: NDArray[np.float32], turn: Turn, /) -> NDArray[np.float32]:
        """Return it turned back; a pair may have its other end first then.

        Raises
        ------
        ParameterError
            For a turn that makes an offset of one that is not there: axes whose pixels differ
            in size are not exchanged.
        """
        back = turn.undo(prediction)
        result = np.zeros_like(back)
        result[0] = back[0]
        places = {offset: k for k, offset in enumerate(self.every, start=1)}
        for offset, k in places.items():
            became = _turned(offset, turn)
            opposite = tuple(-n for n in became)
            if became in places:
                result[k] = back[places[became]]
            elif opposite in places:
                here, there = ends(offset, back.shape[1:])
                result[k][here] = back[places[opposite]][there]
            else:
                raise ParameterError(
                    f"{turn} makes {became} of the offset {offset}, which is not predicted."
                )
        return result


def ends(
    offset: Offset, shape: Sequence[int], *, step: int = 1
) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Return where pairs of pixels start and end that both lie in a space."""
    here, there = [], []
    for n, side in zip(offset, shape, strict=True):
        low, high = max(0, -n), max(0, min(side, side - n))
        here.append(slice(min(low, high), high, step))
        there.append(slice(min(low, high) + n, high + n, step))
    return tuple(here), tuple(there)


def _turned(offset: Offset, turn: Turn) -> Offset:
    moved = [offset[axis] for axis in turn.order]
    return tuple(-n if flip else n for n, flip in zip(moved, turn.flips, strict=True))
