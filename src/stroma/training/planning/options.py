"""What may be chosen about a training: one definition for Python, the command line and recipes."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from stroma.errors import ParameterError
from stroma.registry import suggestion

SEVERAL = "several"
"""The target that is several others."""

CHOICES = {
    "device": ("auto", "cpu", "cuda", "mps"),
    "optimiser": ("adamw", "sgd"),
    "precision": ("no", "fp16", "bf16"),
}
"""Values of options that have few."""

ABOVE = {"minutes": 0, "memory_gb": 0, "rate": 0, "steps": 0, "batch": 0, "folds": 0}
"""What options must be above, where they are given."""


@dataclass(frozen=True)
class Options:
    """How to learn.

    Parameters
    ----------
    target : str
        What is learned, by its name; several at once are written like semantic+rays.
    target_options : mapping
        Parameters of the target; of several, those of each by its name.
    network : str
        What is trained, by its name; "auto" chooses.
    network_options : mapping
        Parameters of the network, where they are not to be chosen.
    objective : str
        How it learns, by its name; "auto" is the target's own way, from labels for most.
    objective_options : mapping
        Parameters of the objective.
    minutes : float
        Time for all of the training, in minutes, validation included.
    steps : int, optional
        Number of steps, instead of a time.
    memory_gb : float
        Memory for the training, in GB.
    ndim : {2, 3}, optional
        Learn from planes or from volumes; planes, unless given.
    ignore : int or sequence of int
        Labels of pixels that nobody knows.
    axes : str, optional
        Axes of images, where files and arrays do not name them.
    resample : bool
        Learn classes from pixels of one size, the median of all, where files say how large pixels
        are; images with other pixels are resampled then, for learning and in use.
    augment : bool
        Turn, bend and shade patches.
    patch : sequence of int, optional
        Sides of patches, where they are not to be chosen.
    batch : int, optional
        Patches per step, where it is not to be chosen.
    rate : float
        Learning rate after the first steps.
    optimiser : {"adamw", "sgd"}
        How weights follow the gradient.
    validation : float
        Share of the data that is kept from training, for scores.
    folds : int
        Networks that are trained, each with another part of the data kept from it; what they
        predict is averaged, and all of the data counts in scores. 1 is a single network.
    cascade : bool
        Train a coarser network first, which sees more of a volume at once, and show what it says
        to the one that sees all pixels; for classes in volumes of which a patch shows little.
    largest : bool
        Find out whether keeping only the largest connected part of classes scores better on what
        was kept from training, and if so do it from then on.
    device : {"auto", "cpu", "cuda", "mps"}
        Where to run.
    precision : {"no", "fp16", "bf16"}
        Mixed precision, for graphics processors.
    seed : int
        Of everything random.
    """

    target: str = "semantic"
    target_options: Mapping[str, Any] = field(default_factory=dict)
    network: str = "auto"
    network_options: Mapping[str, Any] = field(default_factory=dict)
    objective: str = "auto"
    objective_options: Mapping[str, Any] = field(default_factory=dict)
    minutes: float = 10.0
    steps: int | None = None
    memory_gb: float = 2.0
    ndim: int | None = None
    ignore: int | Sequence[int] = ()
    axes: str | None = None
    resample: bool = True
    augment: bool = True
    patch: Sequence[int] | None = None
    batch: int | None = None
    rate: float = 3e-3
    optimiser: str = "adamw"
    validation: float = 0.2
    folds: int = 1
    cascade: bool = False
    largest: bool = False
    device: str = "auto"
    precision: str = "no"
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what makes no sense, before anything is read.

        Raises
        ------
        ParameterError
            Saying what was given and what is allowed.
        """
        if "+" in self.target:
            self._take_apart()
        for name, known in CHOICES.items():
            if getattr(self, name) not in known:
                hint = suggestion(getattr(self, name), list(known))
                raise ParameterError(f"No {name} {getattr(self, name)!r}. {hint}")
        for name, least in ABOVE.items():
            value = getattr(self, name)
            if value is not None and not value > least:
                raise ParameterError(f"{name} is a number above {least}, got {value!r}.")
        if self.ndim not in (None, 2, 3):
            raise ParameterError(f"ndim is 2 (planes) or 3 (volumes), got {self.ndim!r}.")
        if not 0 < self.validation < 1:
            raise ParameterError(
                f"validation is the share of the data that is kept for scores, between 0 and 1; "
                f"got {self.validation!r}."
            )

    def _take_apart(self) -> None:
        """Take ``semantic+rays`` for the target ``several`` of these two."""
        names = [name.strip() for name in self.target.split("+")]
        own = dict(self.target_options)
        heads = {name: own.pop(name, {}) for name in names}
        object.__setattr__(self, "target", SEVERAL)
        object.__setattr__(self, "target_options", {**own, "heads": heads})

    def without(self, labels: Sequence[int]) -> Self:
        """Return options that ignore these labels too."""
        own = (self.ignore,) if isinstance(self.ignore, int) else tuple(self.ignore)
        return replace(self, ignore=(*own, *labels)) if labels else self


def described(kind: type) -> dict[str, str]:
    """Return what the docstring of a dataclass says of every parameter, on one line each."""
    section = inspect.getdoc(kind) or ""
    lines = section.partition("Parameters\n----------\n")[2].splitlines()
    found: dict[str, list[str]] = {}
    for line in lines:
        if line and not line[0].isspace():
            names = line.partition(" : ")[0].split(", ")
            text: list[str] = []
            found.update(dict.fromkeys(names, text))
        elif found:
            text.append(line.strip())
    return {name: " ".join(filter(None, text)) for name, text in found.items()}
