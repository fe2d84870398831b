"""Episodes in batches, each made from its number alone, so that training can stop and go on."""

from __future__ import annotations

import os
import threading
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from multiprocessing import parent_process
from multiprocessing.connection import wait
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from stroma.training.contract import Batch
from stroma.training.strokes.companions import companions
from stroma.training.strokes.episodes import SIDE, Episode, episode
from stroma.training.strokes.imaging import CHANNELS
from stroma.training.strokes.painting import UNLABELLED

Packed = tuple[NDArray[Any], ...]
"""Images, labels, strokes and filters of a batch."""

SIDES = ((0.75, 0.4), (1.0, 0.4), (1.25, 0.2))
"""Sides of the images of a batch, as shares of the middle one, and how often they are drawn."""

MULTIPLE = 8
"""Sides are multiples of it."""

VALIDATION_SEED = 2**31
"""Added to the seed of training; episodes of validation are never trained on."""


@dataclass(frozen=True, eq=False)
class Episodes(Batch):
    """Episodes that are learned from together; all have the same number of channels.

    ``truth`` are the labels as (B, 1, n, n) float32; everything is ``known``. The seed is the
    number of the batch.

    Parameters
    ----------
    labels, strokes : (B, n, n) int64
    filters : (b, F, n, n) float16
        Filters made by hand, of the first b episodes.
    """

    labels: Tensor
    strokes: Tensor
    filters: Tensor

    def to(self, device: torch.device) -> Episodes:
        """Return them on another device."""
        values: dict[str, Any] = vars(self)
        moved: dict[str, Any] = {
            k: v.to(device) for k, v in values.items() if isinstance(v, Tensor)
        }
        return replace(self, **moved)


class Batches(Dataset[Packed]):
    """The endless series of batches of a seed, as they are sent between processes.

    Parameters
    ----------
    seed, size, side : int
        Of the series; episodes in a batch; pixels on the side of most, as `SIDES` says.
    beside : float
        Share of the episodes whose filters made by hand are computed too.
    without : names, optional
        Kinds of scenes that are never drawn.
    """

    def __init__(
        self,
        seed: int,
        *,
        size: int,
        side: int = SIDE,
        beside: float = 0.5,
        without: Collection[str] = (),
    ) -> None:
        self.seed, self.size, self.side, self.beside = seed, size, side, beside
        self.without = without

    def __getitem__(self, number: int) -> Packed:
        """Return a batch by its number, from 0."""
        numbers, shares = zip(*CHANNELS, strict=True)
        rng = np.random.default_rng((self.seed, number))
        channels, side = int(rng.choice(numbers, p=shares)), self._side(rng)
        first = number * self.size
        made = [
            episode(self.seed, first + i, side=side, channels=channels, without=self.without)
            for i in range(self.size)
        ]
        return packed(made, round(self.beside * self.size))

    def _side(self, rng: np.random.Generator) -> int:
        factors, shares = zip(*SIDES, strict=True)
        return MULTIPLE * round(self.side * float(rng.choice(factors, p=shares)) / MULTIPLE)


def packed(episodes: Sequence[Episode], beside: int) -> Packed:
    """Return episodes as few and small arrays, the first ``beside`` with filters made by hand."""
    return (
        np.stack([e.image for e in episodes]),
        np.stack([e.labels for e in episodes]).astype(np.int8),
        np.stack([e.strokes for e in episodes]).astype(np.int8),
        np.stack([companions(e.image) for e in episodes[: max(1, beside)]]),
    )


def unpacked(arrays: Packed, number: int) -> Episodes:
    """Return a batch that was packed, by its number."""
    images, labels, strokes, filters = map(torch.from_numpy, arrays)
    truth = labels[:, None].float()
    return Episodes(
        images, truth, torch.ones_like(truth), number, labels.long(), strokes.long(), filters
    )


def stream(batches: Batches, *, start: int, stop: int, workers: int) -> Iterator[Episodes]:
    """Yield batches from a number on, made ahead by other processes if there are workers.

    They come as arrays through pipes: tensors would need much shared memory, of which containers
    often have little.
    """
    if workers == 0:
        yield from (unpacked(batches[i], i) for i in range(start, stop))
        return
    loader = DataLoader(
        batches,
        batch_size=None,
        sampler=range(start, stop),
        num_workers=workers,
        prefetch_factor=4,
        worker_init_fn=_begin,
        multiprocessing_context="spawn",
        collate_fn=_as_it_is,
    )
    yield from map(unpacked, loader, range(start, stop))


def _as_it_is(arrays: Any) -> Any:
    return arrays


def _begin(worker: int) -> None:
    """Use one processor, and end with the training: also when that is killed."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)  # batches that nobody takes would keep an ordinary end waiting


def painted_pixels(strokes: Tensor) -> tuple[Tensor, Tensor]:
    """Return where strokes are and what they say, for all episodes of a batch.

    Parameters
    ----------
    strokes : (B, n, n) int64

    Returns
    -------
    positions, classes : (B, m) int64
        Positions in the flat image; classes are -1 beyond an episode's own painted pixels.
    """
    flat = strokes.flatten(1)
    most = int((flat != UNLABELLED).sum(1).max())
    positions = (flat != UNLABELLED).int().topk(most, dim=1).indices
    return positions, flat.gather(1, positions)
