"""Model packages of bioimage.io that others wrote, of networks that are known here."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from stroma.errors import FormatError, short
from stroma.training.model import Network
from stroma.weights.checkpoint import read_checkpoint
from stroma.workflow.foreign import built
from stroma.zoo.networks.stardist import made
from stroma.zoo.networks.taken import guarded, take_held

TENSORS = "pytorch_state_dict"


def within(said: Any, *names: str) -> Mapping[str, Any]:
    """Return what a description has under names within names; nothing where it has no such."""
    for name in names:
        said = said.get(name) if isinstance(said, Mapping) else None
    return said if isinstance(said, Mapping) else {}


def weights_of(said: Mapping[str, Any], read: Callable[[str], bytes], path: Path) -> bytes:
    """Return the weights that a description names, which are those that it was written with.

    Raises
    ------
    FormatError
        If they are others.
    """
    data = read(str(said.get("source", "")))
    expected = said.get("sha256")
    if expected and hashlib.sha256(data).hexdigest() != expected:
        raise FormatError(f"{path} is damaged: its weights are not those it was written with.")
    return data


def network_of(said: Mapping[str, Any], read: Callable[[str], bytes], path: Path) -> Network:
    """Return the network of a package: one of StarDist, or tensors of a network that is known.

    Parameters
    ----------
    said : mapping
        The description of the package.
    read : callable
        Returns a file of the package by its name.
    path : Path
        The package, for people.

    Raises
    ------
    FormatError
        If it holds another network: its program is not run.
    """
    stars = within(said, "config", "stardist")
    if stars:
        name = str(stars.get("weights", ""))
        config, chosen = within(stars, "config"), within(stars, "thresholds")
        data = read(name)
        return built(
            guarded(path, "StarDist", lambda: made(path, config, chosen, Path(name), data))
        )
    tensors = within(said, "weights", TENSORS)
    if tensors:
        data = weights_of(tensors, read, path)
        return built(take_held(path, read_checkpoint(path, data)))
    formats = short(", ".join(map(str, within(said, "weights"))) or "none")
    raise FormatError(
        f"{path} was not written by Stroma: it does not say how its channels are decoded, and its "
        f"network is a program ({formats}), which is not run. Read are packages of StarDist, and "
        f"of networks of Cellpose 1 to 3 as {TENSORS}."
    )
