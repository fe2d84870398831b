"""How good a network is on images that it does not learn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from stroma.targets.contract import Target
from stroma.training.contract import Seen
from stroma.training.feeding.cases import UNKNOWN, Case
from stroma.training.feeding.normalise import Normalisation
from stroma.training.feeding.windows import common, relative, shape_of
from stroma.training.files.about import as_json
from stroma.training.predicting.components import found_rule
from stroma.training.predicting.guide import Guide
from stroma.training.predicting.predict import blocks_in, predicted
from stroma.training.predicting.predictor import NetworkPredictor
from stroma.training.predicting.tune import held, tune


@dataclass(frozen=True, eq=False)
class Outcome:
    """What networks predicted of images that they did not learn from, and the truth.

    Parameters
    ----------
    predictions : list of (K, *space) float32 arrays
        What was predicted.
    truths : list
        As for ``score`` of a target.
    """

    predictions: list[NDArray[np.float32]]
    truths: list[Any]

    def __add__(self, other: Outcome) -> Outcome:
        """Return both together."""
        return Outcome(self.predictions + other.predictions, self.truths + other.truths)

    def decoded(
        self, target: Target, options: Mapping[str, Any], *, most: int | None = None
    ) -> list[Any]:
        """Return the results of some options of decoding; of the first images, if so many do."""
        return [target.decode(p, **options) for p in self.predictions[:most]]

    def chosen(self, target: Target, *, largest: bool) -> dict[str, Any]:
        """Return what follows for decoding, as it is kept with a network.

        "decode" and "tuned scores" for a target with options; "largest" where it was asked for,
        the rule of `stroma.training.predicting.components`.
        """
        found: dict[str, Any] = {}
        if target.tunable:
            options, scores = tune(target, self.predictions, self.truths)
            found = {"decode": as_json(options), "tuned scores": scores}
        if largest:
            results = self.decoded(target, found.get("decode", {}))
            labels = [int(name) for name in target.channels()]
            found["largest"] = [list(g) for g in found_rule(results, self.truths, labels)]
        return found


@dataclass(frozen=True, eq=False)
class Examination:
    """Scores of a network on cases that it does not learn from.

    Parameters
    ----------
    cases : sequence of Case
        Of each, only the part that is allowed counts.
    target : Target
        Decodes and scores.
    scale : Normalisation
        Of intensities.
    patch : tuple of int
        Sides of patches.
    mirror : bool
        Whether the network is used on mirror images too; scores of every round are without.
    """

    cases: Sequence[Case]
    target: Target
    scale: Normalisation
    patch: tuple[int, ...]
    mirror: bool = False

    def __call__(self, module: nn.Module) -> Seen:
        """Return what a network makes of the part of every case that counts, and its scores."""
        truths = [self._truth(case) for case in self.cases]
        predictions = (self.prediction(module, case) for case in self.cases)
        if self.target.result == "category":  # what is not known is not of the image or object
            pairs = zip(predictions, truths, strict=True)
            predictions = (found[:, truth != UNKNOWN] for found, truth in pairs)
        results = [self.target.decode(found) for found in predictions]
        return Seen(self.target.score(results, truths), results)

    def outcome(self, module: nn.Module) -> Outcome:
        """Return predictions with what they should be, as many as are held at once."""
        predictions = held(
            self.prediction(module.eval(), case, mirror=self.mirror) for case in self.cases
        )
        return Outcome(predictions, [self._truth(c) for c in self.cases[: len(predictions)]])

    def _truth(self, case: Case) -> Any:
        truth = case.truth(case.area)
        return case.in_units(truth, self.target) if self.target.truth == "image" else truth

    def _guide(self, case: Case) -> Guide | None:
        if case.guide is None:
            return None
        return Guide(case.guide, len(self.target.channels()), (False,) * case.ndim)

    def prediction(
        self, module: nn.Module, case: Case, *, mirror: bool = False
    ) -> NDArray[np.float32]:
        """Return the (K, *space) prediction of the part of a case that counts."""
        device = next(module.parameters()).device
        predictor = NetworkPredictor(
            module,
            self.target,
            self.scale,
            case.statistics,
            self.patch,
            mirror,
            device,
            guide=self._guide(case),
        )
        result = np.zeros((len(predictor.outputs), *shape_of(case.area)), np.float32)
        cores = [common(core, case.area) for core in blocks_in(case.shape, predictor, case.area)]
        for core, values in zip(cores, predicted(predictor, case.image, cores), strict=True):
            result[(slice(None), *relative(core, case.area))] = values
        return result
