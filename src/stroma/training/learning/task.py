"""A training that is decided, and how it runs."""

from __future__ import annotations

import hashlib
import json
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass, replace
from importlib import metadata
from math import ceil, prod
from pathlib import Path
from typing import Any

import torch
from torch import nn

import stroma
from stroma.backbones.device import resolve
from stroma.data.classes import Class
from stroma.errors import ParameterError
from stroma.networks import NETWORKS
from stroma.networks.contract import resolutions
from stroma.targets import TARGETS
from stroma.targets.contract import Facts, Target
from stroma.training import OBJECTIVES
from stroma.training.feeding.augment import NONE, SHAPES, TURNS, Augmentation
from stroma.training.feeding.cases import Case
from stroma.training.feeding.data import fingerprint
from stroma.training.feeding.normalise import Normalisation
from stroma.training.feeding.patches import Patches
from stroma.training.feeding.splits import split
from stroma.training.files.about import ORIGIN, About, as_json
from stroma.training.learning.examination import Examination
from stroma.training.learning.loop import CHECKPOINT, Schedule, Told, Training
from stroma.training.learning.pictures import SHOWN, Pictures
from stroma.training.learning.state import State, scores_in
from stroma.training.model import Network
from stroma.training.planning.kinds import varied
from stroma.training.planning.options import Options
from stroma.training.planning.setup import (
    BEGUN,
    Setup,
    fitted,
    read_setup,
    write_setup,
)
from stroma.training.planning.threads import restored, settle

RECORDED = ("torch", "numpy", "scipy", "accelerate", "safetensors")
SETUP = "setup.json"
SEVERAL_KINDS = ("instances", "points", "several")
"""Results that are looked for in all directions and sizes, and in images of several kinds."""

LOOKED_AT = 8
"""Cases that are validated in every round, at most; options of decoding are chosen with all."""

LOOKED_PIXELS = 2**20
"""Where every case is of one class, as many as have so many pixels together, if these are more."""


@dataclass(frozen=True, eq=False)
class Task:
    """A training, decided but not begun.

    Parameters
    ----------
    options : Options
        What was asked for.
    cases : tuple of Case
        What is learned from.
    facts : Facts
        What is known of the labels.
    target : Target
        What is learned.
    setup : Setup
        Network, patches, batches.
    scale : Normalisation
        Of intensities.
    size : tuple of float, and str, optional
        Of the pixels that are learned from, and its unit, where it is known and matters.
    base : Network, optional
        What it begins with.
    crop : bool
        Whether the empty part all around images was left out.
    """

    options: Options
    cases: tuple[Case, ...]
    facts: Facts
    target: Target
    setup: Setup
    scale: Normalisation
    size: tuple[tuple[float, ...], str] | None = None
    base: Network | None = None
    crop: bool = False

    def built(self) -> nn.Module:
        """Return the network, with weights drawn by the seed."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.options.seed)
            made: nn.Module = NETWORKS[self.setup.network](
                self.inputs,
                len(self.target.channels()),
                ndim=self.facts.ndim,
                **self.setup.params,
            )
        return made

    @property
    def inputs(self) -> int:
        """Channels that the network sees: those of images, and what a coarser network said."""
        guided = self.cases[0].guide is not None
        return self.cases[0].channels + (len(self.target.channels()) - 1 if guided else 0)

    def begun(self) -> nn.Module:
        """Return the network with the weights that it begins with."""
        made = self.built()
        if self.base is not None:
            made.load_state_dict(self.base.module.state_dict())
            return made
        return _begun(made)

    def run(
        self,
        *,
        parts: tuple[list[Case], ...] | None = None,
        classes: Sequence[Class] = (),
        folder: Path | None = None,
        overwrite: bool = False,
        tell: Callable[[Told], None] | None = None,
        cancel: Callable[[], bool] | None = None,
    ) -> Network:
        """Train one network; see `Learner.fit`.

        Parameters
        ----------
        parts : tuple of list of Case, optional
            What is learned from, and what is kept for scores; drawn by the seed, unless given.
        """
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            if overwrite:
                (folder / CHECKPOINT).unlink(missing_ok=True)
        with restored():
            task = self.fitted(folder)
            return task._run(parts or self.parts(), classes, folder, tell, cancel)

    def parts(self) -> tuple[list[Case], ...]:
        """Return what is learned from, and what is kept for scores.

        Guesses tell nothing of how good a network is, and nothing is kept for that.
        """
        if self.guessed:
            return list(self.cases), list(self.cases)
        return split(
            self.cases,
            share=self.options.validation,
            seed=self.options.seed,
            strips=any(self.varied),
            alike=self.target.result == "category",
        )

    def fitted(self, folder: Path | None) -> Task:
        """Return the task with patches that leave time for enough steps.

        The speed is measured once: a training that goes on has the patches it began with.
        """
        if self.options.steps is not None or not self.setup.free:
            return self
        kept = None if folder is None else folder / SETUP
        if kept is not None and kept.exists() and (kept.parent / CHECKPOINT).exists():
            return replace(self, setup=read_setup(kept))
        settle(resolve(self.options.device))
        setup = fitted(self.setup, speed=self.pixels_per_second, minutes=self.options.minutes)
        if kept is not None:
            write_setup(kept, setup)
        return replace(self, setup=setup)

    def pixels_per_second(self, setup: Setup) -> float:
        """Return how many pixels the network of a setup learns from in a second, measured.

        On patches of 128 pixels a side at most (16 along z), after a step that is not counted.
        """
        device = resolve(self.options.device)
        module = replace(self, setup=setup).built().to(device).train()
        most = (16, 128, 128)[-self.facts.ndim :]
        sides = [min(n, top) for n, top in zip(setup.patch, most, strict=True)]
        images = torch.zeros(2, self.inputs, *sides, device=device)
        began = 0.0
        for _ in range(2):
            began = time.monotonic()
            mean = torch.stack([o.square().mean() for o in resolutions(module(images))]).sum()
            mean.backward()  # type: ignore[no-untyped-call]
            mean.detach().item()  # waits for graphics processors
        return images[:, 0].numel() / max(time.monotonic() - began, 1e-9)

    def examination(self, kept: Sequence[Case]) -> Examination:
        """Return what looks at a network with cases that were kept from it."""
        return Examination(kept, self.target, self.scale, self.setup.patch, self.mirror)

    @property
    def varied(self) -> tuple[float, float]:
        """How often patches are inverted and colours mixed: images may be of several kinds.

        Then a strip of each is kept for scores, not some images: every kind is to be learned.
        """
        return varied(self.cases) if self.target.result in SEVERAL_KINDS else (0.0, 0.0)

    @property
    def mirror(self) -> bool:
        """Whether the network is used on mirror images too, which pays after a short training."""
        return self.setup.network == BEGUN

    @property
    def guessed(self) -> bool:
        """Whether labels are not sure, but the more or less likely ones."""
        return any(case.shares is not None for case in self.cases)

    @property
    def latest(self) -> bool:
        """Whether the last network is kept: where the truth has noise, or guesses, in it."""
        return self.guessed or bool(getattr(self.target, "alone", False))

    def _run(
        self,
        parts: tuple[list[Case], ...],
        classes: Sequence[Class],
        folder: Path | None,
        tell: Callable[[Told], None] | None,
        cancel: Callable[[], bool] | None,
    ) -> Network:
        learned, kept = parts
        looked_at = some(kept, alike=self.target.result == "category")
        pictures = None if folder is None else Pictures(folder, self.target, looked_at)
        training = self._training(learned, self.examination(looked_at), folder, pictures)
        state = training.run(self.begun(), tell=tell, cancel=cancel)
        module = self.built()
        module.load_state_dict(state.best)
        chosen: dict[str, Any] = {}
        if self.target.tunable or self.options.largest:
            if self.options.steps is None:
                settle(resolve(self.options.device))
            outcome = self.examination(kept).outcome(module)
            chosen = outcome.chosen(self.target, largest=self.options.largest)
            if folder is not None and "decode" in chosen:  # as it is used, and so is it shown
                shown = outcome.decoded(self.target, chosen["decode"], most=SHOWN)
                Pictures(folder, self.target, kept).draw(state.history, shown)
        network = Network(module, self._about(state, classes, chosen))
        if folder is not None:
            (folder / CHECKPOINT).unlink(missing_ok=True)
            (folder / SETUP).unlink(missing_ok=True)
        return network

    def _training(
        self,
        learned: Sequence[Case],
        examined: Examination,
        folder: Path | None,
        pictures: Pictures | None,
    ) -> Training:
        given = self.options
        objective = OBJECTIVES[objective_of(given)](self.target, **given.objective_options)
        patches = Patches(
            learned,
            self.target,
            self.scale,
            self.setup.patch,
            self.setup.batch,
            replace(self._augmentation(), exchange=not getattr(objective, "directed", False)),
            seed=given.seed,
            numbered=getattr(objective, "numbered", False),
        )
        return Training(
            objective=objective,
            batch=patches.batch,
            validate=examined,
            schedule=Schedule(
                minutes=given.minutes,
                steps=given.steps,
                rate=given.rate,
                optimiser=given.optimiser,  # type: ignore[arg-type]
            ),
            device=given.device,
            precision=given.precision,
            folder=folder,
            identity=self.identity(),
            look=None if pictures is None else pictures.draw,
            latest=self.latest or getattr(objective, "latest", False),
        )

    def _augmentation(self) -> Augmentation:
        if not self.options.augment:
            return NONE
        if not getattr(self.target, "shaded", True):
            return TURNS
        if self.target.result not in SEVERAL_KINDS:
            return Augmentation(flat=self.setup.flat)
        invert, mix = self.varied
        return replace(SHAPES, flat=self.setup.flat, invert=invert, mix=mix)

    def identity(self) -> str:
        """Return a hash of data, network and settings."""
        said = [asdict(self.options), asdict(self.setup), fingerprint(self.cases)]
        said += [] if self.base is None else [self.base.fingerprint()]
        return hashlib.sha256(json.dumps(said, default=str, sort_keys=True).encode()).hexdigest()

    def _about(self, state: State, classes: Sequence[Class], tuned: Mapping[str, Any]) -> About:
        best = max(state.history, key=lambda row: next(iter(scores_in(row).values()), 0.0))
        best = state.history[-1] if self.latest else best
        base = None if self.base is None else self.base.about
        origin = {ORIGIN: base.origin} if base is not None and base.origin else {}
        return About(
            network=self.setup.network,
            params=as_json(self.setup.params),
            target=self.options.target,
            target_params=_plain(self.target),
            ndim=self.facts.ndim,
            channels=self.cases[0].channels,
            normalisation=as_json(asdict(self.scale)),
            patch=tuple(self.setup.patch),
            classes=tuple(asdict(c) for c in classes),
            plan=as_json({**asdict(self.setup), **origin}),
            training={
                "scores": scores_in(best),
                "guessed": self.guessed,
                "mirror": self.mirror,
                **tuned,
                "history": state.history,
                "steps": state.step,
                "seconds": round(state.seconds, 1),
                "images": list(dict.fromkeys(case.name for case in self.cases)),
                "data": fingerprint(self.cases),
                "identity": self.identity(),
                "settings": as_json(asdict(self.options)),
            },
            spacing=() if self.size is None else self.size[0],
            unit="" if self.size is None else self.size[1],
            diameter=0.0 if base is None else base.diameter,
            feed="" if base is None else base.feed,
            crop=self.crop,
            versions={
                "stroma": stroma.__version__,
                "python": platform.python_version(),
                **{name: metadata.version(name) for name in RECORDED},
            },
        )


def some(kept: Sequence[Case], *, alike: bool = False) -> Sequence[Case]:
    """Return the cases that are looked at in every round.

    Where each is of one class, one says little: more are looked at where they are small.
    """
    pixels = max((prod(case.shape) for case in kept), default=1)
    most = max(LOOKED_AT, LOOKED_PIXELS // pixels) if alike else LOOKED_AT
    return kept[:: ceil(len(kept) / most)]


def _begun(module: nn.Module) -> nn.Module:
    """Return a network with the weights that it starts from."""
    begin = getattr(module, "begin", None)
    if begin is not None:
        begin()
    return module


def _plain(target: Target) -> dict[str, Any]:
    """Return the parameters of a target as JSON has them."""
    if not is_dataclass(target):
        raise ParameterError(f"A target is a dataclass, got {type(target).__name__}.")
    return as_json(asdict(target))


def objective_of(options: Options) -> str:
    """Return the name of the objective that options ask for."""
    if options.objective != "auto":
        return options.objective
    return str(getattr(TARGETS[options.target], "objective", "supervised"))
