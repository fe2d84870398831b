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

from stroma.errors import ContractError, ParameterError
from stroma.targets.contract import Encoded, Result, Target, Truth
from stroma.targets.examples import examples, hidden, worse
from stroma.targets.turns import Turn, mirrors

FAR = 12.0
"""Size of the outputs of the random networks that losses are tried on."""

UNLIKE = (AttributeError, LookupError, StopIteration, TypeError, ValueError)
"""What comes of methods that keep another contract."""

TINY = 1e-6
"""Values of encodings below this are none."""


def check_target(
    target: Target,
    truth: Any = None,
    *,
    shape: tuple[int, ...] | None = None,
    least_score: float = 0.95,
    turned: float = 1e-3,
    rng: int | np.random.Generator = 0,
) -> None:
    """Check that a target keeps every promise of its contract, on an example.

    It is a frozen dataclass that JSON and pickle give back; what it encodes has a channel for each
    name, is finite, and decodes to the truth; every option of ``decode`` does something, and is
    usually what ``tunable`` names first; what nobody knows has no weight, and what is encoded
    beside it is true whatever is there; losses are numbers with gradients, do not change with what
    is predicted or said where nobody knows, and fall when a network follows them; mirroring an
    image, turning it by right angles, or both, turns what is encoded.

    Parameters
    ----------
    target : Target
        An object, not its class.
    truth : array, optional
        An example, as for ``encode``: not symmetric, with all classes, or several objects. Some of
        two classes, objects, points or channels, unless given, in planes and in volumes where a
        target does not say its ``ndim``.
    shape : tuple of int, optional
        Sides of the example; those of the array, unless given.
    least_score : float
        What the first score of the decoded encoding is to be at least.
    turned : float
        How far values of a turned example may be apart: on average over those of a channel that
        are known, in units of the largest value there, or of 1.
    rng : int or Generator
        Source of the outputs that losses are tried on.

    Raises
    ------
    ContractError
        At the first promise that is not kept.
    """
    _check_declaration(target)
    if truth is None:
        every = examples(target)
    else:
        every = [(truth, shape or np.shape(truth)[-getattr(target, "ndim", np.ndim(truth)) :])]
    for example, sides in every:
        try:
            _check(target, example, sides, least_score, turned, rng)
        except ContractError:
            raise
        except UNLIKE as error:  # a method takes, or returns, something else than it should
            raise ContractError(
                f"{type(target).__name__}: {type(error).__name__}: {error}. What its methods take "
                "and return is in stroma.targets.contract.Target."
            ) from error


def _check(
    target: Target,
    example: Any,
    sides: tuple[int, ...],
    least_score: float,
    turned: float,
    rng: int | np.random.Generator,
) -> None:
    drawn = np.random.default_rng(rng)
    encoded = _check_encoding(target, example, sides)
    _check_decoding(target, example, encoded, least_score)
    _check_options(target, encoded, drawn)
    _check_unknown(target, example, encoded, turned)
    _check_loss(target, encoded, drawn)
    for turn in _turns(sides):
        _check_turn(target, example, encoded, turn, turned)


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
    _require(
        isinstance(target.context, int) and target.context >= 0,
        target,
        f"context is a number of pixels from 0, got {target.context!r}.",
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


def _check_options(target: Target, encoded: Encoded, rng: np.random.Generator) -> None:
    """Look at predictions that are not perfect, as options decide nothing of those that are."""
    tried = list(worse(encoded.values, rng))
    usual = [target.decode(values) for values in tried]
    for option, choices in target.tunable.items():
        first = [target.decode(values, **{option: choices[0]}) for values in tried]
        _require(
            all(map(_same, first, usual)),
            target,
            f"decode does another thing with {option}={choices[0]!r}, which tunable names first, "
            "than without it.",
        )
        # What some options do is seen only where others keep little back.
        others = {name: last[-1] for name, last in target.tunable.items() if name != option}
        changed = any(
            not _same(
                target.decode(values, **base, **{option: choices[0]}),
                target.decode(values, **base, **{option: choice}),
            )
            for base in ({}, others)
            for values in tried
            for choice in choices[1:]
        )
        _require(
            changed or len(choices) == 1,
            target,
            f"decode finds the same whatever {option} is. Use it, or leave it out of tunable.",
        )


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    return np.array_equal(one, other)


def _check_unknown(target: Target, truth: Any, encoded: Encoded, tolerance: float) -> None:
    """Hide a part of the example, which cuts through what is there."""
    cut = hidden(target, truth, encoded.values.shape[1:])
    if cut is None:
        return
    part, where = cut
    seen = target.encode(part, shape=encoded.values.shape[1:])
    known = np.broadcast_to(seen.known, seen.values.shape)
    _require(
        not known[:, where].any() and bool(np.isfinite(seen.values).all()),
        target,
        "pixels that nobody knows (-1, or NaN in images) have a weight, or are not finite.",
    )
    _require(bool(known.any()), target, "where a part is unknown, nothing has a weight.")
    apart = _apart(seen.values, encoded.values, known * encoded.known)
    _require(
        apart <= tolerance,
        target,
        f"what is encoded beside pixels that nobody knows differs by {apart:.4g} from what is "
        "there where they are known. Give it no weight.",
    )
    score = next(iter(target.score([target.decode(encoded.values)], [part]).values()))
    whole = next(iter(target.score([target.decode(encoded.values)], [truth]).values()))
    _require(
        score >= whole - tolerance,
        target,
        f"what is found where nobody knows counts: the score is {score:.3f}, and {whole:.3f} "
        "where all is known.",
    )


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
    said = torch.where(unknown.expand_as(values) == 0, 1 - values, values)
    told = target.loss(start, said, unknown)[0]
    _require(
        torch.allclose(same[0], told, rtol=1e-4, atol=1e-5),
        target,
        f"the loss changes with the truth where nobody knows: {float(same[0])}, {float(told)}.",
    )
    nothing = target.loss(start, values, torch.zeros_like(known))[0]
    _require(
        bool(torch.isfinite(nothing)), target, "where nothing is known, the loss is not finite."
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
    """Return all exchanges of axes, each with all mirrors: 8 in planes, 48 in volumes."""
    orders = permutations(range(len(shape)))
    return [Turn(order, mirror.flips) for order in orders for mirror in mirrors(len(shape))]


def _check_turn(target: Target, truth: Any, encoded: Encoded, turn: Turn, tolerance: float) -> None:
    shape = encoded.values.shape[1:]
    moved, sides = _turned(target, truth, turn, shape)
    other = target.encode(moved, shape=sides)
    try:
        back = target.turned_back(other.values, turn)
    except ParameterError:
        # Where pixels are not as high as wide, axes may not be exchanged; mirrored they always are.
        if turn.order == tuple(range(turn.ndim)):
            raise
        return
    _require(
        back.shape == encoded.values.shape, target, f"turned_back changes the shape to {back.shape}"
    )
    known = np.minimum(encoded.known, turn.undo(other.known))
    apart = _apart(back, encoded.values, known)
    _require(
        apart <= tolerance,
        target,
        f"what is encoded of an image turned by {turn} differs, turned back, from that of the "
        f"image by {apart:.4g} on average. Mend turned_back.",
    )


def _apart(one: NDArray[Any], other: NDArray[Any], known: NDArray[Any]) -> float:
    """Return how far values are apart, in the channel where they are farthest.

    On average over the values of the channel that are known and not 0 in both.
    """
    weight = np.broadcast_to(known, one.shape) * (np.maximum(abs(one), abs(other)) > TINY)
    axes = tuple(range(1, one.ndim))
    far = (abs(one - other) * weight).sum(axes) / np.maximum(weight.sum(axes), TINY)
    size = np.maximum((abs(other) * (weight > 0)).max(axes, initial=0), 1)
    return float((far / size).max())


def _turned(
    target: Target, truth: Any, turn: Turn, shape: Sequence[int]
) -> tuple[NDArray[Any], tuple[int, ...]]:
    sides = tuple(shape[i] for i in turn.order)
    if target.truth != "points":
        return np.ascontiguousarray(turn.apply(np.asarray(truth))), sides
    moved = np.asarray(truth)[:, list(turn.order)]
    flipped = np.where(turn.flips, np.array(sides) - 1 - moved, moved)
    return flipped, sides
