"""What is predicted block by block, put together: each head of a network by a collector."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from stroma.blocks.freed import freed
from stroma.data.image import Image
from stroma.training.feeding.windows import common, relative
from stroma.training.predicting.sweep import Part, Trained, swept

Tell = Callable[[int, int], None]
"""Is told how many blocks are ready, and of how many."""


class Collector(Protocol):
    """Makes something of a whole image of what is predicted of its blocks."""

    @property
    def context(self) -> int:
        """Pixels around each block that it needs to see."""
        ...

    def add(self, part: Part) -> None:
        """Take a block, in reading order."""
        ...

    def result(self) -> Any:
        """Return what came of it; asked once, at the end."""
        ...


def show(
    network: Trained,
    image: Image,
    collector: Collector,
    *,
    tell: Tell | None = None,
    **how: Any,
) -> None:
    """Show a collector what is predicted of all blocks of an image.

    Parameters
    ----------
    network : Network
        Predicts.
    image : Image
        As ``network.open`` returns it.
    collector : Collector
        Of its results.
    tell : callable, optional
        Is told how many blocks are ready, and of how many.
    **how
        ``wanted``, ``mirror``, ``device``, ``use_dask``, ``cancel``, as for
        `stroma.training.predicting.sweep.swept`.
    """
    for part in freed(swept(network, image, context=collector.context, **how)):
        collector.add(part)
        if tell is not None:
            tell(part.done, part.total)


class Heads:
    """Gives every head of a network its channels of a block, and as much around it as it needs.

    Parameters
    ----------
    heads : mapping of str to Collector
        By the name of the target.
    places : mapping of str to slice
        Which channels are those of a head.
    """

    def __init__(self, heads: Mapping[str, Collector], places: Mapping[str, slice]) -> None:
        self.heads, self.places = heads, places
        self.context = max(head.context for head in heads.values())

    def add(self, part: Part) -> None:
        """Show a block to all heads."""
        for name, head in self.heads.items():
            wide = tuple(slice(s.start - head.context, s.stop + head.context) for s in part.core)
            window = common(wide, part.window)
            values = part.values[(self.places[name], *relative(window, part.window))]
            head.add(part._replace(window=window, values=values))

    def result(self) -> dict[str, Any]:
        """Return the result of every head by its name."""
        return {name: head.result() for name, head in self.heads.items()}


class Decoding:
    """What collectors share: a network, an image, and the options of ``decode``.

    Parameters
    ----------
    network : Network
        Whose target decodes.
    image : Image
        As ``network.open`` returns it.
    tunable : mapping, optional
        Options of the target's ``decode``; others are as they were tuned.
    """

    def __init__(
        self, network: Trained, image: Image, tunable: Mapping[str, Any] | None = None
    ) -> None:
        self.network, self.image, self.target = network, image, network.target
        self.options = {**network.decoding_, **(tunable or {})}
        self.context = network.target.context
