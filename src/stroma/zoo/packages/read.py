"""The network of a package that others wrote, with everything that it says of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from stroma.errors import FormatError, StromaError, short
from stroma.zoo.packages.borrowed import Borrowed, Part, fitting
from stroma.zoo.packages.decoded import DECODERS, Meaning, meaning
from stroma.zoo.packages.operations import after, before, decoder
from stroma.zoo.packages.package import Package
from stroma.zoo.packages.programs import program_of
from stroma.zoo.packages.tensors import Entering, Leaving, axes_of, entering, leaving
from stroma.zoo.packages.values import listed

BROKEN = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What descriptions raise that are not as they should be."""


@dataclass(frozen=True, eq=False)
class Taken:
    """A network of a package.

    Parameters
    ----------
    module : Borrowed
        It runs.
    normalisation : dict
        How an image is normalised: `stroma.training.feeding.normalise.Normalisation`.
    meaning : Meaning, optional
        What its channels mean; None where they are the result.
    channels : tuple of str
        Names of its channels.
    left : tuple of str
        What of the package is not done, in sentences for people.
    """

    module: Borrowed
    normalisation: dict[str, Any]
    meaning: Meaning | None
    channels: tuple[str, ...]
    left: tuple[str, ...] = ()


def taken(package: Package, said: Mapping[str, Any], trust: Collection[str] = ()) -> Taken:
    """Return the network of a package as it describes it.

    Parameters
    ----------
    package : Package
        Where its files are.
    said : mapping
        Its description.
    trust : collection of str
        Programs that the user trusts, by what `stroma.zoo.packages.consent` calls them.

    Raises
    ------
    FormatError
        If the package is damaged, or asks for what is not done here.
    ConsentError
        If it holds a program that the user did not say to trust.
    """
    try:
        given = entering(said, package.path)
        every = leaving(said, given, package.path)
        normalisation, first = before(given, package.path)
        steps = [decoder(one.operations) for one in every]
        parts = {one.name: after(one.operations, package.path) for one in every}
    except StromaError:
        raise
    except BROKEN as error:
        raise FormatError(
            f"{package.path} does not say what its network takes and gives as the format has it: "
            f"{short(error)}."
        ) from error
    known = next((s for s in steps if s is not None and s["name"] in DECODERS), None)
    means = None if known is None else meaning(known, every, given, package.path)
    turned = [] if means is None else [means.turned]
    nothing = None if means is None else means.nothing
    made = [
        None if one is None else Part(one, (*parts[one.name], *turned), nothing)
        for one in _in_order(said, every, given, package)
    ]
    module = Borrowed(program_of(package, said, trust), given, first, made, package.path).eval()
    channels = _probed(module, every)
    custom = any(s is not None and s["name"] == "custom" for s in steps)
    left = ("what is done to its channels in the end, which is Python",) * custom
    return Taken(module, normalisation, means, channels, left)


def _in_order(
    said: Mapping[str, Any], every: list[Leaving], given: Entering, package: Package
) -> list[Leaving | None]:
    """Return the outputs of the program in its order; None for those that are left."""
    waiting = iter(every)
    over = [set(given.space) <= set(axes_of(one, package.path)) for one in listed(said, "outputs")]
    return [next(waiting) if lies else None for lies in over]


def _probed(module: Borrowed, every: list[Leaving]) -> tuple[str, ...]:
    """Return the names of the channels, after a look at what comes out for the least image.

    Raises
    ------
    FormatError
        If that is not what the package says.
    """
    sides = [max(1, fitting(1, side) - lost) for side, lost in _pairs(module)]
    with torch.inference_mode():
        found = module(torch.zeros(1, module.given.channels, *sides))
    named = [
        f"{one.name} {name}" if len(every) > 1 else name for one in every for name in one.channels
    ]
    if not all(one.channels for one in every):
        return tuple(f"channel {n}" for n in range(found.shape[1]))
    if len(named) != found.shape[1]:
        raise FormatError(
            f"{module.path} says that its network gives {len(named)} channels, and it gives "
            f"{found.shape[1]}."
        )
    return tuple(named)


def _pairs(module: Borrowed) -> list[tuple[Any, int]]:
    return list(zip(module.given.sides, module.lost, strict=True))
