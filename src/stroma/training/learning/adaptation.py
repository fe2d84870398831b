"""A trained network gets used to images of another kind, without labels of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from torch import nn

from stroma.backbones.device import resolve
from stroma.data.image import Image
from stroma.errors import ParameterError
from stroma.targets.contract import Target
from stroma.training.contract import Seen
from stroma.training.feeding.augment import NONE, SHAPES
from stroma.training.feeding.cases import Case, measured_for
from stroma.training.feeding.crop import cropped_cases
from stroma.training.feeding.data import cases_of, fingerprint
from stroma.training.feeding.patches import Patches
from stroma.training.feeding.resample import on_pixels_of
from stroma.training.files.about import as_json
from stroma.training.learning.examination import Examination
from stroma.training.learning.loop import CHECKPOINT, Schedule, Told, Training
from stroma.training.model import Network
from stroma.training.planning.setup import LEAST_BATCH
from stroma.training.planning.threads import restored
from stroma.training.predicting.members import Inverted
from stroma.training.predicting.variants import require_unsized
from stroma.training.ways.certainty import certainty, require_judged, together
from stroma.training.ways.mean_teacher import MeanTeacher

LEAST = 0.2
"""Share of the new images that a network is to be sure of before it learns from them."""

CLEARLY = 0.05
"""How much surer of an image a network is to be, so that bright and dark are taken as exchanged."""

LOOKED_AT = 2
"""New images that are looked at in every round: that decides nothing, the last network is kept."""

GEOMETRY = replace(NONE, turn=True, rotate=SHAPES.rotate, scale=SHAPES.scale, bend=SHAPES.bend)
"""How patches are cut; their intensities change after the teacher has seen them."""


@dataclass(frozen=True)
class Adaptation:
    """How a network gets used to new images; ``run`` does it.

    Parameters
    ----------
    minutes : float
        Time for all of it.
    steps : int, optional
        Number of steps, instead of a time.
    rate : float
        Learning rate after the first steps.
    batch : int, optional
        Patches per step; as the network was trained, unless given.
    decay : float
        Share of the teacher that stays as it is in a step.
    least : float
        Share of the new images that the network is to be sure of beforehand.
    device : {"auto", "cpu", "cuda", "mps"}
        Where to run.
    seed : int
        Of everything random.
    """

    minutes: float = 5.0
    steps: int | None = None
    rate: float = 1e-3
    batch: int | None = None
    decay: float = 0.99
    least: float = LEAST
    device: str = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        for name in ("least", "decay"):
            if not 0 <= getattr(self, name) < 1:
                raise ParameterError(f"{name} is a share from 0 to 1, got {getattr(self, name)!r}.")

    def run(
        self,
        network: Network,
        images: Sequence[Any],
        *,
        source: tuple[Sequence[Any], Sequence[Any]] | None = None,
        folder: Path | None = None,
        tell: Callable[[Told], None] | None = None,
        cancel: Callable[[], bool] | None = None,
        warn: Callable[[Sureness], None] | None = None,
    ) -> Network:
        """Return a network that is used to the new images.

        Parameters
        ----------
        network : Network
            Knows images of another kind; stays as it is.
        images : sequence
            New images, without labels.
        source : images and labels, optional
            What the network was trained on, or is like it: learned from as well.
        folder : Path, optional
            Where the state is kept, so that an adaptation that was cut off goes on.
        tell, cancel : callable, optional
            As for `stroma.training.learning.loop.Training`.
        warn : callable, optional
            Is told beforehand how sure the network is of the new images.

        Raises
        ------
        ParameterError
            If the network is sure of too little, or of a kind that cannot be adapted.
        """
        _require_single(network)
        new = unlabelled(network, images)
        before = sureness(network, new, device=self.device)
        if warn is not None:
            warn(before)
        if before.share < self.least:
            raise ParameterError(
                f"The network is sure of {before.share:.0%} of the new images, and "
                f"{self.least:.0%} is asked for: of the rest it learns nothing. Label some of "
                "the new images and train on them, bring their pixels to the size of those that "
                "were learned from, or lower the least share (least=, now "
                f"{self.least})."
            )
        old = [] if source is None else _labelled(network, *source)
        with restored():
            return self._trained(network, new, old, before, folder, tell, cancel)

    def _trained(
        self,
        network: Network,
        new: list[Case],
        old: list[Case],
        before: Sureness,
        folder: Path | None,
        tell: Callable[[Told], None] | None,
        cancel: Callable[[], bool] | None,
    ) -> Network:
        about = network.about
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        begun, module = about.built(), about.built()
        begun.load_state_dict(network.module.state_dict())
        training = self._training(network, new, old, inverted=before.inverted, folder=folder)
        state = training.run(begun, tell=tell, cancel=cancel)
        module.load_state_dict(state.best)
        made = Network(module, about)
        said = {
            "images": [case.name for case in new],
            "source": [case.name for case in old],
            "sure before": before.share,
            "sure after": sureness(made, new, device=self.device).share,
            "inverted": before.inverted,
            "steps": state.step,
            "seconds": round(state.seconds, 1),
            "settings": asdict(self),
        }
        if folder is not None:
            (folder / CHECKPOINT).unlink(missing_ok=True)
        return Network(
            module, replace(about, training={**about.training, "adapted": as_json(said)})
        )

    def _training(
        self,
        network: Network,
        new: list[Case],
        old: list[Case],
        *,
        inverted: bool,
        folder: Path | None,
    ) -> Training:
        return Training(
            objective=MeanTeacher(
                network.target,
                network.module,
                options=network.decoding_,
                decay=self.decay,
                inverted=inverted,
            ),
            batch=self._patches(network, [*new, *old]).batch,
            validate=Sure(network, new[:LOOKED_AT]),
            schedule=Schedule(minutes=self.minutes, steps=self.steps, rate=self.rate),
            device=self.device,
            folder=folder,
            identity=self._identity(network, [*new, *old]),
            latest=True,
        )

    def _patches(self, network: Network, cases: list[Case]) -> Patches:
        about = network.about
        flat = bool(about.plan.get("flat", False))
        batch = self.batch or int(about.plan.get("batch", LEAST_BATCH))
        return Patches(
            cases,
            network.target,
            about.scale(),
            about.patch,
            batch,
            replace(GEOMETRY, flat=flat),
            seed=self.seed,
        )

    def _identity(self, network: Network, cases: list[Case]) -> str:
        said = [asdict(self), network.fingerprint(), fingerprint(cases)]
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Sureness:
    """How sure a network is of images that it has not learned from.

    Parameters
    ----------
    share : float
        Of their pixels, objects counting as much as what is between them.
    inverted : bool
        Whether it is clearly surer of some when bright and dark are exchanged.
    images : mapping of str to float
        The share of every image.
    """

    share: float
    inverted: bool
    images: dict[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        """Say it."""
        more = " (some with bright and dark exchanged)" if self.inverted else ""
        return f"The network is sure of {self.share:.0%} of the new images{more}."


def sureness(network: Network, cases: Sequence[Case], *, device: str = "auto") -> Sureness:
    """Return how sure a network is of cases, each seen as it is and inverted."""
    require_judged(network.target)
    examination = _examination(network, cases)
    place = resolve(device)
    looks = (network.module.to(place), Inverted(network.module.to(place)))
    found, images, inverted = [], {}, False
    for case in cases:
        both = [
            certainty(network.target, examination.prediction(look, case), network.decoding_)
            for look in looks
        ]
        surer = both[1].share > both[0].share + CLEARLY
        best = both[int(surer)]
        inverted = inverted or surer
        images[case.name] = best.share
        found.append(best)
    return Sureness(together(found), inverted, images)


@dataclass(frozen=True, eq=False)
class Sure:
    """Looks at a network that learns: how sure it is of images without labels."""

    network: Network
    cases: Sequence[Case]

    def __call__(self, module: nn.Module) -> Seen:
        """Return the share that is sure."""
        target: Target = self.network.target
        examination = _examination(self.network, self.cases)
        options = self.network.decoding_
        found = [
            certainty(target, examination.prediction(module, case), options) for case in self.cases
        ]
        return Seen({"sure": together(found)}, [])


def _examination(network: Network, cases: Sequence[Case]) -> Examination:
    about = network.about
    return Examination(cases, network.target, about.scale(), about.patch)


def unlabelled(network: Network, images: Sequence[Any]) -> list[Case]:
    """Return cases of images as a network sees them, of which nothing is known."""
    opened: list[Image] = [network.open(image) for image in images]
    cases = cases_of(opened, [None] * len(opened), ndim=network.ndim)
    return _sized(network, measured_for(cases, network.about.scale()))


def _labelled(network: Network, images: Sequence[Any], labels: Sequence[Any]) -> list[Case]:
    opened = [network.open(image) for image in images]
    cases = cases_of(opened, list(labels), truth=network.target.truth, ndim=network.ndim)
    cases = measured_for(cases, network.about.scale())
    return _sized(network, cases) if network.target.truth == "classes" else cases


def _sized(network: Network, cases: list[Case]) -> list[Case]:
    about = network.about
    if about.crop:
        cases, _ = cropped_cases(cases)
    return on_pixels_of(cases, about.spacing, about.unit) if about.spacing else cases


def _require_single(network: Network) -> None:
    require_judged(network.target)
    require_unsized(network.about)
    if network.about.members > 1:
        raise ParameterError(
            f"This model is {network.about.members} networks, which are averaged (folds), and one "
            "is adapted. Train one with folds=1."
        )
    if network.about.first:
        raise ParameterError(
            "This model is a cascade of two networks, and one is adapted. Train one without "
            "cascade."
        )
