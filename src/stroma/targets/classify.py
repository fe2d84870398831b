"""A class for the image or an object as a whole: what all its pixels say, taken together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import softmax

from stroma.errors import LabelError
from stroma.metrics.categories import category_scores
from stroma.targets.contract import Facts, Losses, Result, Truth
from stroma.targets.labels import Labels


@dataclass(frozen=True)
class Classify(Labels):
    """One channel per class; its mean over the image or object is the evidence for the class.

    Global average pooling (Lin et al. 2013, arXiv:1312.4400), after the last layer: the network
    stays one of pixels, so images of any size are looked at block by block, and the channels show
    which parts of an image speak for a class (Zhou et al. 2016, arXiv:1512.04150).

    Parameters
    ----------
    labels : tuple of int
        Numbers of the classes, ascending; channel k is that of ``labels[k]``.
    objects : bool
        Whether objects have a class each, not the image: then an image is what is around one, and
        its pixels are those that are known.
    """

    objects: bool = False

    truth: ClassVar[Truth] = "category"
    result: ClassVar[Result] = "category"

    @classmethod
    def made_for(cls, facts: Facts, /, **options: Any) -> Self:
        """Return the target for the classes that occur."""
        if len(facts.counts) < 2 and options.get("objects"):
            raise LabelError(
                "All objects that are labelled are of one class, and telling them apart takes two. "
                "Label objects of another class, too."
            )
        if len(facts.counts) < 2 and "labels" not in options:
            raise LabelError(
                "All images are of one class, and telling them apart takes two. Give images of "
                "another class too, in a folder of its own or in the table."
            )
        return cls(**{"labels": tuple(sorted(facts.counts)), **options})

    def loss(self, output: torch.Tensor, truth: torch.Tensor, known: torch.Tensor, /) -> Losses:
        """Return the cross-entropy of the mean output of every image, over its known pixels."""
        seen = known.flatten(1).sum(1)
        count = seen.clamp_min(1)[:, None]
        evidence = (output * known).flatten(2).sum(2) / count
        wanted = (truth * known).flatten(2).sum(2) / count
        each = -(wanted * evidence.log_softmax(1)).sum(1)
        found = each.sum() / (seen > 0).sum().clamp_min(1)
        return found, {"cross_entropy": found.detach()}

    def activate(self, output: torch.Tensor, /) -> torch.Tensor:
        """Return it as it is: evidence adds up, probabilities do not."""
        return output

    def decode(self, prediction: NDArray[np.float32], /, **tunable: Any) -> NDArray[np.float64]:
        """Return the (K,) probabilities of the classes, in the order of ``labels``."""
        evidence = prediction.reshape(len(prediction), -1).mean(1, dtype=np.float64)
        found: NDArray[np.float64] = softmax(evidence)
        return found

    def score(self, results: Sequence[Any], truths: Sequence[Any], /) -> dict[str, float]:
        """Return balanced accuracy, accuracy, and the share of every class that is found."""
        found = [self.labels[int(np.argmax(result))] for result in results]
        return category_scores(found, [_category(t) for t in truths], labels=self.labels)


def _category(truth: Any) -> int:
    """Return the label of a truth, which is the same wherever it is known; -1 if it is nowhere."""
    return int(np.max(truth, initial=-1))
