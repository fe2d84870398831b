"""Episodes: an image, what is where in it, and strokes on it, all generated from a number."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stroma.training.strokes.imaging import image
from stroma.training.strokes.painting import strokes
from stroma.training.strokes.scenes import scene

SIDE = 104
"""Middle side of an episode, in pixels."""


@dataclass(frozen=True, eq=False)
class Episode:
    """One task: an image and few strokes are given, the labels are asked for.

    Parameters
    ----------
    image : (C, n, n) float32
        1 to 4 channels, normalised as part of a larger image.
    labels : (n, n) int32
        Classes from 0 to K - 1.
    strokes : (n, n) int32
        Painted classes, -1 where nothing is painted.
    """

    image: NDArray[np.float32]
    labels: NDArray[np.int32]
    strokes: NDArray[np.int32]


def episode(
    seed: int,
    number: int,
    *,
    side: int = SIDE,
    kind: str | None = None,
    channels: int | None = None,
    without: Collection[str] = (),
) -> Episode:
    """Return the episode of a number; the same one always.

    Parameters
    ----------
    seed : int
        Another seed, another series of episodes.
    number : int
        From 0.
    side : int
        Pixels.
    kind : str, optional
        Which kind of scene, a key of ``SCENES``; drawn unless given.
    channels : {1, 2, 3, 4}, optional
        Drawn unless given; three are lightness and opponent colours.
    without : names, optional
        Kinds of scenes that are never drawn.
    """
    rng = np.random.default_rng((seed, number))
    made = scene(rng, side, kind, without)
    pixels = image(rng, made, channels)
    return Episode(pixels, made.labels, strokes(rng, made.labels))
