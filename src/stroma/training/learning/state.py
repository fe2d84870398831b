"""Where a training stands, kept in a file that appears whole or not at all.

The file is a safetensors file: tensors, and JSON in its header. Reading it runs no code.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import nn

from stroma.errors import FormatError, ParameterError
from stroma.training.files.tensors import write_tensors

KEY = "stroma.training"


@dataclass
class State:
    """What changes while a network learns.

    Parameters
    ----------
    model : nn.Module
        What is trained.
    average : nn.Module
        Moving average of its weights, which is what is used.
    optimiser : torch.optim.Optimizer
        With its momenta.
    objective : nn.Module or None
        Where the objective has parameters of its own.
    step, steps : int
        Steps that are done, and that there will be.
    seconds : float
        Time spent so far.
    history : list of dict
        One row per round.
    best : dict of str to tensor
        The averaged weights with the best score.
    score : float
        That score; minus infinity before there is one.
    """

    model: nn.Module
    average: nn.Module
    optimiser: torch.optim.Optimizer
    objective: nn.Module | None = None
    step: int = 0
    steps: int = 0
    seconds: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)
    best: dict[str, torch.Tensor] = field(default_factory=dict)
    score: float = float("-inf")

    def keep_best(self, score: float) -> None:
        """Remember the averaged weights if their score is the best so far (of equals the last)."""
        if score >= self.score:
            self.score = score
            self.best = {k: v.detach().cpu().clone() for k, v in self.average.state_dict().items()}

    def follow(self) -> None:
        """Move the average towards the weights, faster in the beginning."""
        decay = min(0.995, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            own = self.model.state_dict()
            for name, slow in self.average.state_dict().items():
                if slow.dtype.is_floating_point:
                    slow.lerp_(own[name].to(slow.dtype), 1 - decay)
                else:
                    slow.copy_(own[name])


def averaged(model: nn.Module) -> nn.Module:
    """Return a copy that follows a model."""
    return copy.deepcopy(model).eval().requires_grad_(False)


def scores_in(row: Mapping[str, float]) -> dict[str, float]:
    """Return the scores of a row of the history, the one that decides first."""
    return {k: v for k, v in row.items() if k not in ("step", "seconds", "loss")}


def save(state: State, path: Path, identity: str) -> None:
    """Write a state, replacing the one before.

    Parameters
    ----------
    state : State
        Where the training stands.
    path : Path
        A ``.safetensors`` file.
    identity : str
        Of data, network and settings: only the same training goes on with it.
    """
    tensors = {f"model.{k}": v for k, v in state.model.state_dict().items()}
    tensors |= {f"average.{k}": v for k, v in state.average.state_dict().items()}
    tensors |= {f"best.{k}": v for k, v in state.best.items()}
    if state.objective is not None:
        tensors |= {f"objective.{k}": v for k, v in state.objective.state_dict().items()}
    kept = state.optimiser.state_dict()
    for number, values in kept["state"].items():
        tensors |= {f"optimiser.{number}.{k}": v for k, v in values.items() if v is not None}
    said = {
        "identity": identity,
        "step": state.step,
        "steps": state.steps,
        "seconds": state.seconds,
        "history": state.history,
        "score": None if state.score == float("-inf") else state.score,
        "groups": kept["param_groups"],
    }
    write_tensors(path, tensors, KEY, said)


def restore(state: State, path: Path, identity: str) -> None:
    """Bring a state to where its file says it stood.

    Raises
    ------
    ParameterError
        If the file is of another training.
    FormatError
        If it is damaged.
    """
    said, tensors = _read(path)
    if said["identity"] != identity:
        raise ParameterError(
            f"{path} is of a training with other data or settings. Give the same ones to go on "
            "with it, or delete it (or give overwrite) to start over."
        )
    state.model.load_state_dict(_part(tensors, "model"))
    state.average.load_state_dict(_part(tensors, "average"))
    if state.objective is not None:
        state.objective.load_state_dict(_part(tensors, "objective"))
    state.best = _part(tensors, "best")
    moments: dict[int, dict[str, torch.Tensor]] = {}
    for name, tensor in _part(tensors, "optimiser").items():
        number, _, key = name.partition(".")
        moments.setdefault(int(number), {})[key] = tensor
    state.optimiser.load_state_dict({"state": moments, "param_groups": said["groups"]})
    state.step, state.steps, state.seconds = said["step"], said["steps"], said["seconds"]
    state.history = said["history"]
    state.score = float("-inf") if said["score"] is None else said["score"]


def _read(path: Path) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    try:
        with safe_open(path, framework="pt") as file:
            said = json.loads(file.metadata()[KEY])
            return said, {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise FormatError(
            f"{path} is not the state of a training ({error}). Delete it to start over."
        ) from error


def _part(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    start = f"{prefix}."
    return {k.removeprefix(start): v for k, v in tensors.items() if k.startswith(start)}
