"""How good a network is on images that it does not learn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from stroma.targets.contract import Target
from stroma.training.about import as_json
from stroma.training.cases import Case
from stroma.training.contract import Seen
from stroma.training.normalise import Normalisation
from stroma.training.predict import NetworkPredictor, blocks_in, predicted
from stroma.training.tune import held, tune
from stroma.training.windows import common, relative, shape_of


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
    """

    cases: Sequence[Case]
    target: Target
    scale: Normalisation
    patch: tuple[int, ...]

    def __call__(self, module: nn.Module) -> Seen:
        """Return what a network makes of the part of every case that counts, and its scores."""
        results = [self.target.decode(self.prediction(module, case)) for case in self.cases]
        truths = [self._truth(case) for case in self.cases]
        return Seen(self.target.score(results, truths), results)

    def tuned(self, module: nn.Module) -> dict[str, Any]:
        """Return the best options of decoding, and the scores that they have; {} without any."""
        if not self.target.tunable:
            return {}
        predictions = held(self.prediction(module.eval(), case) for case in self.cases)
        truths = [self._truth(case) for case in self.cases[: len(predictions)]]
        chosen, scores = tune(self.target, predictions, truths)
        return {"decode": as_json(chosen), "tuned scores": scores}

    def _truth(self, case: Case) -> Any:
        truth = case.truth(case.area)
        return case.in_units(truth) if self.target.truth == "image" else truth

    def prediction(self, module: nn.Module, case: Case) -> NDArray[np.float32]:
        """Return the (K, *space) prediction of the part of a case that counts."""
        device = next(module.parameters()).device
        predictor = NetworkPredictor(
            module, self.target, self.scale, case.statistics, self.patch, device=device
        )
        result = np.zeros((len(predictor.outputs), *shape_of(case.area)), np.float32)
        cores = [common(core, case.area) for core in blocks_in(case.shape, predictor, case.area)]
        for core, values in zip(cores, predicted(predictor, case.image, cores), strict=True):
            result[(slice(None), *relative(core, case.area))] = values
        return result
