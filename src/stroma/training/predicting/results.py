"""What is made of the predictions of a network, by the kind of result of its target."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from numpy.typing import NDArray

from stroma.blocks.room import FileLabels
from stroma.data.image import Image
from stroma.targets.several import Several
from stroma.training.predicting.collecting import Collector, Heads
from stroma.training.predicting.decoded import Decoded
from stroma.training.predicting.found import Category, Classes, Objects, Points
from stroma.training.predicting.picture import Picture
from stroma.training.predicting.sweep import Trained, outer_axes

PLAIN: dict[str, Callable[..., Collector]] = {
    "points": Points,
    "category": Category,
    "image": Picture,
    "channels": Picture,
}


class Network(Trained, Protocol):
    """What is asked of a network here; `stroma.Network` is one."""

    @property
    def heads(self) -> Mapping[str, Any]:
        """Of several targets: networks for each, by name."""
        ...

    @property
    def classes_(self) -> NDArray[Any]:
        """The labels it tells apart."""
        ...

    def finished(self, labels: NDArray[Any]) -> Any:
        """Return labels of a whole image as they are in the end."""
        ...


def collector_for(
    network: Network,
    image: Image,
    tunable: Mapping[str, Any] | None = None,
    *,
    into: FileLabels | None = None,
    decoded: Decoded | None = None,
) -> Collector:
    """Return what makes the result of an image of what is predicted of its blocks.

    Parameters
    ----------
    network : Network
        Predicts.
    image : Image
        As ``network.open`` returns it.
    tunable : mapping, optional
        Options of the target's ``decode``; others are as they were tuned. Of several targets, those
        of each by its name.
    into : FileLabels, optional
        Where objects are gathered; in memory, unless given.
    decoded : Decoded, optional
        Where the objects of blocks are kept until all are found.
    """
    target, options = network.target, tunable or {}
    if isinstance(target, Several):
        every = network.heads.items()
        heads = {name: collector_for(one, image, options.get(name)) for name, one in every}
        return Heads(heads, target.places)
    if target.result == "classes":
        return Classes(network, image, options, labels=network.classes_)
    if target.result == "instances":
        return Objects(network, image, options, into=into, decoded=decoded)
    return PLAIN[target.result](network, image, options)


def as_given(network: Network, found: Any, image: Image) -> Any:
    """Return a result as users have it: labels finished, points of a plane without a list."""
    if network.target.result == "several":
        heads = network.heads.items()
        return {name: as_given(one, found[name], image) for name, one in heads}
    if network.target.result == "classes":
        return network.finished(found)
    planes = set(outer_axes(network.ndim)) & set(image.sizes)
    return found[0] if network.target.result == "points" and not planes else found
