"""Time our tree kernels beside the libraries that fit the trees.

Run ``python benchmarks/trees.py`` (``--smoke``: few rows, and no new processes). A million rows of
192 features, three classes, are predicted by 100 trees of depth 5 (CatBoost) and by a forest of 100
trees, by the library and by our kernels, on two threads; then a box of 1024 x 1024 pixels of
feature maps (64 features each on cells of 1, 2 and 4 pixels, float16), which the libraries cannot
read, on one thread. Each number is the fastest of some rounds, and the processor time of a round:
that is what to compare where other work shares the processor. The last rows are the time to fit
2400 rows of 56 features, and new processes up to their first probability, with an empty and a
filled numba cache.

Expected: an oblivious tree costs 5 comparisons of bytes, 64 at once, and half an addition per two
classes: below 100 ns a pixel for 100 trees, so reading the rows (768 bytes each) becomes the larger
part; at least 3 times faster than the library, which first copies the matrix into its own form. In
the forest a pixel takes about 1000 steps from node to node; without branches and 16 pixels in step
about 2 ns each, where scikit-learn waits for mispredicted branches: also 3 times.
CatBoost fits in less than 0.3 s, the export to arrays in less than a tenth of that.

Came, in processor time on two cores (AVX-512) shared with other work: CatBoost 0.31 s for the rows,
where the library takes 1.8 s (6 times faster), and
0.12 s for the maps; about 0.2 s of the rows' time is reading and transposing them. Forest 1.8 to
1.9 s for the rows against 10.6 s (5.8 times) and 2.1 s for the maps. Fit 0.12 to 0.16 s, of which
the export is 0.01 s. First probability with an empty cache 3.1 s (CatBoost) and 1 s more (Forest),
0.3 s with a filled one. Before: trees one by one with scores as four floats, 0.25 s for the maps;
a forest with branches, pixel by pixel, 7.4 s on one thread.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
from catboost import CatBoostClassifier
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier

from stroma.classify.catboost import CatBoost
from stroma.classify.forest import Forest
from stroma.classify.maps import predict_maps

ROWS = 1_000_000
LABELLED = 2400
SIDE = 1024
FEATURES = 192
THREADS = 2
ROUNDS = 4
FIRST = """
import time
import numpy as np
from stroma.classify.catboost import CatBoost
from stroma.classify.forest import Forest
X = np.random.default_rng(0).normal(size=(99, 3)).astype(np.float32)
for classifier in (CatBoost(iterations=5), Forest(n_estimators=5)):
    fitted = classifier.fit(X, 1 + (X[:, 0] > 0))
    start = time.perf_counter()
    fitted.predict_proba(X)
    print(type(classifier).__name__, f"{time.perf_counter() - start:.2f} s", end="   ")
"""


def labelled(rows: int, features: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return rows of three overlapping classes, of which half of the features know something."""
    rng = np.random.default_rng(0)
    y = rng.integers(1, 4, rows)
    X = rng.normal(size=(rows, features)).astype(np.float32)
    known = features // 2
    X[:, :known] += (y[:, None] * np.linspace(0.1, 0.9, known)).astype(np.float32)
    return X, y


def fastest(work: Callable[[], Any], rounds: int = 4) -> tuple[float, float]:
    """Return the least wall and the least processor time of some rounds, in seconds."""
    times = []
    for _ in range(min(rounds, ROUNDS)):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        times.append((time.perf_counter() - wall, time.process_time() - cpu))
    walls, cpus = zip(*times, strict=True)
    return min(walls), min(cpus)


def row(name: str, times: tuple[float, float], beside: tuple[float, float] | None = None) -> None:
    """Print a row of the table, with the ratio to the library's times."""
    ratio = "" if beside is None else f"{beside[0] / times[0]:7.1f} x {beside[1] / times[1]:7.1f} x"
    print(f"{name:44}{times[0]:9.3f} s{times[1]:9.3f} s  {ratio}")


def feature_maps() -> list[Any]:
    """Return three maps of float16 features on cells of 1, 2 and 4 pixels."""
    rng = np.random.default_rng(1)
    sides = {step: SIDE // step for step in (1, 2, 4)}
    return [
        SimpleNamespace(
            values=rng.normal(size=(FEATURES // 3, side, side)).astype(np.float16),
            step=step,
            origin=(0, 0),
        )
        for step, side in sides.items()
    ]


def predictions() -> None:
    X, y = labelled(LABELLED, FEATURES)
    rows, _ = labelled(ROWS, FEATURES)
    maps, box = feature_maps(), (slice(0, SIDE), slice(0, SIDE))
    boosted = CatBoostClassifier(
        **CatBoost(thread_count=THREADS).options(), allow_writing_files=False, silent=True
    ).fit(X, y)
    forest = RandomForestClassifier(n_jobs=THREADS, random_state=0).fit(X, y)
    libraries: list[tuple[Any, Callable[[], Any]]] = [
        (CatBoost(), lambda: boosted.predict_proba(rows, thread_count=THREADS)),
        (Forest(n_jobs=THREADS), lambda: forest.predict_proba(rows)),
    ]
    for classifier, library in libraries:
        name = type(classifier).__name__
        fitted = classifier.fit(X, y)
        fitted.predict_proba(rows[:10])
        beside = fastest(library, rounds=2)
        row(f"{name}: library, rows, {THREADS} threads", beside)
        ours = fastest(lambda f=fitted: f.predict_proba(rows))
        row(f"{name}: ours, rows, {os.cpu_count()} threads", ours, beside)
        times = fastest(lambda f=fitted: predict_maps(f, maps, box))
        row(f"{name}: ours, maps, 1 thread", times, beside)


def fits() -> None:
    X, y = labelled(LABELLED, 56)
    classifier = CatBoost(thread_count=THREADS)
    library = CatBoostClassifier(**classifier.options(), allow_writing_files=False, silent=True)
    beside = fastest(lambda: library.fit(X, y))
    row("CatBoost: library, fit", beside)
    row("CatBoost: ours, fit and export", fastest(lambda: classifier.fit(X, y)), beside)
    row("Forest: ours, fit and export", fastest(lambda: Forest(n_jobs=THREADS).fit(X, y)))


def first_probabilities() -> None:
    with tempfile.TemporaryDirectory() as cache:
        for state in ("empty", "filled"):
            environment = {**os.environ, "NUMBA_CACHE_DIR": cache}
            print(f"first probability, {state} cache: ", end="", flush=True)
            subprocess.run([sys.executable, "-c", FIRST], env=environment, check=True)
            print()


if __name__ == "__main__":
    if "--smoke" in sys.argv:
        ROWS, LABELLED, SIDE, ROUNDS = 2000, 200, 64, 1
    print(f"{'':44}{'wall':>11}{'processor':>11}  faster by")
    predictions()
    fits()
    if "--smoke" not in sys.argv:
        first_probabilities()
