"""Learning from images without labels: a slow copy of the network says what it is sure of.

Tarvainen and Valpola 2017, arXiv:1703.01780; SynapseNet adapts networks for electron microscopy so.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn

from stroma.targets.contract import Target
from stroma.training.contract import Batch, Step
from stroma.training.feeding.augment import Augmentation
from stroma.training.ways.certainty import Certainty, certainty
from stroma.training.ways.objectives import Supervised

LIGHT = Augmentation(noise=0.3, blur=0.4, brightness=0.3, contrast=0.3, low_resolution=0.3)
"""What is done to the intensities that the network sees, not to those that its teacher sees."""


class MeanTeacher(nn.Module):
    """The loss of a target against what a teacher is sure of, and against labels where they are.

    The teacher sees patches as they are (and inverted, where that was asked for: the surer look
    counts), the network with other intensities. After every step the teacher moves towards the
    network.

    Parameters
    ----------
    target : Target
        What is learned.
    teacher : nn.Module
        A trained network; copied.
    options : mapping
        Of the target's ``decode``.
    decay : float
        Share of the teacher that stays as it is in a step.
    inverted : bool
        Whether bright and dark may be exchanged.
    """

    unlabelled: ClassVar[bool] = True

    def __init__(
        self,
        target: Target,
        teacher: nn.Module,
        *,
        options: Mapping[str, Any],
        decay: float = 0.99,
        inverted: bool = False,
    ) -> None:
        super().__init__()
        self.teacher = deepcopy(teacher).eval().requires_grad_(False)
        self.target, self.options, self.decay = target, options, decay
        self.supervised = Supervised(target)
        self.looks = (1.0, -1.0) if inverted else (1.0,)
        self.light = Augmentation(**{**vars(LIGHT), "invert": 0.5 if inverted else 0.0})

    def train(self, mode: bool = True) -> MeanTeacher:
        """Change nothing: the teacher never learns by itself."""
        return super().train(False)

    def step(self, model: nn.Module, batch: Batch, /) -> Step:
        """Return the loss, and the share of the unlabelled patches that the teacher is sure of."""
        assert batch.truth is not None, "a teacher is given truth, of weight 0 where there is none"
        assert batch.known is not None
        truth, known = batch.truth.clone(), batch.known.clone()
        bare = [i for i in range(len(known)) if not known[i].any()]
        shares = []
        for i, found in zip(bare, self.taught(batch.images[bare]), strict=True):
            truth[i] = torch.from_numpy(found.taught.values)
            known[i] = torch.from_numpy(found.taught.known)
            shares.append(found.share)
        loss, logs = self.supervised.step(model, Batch(self._lit(batch), truth, known, batch.seed))
        share = torch.tensor(float(np.mean(shares)) if shares else 1.0)
        return Step(loss, {**logs, "sure": share})

    def taught(self, images: torch.Tensor) -> list[Certainty]:
        """Return what the teacher is sure of in every image, by the look that is surest."""
        looks = [self._looked(sign * images) for sign in self.looks] if len(images) else []
        return [max(several, key=lambda one: one.share) for several in zip(*looks, strict=True)]

    def _looked(self, images: torch.Tensor) -> list[Certainty]:
        with torch.no_grad():
            found = self.target.activate(self.teacher(images)).float().cpu().numpy()
        return [certainty(self.target, one, self.options) for one in found]

    def _lit(self, batch: Batch) -> torch.Tensor:
        rng = np.random.default_rng(batch.seed)
        images = batch.images.cpu().numpy()
        changed = np.stack([self.light.intensities(one, rng) for one in images])
        return torch.from_numpy(np.ascontiguousarray(changed)).to(batch.images)

    def after_step(self, model: nn.Module) -> None:
        """Move the teacher towards the network."""
        own = model.state_dict()
        with torch.no_grad():
            for name, slow in self.teacher.state_dict().items():
                if slow.dtype.is_floating_point:
                    slow.lerp_(own[name].to(slow), 1 - self.decay)
                else:
                    slow.copy_(own[name])
