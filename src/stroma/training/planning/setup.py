"""What is trained, how large its patches are, and how many at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from math import prod
from pathlib import Path
from typing import Any

from stroma.errors import ParameterError
from stroma.io.atomic import replaced
from stroma.networks import NETWORKS
from stroma.networks.lite import BACKBONE
from stroma.targets.contract import Facts
from stroma.training.planning.configuration import Plan
from stroma.training.planning.plan import Budget, Fingerprint, plan, topology, widths
from stroma.weights import status

PLANNED = {"unet": 16, "nnunet": 32, "resenc": 32}
"""Networks whose stages are planned, with the features of their finest."""

BEGUN = "lite"
"""The network that begins with what photographs taught."""

BEGUN_FOR = ("classes", "instances", "points", "category", "several")
"""Results that it is chosen for: where a pixel belongs shows in what is around it."""

BEGUN_CHANNELS = (1, 3)
BEGUN_SIDES = (128, 256)
BEGUN_PIXELS = 8 * 128**2
"""Pixels per step of a network that takes patches as wide as a few objects."""

AROUND = 2.5
"""So many times the diameter of a large object is the side of such a patch."""

SMOOTH = "smooth"
"""The network for results that are images, which begins with a Gaussian."""

BLIND = "blind"
"""The network for images that are their own truth, which never sees the pixel itself."""

LOCAL = {"features": [16, 32, 64, 64], "norm": "none"}
LOCAL_SIDE = {2: 96, 3: 32}
LOCAL_BATCH = 8
"""Of networks whose results are images: what noise hides shows in what is near, and many steps
count for more than large patches."""

LEAST_BATCH = 4
"""Patches per step, so that normalisation by the batch has something to go by."""

LEAST_PATCH = {2: (64, 64), 3: (16, 64, 64)}
"""Patches are not made smaller than this to have more steps."""

LEAST_STEPS = 500
"""Steps that a training should have."""

SHRINK = 2 / 3
DEEP_FROM = 4
"""Stages from which on all resolutions are supervised."""

THICK = 3
"""A patch that is so many times wider than deep is turned and bent within planes only."""


@dataclass(frozen=True)
class Setup:
    """A network and its batches.

    Parameters
    ----------
    network : str
        Its name.
    params : mapping
        What it is built with.
    patch : tuple of int
        Sides of patches.
    batch : int
        Patches per step.
    flat : bool
        Whether volumes are turned and bent within planes only.
    spacing : tuple of float
        Size of a pixel, which decided how stages follow each other.
    free : bool
        Whether patches may be made smaller, to have more steps.
    """

    network: str
    params: Mapping[str, Any] = field(default_factory=dict)
    patch: tuple[int, ...] = ()
    batch: int = LEAST_BATCH
    flat: bool = False
    spacing: tuple[float, ...] = ()
    free: bool = True

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Setup:
        """Return a setup from what JSON gives back; what else it says is left out."""
        values = {one.name: stored[one.name] for one in fields(cls) if one.name in stored}
        return cls(**values | {k: tuple(values.get(k, ())) for k in ("patch", "spacing")})

    @property
    def pixels(self) -> int:
        """Pixels per step."""
        return self.batch * prod(self.patch)

    def __str__(self) -> str:
        """Say it so that users understand."""
        patch = " x ".join(map(str, self.patch))
        features = self.params.get("features")
        stages = "" if features is None else f" of {len(features)} stages, {features} features"
        return f"{self.network}{stages}; {self.batch} patches of {patch} pixels per step"


def read_setup(path: Path) -> Setup:
    """Return the setup that a training began with."""
    return Setup.of(json.loads(path.read_text(encoding="utf-8")))


def write_setup(path: Path, setup: Setup) -> None:
    """Keep the setup that a training begins with."""
    with replaced(path) as new:
        new.write_text(json.dumps(asdict(setup)), encoding="utf-8")


def decide(
    shapes: Sequence[tuple[int, ...]],
    facts: Facts,
    *,
    outputs: int,
    channels: int = 1,
    memory_gb: float,
    network: str = "auto",
    result: str = "classes",
    alone: bool = False,
    options: Mapping[str, Any] | None = None,
    patch: Sequence[int] | None = None,
    batch: int | None = None,
) -> Setup:
    """Return the setup for some data and a budget: as planned, unless something is given.

    Parameters
    ----------
    shapes : sequence of tuple of int
        Sides of images.
    facts : Facts
        What is known of labels.
    outputs, channels : int
        Of the network.
    memory_gb : float
        Memory for a training step.
    network : str
        "auto" is a U-Net; in planes, unless options are given, one that begins with what
        photographs taught, where its weights are installed; for images one that begins with a
        Gaussian, or never sees the pixel itself, where images are their own truth.
    result : str
        What the target decodes to.
    alone : bool
        Whether images are their own truth.
    options : mapping, optional
        Parameters of the network that are not to be decided.
    patch, batch : optional
        Where they are not to be decided.
    """
    plain = "unet" if options else chosen(facts.ndim, channels, result)
    name = plain if network == "auto" else network
    if patch is not None and len(patch) != facts.ndim:
        raise ParameterError(
            f"patch has one side per axis, {facts.ndim} here (ndim), got {list(patch)}."
        )
    spacing = facts.spacing or (1.0,) * facts.ndim
    given = dict(options or {})
    if name == BEGUN:
        sides = tuple(patch) if patch is not None else _wide_patch(shapes, facts)
        enough = max(LEAST_BATCH, round(BEGUN_PIXELS / prod(sides)))
        return Setup(name, given, sides, batch or enough, spacing=spacing, free=False)
    if network == "auto" and result == "image":
        sides = tuple(patch) if patch is not None else (LOCAL_SIDE[facts.ndim],) * facts.ndim
        name = name if given else BLIND if alone else SMOOTH
        given = given if not given or "features" in given else {**LOCAL, **given}
        return Setup(name, given, sides, batch or LOCAL_BATCH, spacing=spacing, free=False)
    if name not in PLANNED:
        usual = getattr(NETWORKS[name], "patch", None) or _common_patch(shapes, facts.ndim)
        sides = usual if patch is None else tuple(patch)
        return Setup(name, given, sides, batch or LEAST_BATCH, spacing=spacing, free=False)
    found = planned(shapes, facts, outputs=outputs, memory_gb=memory_gb, network=name)
    planned_patch = found.in_order_of_images(found.full.patch)
    sides = planned_patch if patch is None else tuple(int(n) for n in patch)
    enough = found.full.batch if name != "unet" else max(found.full.batch, LEAST_BATCH)
    setup = Setup(
        name,
        given,
        sides,
        enough if batch is None else batch,
        flat=_is_flat(sides),
        spacing=spacing,
        free=patch is None and name == "unet",
    )
    return _with_stages(setup)


def coarser_setup(setup: Setup, found: Plan, given: Mapping[str, Any]) -> Setup:
    """Return the setup of the coarser network of a cascade.

    Parameters
    ----------
    setup : Setup
        Of the other.
    found : Plan
        Of the data, with a coarser configuration.
    given : mapping
        Parameters of the network that are not to be decided.
    """
    assert found.low is not None, "there is a coarser configuration"
    sides = found.in_order_of_images(found.low.patch)
    made = replace(
        setup,
        params=dict(given),
        patch=sides,
        batch=max(found.low.batch, LEAST_BATCH) if setup.network == "unet" else found.low.batch,
        flat=_is_flat(sides),
        spacing=found.in_order_of_images(found.low.spacing),
    )
    return _with_stages(made)


def _is_flat(sides: Sequence[int]) -> bool:
    return len(sides) == 3 and max(sides) / sides[0] > THICK


def chosen(ndim: int, channels: int, result: str) -> str:
    """Return the network for some results, as far as its weights are on this machine."""
    fits = ndim == 2 and channels in BEGUN_CHANNELS and result in BEGUN_FOR
    return BEGUN if fits and status(BACKBONE) == "here" else "unet"


def planned(
    shapes: Sequence[tuple[int, ...]],
    facts: Facts,
    *,
    outputs: int,
    memory_gb: float,
    network: str = "unet",
) -> Plan:
    """Return nnU-Net's plan for the data, with the features of a network."""
    spacing = facts.spacing or (1.0,) * facts.ndim
    fingerprint = Fingerprint(tuple(shapes), (spacing,) * len(shapes), outputs)
    return plan(fingerprint, Budget(memory_gb, PLANNED[network]))


def smaller(setup: Setup) -> Setup | None:
    """Return a setup with patches two thirds as wide; None where they are small already."""
    least = LEAST_PATCH[len(setup.patch)]
    sides = tuple(
        max(low, round(n * SHRINK)) if n > low else n
        for n, low in zip(setup.patch, least, strict=True)
    )
    if not setup.free or sides == setup.patch:
        return None
    found = _with_stages(replace(setup, patch=sides))
    return found if found.pixels < setup.pixels else None


def fitted(setup: Setup, *, speed: Callable[[Setup], float], minutes: float) -> Setup:
    """Return a setup with patches small enough for 500 steps in the time.

    Parameters
    ----------
    setup : Setup
        As planned.
    speed : callable
        Measures how many pixels the network of a setup learns from in a second.
    minutes : float
        Time for the training.
    """
    while (other := smaller(setup)) is not None:
        if minutes * 60 * speed(setup) / setup.pixels >= LEAST_STEPS:
            break
        setup = other
    return setup


def _with_stages(setup: Setup) -> Setup:
    """Return a setup whose network has the stages that its patches are large enough for."""
    if "features" in setup.params and "strides" not in setup.params:
        return setup
    found = topology(setup.spacing, setup.patch)
    features = widths(len(found.strides), len(setup.patch), PLANNED[setup.network])
    stages: dict[str, Any] = {
        "features": list(features),
        "strides": [list(s) for s in found.strides],
        "kernels": [list(k) for k in found.kernels],
        "deep": len(features) >= DEEP_FROM,
    }
    kept = {k: v for k, v in setup.params.items() if k not in stages}
    return replace(setup, params={**stages, **kept}, patch=found.patch)


def _wide_patch(shapes: Sequence[tuple[int, ...]], facts: Facts) -> tuple[int, ...]:
    """Return sides, multiples of 32, that show large objects with what is around them."""
    large = facts.diameters[int(0.95 * (len(facts.diameters) - 1))] if facts.diameters else 0.0
    side = int(min(max(AROUND * large, BEGUN_SIDES[0]), BEGUN_SIDES[1]))
    middle = [sorted(sides)[len(sides) // 2] for sides in zip(*shapes, strict=True)]
    return tuple(-(-min(side, n) // 32) * 32 for n in middle)


def _common_patch(shapes: Sequence[tuple[int, ...]], ndim: int) -> tuple[int, ...]:
    """Return sides that fit into most images, multiples of 32 (of 8 along z)."""
    middle = [sorted(sides)[len(sides) // 2] for sides in zip(*shapes, strict=True)]
    most = (256, 256) if ndim == 2 else (32, 96, 96)
    step = (32, 32) if ndim == 2 else (8, 32, 32)
    return tuple(min(top, -(-n // by) * by) for n, top, by in zip(middle, most, step, strict=True))
