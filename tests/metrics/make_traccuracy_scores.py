"""Make ``traccuracy_scores.json``: what traccuracy says of movies with known faults.

    pip install traccuracy
    python tests/metrics/make_traccuracy_scores.py

Run with ``tests`` and ``src`` on the path, by a Python that has both packages.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from metrics.make_ctc_scores import NAMES, case
from stroma.data.tracks import Tracks

PLAIN = ("DET", "TRA", "LNK")
DIVISIONS = {
    "Division Precision": "division_precision",
    "Division Recall": "division_recall",
    "Division F1": "division_f1",
}


def graph(tracks: Tracks, images: np.ndarray):
    """Return tracks as traccuracy takes them."""
    import networkx as nx
    from traccuracy import TrackingGraph

    found, made = tracks.detections, nx.DiGraph()
    for i in range(len(found)):
        y, x = found.position[i].tolist()
        made.add_node(i, t=int(found.frame[i]), segmentation_id=int(found.label[i]), y=y, x=x)
    made.add_edges_from(tracks.links.tolist())
    return TrackingGraph(made, segmentation=images, location_keys=("y", "x"))


def scores(name: str) -> dict[str, float]:
    """Return what traccuracy says of a movie, under the names of Stroma.

    Where one object covers two true ones, it has neither CHOTA nor divisions to tell; and where no
    division was found, neither their precision nor F1.
    """
    from traccuracy.metrics import CHOTAMetric, CTCMetrics, DivisionMetrics

    true_images, truth, images, ours = case(name)
    movies = graph(truth, true_images), graph(ours, images)
    found = {key: said for key, said in measured(movies, CTCMetrics()).items() if key in PLAIN}
    if name != "joined":
        divisions = measured(movies, DivisionMetrics())["Frame Buffer 0"]
        found |= {ours: divisions[theirs] for theirs, ours in DIVISIONS.items()}
        found |= measured(movies, CHOTAMetric())
    return {key: round(float(said), 7) for key, said in found.items() if np.isfinite(said)}


def measured(movies, metric) -> dict:
    """Return what one metric says of the truth and a result."""
    from traccuracy import run_metrics
    from traccuracy.matchers import CTCMatcher

    ((result,), _) = run_metrics(*movies, CTCMatcher(), [metric])
    return result["results"]


def main() -> None:
    found = {name: scores(name) for name in NAMES}
    target = Path(__file__).with_name("traccuracy_scores.json")
    target.write_text(json.dumps(found, indent=1) + "\n")
    sys.stdout.write(target.read_text())


if __name__ == "__main__":
    main()
