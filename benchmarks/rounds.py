"""Time one round of painting, and the plain path to the same labels beside it.

    python benchmarks/rounds.py                    the numbers of the documentation, a few minutes
    python benchmarks/rounds.py --smoke            small images, to see that everything runs

The image has 1024 x 1024 pixels (float32, grey), three classes and about 2400 labelled pixels. The
first round trains and segments, the next one does so after one more stroke; the classifier's fit
is measured apart, and is not in the times of the rounds. The plain path computes the features of
the whole image with the same extractors, keeps them as one dense float32 array, C-contiguous with
a row per pixel, for all rounds, and lets the library that fits the classifier predict: with the
same parameters, and followed by the same smoothing. Its labels are compared with ours.

Every path runs in a process of its own, after a round with a small image in which everything is
imported and compiled; memory is what is needed at most above that. Of several runs, which take
turns, the fastest counts, for every number by itself. The last lines are that small round alone,
with imports, for an empty and a filled cache of numba.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from measuring import Spent, alone, forget_peak, memory, scene
from numpy.typing import NDArray

SIDE, LABELLED, STROKE = 1024, 2400, 100
WARM_SIDE = 128
ALIASES = ("ilastik", "stroma")
WHAT = ("first", "next", "fit")


# ---------------------------------------------------------------------- the two paths


def ours(alias: str) -> Callable[..., NDArray[Any]]:
    """Return a function that trains and segments, and notes the time of the fit."""
    from stroma import ConvpaintModel

    model = ConvpaintModel(alias)

    def answer(image: Any, strokes: Any, fitting: Spent) -> NDArray[Any]:
        time_fits(fitting)
        model.train(image, strokes)
        labels: NDArray[Any] = model.segment(image)
        return labels

    return answer


def time_fits(fitting: Spent) -> None:
    """Note what the fits of our models take from now on."""
    from stroma.pixel import learning
    from stroma.pixel.choices import classifiers

    def timed(*arguments: Any, **options: Any) -> Any:
        with fitting.running():
            return classifiers.fit(*arguments, **options)

    learning.fit = timed


def plain(alias: str) -> Callable[..., NDArray[Any]]:
    """Return a function that does so with one dense array, and the libraries themselves."""
    from stroma import ConvpaintModel
    from stroma.pixel.predicting.recipe import Recipe

    param = ConvpaintModel(alias).get_params()
    recipe, kept = Recipe.of(param), [(np.zeros(0), np.zeros(0))]

    def answer(image: Any, strokes: Any, fitting: Spent) -> NDArray[Any]:
        if kept[0][0] is not image:
            kept[0] = (image, dense_rows(image, recipe))
        rows, y = kept[0][1], strokes.ravel()
        with fitting.running():
            predict = fitted(str(param.clf), rows[y > 0], y[y > 0])
        probabilities = predict(rows).T.reshape(-1, *image.shape)
        if recipe.edges:
            probabilities = smoothed(probabilities, image, recipe.edges)
        return 1 + probabilities.argmax(axis=0)

    return answer


def dense_rows(image: NDArray[np.float32], recipe: Any) -> NDArray[np.float32]:
    """Return the features of all pixels, one row for each."""
    z = (image - image.mean()) / image.std()
    maps = [
        scaled(z, part.extractor, scale)
        for part in recipe.pipeline.parts
        for scale in part.scalings
        if part.extractor.wants.normalisation != "color"
    ]
    stack = np.concatenate([m for level in maps for m in level])
    return np.ascontiguousarray(stack.reshape(len(stack), -1).T)


def scaled(z: NDArray[np.float32], extractor: Any, scale: int) -> list[NDArray[np.float32]]:
    """Return the (F, y, x) features of an image on one level of the pyramid, at full size."""
    height, width = (side // scale for side in z.shape)
    level = z.reshape(height, scale, width, scale).mean(axis=(1, 3))
    channels = np.pad(level, extractor.halo, mode="reflect")[None]
    if extractor.wants.channels:
        channels = channels.repeat(extractor.wants.channels, axis=0)
    found = extractor(channels)
    return [m.values.repeat(scale * m.step, 1).repeat(scale * m.step, 2) for m in found]


def fitted(clf: str, rows: NDArray[np.float32], y: NDArray[Any]) -> Callable[..., Any]:
    """Return the predict_proba of the libraries, fitted with the parameters that we use."""
    if clf == "catboost":
        from catboost import CatBoostClassifier

        from stroma.classify.catboost import CatBoost

        made = CatBoostClassifier(**CatBoost().options(), allow_writing_files=False, silent=True)
        return made.fit(rows, y).predict_proba
    from sklearn.ensemble import ExtraTreesClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from stroma.classify.ensemble import Ensemble

    forest, linear = Ensemble()._blank()
    options = {k: v for k, v in forest.params().items() if k != "random_splits"}
    options["max_samples"] = forest._drawn(len(rows))
    trees = ExtraTreesClassifier(bootstrap=True, **options).fit(rows, y)
    regression = LogisticRegression(C=linear.C, max_iter=linear.max_iter, class_weight="balanced")
    line = make_pipeline(StandardScaler(), regression).fit(rows, y)
    return lambda wanted: (trees.predict_proba(wanted) + line.predict_proba(wanted)) / 2


def smoothed(
    probabilities: NDArray[Any], image: NDArray[np.float32], radius: int
) -> NDArray[np.float32]:
    """Return the probabilities of the whole image smoothed along its edges."""
    from stroma import Image
    from stroma.data.statistics import measure
    from stroma.pixel.predicting.edges import guide_of, guided

    guide = guide_of(measure(Image(image, "yx")), 1, rgb=False)
    values = guide.values(image[None, None], rgb=False)[0]
    return guided(probabilities.astype(np.float32), values, radius=radius, softness=guide.softness)


PATHS = {"ours": ours, "plain": plain}


# ---------------------------------------------------------------------- measuring them


def one_run(path: str, alias: str, side: int, labels: Path) -> None:
    """Measure a path in this process, print what was found, and keep the labels."""
    starting = Spent()
    with starting.running():
        answer = PATHS[path](alias)
        answer(*scene(min(side, WARM_SIDE), LABELLED // 10), Spent())
    image, strokes = scene(side, LABELLED)
    more = strokes.copy()
    more[side // 2 : side // 2 + 4, : STROKE // 4] = 1
    before = forget_peak()
    found: dict[str, Any] = {}
    for name, painted in (("first", strokes), ("next", more)):
        whole, fitting = Spent(), Spent()
        with whole.running():
            result = answer(image, painted, fitting)
        if not fitting.wall:
            raise RuntimeError("No fit was timed: the round does not fit where it did.")
        found[name], found["fit"] = vars(whole.less(fitting)), vars(fitting)
    np.save(labels, result.astype(np.uint8))
    print(json.dumps({**found, "start": vars(starting), "memory": memory("VmHWM") - before}))


def compared(alias: str, side: int, runs: int, paths: Sequence[str] = tuple(PATHS)) -> None:
    """Run the paths in turns, and print their rows of the table."""
    with tempfile.TemporaryDirectory() as folder:
        files = {path: Path(folder) / f"{path}.npy" for path in paths}
        found: dict[str, list[Any]] = {path: [] for path in paths}
        for _ in range(runs):
            for path, runs_found in found.items():
                arguments = ("--run", path, "--aliases", alias, "--side", side)
                runs_found.append(alone(__file__, *arguments, "--labels", files[path]))
        labels = [np.load(file) for file in files.values()]
    best = {path: fastest(runs_found) for path, runs_found in found.items()}
    for path, numbers in best.items():
        print(f"| {alias}, {path} | " + " | ".join(cells(numbers)) + " | |", flush=True)
    if len(paths) < 2:
        return
    same = (labels[0] == labels[1]).mean()
    ratios = [ratio(best["plain"][k], ours) for k, ours in best["ours"].items()]
    print(f"| {alias}, ratio | " + " | ".join(ratios) + f" | {100 * same:.1f} % |", flush=True)


def ratio(plain: float, ours: float) -> str:
    """Return how many times ours is less; small images need no memory beyond that of the start."""
    return f"**{plain / ours:.1f}**" if ours else "-"


def show_starts(alias: str) -> None:
    """Print what a new process takes for its first small round, before and after compilation."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["NUMBA_CACHE_DIR"] = folder
        for state in ("empty", "filled"):
            labels = Path(folder) / "labels.npy"
            arguments = ("--run", "ours", "--aliases", alias, "--side", WARM_SIDE)
            start = alone(__file__, *arguments, "--labels", labels)["start"]
            print(
                f"\nFirst round of a new process, {alias}, numba's cache {state}: "
                f"{start['wall']:.1f} s, of processors {start['cpu']:.1f} s"
            )


def fastest(found: list[dict[str, Any]]) -> dict[str, float]:
    """Return the least of every number, in ms and MB."""
    times = {
        f"{name} {kind}": min(1000 * run[name][kind] for run in found)
        for name in WHAT
        for kind in ("wall", "cpu")
    }
    return {**times, "memory": min(run["memory"] for run in found)}


def cells(numbers: dict[str, float]) -> list[str]:
    """Return the numbers as text."""
    return [f"{value:.0f} {'MB' if name == 'memory' else 'ms'}" for name, value in numbers.items()]


def main(arguments: list[str] | None = None) -> None:
    """Measure all aliases, or one path if this is the process for it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--aliases", nargs="+", default=ALIASES)
    parser.add_argument("--side", type=int, default=SIDE, help="pixels, a multiple of 16")
    parser.add_argument("--runs", type=int, default=5, help="of each path; the fastest counts")
    parser.add_argument("--run", choices=list(PATHS), help=argparse.SUPPRESS)
    parser.add_argument("--labels", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--smoke", action="store_true", help="small images, one run")
    given = parser.parse_args(arguments)
    if given.run:
        one_run(given.run, given.aliases[0], given.side, given.labels)
        return
    side, runs = (WARM_SIDE, 1) if given.smoke else (given.side, given.runs)
    print_head()
    for alias in ("stroma",) if given.smoke else given.aliases:
        compared(alias, side, runs)
    if not given.smoke:
        for alias in given.aliases:
            show_starts(alias)


def print_head() -> None:
    """Print the head of the table."""
    rounds = {name: name if name == "fit" else f"{name} round" for name in WHAT}
    heads = [f"{rounds[name]}, {kind}" for name in WHAT for kind in ("wall", "cpu")]
    print("| model, path | " + " | ".join([*heads, "memory", "equal labels"]) + " |")
    print("|---" * (len(heads) + 3) + "|")


if __name__ == "__main__":
    main()
