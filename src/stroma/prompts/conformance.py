"""Checks that every engine for prompts must pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.errors import ContractError, ParameterError
from stroma.prompts.contract import OBJECT, REST, Answer, PromptedSegmenter

SIDES = {"yx": (40, 56), "zyx": (12, 24, 28)}
"""Sides of the images that are asked about, by axes."""


def check_prompted(
    build: Callable[[], PromptedSegmenter], *, rng: int | np.random.Generator = 0
) -> None:
    """Check that an engine keeps every promise of `stroma.prompts.contract.PromptedSegmenter`.

    Before it has an image it says so; wrong prompts are errors; the image is left as it was;
    masks and scores have the shapes, types and order that are promised; clicks and strokes lie on
    the side they were put on, boxes hold their object; the same is answered again, and by another
    engine that was given the embedding.

    Parameters
    ----------
    build : callable
        Makes an engine without an image: its class, where that needs no arguments.
    rng : int or Generator
        Source of the pixels.

    Raises
    ------
    ContractError
        At the first promise that is not kept; an ``AssertionError``.
    """
    rng = np.random.default_rng(rng)
    engine = build()
    _declares(engine)
    for axes in engine.axes:
        _check_space(build, SIDES[axes], rng)


def _require(condition: bool, engine: Any, message: str) -> None:
    if not condition:
        raise ContractError(f"{type(engine).__name__}: {message}")


def _declares(engine: Any) -> None:
    _require(
        isinstance(engine, PromptedSegmenter),
        engine,
        "lacks axes, key, set_image, predict, embedding or set_embedding.",
    )
    known = isinstance(engine.axes, tuple) and set(engine.axes) <= set(SIDES) and engine.axes
    _require(bool(known), engine, f"axes are a tuple of {tuple(SIDES)}, got {engine.axes!r}.")
    _require(isinstance(engine.key, str) and bool(engine.key), engine, "key is a text.")
    _fails(engine, "a click before there is an image", points=[[1] * len(engine.axes[0])])


def _check_space(
    build: Callable[[], PromptedSegmenter], shape: tuple[int, ...], rng: np.random.Generator
) -> None:
    image, middle, corner = _picture(shape, rng)
    engine, before = build(), image.copy()
    engine.set_image(image)
    _require(np.array_equal(image, before), engine, "set_image changed the image.")
    _fails(engine, "no prompt at all")
    _fails(engine, "a point outside the image", points=[shape])
    _fails(engine, "a label that is neither 0 nor 1", points=[middle], labels=[2])
    _fails(engine, "clicks beside the object alone", points=[corner], labels=[0])
    asked = _questions(shape, middle, corner)
    answers = [_answer(engine, shape, prompts) for prompts in asked]
    other = build()
    other.set_embedding(engine.embedding())
    for prompts, answer in zip(asked, answers, strict=True):
        _require(_equal(engine.predict(**prompts), answer), engine, "answers differently again.")
        _require(
            _equal(other.predict(**prompts), answer),
            engine,
            "answers differently with its embedding instead of the image.",
        )


def _picture(
    shape: tuple[int, ...], rng: np.random.Generator
) -> tuple[NDArray[np.float32], list[int], list[int]]:
    """Return a bright ball on noise (1, *space), its middle, and a place beside it."""
    middle = [n // 2 for n in shape]
    grid = np.indices(shape).reshape(len(shape), -1).T - middle
    ball = (np.linalg.norm(grid, axis=1) < min(shape) / 3).reshape(shape)
    image = ball + rng.normal(0, 0.05, shape)
    return image[None].astype(np.float32), middle, [1] * len(shape)


def _questions(
    shape: tuple[int, ...], middle: list[int], corner: list[int]
) -> list[dict[str, Any]]:
    strokes = np.zeros(shape, np.uint8)
    strokes[tuple(middle)], strokes[tuple(corner)] = OBJECT, REST
    radius = -(-min(shape) // 3)
    box = [*(m - radius for m in middle), *(m + radius for m in middle)]
    mask = np.zeros(shape, bool)
    mask[tuple(slice(m - 2, m + 3) for m in middle)] = True
    return [
        {"points": [middle]},
        {"points": [middle, corner], "labels": [1, 0]},
        {"strokes": strokes},
        {"boxes": [box]},
        {"boxes": [box], "points": [corner], "labels": [0]},
        {"mask": mask, "points": [middle]},
    ]


def _answer(engine: PromptedSegmenter, shape: tuple[int, ...], prompts: dict[str, Any]) -> Answer:
    said = ", ".join(prompts)
    masks, scores = engine.predict(**prompts)
    _require(
        masks.dtype == bool and masks.ndim == len(shape) + 1 and masks.shape[1:] == shape,
        engine,
        f"masks are (n, *space) bool, got {masks.shape} {masks.dtype} for {said}.",
    )
    _require(
        scores.dtype == np.float32 and scores.shape == masks.shape[:1] and len(scores) > 0,
        engine,
        f"scores are (n,) float32 and at least one, got {scores.shape} {scores.dtype}.",
    )
    fair = bool(((scores >= 0) & (scores <= 1)).all() and (np.diff(scores) <= 0).all())
    _require(fair, engine, f"scores fall from 1 to 0 at most, got {scores.tolist()}.")
    _check_sides(engine, masks[0], prompts, said)
    return masks.copy(), scores.copy()


def _check_sides(
    engine: PromptedSegmenter, mask: NDArray[np.bool_], prompts: dict[str, Any], said: str
) -> None:
    points = prompts.get("points", [])
    for point, label in zip(points, prompts.get("labels", [1] * len(points)), strict=True):
        where = "on the object is not in" if label else "beside the object is in"
        _require(bool(mask[tuple(point)]) == bool(label), engine, f"a click {where} the mask.")
    if (strokes := prompts.get("strokes")) is not None:
        kept = mask[strokes == OBJECT].all() and not mask[strokes == REST].any()
        _require(bool(kept), engine, "strokes do not lie on their sides of the mask.")
    _require(bool(mask.any()), engine, f"the mask for {said} is empty.")
    for box in prompts.get("boxes", []):
        low, high = np.reshape(box, (2, -1))
        places = np.argwhere(mask)
        inside = (places >= low).all() and (places <= high).all()
        _require(bool(inside), engine, "the mask reaches out of its box.")


def _equal(found: Answer, expected: Answer) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))


def _fails(engine: PromptedSegmenter, what: str, **prompts: Any) -> None:
    try:
        engine.predict(**prompts)
    except ParameterError:
        return
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        found = type(error).__name__
        raise ContractError(
            f"{type(engine).__name__}: {what} is a {found}, not a ParameterError."
        ) from error
    _require(False, engine, f"{what} is no ParameterError.")
