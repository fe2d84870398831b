"""From labelled images to a trained network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from stroma.data.classes import Class
from stroma.errors import LabelError, ParameterError
from stroma.targets import TARGETS
from stroma.targets.contract import Facts, Target
from stroma.targets.several import objects_of
from stroma.training import OBJECTIVES
from stroma.training.feeding.cases import Case
from stroma.training.feeding.crop import cropped_cases, has_background
from stroma.training.feeding.data import cases_of, facts_of, foreground_of, is_bare
from stroma.training.feeding.normalise import normalisation_for
from stroma.training.feeding.resample import common_size, on_pixels_of
from stroma.training.learning.cascade import cascaded
from stroma.training.learning.continued import continued
from stroma.training.learning.folds import cross_trained
from stroma.training.learning.loop import Told
from stroma.training.learning.task import Task, objective_of
from stroma.training.model import Network
from stroma.training.planning.options import Options
from stroma.training.planning.plan import EMPTY_BELOW
from stroma.training.planning.setup import decide


@dataclass(frozen=True)
class Learner(Options):
    """How to learn; ``fit`` does it.

    Its parameters are those of `Options`.
    """

    def fit(
        self,
        images: Any,
        labels: Any,
        *,
        regions: Any = None,
        classes: Sequence[Class] = (),
        folder: str | Path | None = None,
        overwrite: bool = False,
        base: Network | None = None,
        tell: Callable[[Told], None] | None = None,
        cancel: Callable[[], bool] | None = None,
    ) -> Network:
        """Learn, and return the network.

        Parameters
        ----------
        images, labels, regions
            See `stroma.training.feeding.data.cases_of`.
        classes : sequence of Class
            Names and colours of labels.
        folder : str or Path, optional
            Where history, curves and pictures go, and the state, from which a training that was
            cut off goes on when it is called again.
        overwrite : bool
            Start over, whatever is in the folder.
        base : Network, optional
            What the training begins with; what is learned, and how images are seen, is as of it.
        tell : callable, optional
            Is told how far it is, after every step.
        cancel : callable, optional
            Asked before every step.
        """
        task = self.task(images, labels, regions=regions, base=base)
        run: Callable[..., Network] = task.run
        if self.folds > 1:
            run = partial(cross_trained, task)
        if self.cascade:
            run = partial(cascaded, task)
        return run(
            classes=classes,
            folder=None if folder is None else Path(folder),
            overwrite=overwrite,
            tell=tell,
            cancel=cancel,
        )

    @property
    def alone(self) -> bool:
        """Whether the target learns from images without labels."""
        return bool(getattr(TARGETS[self.target], "alone", False))

    def _objects(self, cases: Sequence[Case]) -> Facts:
        """Return what is known of objects whose numbers have classes of pixels in them."""
        divisor = self.target_options["divisor"]
        labels = [objects_of(case.labels, divisor) for case in cases if case.labels is not None]
        return facts_of(
            [replace(case, labels=one) for case, one in zip(cases, labels, strict=True)],
            "instances",
        )

    def task(
        self, images: Any, labels: Any, *, regions: Any = None, base: Network | None = None
    ) -> Task:
        """Return everything that is decided before the first step; trains nothing."""
        if base is not None:
            return continued(self, base, images, labels, regions=regions)
        kind = TARGETS[self.target]
        if labels is None and not self.alone:
            raise ParameterError(
                f"The target {self.target!r} learns from labels. Give a label for each image, or "
                "choose one that needs none, such as denoise."
            )
        cases = cases_of(
            images,
            images if labels is None else labels,
            truth=kind.truth,
            ndim=self.ndim,
            ignore=self.ignore,
            regions=regions,
            axes=self.axes,
        )
        share = 1.0
        known = 0 in self.target_options.get("labels", (0,))
        if kind.truth == kind.result == "classes" and known and has_background(cases):
            cases, share = cropped_cases(cases)
        scaled = kind.truth == "classes" or bool(self.target_options.get("objects"))
        size = common_size(cases) if self.resample and scaled else None
        if size is not None:
            cases = on_pixels_of(cases, *size)
        facts = facts_of(cases, kind.truth)
        if self.target_options.get("apart"):
            facts = replace(facts, diameters=self._objects(cases).diameters)
        bare = [case.name for case in cases if is_bare(case)]
        if bare and not getattr(OBJECTIVES[objective_of(self)], "unlabelled", False):
            raise LabelError(
                f"Nothing is labelled in {', '.join(bare[:3])} ({len(bare)} of {len(cases)} "
                "images). Leave out images without labels, or learn from them with "
                "network='ladder' and objective='ladder'."
            )
        target: Target = kind.made_for(facts, **self.target_options)
        if self.largest and target.result != "classes":
            raise ParameterError(
                f"largest keeps the largest part of classes, and {self.target!r} finds "
                f"{target.result}. Leave it out."
            )
        setup = decide(
            [case.shape for case in cases],
            facts,
            outputs=len(target.channels()),
            channels=cases[0].channels,
            memory_gb=self.memory_gb,
            network=self.network,
            result=kind.result,
            alone=self.alone,
            options=self.network_options,
            patch=self.patch,
            batch=self.batch,
        )
        names: Sequence[str] = cases[0].image.channels or ("",) * cases[0].channels
        masked = share < EMPTY_BELOW
        scale = normalisation_for(names, masked=masked)
        if "clip" in scale.schemes:
            scale = normalisation_for(names, foreground_of(cases), masked=masked)
        return Task(self, tuple(cases), facts, target, setup, scale, size, crop=share < 1)
