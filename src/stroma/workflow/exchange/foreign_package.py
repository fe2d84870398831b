"""Model packages of bioimage.io that others wrote, as networks of ours."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from stroma.errors import FormatError
from stroma.training.files.about import ORIGIN
from stroma.training.model import Network
from stroma.training.predicting.lent import PROGRAM, Lent
from stroma.weights.checkpoint import read_checkpoint
from stroma.workflow.exchange.foreign import built
from stroma.zoo.networks.stardist import made
from stroma.zoo.networks.taken import fitting_reader, guarded, take_held
from stroma.zoo.packages.package import Package
from stroma.zoo.packages.programs import FORMATS, TENSORS, weights_of
from stroma.zoo.packages.read import Taken, taken
from stroma.zoo.packages.values import within


def network_of(package: Package, said: Mapping[str, Any], trust: Collection[str] = ()) -> Network:
    """Return the network of a package.

    One of StarDist, or tensors of a network that is known, become a network of ours; another runs
    as it is: ONNX, and with the user's consent TorchScript and Python.

    Parameters
    ----------
    package : Package
        Where its files are.
    said : mapping
        Its description.
    trust : collection of str
        Programs that the user trusts.

    Raises
    ------
    FormatError
        If its network does not run here.
    ConsentError
        If it is a program that the user did not say to trust.
    """
    stars = within(said, "config", "stardist")
    if stars:
        return _of_stardist(package, stars)
    tensors = within(said, "weights", TENSORS)
    if tensors:
        others = any(within(said, "weights", name) for name in FORMATS if name != TENSORS)
        held = _held(package, tensors, others)
        written = others or tensors.get("architecture") is not None
        if fitting_reader(held) is not None or not written:
            return built(take_held(package.path, held))
    return lent(taken(package, said, trust), package.path)


def _held(package: Package, tensors: Mapping[str, Any], others: bool) -> Any:
    """Return the tensors of a package; None where they take code, and there are others."""
    try:
        return read_checkpoint(package.path, weights_of(tensors, package))
    except FormatError:
        if others:
            return None
        raise


def lent(found: Taken, path: Path) -> Network:
    """Return the network of a package that runs as it is."""
    means = found.meaning
    about = Lent(
        network=PROGRAM,
        params={},
        target="channels" if means is None else means.target,
        target_params={} if means is None else dict(means.params),
        ndim=found.module.ndim,
        channels=found.module.given.channels,
        normalisation=found.normalisation,
        patch=found.module.patch,
        plan={ORIGIN: {"program": "bioimage.io", "file": path.name, "left": found.left}},
        training={"decode": {} if means is None else dict(means.options)},
        source=str(path),
    )
    if means is None:
        about = replace(about, names=found.channels)
    elif len(about.built_target().channels()) != len(found.channels):
        wanted = len(about.built_target().channels())
        raise FormatError(
            f"{path}: its network gives {len(found.channels)} channels, and {means.target} takes "
            f"{wanted}."
        )
    return Network(found.module, about)


def _of_stardist(package: Package, stars: Mapping[str, Any]) -> Network:
    path, name = package.path, str(stars.get("weights", ""))
    config, chosen = within(stars, "config"), within(stars, "thresholds")
    data = package.read(name)
    return built(guarded(path, "StarDist", lambda: made(path, config, chosen, Path(name), data)))
