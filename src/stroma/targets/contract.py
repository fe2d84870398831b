"""What a network learns, and what its output means: the contract of a target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol, Self, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray

from stroma.targets.turns import Turn

Truth = Literal["classes", "instances", "points", "image", "category"]
"""What users give: classes or objects as whole numbers per pixel, positions, another image, or one
class for the image as a whole."""

Result = Literal["classes", "instances", "points", "image", "channels", "category", "several"]
"""What ``decode`` returns, and so how blocks become one: classes, images (in units of the image
that is looked at) and channels (in their own) pixel by pixel; objects are joined where blocks meet;
points belong to the block that they lie in; of a category, the predictions of all blocks are
averaged before they are decoded; several are results by the name of their target."""

Losses = tuple[torch.Tensor, dict[str, torch.Tensor]]
"""The loss, and its parts by name."""


@dataclass(frozen=True, eq=False)
class Encoded:
    """What a perfect network would predict.

    Parameters
    ----------
    values : (K, *space) float32 array
        One channel for each of ``channels()``, as after ``activate``.
    known : (1 or K, *space) float32 array
        Weight of every pixel in the loss; 0 where nobody knows.
    """

    values: NDArray[np.float32]
    known: NDArray[np.float32]


@dataclass(frozen=True)
class Facts:
    """What is known of all training labels together, measured once.

    Parameters
    ----------
    ndim : int
        Spatial axes, 2 or 3.
    counts : mapping of int to int
        Pixels by label (classes, instances); empty for points and images.
    spacing : tuple of float
        Size of a pixel along the spatial axes; 1 where unknown.
    diameters : tuple of float
        Of objects in pixels, ascending (instances); from each point to the nearest other one
        (points); empty otherwise.
    channels : int
        Channels of the other image (images), else 1.
    """

    ndim: int
    counts: Mapping[int, int] = field(default_factory=dict)
    spacing: tuple[float, ...] = ()
    diameters: tuple[float, ...] = ()
    channels: int = 1


@runtime_checkable
class Target(Protocol):
    """A frozen dataclass of plain parameters; it is stored as these, and made of them again.

    Arrays have no batch axis, tensors have one: (B, K, *space). Labels are augmented before they
    are encoded, so a target never sees how. Nothing is kept in ``self``.
    """

    truth: ClassVar[Truth]
    result: ClassVar[Result]

    @classmethod
    def made_for(cls, facts: Facts, /, **options: Any) -> Self:
        """Return the target for some data; options are the dataclass's parameters.

        Raises
        ------
        LabelError
            If such labels cannot be learned; the message says what to give instead.
        """
        ...

    @property
    def tunable(self) -> Mapping[str, tuple[Any, ...]]:
        """Options of ``decode``, each with the values worth trying; the first is the default."""
        ...

    @property
    def context(self) -> int:
        """Pixels around a block that ``decode`` needs to see, on every side."""
        ...

    def channels(self) -> tuple[str, ...]:
        """Return a name for every channel."""
        ...

    def encode(self, truth: Any, /, *, shape: tuple[int, ...]) -> Encoded:
        """Return what a perfect network would predict.

        Parameters
        ----------
        truth : array
            (*space) integers, -1 where nobody knows (classes, instances, and of a category the
            same everywhere), (n, ndim) float positions in pixels (points), or (C, *space) float32
            values, NaN where nobody knows (image).
        shape : tuple of int
            The space that is wanted; that of the array, where it has one.
        """
        ...

    def loss(self, output: torch.Tensor, truth: torch.Tensor, known: torch.Tensor, /) -> Losses:
        """Return how far the output (before ``activate``) is from encoded truth."""
        ...

    def activate(self, output: torch.Tensor, /) -> torch.Tensor:
        """Return the prediction for the output of the network; blocks are blended after it."""
        ...

    def decode(self, prediction: NDArray[np.float32], /, **tunable: Any) -> Any:
        """Return the result of a (K, *space) prediction.

        Labels, objects, points, an image, the (K,) probabilities of a category, or several of these
        by name.
        """
        ...

    def turned_back(self, prediction: NDArray[np.float32], turn: Turn, /) -> NDArray[np.float32]:
        """Return the prediction of an image, given that of the turned image.

        ``turn.undo`` does that for channels that are numbers; vectors and rays change too.
        """
        ...

    def score(self, results: Sequence[Any], truths: Sequence[Any], /) -> dict[str, float]:
        """Return how good decoded results are, all together.

        The first number decides which network is kept, and which options of ``decode``, unless the
        target names others for these (``deciding``, whose mean counts); more is better. Truths are
        as for ``encode``: pixels of -1 do not count.
        """
        ...
