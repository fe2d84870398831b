"""Several targets at once, each with channels of its own: classes and objects, objects and points.

One network sees an image once for all of them (Misra et al. 2016, arXiv:1604.03539, call it hard
sharing), and what it learns for one serves the others.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray

from stroma.errors import ParameterError
from stroma.targets import TARGETS
from stroma.targets.contract import Encoded, Facts, Losses, Result, Target, Truth
from stroma.targets.instances import boxes
from stroma.targets.turns import Turn

TAUGHT = ("classes", "instances", "points")
"""What a head may learn from: all follow from objects by number."""


@dataclass(frozen=True)
class Several:
    """The channels of several targets, one after the other; learned from objects by number.

    Targets of classes see the class of every object: its number divided by ``divisor``, or 1 for
    all objects. Targets of points see the middles of the boxes around objects.

    Parameters
    ----------
    heads : mapping of str to mapping
        Names of targets, and their parameters.
    weights : mapping of str to float
        Of their losses; 1, unless given.
    divisor : int
        Numbers of objects are class times this plus their own; 0 where they have no classes.
    ndim : {2, 3}
        Spatial axes.
    apart : bool
        Whether pixels have classes of their own, in objects or not: what is left of a number
        without its class is the object, or 0 where there is none.
    """

    truth: ClassVar[Truth] = "instances"
    result: ClassVar[Result] = "several"

    heads: Mapping[str, Any]
    weights: Mapping[str, float] = field(default_factory=dict)
    divisor: int = 0
    ndim: int = 2
    apart: bool = False

    def __post_init__(self) -> None:
        """Hold parameters as JSON has them."""
        object.__setattr__(self, "heads", json.loads(json.dumps(self.heads)))

    @classmethod
    def made_for(cls, facts: Facts, /, **options: Any) -> Self:
        """Return the targets for objects of some sizes.

        Parameters
        ----------
        facts : Facts
            Of the objects.
        **options
            ``heads``: names of targets, or their options by name; ``weights`` and ``divisor``.
        """
        given = options.pop("heads", ())
        wanted = {name: {} for name in given} if not isinstance(given, Mapping) else dict(given)
        unknown = [name for name in options.get("weights", {}) if name not in wanted]
        if unknown:
            raise ParameterError(
                f"weights are of targets, and {unknown[0]!r} is none of {', '.join(wanted)}."
            )
        _require_different(wanted)
        divisor = int(options.get("divisor", 0))
        made = {
            name: TARGETS[name].made_for(_facts_for(name, facts, divisor), **(own or {}))
            for name, own in wanted.items()
        }
        heads = {name: asdict(head) for name, head in made.items()}
        return cls(**{**options, "heads": heads, "ndim": facts.ndim})

    @cached_property
    def targets(self) -> dict[str, Target]:
        """The targets by name."""
        return {name: TARGETS[name](**params) for name, params in self.heads.items()}

    @property
    def tunable(self) -> Mapping[str, tuple[Any, ...]]:
        """Options of every head, with its name before."""
        return {
            f"{name} {option}": values
            for name, head in self.targets.items()
            for option, values in head.tunable.items()
        }

    @property
    def deciding(self) -> tuple[str, ...]:
        """What options are chosen by: all that decides in a head."""
        return ("mean", *(f"{n} {s}" for n, h in self.targets.items() for s in _deciding(h)))

    @property
    def context(self) -> int:
        """What the head that looks farthest needs."""
        return max(head.context for head in self.targets.values())

    def channels(self) -> tuple[str, ...]:
        """Return the names of all channels, that of the head before."""
        return tuple(f"{name} {c}" for name, head in self.targets.items() for c in head.channels())

    @cached_property
    def places(self) -> dict[str, slice]:
        """Which channels are those of a head."""
        found, start = {}, 0
        for name, head in self.targets.items():
            found[name] = slice(start, start + len(head.channels()))
            start = found[name].stop
        return found

    @cached_property
    def _weighed(self) -> dict[str, bool]:
        """Whether a head has a weight for every channel, not one for all."""
        small = (8,) * self.ndim
        nothing = np.zeros(small, np.int32)
        return {
            name: len(head.encode(self.seen_by(name, nothing), shape=small).known) > 1
            for name, head in self.targets.items()
        }

    def seen_by(self, name: str, truth: Any) -> Any:
        """Return what a head learns from: objects, their classes or their middles."""
        labels = np.asarray(truth)
        kind = self.targets[name].truth
        if kind == "classes":
            return np.where(labels > 0, _class_of(labels, self.divisor), labels)
        if self.apart:
            labels = objects_of(labels, self.divisor)
        if kind == "points":
            middles = [[(s.start + s.stop - 1) / 2 for s in box] for _, box in boxes(labels)]
            return np.array(middles, float).reshape(-1, labels.ndim)
        return labels

    def encode(self, truth: Any, /, *, shape: tuple[int, ...]) -> Encoded:
        """Return what all heads encode."""
        labels = np.asarray(truth)
        values, known = [], []
        for name, head in self.targets.items():
            one = head.encode(self.seen_by(name, labels), shape=shape)
            values.append(one.values)
            part = np.broadcast_to(one.known, one.values.shape)
            known.append(part * (labels >= 0) if head.truth == "points" else part)
        return Encoded(np.concatenate(values), np.concatenate(known).astype(np.float32))

    def loss(self, output: torch.Tensor, truth: torch.Tensor, known: torch.Tensor, /) -> Losses:
        """Return the weighted sum of the losses of all heads."""
        total = output.new_zeros(())
        parts: dict[str, torch.Tensor] = {}
        for name, head in self.targets.items():
            place = self.places[name]
            weights = known[:, place] if self._weighed[name] else known[:, place][:, :1]
            found, own = head.loss(output[:, place], truth[:, place], weights)
            total = total + self.weights.get(name, 1.0) * found
            parts |= {f"{name} {part}": value for part, value in own.items()}
        return total, parts

    def activate(self, output: torch.Tensor, /) -> torch.Tensor:
        """Return the prediction of all heads."""
        every = [head.activate(output[:, self.places[n]]) for n, head in self.targets.items()]
        return torch.cat(every, 1)

    def decode(self, prediction: NDArray[np.float32], /, **tunable: Any) -> dict[str, Any]:
        """Return the result of every head by its name."""
        return {
            name: head.decode(prediction[self.places[name]], **self.options_of(name, tunable))
            for name, head in self.targets.items()
        }

    def options_of(self, name: str, tunable: Mapping[str, Any]) -> dict[str, Any]:
        """Return the options of one head."""
        start = f"{name} "
        return {k.removeprefix(start): v for k, v in tunable.items() if k.startswith(start)}

    def turned_back(self, prediction: NDArray[np.float32], turn: Turn, /) -> NDArray[np.float32]:
        """Return what every head turns back."""
        every = [
            head.turned_back(prediction[self.places[name]], turn)
            for name, head in self.targets.items()
        ]
        return np.concatenate(every)

    def score(self, results: Sequence[Any], truths: Sequence[Any], /) -> dict[str, float]:
        """Return the mean of the first scores of all heads, and all scores of each."""
        found: dict[str, float] = {}
        firsts = []
        for name, head in self.targets.items():
            own = head.score(
                [one[name] for one in results], [self.seen_by(name, t) for t in truths]
            )
            firsts.append(next(iter(own.values())))
            found |= {f"{name} {score}": value for score, value in own.items()}
        return {"mean": sum(firsts) / len(firsts), **found}


def objects_of(labels: NDArray[Any], divisor: int) -> NDArray[Any]:
    """Return the objects of numbers that are class times a divisor plus the object."""
    return np.where(labels > 0, labels % divisor, labels)


def _class_of(labels: NDArray[Any], divisor: int) -> NDArray[Any]:
    return labels // divisor if divisor else np.ones_like(labels)


def _deciding(head: Target) -> tuple[str, ...]:
    return tuple(getattr(head, "deciding", ()))


def _facts_for(name: str, facts: Facts, divisor: int) -> Facts:
    """Return what is known of the labels as a head sees them."""
    if TARGETS[name].truth != "classes":
        return facts
    counts: dict[int, int] = {}
    for number, pixels in facts.counts.items():
        kind = (number // divisor if divisor else 1) if number > 0 else 0
        counts[kind] = counts.get(kind, 0) + pixels
    return replace(facts, counts=counts)


def _require_different(heads: Mapping[str, Any]) -> None:
    """Refuse targets that cannot be learned together, or whose results have the same name."""
    if len(heads) < 2:
        raise ParameterError(
            f"Several targets are two at least, written like semantic+rays; got "
            f"{', '.join(heads) or 'none'}."
        )
    results: dict[str, str] = {}
    for name in heads:
        kind = TARGETS[name]
        if kind.truth not in TAUGHT:
            raise ParameterError(
                f"{name!r} learns from {kind.truth}, and several targets together learn from "
                "objects by number. Train it by itself."
            )
        if kind.result in results:
            raise ParameterError(
                f"{results[kind.result]!r} and {name!r} both find {kind.result}; give one of each "
                "kind, such as semantic+rays."
            )
        results[kind.result] = name
