"""How sure a network is: where what it predicts is what its own result would be encoded as."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.errors import ParameterError
from stroma.targets.contract import Encoded, Target

APART = 0.1
"""A channel of yes and no is sure up to this: a probability is 0.9 at least, or 0.1 at most."""

GRADED = 0.3
"""Of other channels, by their largest value; they count where a target has no other."""

LOW = 0.1
"""What the first channel of points is to reach, so that there is one."""

JUDGED = ("classes", "instances", "points", "category")
"""Results of which it can be told."""


@dataclass(frozen=True, eq=False)
class Certainty:
    """What a prediction says, taken at its word, and where it is sure of that.

    Parameters
    ----------
    taught : Encoded
        The result encoded again; known where the prediction is sure.
    sure, all : mapping of int to int
        Pixels that are sure, and all, by class, or inside (1) and outside (0) of objects.
    """

    taught: Encoded
    sure: Mapping[int, int]
    all: Mapping[int, int]

    @property
    def share(self) -> float:
        """How much is sure; see `together`."""
        return together([self])


def together(several: list[Certainty]) -> float:
    """Return how much of all predictions is sure: the mean over the classes that were found.

    Objects count as much as all that is between them, however few they are. Where only one class
    was found, which is sure as soon as nothing is seen at all, it counts half.
    """
    every: dict[int, int] = {}
    sure: dict[int, int] = {}
    for one in several:
        for group, count in one.all.items():
            every[group] = every.get(group, 0) + count
            sure[group] = sure.get(group, 0) + one.sure[group]
    shares = [sure[group] / every[group] for group in every]
    return sum(shares) / max(2, len(shares))


def certainty(
    target: Target, prediction: NDArray[np.float32], options: Mapping[str, Any]
) -> Certainty:
    """Return where a prediction is sure.

    Where a network is sure of its channels, they are what a perfect network would predict of the
    same result. SynapseNet learns from probabilities of 0.9 at least and 0.1 at most; this is the
    same for targets of any channels.

    Parameters
    ----------
    target : Target
        What the channels mean.
    prediction : (K, *space) float32 array
        After ``activate``.
    options : mapping
        Of ``decode``.

    Raises
    ------
    ParameterError
        If results are images, which are as good as they are everywhere.
    """
    require_judged(target)
    shape = prediction.shape[1:]
    result = target.decode(prediction, **options)
    truth = _truth(target, result, shape)
    ideal = target.encode(truth, shape=shape)
    sure = _is_sure(target, prediction, result, ideal.values)
    groups = _groups(target, truth, ideal.values)
    counts = {int(g): int((groups == g).sum()) for g in np.unique(groups)}
    found = {g: int((sure & (groups == g)).sum()) for g in counts}
    return Certainty(Encoded(ideal.values, ideal.known * sure.astype(np.float32)), found, counts)


def require_judged(target: Target) -> None:
    """Refuse a target whose predictions cannot be told to be sure."""
    if target.result == "several":
        raise ParameterError(
            "How sure a network is is told of one target at a time, and this one has several. "
            "Adapt networks of one target."
        )
    if target.result not in JUDGED:
        raise ParameterError(
            "How sure a network is can be told where it finds classes, objects or points; this one "
            "makes images. Learn from the new images themselves, for instance with the target "
            "denoise."
        )


def _truth(target: Target, result: Any, shape: tuple[int, ...]) -> Any:
    """Return a result as truth: as it would be learned from."""
    if target.result == "category":
        labels: tuple[int, ...] = getattr(target, "labels")  # noqa: B009
        return np.full(shape, labels[int(np.argmax(result))], np.int32)
    if target.result != "points":
        return np.asarray(result).astype(np.int32)
    points = np.asarray(result, float)[:, : len(shape)]
    return points if target.truth == "points" else _as_objects(points, shape)


def _as_objects(points: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.int32]:
    """Return an object of one pixel for every point."""
    labels = np.zeros(shape, np.int32)
    pixels = np.floor(points + 0.5).astype(int).clip(0, np.array(shape) - 1)
    labels[tuple(pixels.T)] = np.arange(1, len(points) + 1)
    return labels


def _is_sure(
    target: Target, prediction: NDArray[np.float32], result: Any, ideal: NDArray[np.float32]
) -> NDArray[np.bool_]:
    if target.result == "category":
        return np.full(ideal.shape[1:], float(np.max(result)) >= 1 - APART)
    plain = ((ideal == 0) | (ideal == 1)).reshape(len(ideal), -1).all(1)
    chosen, limit = (plain, APART) if plain.any() else (~plain, GRADED)
    apart = np.abs(prediction[chosen] - ideal[chosen])
    size = np.abs(ideal[chosen]).reshape(int(chosen.sum()), -1).max(1).clip(1)
    found: NDArray[np.bool_] = (
        apart <= limit * size.reshape(-1, *(1,) * (prediction.ndim - 1))
    ).all(0)
    return found


def _groups(target: Target, truth: Any, ideal: NDArray[np.float32]) -> NDArray[np.int32]:
    """Return the class of every pixel, or whether it is inside an object or near a point."""
    if target.result in ("classes", "category"):
        return np.asarray(truth, np.int32)
    if target.result == "instances":
        return (np.asarray(truth) > 0).astype(np.int32)
    near: NDArray[np.int32] = (ideal[0] > 0.5 * max(float(ideal[0].max()), LOW)).astype(np.int32)
    return near
