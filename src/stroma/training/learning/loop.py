"""The loop: steps until the time is up, on whatever devices and processes there are."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from accelerate import Accelerator
from torch import nn

from stroma.backbones.device import resolve
from stroma.errors import Cancelled, FitError, ParameterError
from stroma.training.contract import Batch, Objective, Seen
from stroma.training.learning.state import State, averaged, restore, save, scores_in
from stroma.training.planning.pace import ROUNDS, SHARE, Pace
from stroma.training.planning.threads import settle

CHECKPOINT = "checkpoint.safetensors"
WARM_UP = 3
"""Steps that are timed, after one that is not."""

SLOW = 20
"""Steps in which the learning rate rises to its full value."""

CLIP = 12.0
"""Largest norm of the gradient."""


@dataclass(frozen=True)
class Schedule:
    """How long, and how fast.

    Parameters
    ----------
    minutes : float
        Time for all of it, validation included; measured, not guessed.
    steps : int, optional
        Number of steps, instead of a time: the result does not depend on the machine's speed.
    rate : float
        Learning rate after the first steps; it falls as (1 - progress) to the power of 0.9.
    optimiser : {"adamw", "sgd"}
        SGD has Nesterov momentum of 0.99.
    decay : float
        Weight decay.
    """

    minutes: float = 10.0
    steps: int | None = None
    rate: float = 3e-3
    optimiser: Literal["adamw", "sgd"] = "adamw"
    decay: float = 1e-4

    def __post_init__(self) -> None:
        """Check."""
        if self.steps is not None and self.steps < 1:
            raise ParameterError(f"steps is a number from 1, got {self.steps}.")
        if self.minutes <= 0:
            raise ParameterError(f"minutes is a time above 0, got {self.minutes}.")
        if self.optimiser not in ("adamw", "sgd"):
            raise ParameterError(f"No optimiser {self.optimiser!r}. Known: adamw, sgd.")

    def made(self, parameters: Sequence[nn.Parameter]) -> torch.optim.Optimizer:
        """Return the optimiser."""
        if self.optimiser == "adamw":
            return torch.optim.AdamW(parameters, self.rate, weight_decay=self.decay)
        return torch.optim.SGD(
            parameters, self.rate, momentum=0.99, nesterov=True, weight_decay=self.decay
        )


@dataclass(frozen=True)
class Told:
    """How far a training is.

    Parameters
    ----------
    step, steps : int
        Steps done, and all.
    loss : float
        Mean since the last round.
    score : float or None
        Of the last validation.
    seconds_left : float
        About.
    seconds_per_step : float
        Mean so far.
    """

    step: int
    steps: int
    loss: float
    score: float | None
    seconds_left: float
    seconds_per_step: float


@dataclass(frozen=True, eq=False)
class Training:
    """Everything that is decided before the first step.

    Parameters
    ----------
    objective : Objective
        How it learns.
    batch : callable
        ``batch(step, rank=, ranks=) -> Batch``; the same one for the same arguments.
    validate : callable
        Looks at a network, and returns what it saw.
    schedule : Schedule
        How long.
    device : str
        "auto", "cpu", "cuda" or "mps".
    precision : {"no", "fp16", "bf16"}
        Mixed precision.
    folder : Path or None
        Where the state is kept, so that a training that was cut off goes on.
    identity : str
        Of data, network and settings.
    look : callable, optional
        Is shown the history and the results of the averaged network after every round.
    latest : bool
        Keep the last network, not the one with the best score: where the truth is noisy, the best
        score is that of one which leaves the noise as it is.
    """

    objective: Objective
    batch: Callable[..., Batch]
    validate: Callable[[nn.Module], Seen]
    schedule: Schedule = field(default_factory=Schedule)
    device: str = "auto"
    precision: str = "no"
    folder: Path | None = None
    identity: str = ""
    look: Callable[[list[dict[str, float]], Sequence[Any]], None] | None = None
    latest: bool = False

    def run(
        self,
        model: nn.Module,
        *,
        tell: Callable[[Told], None] | None = None,
        cancel: Callable[[], bool] | None = None,
    ) -> State:
        """Train a network, and return it with its history and its best weights.

        Raises
        ------
        Cancelled
            When ``cancel`` asked for it; with a folder, the same call goes on from there.
        FitError
            If the loss is no longer a number.
        """
        return _Run(self, model, tell, cancel).run()


class _Run:
    """One training at work."""

    def __init__(
        self,
        training: Training,
        model: nn.Module,
        tell: Callable[[Told], None] | None,
        cancel: Callable[[], bool] | None,
    ) -> None:
        self.training, self.tell, self.cancel = training, tell, cancel
        self.accelerator = accelerator(training.device, training.precision)
        own = training.objective if isinstance(training.objective, nn.Module) else None
        self.state = _begun(training, model, own)
        if self._checkpoint is not None and self._checkpoint.exists():
            restore(self.state, self._checkpoint, training.identity)
        device = self.accelerator.device
        self.state.average.to(device)
        if own is not None:
            own.to(device)
        self.network, self.optimiser = self.accelerator.prepare(
            self.state.model, self.state.optimiser
        )
        self.state.optimiser = self.optimiser
        self.losses: list[float] = []
        self.pace = Pace(60 * training.schedule.minutes)

    @property
    def _checkpoint(self) -> Path | None:
        folder = self.training.folder
        return None if folder is None else folder / CHECKPOINT

    def run(self) -> State:
        state, start = self.state, time.monotonic() - self.state.seconds
        if state.steps == 0:
            state.steps = self._planned()
        state.seconds = time.monotonic() - start
        every = max(1, math.ceil(state.steps / ROUNDS))
        coming = (state.step // every + 1) * every
        for batch in self._batches(state.step):
            if self.cancel is not None and self.cancel():
                raise Cancelled("The training was cancelled.")
            before = state.seconds
            self._step(batch)
            state.seconds = time.monotonic() - start
            self.pace.took(state.seconds - before)
            if state.step >= min(coming, state.steps):
                coming = state.step + self._round(start, every)
            self._say()
            if state.step >= state.steps:
                break
        if not state.best:
            state.keep_best(0.0)
        return state

    def _step(self, batch: Batch) -> None:
        state = self.state
        warm = min(1.0, (state.step + 1) / SLOW)
        rate = warm * self.training.schedule.rate * (1 - state.step / max(state.steps, 1)) ** 0.9
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        loss = _learn(
            self.accelerator, self.training.objective, self.network, self.optimiser, batch
        )
        if not math.isfinite(loss):
            raise FitError(
                f"The loss became {loss} at step {state.step + 1}. Give a smaller learning rate "
                f"(rate, now {self.training.schedule.rate:g}), or check the images for values "
                "that are extreme."
            )
        self.losses.append(loss)
        state.step += 1
        state.follow()
        after = getattr(self.training.objective, "after_step", None)
        if after is not None:
            after(state.model)

    def _round(self, start: float, every: int) -> int:
        """Validate, remember, save; return after how many steps to do so again."""
        state = self.state
        began = time.monotonic()
        scores, results = self.training.validate(state.average)
        mean = sum(self.losses) / max(len(self.losses), 1)
        row = {"step": state.step, "seconds": round(state.seconds, 2), "loss": mean, **scores}
        state.history.append(row)
        score = next(iter(scores.values()), -mean)
        state.keep_best(float(state.step) if self.training.latest else score)
        self.losses = []
        if self.training.look is not None and self.accelerator.is_main_process:
            self.training.look(state.history, results)
        coming = self._replan(time.monotonic() - began, start, every)
        state.seconds = time.monotonic() - start
        if self._checkpoint is not None and self.accelerator.is_main_process:
            save(state, self._checkpoint, self.training.identity)
        return coming

    def _replan(self, cost: float, start: float, every: int) -> int:
        """Set the number of steps by how fast they were, where a time was given."""
        state, schedule = self.state, self.training.schedule
        if schedule.steps is not None or state.step >= state.steps:
            return every
        self._settle()
        steps, coming = self.pace.rest(time.monotonic() - start, cost)
        state.steps = state.step + self._agreed(steps)
        return self._agreed(coming)

    def _settle(self) -> None:
        """Use as many threads as are of use now; with a number of steps, always the same."""
        if self.accelerator.num_processes == 1:
            settle(self.accelerator.device)

    def _planned(self) -> int:
        """Return how many steps the time is enough for, measured on a copy."""
        schedule = self.training.schedule
        if schedule.steps is not None:
            return schedule.steps
        self._settle()
        model = copy.deepcopy(self.accelerator.unwrap_model(self.network))
        optimiser = schedule.made(list(model.parameters()))
        objective = copy.deepcopy(self.training.objective)
        spent = []
        for number in range(WARM_UP + 1):
            began = time.monotonic()
            batch = self._share(number).to(self.accelerator.device)
            _learn(self.accelerator, objective, model, optimiser, batch)
            spent.append(time.monotonic() - began)
        per_step = sorted(spent[1:])[WARM_UP // 2]
        left = (1 - SHARE) * (schedule.minutes * 60 - sum(spent))
        return self._agreed(max(ROUNDS, int(left / per_step)))

    def _agreed(self, steps: int) -> int:
        """Return the main process's number, as clocks differ."""
        if self.accelerator.num_processes == 1:
            return steps
        told = torch.tensor([steps], device=self.accelerator.device)
        torch.distributed.broadcast(told, 0)
        return int(told.item())

    def _share(self, step: int) -> Batch:
        rank, ranks = self.accelerator.process_index, self.accelerator.num_processes
        return self.training.batch(step, rank=rank, ranks=ranks)

    def _batches(self, first: int) -> Iterator[Batch]:
        """Yield batches from a step on; the next one is made while one is learned from."""
        with ThreadPoolExecutor(1) as pool:
            step = first
            coming = pool.submit(self._share, step)
            while True:
                batch = coming.result()
                step += 1
                coming = pool.submit(self._share, step)
                yield batch.to(self.accelerator.device)

    def _say(self) -> None:
        if self.tell is None or not self.accelerator.is_main_process:
            return
        state = self.state
        per_step = state.seconds / max(state.step, 1)
        scores = scores_in(state.history[-1]) if state.history else {}
        score = next(iter(scores.values()), None)
        loss = sum(self.losses) / len(self.losses) if self.losses else state.history[-1]["loss"]
        left = per_step * (state.steps - state.step)
        self.tell(Told(state.step, state.steps, loss, score, left, per_step))


def _begun(training: Training, model: nn.Module, own: nn.Module | None) -> State:
    parameters = [*model.parameters(), *(own.parameters() if own is not None else ())]
    trained = [p for p in parameters if p.requires_grad]
    return State(model, averaged(model), training.schedule.made(trained), own)


def _learn(
    accelerator: Accelerator, objective: Objective, model: nn.Module, optimiser: Any, batch: Batch
) -> float:
    """Take one step, and return the loss before it."""
    model.train()
    # Whatever is drawn at random belongs to the batch, so that a resumed training draws the same.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(batch.seed)
        with accelerator.autocast():
            loss, _ = objective.step(model, batch)
    optimiser.zero_grad(set_to_none=True)
    accelerator.backward(loss)
    accelerator.clip_grad_norm_(model.parameters(), CLIP)
    optimiser.step()
    return float(accelerator.reduce(loss.detach(), "mean"))


def accelerator(device: str, precision: str) -> Accelerator:
    """Return what places networks and batches.

    Raises
    ------
    ParameterError
        If there is no such device here.
    """
    place = resolve(device)
    return Accelerator(cpu=place.type == "cpu", mixed_precision=precision)
