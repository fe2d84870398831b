"""Open damaged and malicious model files and parameter files, and count what comes of it.

Run ``python benchmarks/hostile_models.py`` (``--count N``; ``--smoke``: a few). A sound model of
every classifier is damaged at one to three seeded places: numbers at the ends of their types,
arrays of other types and shapes, lists for names, nothing. So are the words of a parameter file.
Each is opened as a user would, and what opens is applied to a small image.

A file may be refused, by an error of Stroma that names it, or work: then probabilities are finite,
add up to 1, and labels are those of the model. Expected of anything else: none.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from stroma import ConvpaintModel
from stroma.errors import StromaError
from stroma.pixel.files.plain import dumps
from stroma.pixel.files.saved import Saved
from stroma.pixel.files.storage import to_state

KINDS = ("catboost", "forest", "logistic", "ensemble")
SLOW = 10.0
"""Seconds that opening and applying a file may take."""

SEED = 0
VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 1, 2, 65535, 65536, 2**31, 2**63 - 1, -(2**63), 0.5, 1e308, float("nan"),
    float("inf"), "", "x", "vgg16", "a" * 5000, [], [1, [2]], [[1], [2], None], {}, {"a": {}},
    [1] * 5000, np.zeros(0), np.zeros((0, 3), np.float32), np.array(3), np.zeros((2, 2), np.int64),
)  # fmt: skip
NUMBERS = (-1, 0, 1, 2, 255, 65535, 2**15, 2**31 - 1, -(2**31), 2**63 - 1, -(2**63), 2**62 + 1)
FLOATS = (0.0, -0.0, 1e-45, 1e30, -1e38, 1e300, np.inf, -np.inf, np.nan)
SNIPPETS = (
    "!!int abc", "!!bool abc", "!!timestamp abc", "!!python/name:os.system", "&a [*a]", "*a",
    "&a [1, 1]", "9" * 5000, "1e999", ".inf", ".nan", "2001-01-01", "1:30:00", "[[[[[[1]]]]]]",
    "[]", "{}", "{a: 1}", "null", "~", "yes", "-1", "[1, x]", "[1, [2]]", "'" + "x" * 3000 + "'",
    "|\n  text", "[" * 900, "\x00", "\t", "- 1", "0x7fffffff", "<<", "? a", "%YAML 9.9", "---",
)  # fmt: skip


def image() -> np.ndarray[Any, Any]:
    """Return a small picture of two halves."""
    values = np.random.default_rng(SEED).normal(size=(24, 30)).astype(np.float32)
    values[:, 15:] += 3
    return values


def sound(kind: str) -> dict[str, Any]:
    """Return the state of a small model that was trained in memory mode."""
    strokes = np.zeros((24, 30), np.uint8)
    strokes[4:8, 3:9], strokes[4:8, 20:26], strokes[18:20, 3:9] = 1, 2, 3
    model = ConvpaintModel(fe_name="gaussian_features", clf=kind, clf_iterations=6, clf_depth=3)
    model.set_params(norm_from="training")
    model.train(image(), strokes, memory_mode=True, img_ids="a")
    return to_state(Saved(model.get_params(), model._fitted, model.classes, model._memory))


def damaged(state: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """Return a state with one to three places changed."""
    for _ in range(rng.integers(1, 4)):
        changed = _changed(state, rng)
        state = changed if isinstance(changed, dict) else {}
    return state


def _changed(value: Any, rng: np.random.Generator) -> Any:
    """Return a nested value with one place in it changed."""
    if isinstance(value, dict) and value and rng.random() < 0.95:
        key = list(value)[rng.integers(len(value))]
        rest = {k: v for k, v in value.items() if k != key}
        return rest if rng.random() < 0.05 else {**value, key: _changed(value[key], rng)}
    if isinstance(value, list) and value and rng.random() < 0.8:
        place = int(rng.integers(len(value)))
        return [*value[:place], _changed(value[place], rng), *value[place + 1 :]]
    if isinstance(value, np.ndarray) and rng.random() < 0.8:
        return _array(value, rng)
    return VALUES[rng.integers(len(VALUES))]


def _array(array: np.ndarray[Any, Any], rng: np.random.Generator) -> np.ndarray[Any, Any]:
    how = rng.integers(5)
    if how == 0:
        return array[: rng.integers(len(array) + 1)] if array.ndim else array[None]
    if how == 1:
        return np.concatenate([array, array]) if array.ndim else array
    if how == 2:
        return array.astype(rng.choice(["int32", "int64", "uint8", "float32", "float16", ">f8"]))
    array = array.copy()
    if array.size:
        values: Any = FLOATS if array.dtype.kind == "f" else NUMBERS
        many = slice(None) if how == 3 else rng.integers(array.size, size=2)
        with np.errstate(over="ignore"):
            array.flat[many] = np.array(values[rng.integers(len(values))]).astype(array.dtype)
    return array


def models(count: int, seed: int = SEED) -> Iterator[tuple[str, bytes]]:
    """Yield the name of a file and its bytes, of all classifiers in turn."""
    states, rng = {kind: sound(kind) for kind in KINDS}, np.random.default_rng(seed)
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        yield f"{kind}{number}.pkl", dumps(damaged(states[kind], rng))


def parameters(count: int, seed: int = SEED) -> Iterator[tuple[str, bytes]]:
    """Yield the name of a file of parameters and its bytes."""
    rng = np.random.default_rng(seed)
    values = dict(ConvpaintModel("gaussian").get_params().items())
    for number in range(count):
        lines = [f"{key}: {'null' if v is None else str(v).lower()}" for key, v in values.items()]
        for _ in range(rng.integers(1, 4)):
            place, snippet = rng.integers(len(lines)), SNIPPETS[rng.integers(len(SNIPPETS))]
            key = lines[place].partition(":")[0]
            lines[place] = snippet if rng.random() < 0.2 else f"{key}: {snippet}"
        yield f"p{number}.yml", "\n".join(lines).encode()


def outcome(path: Path) -> str:
    """Return what opening a file, and applying what opens, comes to."""
    try:
        model = ConvpaintModel(model_path=path)
        model.set_params(use_dask=False)
        if model.classifier is not None:
            labels, shares = model.segment(image()), model.predict_probas(image())
    except StromaError as error:
        return "refused" if path.name in str(error) else f"an error without the file: {error}"
    if model.classifier is None:
        return "opened"
    sums = bool(np.isfinite(shares).all()) and np.allclose(shares.sum(axis=0), 1, atol=1e-3)
    known = set(np.unique(labels).tolist()) <= set(model.classes_.tolist())
    return "works" if sums and known else "a result that cannot be"


def main() -> None:
    """Open the files and print how often what happened."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--smoke", action="store_true")
    count = 40 if (options := parser.parse_args()).smoke else options.count
    with tempfile.TemporaryDirectory() as folder:
        for what, files in (("models", models(count)), ("parameters", parameters(count))):
            found: Counter[str] = Counter()
            for name, data in files:
                path = Path(folder, name)
                path.write_bytes(data)
                start = time.perf_counter()
                found[outcome(path)[:60]] += 1
                found["slow"] += time.perf_counter() - start > SLOW
                path.unlink()
            told = ", ".join(f"{n} {word}" for word, n in found.most_common() if n)
            print(f"{count} {what}: {told}")


if __name__ == "__main__":
    main()
