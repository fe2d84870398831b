"""Model packages of bioimage.io, read as networks: those that Stroma wrote, and those of others.

Of ours, and of networks that are known here, the network is built by name, as from one of our own
files, and its weights are read as tensors alone. Other networks are run as their package has them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from stroma.training.files import about as files
from stroma.training.files.exported import exported
from stroma.training.model import Network
from stroma.weights.checkpoint import read_checkpoint, state_of
from stroma.workflow.exchange.foreign_package import network_of
from stroma.workflow.exchange.package import KEY
from stroma.zoo.packages.collection import fetched
from stroma.zoo.packages.package import Package, id_in
from stroma.zoo.packages.programs import TENSORS, weights_of
from stroma.zoo.packages.values import within


def read_package(path: str | Path, *, trust: Collection[str] = ()) -> Network:
    """Return the network in a model package.

    Parameters
    ----------
    path : str or Path
        The zip, or the folder that it was unpacked to; or the id of one that is fetched.
    trust : collection of str
        Programs that the user trusts, as `stroma.errors.ConsentError` names them.

    Raises
    ------
    MissingFileError
        If there is no such file.
    FormatError
        If it is damaged, or its network is one that does not run here.
    WeightsError
        If it is an id, and its files cannot be had.
    ConsentError
        If its network is a program that the user did not say to trust.
    """
    package = _package(Path(path))
    said = package.description()
    ours = within(said, "config", KEY)
    return _own(package, said, ours) if ours else network_of(package, said, trust)


def _package(path: Path) -> Package:
    if path.exists() or not id_in(path):
        return Package(path)
    return fetched(id_in(path))


def _own(package: Package, said: Mapping[str, Any], ours: Mapping[str, Any]) -> Network:
    """Return a network of ours: what it is stands under "config", its weights are tensors."""
    path = package.path
    data = weights_of(within(said, "weights", TENSORS), package)
    about = files.parsed({"version": ours.get("version"), **within(ours, "about")}, path)
    state = state_of(read_checkpoint(path, data), path)
    return Network(files.rebuilt(about, state, path, whole=partial(exported, about)), about)
