"""Training a network for strokes: hours in the background, or minutes on a graphics processor."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from stroma.errors import ParameterError
from stroma.features.strokenet.learned_layout import LAYOUT
from stroma.training.contract import Step
from stroma.training.strokes.batches import VALIDATION_SEED, Batches, Episodes, stream, unpacked
from stroma.training.strokes.episodes import SIDE
from stroma.training.strokes.network import StrokeNetwork
from stroma.training.strokes.objective import Learner
from stroma.training.strokes.scenes import SCENES

logger = logging.getLogger(__name__)

CHECKPOINT, LOG = "checkpoint.pt", "log.jsonl"

WARM_UP = 200
"""Steps in which the rate rises."""

COOL_DOWN = 0.3
"""Share of the budget in which the rate falls, at its end."""

AVERAGED = 0.998
"""Share that the averaged weights keep of themselves in a step."""

STEEPEST = 2.0
"""Longest gradient; longer ones are shortened."""

SAVED_EVERY, VALIDATED_EVERY, LOGGED_EVERY = 250, 1000, 50

ENDLESS = 10**9


@dataclass(frozen=True)
class Settings:
    """What a training is told.

    Parameters
    ----------
    minutes : float
        Budget of computing time, over all resumptions; the rate falls at its end.
    steps : int
        Budget in steps; what is reached first ends the training.
    seed, batch, side : int
        Of the series of episodes; episodes in a step; pixels on their side, in the middle.
    rate : float
        Greatest learning rate.
    workers : int
        Processes that make episodes.
    threads : int
        Learners that take turns with the weights, each on a batch and a processor of its own. More
        than one use a busy computer better; only one learner learns the same every time.
    device : str
        ``"cpu"``, ``"cuda"`` or ``"mps"``.
    validation : int
        Episodes that are generated for validation.
    without : str
        Kinds of scenes that are left out, with commas between, to see what they are worth.
    width : float
        How many times as many filters as the network that is shipped.
    """

    minutes: float = 600.0
    steps: int = ENDLESS
    seed: int = 0
    batch: int = 8
    side: int = SIDE
    rate: float = 2e-3
    workers: int = 1
    threads: int = 1
    device: str = "cpu"
    validation: int = 64
    without: str = ""
    width: float = 1.0

    @property
    def left_out(self) -> tuple[str, ...]:
        """Names of the kinds of scenes that are left out."""
        return tuple(filter(None, self.without.split(",")))

    def learner(self) -> Learner:
        """Return a network of this width together with the objective."""
        return Learner(StrokeNetwork(LAYOUT.scaled(self.width)))


class Training:
    """One training in a folder: goes on where the folder says it stopped."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        _known(settings.left_out)
        self.folder, self.settings = folder, settings
        self.device = torch.device(settings.device)
        torch.manual_seed(settings.seed)
        self.model = settings.learner().to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = deepcopy(self.model)
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), settings.rate, weight_decay=1e-3, betas=(0.9, 0.98)
        )
        self.number, self.seconds, self._began = 0, 0.0, 0.0
        self._outcomes: list[dict[str, float]] = []
        self._checked: list[Episodes] = []
        self._turn = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / CHECKPOINT).exists():
            state = torch.load(folder / CHECKPOINT, weights_only=True, map_location=self.device)
            self._restore(state)

    def run(self, *, until: int | None = None) -> None:
        """Train until the budget is spent; save on the way and at the end.

        Parameters
        ----------
        until : int, optional
            Stop after this step, as if interrupted.
        """
        settings = self.settings
        # Made before other processes start, so that what it compiles is compiled once.
        self._checked = self._validation()
        batches = Batches(
            settings.seed, size=settings.batch, side=settings.side, without=settings.left_out
        )
        stop = min(settings.steps, until or settings.steps)
        series = stream(batches, start=self.number, stop=stop, workers=settings.workers)
        self._began = time.monotonic() - self.seconds
        with ThreadPoolExecutor(settings.threads) as learners:
            for done in [learners.submit(self._learn, series) for _ in range(settings.threads)]:
                done.result()
        self._save()
        self._log("validation", self.validated())

    def _learn(self, series: Iterator[Episodes]) -> None:
        """Learn from one batch after the other, on a copy of the weights as they are then."""
        torch.set_num_threads(1)
        own = deepcopy(self.model)
        own.train()
        while True:
            with self._turn:
                batch = None if self._spent() >= 1 else next(series, None)
                own.load_state_dict(self.model.state_dict())
            if batch is None:
                return
            outcome = own.outcome(batch.to(self.device))
            gradients = torch.autograd.grad(outcome.loss, list(own.parameters()))
            with self._turn:
                self._apply(own, gradients, outcome)

    def _spent(self) -> float:
        """Return the share of the budget that is spent."""
        return max(self.seconds / (60 * self.settings.minutes), self.number / self.settings.steps)

    def _rate(self) -> float:
        """Return the learning rate: rising, constant, falling at the end."""
        falling = min(1.0, max(0.02, (1 - self._spent()) / COOL_DOWN))
        return self.settings.rate * min(1.0, (self.number + 1) / WARM_UP, falling)

    def _apply(self, own: Learner, gradients: Sequence[Tensor], outcome: Step) -> None:
        """Change the weights, and keep the books."""
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate()
        for parameter, gradient in zip(self.model.parameters(), gradients, strict=True):
            parameter.grad = gradient
        if torch.isfinite(torch.nn.utils.clip_grad_norm_(self.model.parameters(), STEEPEST)):
            self.optimizer.step()
            for buffer, new in zip(self.model.buffers(), own.buffers(), strict=True):
                buffer.copy_(new)
        self.number += 1
        self.seconds = time.monotonic() - self._began
        self._follow()
        self._outcomes.append(_numbers(outcome))
        if self.number % LOGGED_EVERY == 0:
            self._log("training", {**_means(self._outcomes), "rate": round(self._rate(), 6)})
            self._outcomes = []
        if self.number % VALIDATED_EVERY == 0:
            self._log("validation", self.validated())
        if self.number % SAVED_EVERY == 0:
            self._save()

    @torch.no_grad()
    def _follow(self) -> None:
        """Let the averaged weights follow."""
        kept = min(AVERAGED, self.number / (self.number + 10))
        own = self.average.state_dict()
        for name, value in self.model.state_dict().items():
            if value.dtype.is_floating_point:
                own[name].lerp_(value, 1 - kept)

    def _validation(self) -> list[Episodes]:
        settings = self.settings
        series = Batches(settings.seed + VALIDATION_SEED, size=8, side=settings.side, beside=1)
        return [unpacked(series[i], i) for i in range(max(1, settings.validation // 8))]

    @torch.no_grad()
    def validated(self) -> dict[str, float]:
        """Return the scores of the averaged network on episodes that are not trained on."""
        self.average.eval()
        outcomes = [self.average.outcome(b.to(self.device)) for b in self._checked]
        return _means([_numbers(outcome) for outcome in outcomes])

    def _log(self, kind: str, values: Mapping[str, float]) -> None:
        entry = {"kind": kind, "step": self.number, "seconds": round(self.seconds), **values}
        logger.info("%s", entry)
        with (self.folder / LOG).open("a") as log:
            log.write(json.dumps(entry) + "\n")

    def _save(self) -> None:
        state = {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "number": self.number,
            "seconds": self.seconds,
            "settings": asdict(self.settings),
        }
        new = self.folder / f"{CHECKPOINT}.new"
        torch.save(state, new)
        new.replace(self.folder / CHECKPOINT)

    def _restore(self, state: dict[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.number, self.seconds = state["number"], state["seconds"]


def _known(names: Sequence[str]) -> None:
    for name in names:
        if name not in SCENES:
            raise ParameterError(
                f"There is no kind of scene {name!r} to leave out. Known: {', '.join(SCENES)}."
            )


def _numbers(outcome: Step) -> dict[str, float]:
    return {name: float(value) for name, value in outcome.logs.items()}


def _means(values: list[dict[str, float]]) -> dict[str, float]:
    """Return the mean of every number over the steps that have it."""
    means = {}
    for name in sorted({name for numbers in values for name in numbers}):
        known = [numbers[name] for numbers in values if name in numbers]
        means[name] = round(sum(known) / len(known), 5)
    return means
