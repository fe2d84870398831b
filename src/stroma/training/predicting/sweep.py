"""A network over all planes (or volumes) of an image, block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import product
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from stroma.data.image import Image
from stroma.targets.contract import Target
from stroma.training.feeding.windows import Cube, around
from stroma.training.predicting.predict import blocks_in, predicted
from stroma.training.predicting.predictor import NetworkPredictor

Position = dict[str, int]
"""Place along the axes that a network does not look along."""

Wanted = Callable[[Position, Cube], bool]
"""Says whether a block is to be looked at."""


class Trained(Protocol):
    """What is asked of a network here; `stroma.Network` is one."""

    @property
    def ndim(self) -> int:
        """Spatial axes."""
        ...

    @property
    def target(self) -> Target:
        """What it learned."""
        ...

    @property
    def decoding_(self) -> Mapping[str, Any]:
        """Options of ``decode`` as they were tuned."""
        ...

    @property
    def blind(self) -> bool:
        """Whether it predicts pixels without seeing them, so that they can be compared."""
        ...

    @property
    def of_objects(self) -> bool:
        """Whether it learned classes of objects."""
        ...

    def predictor(self, image: Image, *, mirror: bool | None, device: str) -> NetworkPredictor:
        """Return what predicts blocks of an image."""
        ...


class Part(NamedTuple):
    """What was predicted of one block.

    Attributes
    ----------
    position : dict of str to int
        Along outer axes.
    core, window : Cube
        The block, and what of the image around it was predicted too.
    values : (K, *window) float32 array
        The prediction.
    done, total : int
        How many blocks are ready, with this one, and how many there are.
    """

    position: Position
    core: Cube
    window: Cube
    values: NDArray[np.float32]
    done: int
    total: int


def outer_axes(ndim: int) -> str:
    """Return the axes along which every position is looked at by itself."""
    return "tz" if ndim == 2 else "t"


def swept(
    network: Trained,
    image: Image,
    *,
    context: int = 0,
    region: Cube | None = None,
    wanted: Wanted | None = None,
    mirror: bool | None = None,
    device: str = "auto",
    use_dask: bool = False,
    cancel: Callable[[], bool] | None = None,
) -> Iterator[Part]:
    """Yield the prediction of every block, in reading order.

    Parameters
    ----------
    network : Network
        Predicts.
    image : Image
        As ``network.open`` returns it.
    context : int
        Pixels around each block that are predicted too, as far as the image goes.
    region : Cube, optional
        Only blocks that touch it.
    wanted : callable, optional
        Is asked for every block whether it is wanted; others are left out. Where none is, the first
        is predicted all the same, so that a result has its kind.
    mirror : bool, optional
        Take the mean over all mirror images, 4 or 8 times the work; as it was decided at the
        training, unless given.
    device : {"auto", "cpu", "cuda", "mps"}
        Where to run.
    use_dask : bool
        Run on the workers of dask.distributed.
    cancel : callable, optional
        Asked before every block.
    """
    predictor = network.predictor(image, mirror=mirror, device=device)
    shape = image.shape[-network.ndim :]
    cores = blocks_in(shape, predictor, region, context=context)
    outer = {a: n for a, n in image.sizes.items() if a in outer_axes(network.ndim)}
    places = [dict(zip(outer, p, strict=True)) for p in product(*map(range, outer.values()))]
    todo = _wanted(places, cores, wanted)
    done, total = 0, sum(len(own) for _, own in todo)
    for place, own in todo:
        plane = image.at(**place)
        windows = [around(core, context, shape) for core in own]
        found = predicted(predictor, plane, windows, use_dask=use_dask, cancel=cancel)
        for core, window, values in zip(own, windows, found, strict=True):
            done += 1
            yield Part(place, core, window, values, done, total)


def _wanted(
    places: list[Position], cores: list[Cube], wanted: Wanted | None
) -> list[tuple[Position, list[Cube]]]:
    """Return the blocks to predict, by their position along outer axes."""
    if wanted is None:
        return [(place, cores) for place in places]
    every = [(place, [core for core in cores if wanted(place, core)]) for place in places]
    return [one for one in every if one[1]] or [(places[0], cores[:1])]
