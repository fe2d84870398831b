"""Simulated movies: defaults beside laptrack and motile, where those are installed.

    python benchmarks/tracking_movies.py [--seeds 3] [--learned trees] [SCENE ...]

Nothing is told to Stroma about a movie. laptrack and motile need to be told how far objects get:
they are run with several reaches, and the one that scores best by the truth is shown. "Best
possible" links what was found as the truth does. "Learned" are links learned from one other movie
of each of the scenes.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
from movies import SCENES, Simulated, simulate

from stroma.data.tracks import Detections, Tracks
from stroma.metrics.tracking import Matches, match, scores
from stroma.tracking import LEARNERS, SOLVERS
from stroma.tracking.annotated import Annotated, LearnedLinks
from stroma.tracking.detect import Seen, detect
from stroma.tracking.track import Linking, link

REACHES = (12.0, 20.0, 30.0)
UNSCORED = 100
"""Seed of the movies that are learned from."""


def by_laptrack(found: Detections, reach: float) -> Tracks:
    """Return the tracks of laptrack, with divisions."""
    from laptrack import LapTrack

    coordinates = [found.position[found.of(t)] for t in range(found.frames)]
    cut = reach**2
    tree = LapTrack(cutoff=cut, gap_closing_cutoff=cut, splitting_cutoff=cut).predict(coordinates)
    at = found.starts
    links = [(at[a[0]] + a[1], at[b[0]] + b[1]) for a, b in tree.edges]
    return Tracks(found, np.array(links, np.int64).reshape(-1, 2))


def by_motile(found: Detections, reach: float) -> Tracks:
    """Return the tracks of motile: all detections, neighbouring frames, divisions."""
    import motile
    import networkx
    from scipy.spatial import cKDTree

    graph = networkx.DiGraph()
    for i, (t, place) in enumerate(zip(found.frame, found.position, strict=True)):
        graph.add_node(i, t=int(t), y=float(place[0]), x=float(place[1]))
    for t in range(found.frames - 1):
        a, b = found.of(t), found.of(t + 1)
        near = cKDTree(found.position[a]).query_ball_tree(cKDTree(found.position[b]), reach)
        for i, others in enumerate(near):
            graph.add_edges_from((a.start + i, b.start + j) for j in others)
    solver = motile.Solver(motile.TrackGraph(graph, frame_attribute="t"))
    costs = motile.costs
    solver.add_cost(costs.EdgeDistanceCost(("y", "x"), weight=1, constant=-reach), name="near")
    solver.add_cost(costs.EdgeSplitCost(weight=0, constant=-reach / 2), name="daughter")
    solver.add_cost(costs.NodeAppearCost(constant=reach / 2), name="appear")
    solver.add_cost(costs.NodeSplitCost(constant=reach / 2), name="split")
    solver.solve(timeout=30)
    links = solver.get_selected_subgraph().edges
    return Tracks(found, np.array(list(links), np.int64).reshape(-1, 2))


OTHERS: dict[str, Callable[[Detections, float], Tracks]] = {
    "laptrack": by_laptrack,
    "motile": by_motile,
}


def ideal(movie: Simulated, found: Detections, pairs: Matches) -> Tracks:
    """Return what was found, linked as the truth is."""
    partner = pairs.unique(len(found))
    back = np.full(len(movie.tracks.detections), -1, np.int64)
    back[partner[partner >= 0]] = np.flatnonzero(partner >= 0)
    links = back[movie.tracks.links]
    return Tracks(found, links[(links >= 0).all(axis=1)])


def filmed(name: str, seed: int, frames: int = 0) -> tuple[Simulated, Seen, Matches]:
    """Return a movie, what is found in it, and which true objects that is."""
    movie = simulate(replace(SCENES[name], frames=frames or SCENES[name].frames), seed)
    seen = detect((frame, None) for frame in movie.found)
    both = zip(movie.true, movie.found, strict=True)
    return movie, seen, match(movie.tracks.detections, seen.detections, both)


def learned(names: list[str], learner: str, frames: int = 0) -> LearnedLinks:
    """Return links learned from a movie of each scene that is not scored."""
    movies = []
    for name in names:
        movie, seen, pairs = filmed(name, UNSCORED, frames)
        movies.append(Annotated(seen, ideal(movie, seen.detections, pairs).links))
    model: LearnedLinks = LEARNERS[learner]().fit(movies)
    return model


def scored(
    name: str,
    seed: int,
    others: tuple[str, ...],
    model: LearnedLinks | None = None,
    frames: int = 0,
) -> dict[str, np.ndarray]:
    """Return TRA, LNK, F1 of divisions and seconds of processor, by who linked."""
    movie, seen, pairs = filmed(name, seed, frames)

    def of(linked: Callable[[], Tracks]) -> np.ndarray:
        start = time.process_time()
        tracks = linked()
        seconds = time.process_time() - start
        found = scores(movie.tracks, tracks, pairs)
        return np.array([found["TRA"], found["LNK"], found["division_f1"], seconds])

    rows = {"best possible": of(lambda: ideal(movie, seen.detections, pairs))}
    for solver in SOLVERS:
        rows[f"stroma {solver}"] = of(lambda solver=solver: link(seen, Linking(solver=solver)))
    if model is not None:
        rows["stroma lap, learned"] = of(lambda: link(seen, Linking(cost=model)))
    for other in others:
        tried = [of(partial(OTHERS[other], seen.detections, reach)) for reach in REACHES]
        rows[other] = max(tried, key=lambda row: row[1])
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scenes", nargs="*", default=list(SCENES), metavar="SCENE")
    parser.add_argument("--seeds", type=int, default=3, help="movies of each scene")
    parser.add_argument("--alone", action="store_true", help="without laptrack and motile")
    parser.add_argument("--learned", choices=list(LEARNERS), help="with links that are learned")
    parser.add_argument("--smoke", action="store_true", help="small, to see that it runs")
    given = parser.parse_args()
    if given.smoke:
        given.scenes, given.seeds, given.alone, given.learned = ["dividing"], 1, True, "trees"
    warnings.simplefilter("ignore")
    others = tuple(o for o in OTHERS if not given.alone and importlib.util.find_spec(o))
    model = learned(given.scenes, given.learned, 5 * given.smoke) if given.learned else None
    print("| movie | | TRA | LNK | division F1 | seconds |\n|---|---|---|---|---|---|")
    for name in given.scenes:
        every = [scored(name, seed, others, model, 5 * given.smoke) for seed in range(given.seeds)]
        for who in every[0]:
            tra, lnk, division, seconds = np.mean([one[who] for one in every], axis=0)
            print(
                f"| {name} | {who} | {tra:.3f} | {lnk:.3f} | {division:.2f} | {seconds:.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
