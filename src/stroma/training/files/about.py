"""All that is known of a trained network, as JSON in the header of its file."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import nn

from stroma.data.classes import Class
from stroma.errors import FormatError, MissingFileError, StromaError, short
from stroma.networks import NETWORKS
from stroma.targets import TARGETS
from stroma.targets.contract import Target
from stroma.training.feeding.normalise import Normalisation
from stroma.training.files.bounded import within
from stroma.training.files.tensors import write_tensors
from stroma.training.predicting.members import Cascade, joined

KEY = "stroma.network"
VERSION = 1
BROKEN = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
"""What values raise that are not as they should be."""

ORIGIN = "taken over"
"""Where the plan of a network says which program it is from, and the licence of its weights."""


@dataclass(frozen=True)
class About:
    """What a trained network is.

    Parameters
    ----------
    network : str
        Its name in the table of networks.
    params : mapping
        What it was built with, beside channels and axes.
    target : str
        Name of what it learned.
    target_params : mapping
        Parameters of that.
    ndim : {2, 3}
        Spatial axes.
    channels : int
        Channels of its images.
    normalisation : mapping
        How intensities are scaled.
    patch : tuple of int
        Sides of the patches it was trained on.
    classes : tuple of mapping
        Label, name and colour of each.
    plan : mapping
        How it was decided to be as it is.
    training : mapping
        Steps, time, data, scores.
    versions : mapping
        Of what it was made with.
    members : int
        Networks that are averaged.
    spacing : tuple of float
        Size of the pixels that were learned from; empty where it does not matter.
    unit : str
        Its unit.
    diameter : float
        Of objects in pixels, as the network is to see them; 0 where that does not matter.
    zoom : float
        How many times larger images are made for that.
    feed : {"", "pair", "three"}
        "pair" for networks that see what they look for in the first of two channels, and in the
        second what helps: see `stroma.training.feeding.open.as_pair`; "three" for those that see
        up to three channels, whatever they are: see `stroma.training.feeding.open.as_three`.
    crop : bool
        Whether the empty part all around images, where all channels are 0, is background.
    first : mapping, optional
        What is known of the coarser network of a cascade, as this is of the other.
    times : tuple of float
        How many times larger the pixels of that are, along every axis.
    """

    network: str
    params: Mapping[str, Any]
    target: str
    target_params: Mapping[str, Any]
    ndim: int
    channels: int
    normalisation: Mapping[str, Any]
    patch: tuple[int, ...]
    classes: tuple[Mapping[str, Any], ...] = ()
    plan: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    members: int = 1
    spacing: tuple[float, ...] = ()
    unit: str = ""
    diameter: float = 0.0
    zoom: float = 1.0
    feed: str = ""
    crop: bool = False
    first: Mapping[str, Any] = field(default_factory=dict)
    times: tuple[float, ...] = ()

    def built_target(self) -> Target:
        """Return the target, made of its parameters."""
        made: Target = TARGETS[self.target](**self.target_params)
        return made

    def built(self) -> nn.Module:
        """Return the network, with weights yet to be loaded."""
        outputs = len(self.built_target().channels())
        inputs = self.channels + (outputs - 1 if self.first else 0)
        made = NETWORKS[self.network]
        every = [made(inputs, outputs, ndim=self.ndim, **self.params) for _ in range(self.members)]
        whole = joined(every)
        return Cascade(self.coarse().built(), whole) if self.first else whole

    def coarse(self) -> About:
        """Return what is known of the coarser network of a cascade."""
        said = dict(self.first)
        return About(**{**said, **{k: tuple(said[k]) for k in ("patch", "classes", "spacing")}})

    def scale(self) -> Normalisation:
        """Return how intensities are scaled."""
        return Normalisation(**self.normalisation)

    @property
    def origin(self) -> Mapping[str, Any]:
        """Which program the network is from, or is trained from; empty for our own."""
        said = self.plan.get(ORIGIN) if isinstance(self.plan, Mapping) else None
        return said if isinstance(said, Mapping) else {}

    def named_classes(self) -> tuple[Class, ...]:
        """Return the classes."""
        return tuple(Class(int(c["label"]), str(c["name"]), str(c["color"])) for c in self.classes)


def as_json(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values as they are after they were written as JSON."""
    found: dict[str, Any] = json.loads(json.dumps(dict(values), default=str))
    return found


def write(path: Path, about: About, module: nn.Module) -> None:
    """Write a network: tensors, and all else as JSON in the header."""
    write_tensors(path, module.state_dict(), KEY, {"version": VERSION, **asdict(about)})


def read(path: Path) -> tuple[About, nn.Module]:
    """Return what `write` wrote; runs no code of the file.

    Raises
    ------
    MissingFileError
        If there is no such file.
    FormatError
        If it is damaged, or holds something else.
    """
    about, tensors = _contents(path)
    return about, rebuilt(about, tensors, path)


def rebuilt(
    about: About,
    tensors: Mapping[str, torch.Tensor],
    path: Path,
    *,
    whole: Callable[[nn.Module], nn.Module] = lambda module: module,
) -> nn.Module:
    """Return the network that a file describes, with its tensors.

    Parameters
    ----------
    about : About
        What the file says.
    tensors : mapping of str to tensor
        What it holds; nothing larger is built.
    path : Path
        The file.
    whole : callable
        What returns the module that tensors are named in, given the network.

    Raises
    ------
    FormatError
        If these do not belong together.
    """
    try:
        if about.members > len(tensors):
            raise FormatError(f"it is {about.members} networks of {len(tensors)} tensors")
        module = within(tensors.values(), about.built, _sizes(about))
        whole(module).load_state_dict(tensors)
        about.named_classes()
    except BROKEN as error:
        if isinstance(error, StromaError) and not isinstance(error, FormatError | ValueError):
            raise
        raise FormatError(f"The network in {path} cannot be built: {short(error, 300)}") from error
    return module.eval().requires_grad_(False)


def _sizes(about: About) -> list[Any]:
    """Return what decides how large a network is."""
    names = ("channels", "ndim", "params", "target_params")
    return [[getattr(about, name), about.first.get(name)] for name in names]


def read_about(path: Path) -> About:
    """Return what is known of a network, without its tensors."""
    return _contents(path, tensors=False)[0]


def _contents(path: Path, *, tensors: bool = True) -> tuple[About, dict[str, torch.Tensor]]:
    if not path.exists():
        raise MissingFileError(f"There is no model file {str(path)!r}.")
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            if KEY not in header:
                raise FormatError(
                    f"{path} holds tensors, but not a network that Stroma trained: its header "
                    "does not say what they are. Give a file that `stroma learn` wrote."
                )
            said = json.loads(header[KEY])
            names = list(file.keys()) if tensors else []
            values = {key: file.get_tensor(key) for key in names}
    except (SafetensorError, ValueError) as error:
        if isinstance(error, StromaError):
            raise
        raise FormatError(f"{path} is damaged, or no safetensors file: {error}.") from error
    return parsed(said, path), values


def parsed(said: Any, path: Path) -> About:
    """Return what the header of a file says, with its version.

    Raises
    ------
    FormatError
        If it is of a newer version, or not complete.
    """
    known = {f.name for f in fields(About)}
    try:
        if said["version"] > VERSION:
            raise FormatError(
                f"{path} was written by a newer version (format {said['version']}, this one reads "
                f"{VERSION}). Update Stroma."
            )
        values = {k: v for k, v in said.items() if k in known}
        values["patch"], values["classes"] = tuple(values["patch"]), tuple(values["classes"])
        values["spacing"] = tuple(values.get("spacing", ()))
        values["times"] = tuple(values.get("times", ()))
        return About(**values)
    except (KeyError, TypeError, AttributeError) as error:
        raise FormatError(f"The header of {path} is not complete: {error}.") from error
