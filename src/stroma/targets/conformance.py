"""What every target must keep: the checks behind ``stroma.testing.check_target``."""

from __future__ import annotations

import dataclasses
import json
import pickle
from collections.abc import Sequence
from itertools import permutations
from typing import Any, get_args

import numpy as np
import torch
from numpy.typing import NDArray

from stroma.errors import ContractError
from stroma.targets.contract import Encoded, Result, Target, Truth
from stroma.targets.turns import Turn, mirrors

FAR = 12.0
"""Size of the outputs of the random networks that losses are tried on."""


def check_target(
    target: Target,
    truth: Any,
    *,
    shape: tuple[int, ...],
    least_score: float = 0.95,
    turned: float = 1e-3,
    rng: int | np.random.Generator = 0,
) -> None:
    """Check that a target keeps every promise of its contract, on an example.

    It is a frozen dataclass that JSON and pickle give back; what it encodes has a channel for each
    name, is finite, and decodes to the truth; losses are numbers with gradients, do not change
    with what is predicted where nobody knows, and fall when a network follows them; turning an
    image turns what is encoded.

    Parameters
    ----------
    target : Target
        An object, not its class.
    truth : array
        An example, as for ``encode``: not symmetric, with all classes, or several objects.
    shape : tuple of int
        Sides of the example.
    least_score : float
        What the first score of the decoded encoding is to be at least.
    turned : float
        How far encodings of a turned example may be apart, on average over its known pixels.
    rng : int or Generator
        Source of the outputs that losses are tried on.

    Raises
    ------
    ContractError
        At the first promise that is not kept.
    """
    _check_declaration(target)
    encoded = _check_encoding(target, truth, shape)
    _check_decoding(target, truth, encoded, least_score)
    _check_loss(target, encoded, np.random.default_rng(rng))
    for turn in _turns(shape):
        _check_turn(target, truth, encoded, turn, turned)


def _require(condition: bool, target: Any, message: str) -> None:
    if not condition:
        raise ContractError(f"{type(target).__name__}: {message}")


def _check_declaration(target: Target) -> None:
    params = getattr(type(target), "__dataclass_params__", None)
    _require(
        not isinstance(target, type) and params is not None and params.frozen,
        target,
        "not an object of a frozen dataclass. Write @dataclass(frozen=True) above the class.",
    )
    _require(
        isinstance(target, Target),
        target,
        "lacks a method of stroma.targets.contract.Target.",
    )
    for name, allowed in (("truth", Truth), ("result", Result)):
        value = getattr(target, name)
        _require(
            value in get_args(allowed),
            target,
            f"{name} is {value!r}, allowed is one of {get_args(allowed)}.",
        )
    said = json.loads(json.dumps(dataclasses.asdict(target)))  # type: ignore[call-overload]
    _require(
        type(target)(**said) == target,
        target,
        "is not what its parameters give after JSON. Turn lists into tuples in __post_init__.",
    )
    _require(
        pickle.loads(pickle.dumps(target)) == target, target, "is not equal to its pickled copy."
    )
    names = target.channels()
    _require(
        bool(names) and len(set(names)) == len(names),
        target,
        f"each channel has a name of its own, got {names}.",
    )
    _require(
        all(isinstance(v, tuple) and v for v in target.tunable.values()),
        target,
        "tunable gives a tuple of values for each option, the default first.",
    )


def _check_encoding(target: Target, truth: Any, shape: tuple[int, ...]) -> Encoded:
    given = np.array(truth)
    encoded = target.encode(truth, shape=shape)
    _require(bool((given == truth).all()), target, "encode changed its labels. Work on a copy.")
    wanted = (len(target.channels()), *shape)
    _require(
        encoded.values.shape == wanted and encoded.values.dtype == np.float32,
        target,
        f"encoded values are float32 of shape {wanted}, got {encoded.values.dtype} of "
        f"{encoded.values.shape}.",
    )
    _require(
        encoded.known.shape[0] in (1, wanted[0]) and encoded.known.shape[1:] == shape,
        target,
        f"known is (1 or {wanted[0]}, {shape}), got {encoded.known.shape}.",
    )
    finite = np.isfinite(encoded.values).all() and np.isfinite(encoded.known).all()
    _require(bool(finite), target, "encoded values are NaN or infinite.")
    again = target.encode(truth, shape=shape)
    _require(
        np.array_equal(again.values, encoded.values), target, "encodes differently the second time."
    )
    return encoded


def _check_decoding(target: Target, truth: Any, encoded: Encoded, least: float) -> None:
    result = target.decode(encoded.values)
    scores = target.score([result], [truth])
    name, score = next(iter(scores.items()))
    _require(
        score >= least,
        target,
        f"decoding what it encoded gives a {name} of {score:.3f}, wanted is {least}.",
    )
    for option, values in target.tunable.items():
        target.decode(encoded.values, **{option: values[-1]})


def _check_loss(target: Target, encoded: Encoded, rng: np.random.Generator) -> None:
    values, known = torch.from_numpy(encoded.values)[None], torch.from_numpy(encoded.known)[None]
    start = torch.from_numpy(rng.normal(size=values.shape).astype(np.float32))
    output = start.clone().requires_grad_()
    loss, parts = target.loss(output, values, known)
    _require(
        loss.ndim == 0 and bool(torch.isfinite(loss)) and isinstance(parts, dict),
        target,
        f"loss returns one finite number and its parts, got {loss}, {parts}.",
    )
    loss.backward()  # type: ignore[no-untyped-call]
    _require(
        output.grad is not None and bool((output.grad != 0).any()), target, "a loss has gradients."
    )
    unknown = _some_unknown(known)
    elsewhere = torch.where(unknown.expand_as(values) == 0, FAR - start, start)
    same = target.loss(start, values, unknown)[0], target.loss(elsewhere, values, unknown)[0]
    _require(
        torch.allclose(*same, rtol=1e-4, atol=1e-5),
        target,
        f"the loss changes with pixels that nobody knows: {float(same[0])}, {float(same[1])}.",
    )
    _check_learning(target, start, values, known, loss.item())


def _some_unknown(known: torch.Tensor) -> torch.Tensor:
    """Return weights that are 0 in the first half of the rows."""
    part = known.clone()
    part[:, :, : part.shape[2] // 2] = 0
    return part


def _check_learning(
    target: Target, start: torch.Tensor, values: torch.Tensor, known: torch.Tensor, before: float
) -> None:
    """Follow the gradient of the loss by the output itself."""
    output = start.clone().requires_grad_()
    optimiser = torch.optim.Adam([output], 0.1)
    for _ in range(60):
        optimiser.zero_grad()
        loss, _ = target.loss(output, values, known)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    _require(
        loss.item() < before,
        target,
        f"following the loss does not make it smaller: {before} became {loss.item()}.",
    )
    shape = target.activate(output.detach()).shape
    _require(shape == values.shape, target, f"activate changes the shape to {tuple(shape)}.")


def _turns(shape: Sequence[int]) -> list[Turn]:
    """Return all mirrors, and an exchange of axes."""
    every = list(mirrors(len(shape)))
    orders = list(permutations(range(len(shape))))
    return [*every, Turn(orders[-1], every[1].flips)]


def _check_turn(target: Target, truth: Any, encoded: Encoded, turn: Turn, tolerance: float) -> None:
    shape = encoded.values.shape[1:]
    moved, sides = _turned(target, truth, turn, shape)
    other = target.encode(moved, shape=sides)
    back = target.turned_back(other.values, turn)
    known = np.minimum(encoded.known, turn.undo(other.known))
    apart = float((np.abs(back - encoded.values) * known).mean())
    size = float(np.abs(encoded.values).mean())
    _require(
        back.shape == encoded.values.shape and apart <= tolerance * max(size, 1),
        target,
        f"what is encoded of an image turned by {turn} differs, turned back, from that of the "
        f"image by {apart:.4g} on average. Mend turned_back.",
    )


def _turned(
    target: Target, truth: Any, turn: Turn, shape: Sequence[int]
) -> tuple[NDArray[Any], tuple[int, ...]]:
    sides = tuple(shape[i] for i in turn.order)
    if target.truth != "points":
        return np.ascontiguousarray(turn.apply(np.asarray(truth))), sides
    moved = np.asarray(truth)[:, list(turn.order)]
    flipped = np.where(turn.flips, np.array(sides) - 1 - moved, moved)
    return flipped, sides
