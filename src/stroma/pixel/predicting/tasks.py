"""Work on many blocks with their features, which networks compute for several at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from stroma.blocks.box import Box
from stroma.blocks.grid import Block
from stroma.blocks.run import run
from stroma.features.cache import FeatureCache
from stroma.features.contract import FeatureMap
from stroma.pixel.predicting.plan import Plan, features_of

Result = TypeVar("Result")


@dataclass(frozen=True, eq=False)
class Task:
    """One block of one plane or volume.

    Parameters
    ----------
    position : dict of str to int
        Which plane or volume, by position along t and z as far as it is cut along them.
    plan : Plan
        What is done on it.
    block : Block
        Which part of it.
    wanted : Box or None
        Pixels of the image whose results are wanted; all of the block unless given.
    """

    position: dict[str, int]
    plan: Plan
    block: Block
    wanted: Box | None = None

    @property
    def pixels(self) -> Box:
        """The pixels of the image whose results are wanted."""
        box = self.plan.grid.pixels(self.block.core)
        return box if self.wanted is None else box.clipped(self.wanted)

    @property
    def rectangle(self) -> Box:
        """Their rows and columns."""
        return replace(self.pixels, front=0, back=1)


def each(
    function: Callable[[int, Task, list[FeatureMap]], Result],
    tasks: Sequence[Task],
    cache: FeatureCache,
    *,
    workers: int | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Iterator[Result]:
    """Yield what a function makes of every task and its feature maps, in their order.

    Parameters
    ----------
    function : callable
        Called with the task's place in the list, the task, and its maps, whose origins are
        relative to the region of its block.
    tasks : sequence of Task
        Neighbours in this list that share a recipe may be computed together.
    cache : FeatureCache
        Where features are looked for, and kept.
    workers, cancel
        As for `stroma.blocks.run.run`.
    """

    def one(numbered: tuple[int, tuple[_Group, int]]) -> Result:
        number, (group, place) = numbered
        return function(number, group.tasks[place], group.take(place))

    members = ((group, i) for group in _groups(tasks, cache) for i in range(len(group.tasks)))
    yield from run(one, enumerate(members), workers=workers, cancel=cancel)


class _Group:
    """Tasks whose features are computed together, by whoever needs one of them first."""

    def __init__(self, tasks: Sequence[Task], cache: FeatureCache) -> None:
        self.tasks = tasks
        self._cache = cache
        self._maps: dict[int, list[FeatureMap]] = {}
        self._lock = threading.Lock()

    def take(self, place: int) -> list[FeatureMap]:
        """Return the maps of a task; to be called once for each."""
        with self._lock:
            if not self._maps:
                found = features_of([(t.plan, t.block) for t in self.tasks], self._cache)
                self._maps = dict(enumerate(found))
            return self._maps.pop(place)


def _groups(tasks: Sequence[Task], cache: FeatureCache) -> Iterator[_Group]:
    start = 0
    while start < len(tasks):
        first = tasks[start]
        pipe, channels = first.plan.recipe.pipeline, len(first.plan.feed.channels)
        most = start + pipe.at_once(first.plan.seen(first.block), channels)
        stop = start + 1
        while stop < min(most, len(tasks)) and tasks[stop].plan.recipe is first.plan.recipe:
            stop += 1
        yield _Group(tasks[start:stop], cache)
        start = stop
